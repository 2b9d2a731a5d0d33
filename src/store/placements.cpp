// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/placements.hpp"

#include "store/connection.hpp"

namespace syncline::store {
namespace {

constexpr Sql put_sql =
    "INSERT INTO placement (mailbox, looked_at, parked_at, parked_why, facts, error)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (mailbox) DO UPDATE SET looked_at = ?2, parked_at = ?3,"
    " parked_why = ?4, facts = ?5, error = ?6";
constexpr Sql find_sql =
    "SELECT mailbox, looked_at, parked_at, parked_why, facts, error FROM placement WHERE mailbox = ?1";
constexpr Sql list_sql =
    "SELECT mailbox, looked_at, parked_at, parked_why, facts, error FROM placement ORDER BY mailbox";

Placement read_placement(const Query& row) {
  return {.mailbox = row.integer(0),
          .looked_at = row.time(1),
          .parked_at = row.optional_time(2),
          .parked_why = row.text(3),
          .facts = row.text(4),
          .error = row.text(5)};
}

}  // namespace

Result<void> put_placement(Transaction& transaction, const Placement& placement) {
  return execute(transaction.impl(), put_sql, placement.mailbox, placement.looked_at, placement.parked_at,
                 placement.parked_why, placement.facts, placement.error);
}

Result<std::optional<Placement>> find_placement(Transaction& transaction, MailboxId mailbox) {
  Query query(transaction.impl(), find_sql, mailbox);
  return read_one<Placement>(query, read_placement);
}

Result<std::vector<Placement>> list_placements(Transaction& transaction) {
  Query query(transaction.impl(), list_sql);
  return read_all<Placement>(query, read_placement);
}

}  // namespace syncline::store
