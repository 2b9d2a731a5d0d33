// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/cursors.hpp"

#include "store/connection.hpp"

namespace syncline::store {
namespace {

constexpr Sql find_sql =
    "SELECT mailbox, folder, text, complete, resynced_at, notes FROM cursor WHERE mailbox = ?1 AND folder = "
    "?2";
constexpr Sql list_sql =
    "SELECT mailbox, folder, text, complete, resynced_at, notes FROM cursor WHERE mailbox = ?1 ORDER BY "
    "folder";
constexpr Sql put_sql =
    "INSERT INTO cursor (mailbox, folder, text, complete, resynced_at, notes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
    " ON CONFLICT (mailbox, folder) DO UPDATE SET text = excluded.text, complete = excluded.complete,"
    " resynced_at = excluded.resynced_at, notes = excluded.notes";
constexpr Sql delete_sql = "DELETE FROM cursor WHERE mailbox = ?1 AND folder = ?2";

Cursor read_cursor(const Query& row) {
  return {.mailbox = row.integer(0),
          .folder = row.text(1),
          .text = row.text(2),
          .complete = row.boolean(3),
          .resynced_at = row.optional_time(4),
          .notes = row.text(5)};
}

}  // namespace

Result<std::optional<Cursor>> find_cursor(Transaction& transaction, MailboxId mailbox,
                                          std::string_view folder) {
  Query query(transaction.impl(), find_sql, mailbox, folder);
  return read_one<Cursor>(query, read_cursor);
}

Result<void> put_cursor(Transaction& transaction, const Cursor& cursor) {
  return execute(transaction.impl(), put_sql, cursor.mailbox, cursor.folder, cursor.text, cursor.complete,
                 cursor.resynced_at, cursor.notes);
}

Result<std::vector<Cursor>> list_cursors(Transaction& transaction, MailboxId mailbox) {
  Query query(transaction.impl(), list_sql, mailbox);
  return read_all<Cursor>(query, read_cursor);
}

Result<void> delete_cursor(Transaction& transaction, MailboxId mailbox, std::string_view folder) {
  return execute(transaction.impl(), delete_sql, mailbox, folder);
}

}  // namespace syncline::store
