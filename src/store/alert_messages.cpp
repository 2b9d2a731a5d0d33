// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/alert_messages.hpp"

#include "base/text.hpp"
#include "store/connection.hpp"

namespace syncline::store {
namespace {

constexpr Sql acknowledge_sql =
    "INSERT INTO alert_note (alert, acknowledged_at, acknowledged_by, note)"
    " SELECT id, ?2, ?3, ?4 FROM alert WHERE id = ?1 AND id NOT IN (SELECT alert FROM alert_note)";
constexpr Sql list_notes_sql = "SELECT alert, acknowledged_at, acknowledged_by, note FROM alert_note";
constexpr Sql insert_message_sql =
    "INSERT INTO alert_message (cause, channel, target, state, attempts, created_at, due_at, operation, "
    "error,"
    " body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, '')";
constexpr Sql update_message_sql =
    "UPDATE alert_message SET state = ?2, attempts = ?3, due_at = ?4, operation = ?5, error = ?6 WHERE id = "
    "?1";
#define SYNCLINE_MESSAGE_COLUMNS                                                                   \
  "SELECT id, cause, channel, target, state, attempts, created_at, due_at, operation, error FROM " \
  "alert_message "
constexpr Sql of_alert_sql = SYNCLINE_MESSAGE_COLUMNS "WHERE cause = ?1 ORDER BY id";
constexpr Sql due_sql =
    SYNCLINE_MESSAGE_COLUMNS "WHERE due_at IS NOT NULL AND due_at <= ?1 ORDER BY due_at, id LIMIT ?2";
#undef SYNCLINE_MESSAGE_COLUMNS

AlertMessage read_message(const Query& row) {
  return {.id = row.integer(0),
          .alert = text::parse_int(row.view(1)).value_or(0),
          .channel = row.text(2),
          .target = row.text(3),
          .state = static_cast<AlertMessageState>(row.integer(4)),
          .attempts = static_cast<int>(row.integer(5)),
          .created_at = row.time(6),
          .due_at = row.optional_time(7),
          .operation = row.text(8),
          .error = row.text(9)};
}

}  // namespace

Result<bool> acknowledge_alert(Transaction& transaction, std::int64_t alert, std::string_view by,
                               std::string_view note) {
  if (auto done = execute(transaction.impl(), acknowledge_sql, alert, transaction.impl().now(), by, note);
      !done)
    return fail(std::move(done.error()));
  return changed_rows(transaction.impl()) > 0;
}

Result<std::map<std::int64_t, AlertNote>> list_alert_notes(Transaction& transaction) {
  Query query(transaction.impl(), list_notes_sql);
  std::map<std::int64_t, AlertNote> notes;
  for (;;) {
    const Result<bool> row = query.next();
    if (!row) return fail(row.error());
    if (!*row) return notes;
    notes.emplace(query.integer(0), AlertNote{query.time(1), query.text(2), query.text(3)});
  }
}

Result<std::int64_t> insert_alert_message(Transaction& transaction, const AlertMessage& message) {
  auto done = execute(transaction.impl(), insert_message_sql, std::to_string(message.alert), message.channel,
                      message.target, message.state, message.attempts, transaction.impl().now(),
                      message.due_at, message.operation, message.error);
  if (!done) return fail(std::move(done.error()));
  return sqlite3_last_insert_rowid(transaction.impl().handle());
}

Result<void> update_alert_message(Transaction& transaction, const AlertMessage& message) {
  return execute(transaction.impl(), update_message_sql, message.id, message.state, message.attempts,
                 message.due_at, message.operation, message.error);
}

Result<std::vector<AlertMessage>> messages_of_alert(Transaction& transaction, std::int64_t alert) {
  const std::string cause = std::to_string(alert);
  Query query(transaction.impl(), of_alert_sql, cause);
  return read_all<AlertMessage>(query, read_message);
}

Result<std::vector<AlertMessage>> due_alert_messages(Transaction& transaction, int most) {
  Query query(transaction.impl(), due_sql, transaction.impl().now(), most);
  return read_all<AlertMessage>(query, read_message);
}

}  // namespace syncline::store
