// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/journal.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "store/connection.hpp"
#include "store/lookup_key.hpp"

namespace syncline::store {
namespace {

constexpr Sql append_sql =
    "INSERT INTO journal (at, mailbox, item, record, event, reason, text, detail, message_id)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

#define SYNCLINE_JOURNAL_COLUMNS \
  "SELECT sequence, at, mailbox, item, record, event, reason, text, detail, message_id FROM journal "
// A unary plus keeps SQLite from choosing an index that holds most of the rows.
#define SYNCLINE_JOURNAL_CONDITIONS "(?2 IS NULL OR event = ?2) AND sequence > ?3 ORDER BY sequence LIMIT ?4"

constexpr Sql list_sql = SYNCLINE_JOURNAL_COLUMNS "WHERE ?1 IS NULL AND " SYNCLINE_JOURNAL_CONDITIONS;
constexpr Sql list_mailbox_sql =
    SYNCLINE_JOURNAL_COLUMNS "WHERE mailbox = ?1 AND " SYNCLINE_JOURNAL_CONDITIONS;
// ?5 the item, ?6 the same as a record's id, ?7 as a lookup_key(). The conditions on empty values are those
// of the partial indices.
constexpr Sql list_item_sql = SYNCLINE_JOURNAL_COLUMNS
    "WHERE sequence IN (SELECT sequence FROM journal WHERE item = ?5 AND item <> ''"
    " UNION SELECT sequence FROM journal WHERE message_id = ?5 AND message_id <> ''"
    " UNION SELECT sequence FROM journal WHERE record = ?6 AND record <> 0"
    " UNION SELECT sequence FROM journal WHERE record <> 0 AND"
    " record IN (SELECT id FROM record WHERE record.message_key = ?7 AND record.message_key IS NOT NULL))"
    " AND (?1 IS NULL OR +mailbox = ?1) AND " SYNCLINE_JOURNAL_CONDITIONS;

#undef SYNCLINE_JOURNAL_CONDITIONS
#undef SYNCLINE_JOURNAL_COLUMNS

constexpr Sql append_audit_sql =
    "INSERT INTO audit (at, who, act, object, reason) VALUES (?1, ?2, ?3, ?4, ?5)";
constexpr Sql last_audit_sql = "SELECT max(sequence) FROM audit";
constexpr Sql list_audit_sql =
    "SELECT sequence, at, who, act, object, reason FROM audit WHERE sequence > ?1 ORDER BY sequence LIMIT ?2";

JournalEntry read_entry(const Query& row) {
  return {.sequence = row.integer(0),
          .at = row.time(1),
          .mailbox = row.integer(2),
          .item = row.text(3),
          .record = row.integer(4),
          .event = row.text(5),
          .reason = row.text(6),
          .text = row.text(7),
          .detail = row.text(8),
          .message_id = row.text(9)};
}

}  // namespace

Result<void> append_journal(Transaction& transaction, JournalEntry entry) {
  return execute(transaction.impl(), append_sql, transaction.impl().now(), entry.mailbox, entry.item,
                 entry.record, entry.event, entry.reason, entry.text, entry.detail, entry.message_id);
}

Result<std::vector<JournalEntry>> list_journal(Transaction& transaction, const JournalQuery& wanted) {
  const int most = std::max(0, wanted.most);
  if (wanted.item) {
    const std::int64_t record = text::parse_int(*wanted.item).value_or(0);
    Query query(transaction.impl(), list_item_sql, wanted.mailbox, wanted.event, wanted.after, most,
                *wanted.item, record, lookup_key(*wanted.item));
    return read_all<JournalEntry>(query, read_entry);
  }
  Query query(transaction.impl(), wanted.mailbox ? list_mailbox_sql : list_sql, wanted.mailbox, wanted.event,
              wanted.after, most);
  return read_all<JournalEntry>(query, read_entry);
}

Result<void> append_audit(Transaction& transaction, AuditEntry entry) {
  return execute(transaction.impl(), append_audit_sql, transaction.impl().now(), entry.who, entry.act,
                 entry.object, entry.reason);
}

Result<std::vector<AuditEntry>> list_audit(Transaction& transaction, std::int64_t after, int most) {
  Query query(transaction.impl(), list_audit_sql, after, std::max(0, most));
  return read_all<AuditEntry>(query, [](const Query& row) {
    return AuditEntry{.sequence = row.integer(0),
                      .at = row.time(1),
                      .who = row.text(2),
                      .act = row.text(3),
                      .object = row.text(4),
                      .reason = row.text(5)};
  });
}

Result<std::int64_t> last_audit(Transaction& transaction) {
  Query query(transaction.impl(), last_audit_sql);
  auto last = read_one<std::int64_t>(query, [](const Query& row) { return row.integer(0); });
  if (!last) return fail(std::move(last.error()));
  return last->value_or(0);
}

}  // namespace syncline::store
