// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/connection.hpp"
#include "store/journal.hpp"

namespace syncline::store {
namespace {

constexpr Sql raise_sql =
    "INSERT INTO alert (at, mailbox, level, code, text, remedy, count, open) VALUES (?1, ?2, ?3, ?4, ?5, ?6, "
    "1, 1)"
    " ON CONFLICT (mailbox, code) WHERE open = 1 DO UPDATE SET at = excluded.at, level = excluded.level,"
    " text = excluded.text, remedy = excluded.remedy, count = count + 1";
constexpr Sql clear_sql = "UPDATE alert SET open = 0 WHERE mailbox = ?1 AND code = ?2 AND open = 1";
constexpr Sql list_sql =
    "SELECT id, at, mailbox, level, code, text, remedy, count, open FROM alert WHERE open >= ?1"
    " ORDER BY at DESC, id DESC";

}  // namespace

Result<void> raise_alert(Transaction& transaction, const Alert& alert) {
  return execute(transaction.impl(), raise_sql, transaction.impl().now(), alert.mailbox, alert.level,
                 alert.code, alert.text, alert.remedy);
}

Result<void> clear_alert(Transaction& transaction, MailboxId mailbox, std::string_view code) {
  return execute(transaction.impl(), clear_sql, mailbox, code);
}

Result<std::vector<Alert>> list_alerts(Transaction& transaction, bool open_only) {
  Query query(transaction.impl(), list_sql, open_only);
  return read_all<Alert>(query, [](const Query& row) {
    return Alert{.id = row.integer(0),
                 .at = row.time(1),
                 .mailbox = row.integer(2),
                 .level = static_cast<AlertLevel>(row.integer(3)),
                 .code = row.text(4),
                 .text = row.text(5),
                 .remedy = row.text(6),
                 .count = static_cast<int>(row.integer(7)),
                 .open = row.boolean(8)};
  });
}

}  // namespace syncline::store
