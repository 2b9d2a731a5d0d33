// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/readers.hpp"

#include <algorithm>

#include "store/connection.hpp"

namespace syncline::store {
namespace {

constexpr Sql mailboxes_of_record_sql = "SELECT mailbox FROM link WHERE record = ?1 AND state <> 2";
// Of one kind, and deleted or not: within those the index of owners has ids in their order.
constexpr Sql owned_sql =
    "SELECT id FROM record WHERE owner = ?1 AND kind = ?2 AND deleted = ?3 AND id > ?4 ORDER BY id LIMIT ?5";
// CROSS: from the mailbox's links, in the order of the index, to their records.
constexpr Sql linked_sql =
    "SELECT DISTINCT link.record FROM link INDEXED BY link_live CROSS JOIN record ON record.id = link.record"
    " WHERE link.mailbox = ?1 AND link.kind = ?2 AND link.state <> 2 AND record.deleted <= ?3"
    " AND link.record > ?4 ORDER BY link.record LIMIT ?5";
constexpr Sql naming_sql =
    "SELECT id, address, profile, enabled, json, state FROM mailbox WHERE address = ?1 OR instr(json, ?2) > "
    "0";

static_assert(static_cast<int>(LinkState::unlinked) == 2, "the number stands in the statements above");

}  // namespace

Result<bool> is_linked_for(Transaction& transaction, model::RecordId record, const Reader& reader) {
  Query query(transaction.impl(), mailboxes_of_record_sql, record);
  auto linked = read_all<MailboxId>(query, [](const Query& row) { return row.integer(0); });
  if (!linked) return fail(std::move(linked.error()));
  return std::ranges::any_of(*linked, [&](MailboxId mailbox) { return reader.mailboxes.contains(mailbox); });
}

Result<std::vector<model::RecordId>> list_readable(Transaction& transaction, const Reader& reader,
                                                   std::optional<model::RecordKind> kind, bool deleted_too,
                                                   model::RecordId after, int most) {
  std::vector<model::RecordId> ids;
  const auto add = [&](Query&& query) -> Result<void> {
    auto some = read_all<model::RecordId>(query, [](const Query& row) { return row.integer(0); });
    if (!some) return fail(std::move(some.error()));
    ids.insert(ids.end(), some->begin(), some->end());
    return {};
  };
  most = std::max(0, most);
  for (const model::RecordKind one : model::record_kinds) {
    if (kind && *kind != one) continue;
    for (const bool deleted : {false, true}) {
      if (deleted && !deleted_too) continue;
      auto added = add(Query(transaction.impl(), owned_sql, reader.owner, one, deleted, after, most));
      if (!added) return fail(std::move(added.error()));
    }
    for (const auto& [mailbox, _] : reader.mailboxes) {
      auto added = add(Query(transaction.impl(), linked_sql, mailbox, one, deleted_too, after, most));
      if (!added) return fail(std::move(added.error()));
    }
  }
  std::ranges::sort(ids);
  const auto twice = std::ranges::unique(ids);
  ids.erase(twice.begin(), twice.end());
  if (ids.size() > static_cast<std::size_t>(most)) ids.resize(static_cast<std::size_t>(most));
  return ids;
}

Result<std::vector<MailboxRow>> mailboxes_that_name(Transaction& transaction, std::string_view address,
                                                    std::string_view quoted) {
  Query query(transaction.impl(), naming_sql, address, quoted);
  return read_all<MailboxRow>(query, [](const Query& row) {
    return MailboxRow{.id = row.integer(0),
                      .address = row.text(1),
                      .profile = row.integer(2),
                      .enabled = row.boolean(3),
                      .json = row.text(4),
                      .state = row.text(5)};
  });
}

}  // namespace syncline::store
