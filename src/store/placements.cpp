// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/placements.hpp"

#include "store/connection.hpp"

namespace syncline::store {
namespace {

constexpr Sql put_sql =
    "INSERT INTO placement (mailbox, looked_at, state, text, facts, parked_at, parked_why, requested_at,"
    " requested_by, reason, follow) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
    " ON CONFLICT (mailbox) DO UPDATE SET looked_at = ?2, state = ?3, text = ?4, facts = ?5, parked_at = ?6,"
    " parked_why = ?7, requested_at = ?8, requested_by = ?9, reason = ?10, follow = ?11";
#define SYNCLINE_PLACEMENT_COLUMNS                                                                    \
  "SELECT mailbox, looked_at, state, text, facts, parked_at, parked_why, requested_at, requested_by," \
  " reason, follow FROM placement "
constexpr Sql find_sql = SYNCLINE_PLACEMENT_COLUMNS "WHERE mailbox = ?1";
constexpr Sql list_sql = SYNCLINE_PLACEMENT_COLUMNS "ORDER BY mailbox";
constexpr Sql requested_sql =
    SYNCLINE_PLACEMENT_COLUMNS "WHERE requested_at IS NOT NULL ORDER BY requested_at, mailbox";
#undef SYNCLINE_PLACEMENT_COLUMNS

Placement read_placement(const Query& row) {
  Placement placement{.mailbox = row.integer(0),
                      .looked_at = row.optional_time(1),
                      .state = static_cast<PlacementState>(row.integer(2)),
                      .text = row.text(3),
                      .facts = row.text(4),
                      .parked_at = row.optional_time(5),
                      .parked_why = row.text(6)};
  if (!row.is_null(7))
    placement.request =
        LookRequest{.at = row.time(7), .by = row.text(8), .reason = row.text(9), .follow = row.boolean(10)};
  return placement;
}

}  // namespace

std::string_view to_string(PlacementState state) noexcept {
  switch (state) {
    case PlacementState::not_asked:
      return "not-asked";
    case PlacementState::fits:
      return "fits";
    case PlacementState::elsewhere:
      return "elsewhere";
    case PlacementState::not_found:
      return "not-found";
  }
  return {};
}

Result<void> put_placement(Transaction& transaction, const Placement& placement) {
  const LookRequest request = placement.request.value_or(LookRequest{});
  const auto requested_at = placement.request ? std::optional(request.at) : std::nullopt;
  return execute(transaction.impl(), put_sql, placement.mailbox, placement.looked_at, placement.state,
                 placement.text, placement.facts, placement.parked_at, placement.parked_why, requested_at,
                 request.by, request.reason, request.follow);
}

Result<std::optional<Placement>> find_placement(Transaction& transaction, MailboxId mailbox) {
  Query query(transaction.impl(), find_sql, mailbox);
  return read_one<Placement>(query, read_placement);
}

Result<std::vector<Placement>> list_placements(Transaction& transaction) {
  Query query(transaction.impl(), list_sql);
  return read_all<Placement>(query, read_placement);
}

Result<std::vector<Placement>> list_requested_placements(Transaction& transaction) {
  Query query(transaction.impl(), requested_sql);
  return read_all<Placement>(query, read_placement);
}

}  // namespace syncline::store
