// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/connection.hpp"
#include "store/journal.hpp"

namespace syncline::store {
namespace {

#define SYNCLINE_QUARANTINE_COLUMNS                                                                        \
  "SELECT mailbox, folder, item, item_version, code, text, first_seen, last_tried, attempts, replay FROM " \
  "quarantine "

constexpr Sql put_sql =
    "INSERT INTO quarantine (mailbox, folder, item, item_version, code, text, first_seen, last_tried, "
    "attempts, replay)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (mailbox, item) DO UPDATE SET"
    " folder = excluded.folder, item_version = excluded.item_version, code = excluded.code, text = "
    "excluded.text,"
    " last_tried = excluded.last_tried, attempts = excluded.attempts, replay = excluded.replay";
constexpr Sql find_sql = SYNCLINE_QUARANTINE_COLUMNS "WHERE mailbox = ?1 AND item = ?2";
constexpr Sql due_sql = SYNCLINE_QUARANTINE_COLUMNS
    "WHERE mailbox = ?1 AND (replay = 1 OR last_tried < ?2) ORDER BY last_tried, item";
constexpr Sql list_sql =
    SYNCLINE_QUARANTINE_COLUMNS "WHERE ?1 IS NULL OR mailbox = ?1 ORDER BY mailbox, first_seen, item";
constexpr Sql release_sql = "DELETE FROM quarantine WHERE mailbox = ?1 AND item = ?2";

#undef SYNCLINE_QUARANTINE_COLUMNS

Quarantined read_quarantined(const Query& row) {
  return {.mailbox = row.integer(0),
          .folder = row.text(1),
          .item = row.text(2),
          .item_version = row.text(3),
          .code = row.text(4),
          .text = row.text(5),
          .first_seen = row.time(6),
          .last_tried = row.time(7),
          .attempts = static_cast<int>(row.integer(8)),
          .replay = row.boolean(9)};
}

}  // namespace

Result<void> put_quarantined(Transaction& transaction, const Quarantined& item) {
  return execute(transaction.impl(), put_sql, item.mailbox, item.folder, item.item, item.item_version,
                 item.code, item.text, item.first_seen, item.last_tried, item.attempts, item.replay);
}

Result<std::optional<Quarantined>> find_quarantined(Transaction& transaction, MailboxId mailbox,
                                                    std::string_view item) {
  Query query(transaction.impl(), find_sql, mailbox, item);
  return read_one<Quarantined>(query, read_quarantined);
}

Result<std::vector<Quarantined>> quarantine_due(Transaction& transaction, MailboxId mailbox,
                                                SystemTime tried_before) {
  Query query(transaction.impl(), due_sql, mailbox, tried_before);
  return read_all<Quarantined>(query, read_quarantined);
}

Result<std::vector<Quarantined>> list_quarantine(Transaction& transaction, std::optional<MailboxId> mailbox) {
  Query query(transaction.impl(), list_sql, mailbox);
  return read_all<Quarantined>(query, read_quarantined);
}

Result<void> release_quarantined(Transaction& transaction, MailboxId mailbox, std::string_view item) {
  return execute(transaction.impl(), release_sql, mailbox, item);
}

}  // namespace syncline::store
