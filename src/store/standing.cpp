// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/standing.hpp"

#include "store/connection.hpp"
#include "store/operations.hpp"

namespace syncline::store {
namespace {

constexpr Sql waiting_sql = "SELECT count(*) FROM operation WHERE state < 3";
// Few links are stale at a time: their index is small, while a table of links is not.
constexpr Sql stale_sql =
    "SELECT count(*) FROM link INDEXED BY link_stale WHERE stale_since IS NOT NULL AND state IN (0, 3)"
    " AND NOT EXISTS (SELECT 1 FROM operation WHERE operation.link = link.id AND operation.state < 3)";
constexpr Sql stale_in_mailbox_sql =
    "SELECT count(*) FROM link INDEXED BY link_stale WHERE mailbox = ?1 AND stale_since IS NOT NULL"
    " AND state IN (0, 3)"
    " AND NOT EXISTS (SELECT 1 FROM operation WHERE operation.link = link.id AND operation.state < 3)";
constexpr Sql unsent_sql =
    "SELECT count(*) FROM record WHERE status = 'pendingSend' AND deleted = 0"
    " AND NOT EXISTS (SELECT 1 FROM operation WHERE operation.record = record.id AND operation.state < 3)";
constexpr Sql unsent_of_owner_sql =
    "SELECT count(*) FROM record WHERE status = 'pendingSend' AND owner = ?1 AND deleted = 0"
    " AND NOT EXISTS (SELECT 1 FROM operation WHERE operation.record = record.id AND operation.state < 3)";
constexpr Sql before_latest_sql =
    "SELECT coalesce((SELECT change FROM record ORDER BY change DESC LIMIT 1 OFFSET ?1), 0)";
constexpr Sql person_sql = "SELECT count(*) FROM operation WHERE state = 5";
constexpr Sql quarantined_sql = "SELECT count(*) FROM quarantine";
constexpr Sql alerts_sql = "SELECT count(*) FROM alert WHERE open = 1 AND level = ?1";
constexpr Sql last_sql = "SELECT coalesce(max(sequence), 0) FROM journal";
constexpr Sql resyncs_sql =
    "SELECT reason, count(*) FROM journal WHERE sequence > ?1 AND sequence <= ?2 AND event = 'full-resync'"
    " GROUP BY reason";

static_assert(static_cast<int>(OperationState::done) == 3 &&
                  static_cast<int>(OperationState::needs_person) == 5,
              "the numbers of states stand in the statements above");

template <class... Values>
Result<void> count(Transaction& transaction, std::int64_t& to, Sql sql, const Values&... values) {
  Query query(transaction.impl(), sql, values...);
  auto row = query.next();
  if (!row) return fail(std::move(row.error()));
  to = query.integer(0);
  return {};
}

}  // namespace

Result<Standing> read_standing(Transaction& transaction) {
  Standing standing;
  Result<void> done = count(transaction, standing.writes_waiting, waiting_sql);
  std::int64_t unsent = 0;
  if (done) done = count(transaction, standing.changes_waiting, stale_sql);
  if (done) done = count(transaction, unsent, unsent_sql);
  standing.changes_waiting += unsent;
  if (done) done = count(transaction, standing.writes_for_a_person, person_sql);
  if (done) done = count(transaction, standing.quarantined, quarantined_sql);
  for (std::size_t level = 0; done && level < standing.alerts_open.size(); ++level)
    done = count(transaction, standing.alerts_open[level], alerts_sql, level);
  if (!done) return fail(std::move(done.error()));
  return standing;
}

Result<std::int64_t> count_stale_links(Transaction& transaction, std::int64_t mailbox) {
  std::int64_t stale = 0;
  if (auto done = count(transaction, stale, stale_in_mailbox_sql, mailbox); !done)
    return fail(std::move(done.error()));
  return stale;
}

Result<std::int64_t> count_unsent(Transaction& transaction, std::string_view owner) {
  std::int64_t unsent = 0;
  if (auto done = count(transaction, unsent, unsent_of_owner_sql, owner); !done)
    return fail(std::move(done.error()));
  return unsent;
}

Result<std::int64_t> change_before_latest(Transaction& transaction, int records) {
  std::int64_t change = 0;
  if (auto done = count(transaction, change, before_latest_sql, records); !done)
    return fail(std::move(done.error()));
  return change;
}

Result<Resyncs> count_resyncs(Transaction& transaction, Resyncs so_far) {
  std::int64_t last = 0;
  if (auto done = count(transaction, last, last_sql); !done) return fail(std::move(done.error()));
  Query query(transaction.impl(), resyncs_sql, so_far.journal_sequence, last);
  for (;;) {
    auto row = query.next();
    if (!row) return fail(std::move(row.error()));
    if (!*row) break;
    so_far.by_reason[query.text(0)] += static_cast<std::uint64_t>(query.integer(1));
  }
  so_far.journal_sequence = last;
  return so_far;
}

Result<Resyncs> begin_counting_resyncs(Transaction& transaction) {
  Resyncs none;
  if (auto done = count(transaction, none.journal_sequence, last_sql); !done)
    return fail(std::move(done.error()));
  return none;
}

}  // namespace syncline::store
