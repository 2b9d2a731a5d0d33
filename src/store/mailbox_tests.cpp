// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/mailbox_tests.hpp"

#include "store/connection.hpp"

namespace syncline::store {
namespace {

constexpr Sql put_sql =
    "INSERT INTO mailbox_test (mailbox, state, runner, enable, attempts, requested_at, requested_by, reason,"
    " due_at, ended_at, report) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
    " ON CONFLICT (mailbox) DO UPDATE SET state = ?2, runner = ?3, enable = ?4, attempts = ?5,"
    " requested_at = ?6, requested_by = ?7, reason = ?8, due_at = ?9, ended_at = ?10, report = ?11";
#define SYNCLINE_TEST_COLUMNS                                                                               \
  "SELECT mailbox, state, runner, enable, attempts, requested_at, requested_by, reason, due_at, ended_at, " \
  "report FROM mailbox_test "
constexpr Sql find_sql = SYNCLINE_TEST_COLUMNS "WHERE mailbox = ?1";
constexpr Sql list_sql = SYNCLINE_TEST_COLUMNS "ORDER BY mailbox";
constexpr Sql due_sql =
    SYNCLINE_TEST_COLUMNS "WHERE runner = ?1 AND due_at IS NOT NULL AND due_at <= ?2 ORDER BY due_at LIMIT 1";
#undef SYNCLINE_TEST_COLUMNS
constexpr Sql next_due_sql =
    "SELECT due_at FROM mailbox_test WHERE runner = ?1 AND due_at IS NOT NULL ORDER BY due_at LIMIT 1";
constexpr Sql requeue_sql = "UPDATE mailbox_test SET state = 0, due_at = ?2 WHERE runner = ?1 AND state = 1";

MailboxTestRow read_test(const Query& row) {
  return {.mailbox = row.integer(0),
          .state = static_cast<TestState>(row.integer(1)),
          .runner = row.text(2),
          .enable = row.boolean(3),
          .attempts = static_cast<int>(row.integer(4)),
          .requested_at = row.time(5),
          .requested_by = row.text(6),
          .reason = row.text(7),
          .due_at = row.optional_time(8),
          .ended_at = row.optional_time(9),
          .report = row.text(10)};
}

}  // namespace

Result<void> put_mailbox_test(Transaction& transaction, const MailboxTestRow& test) {
  return execute(transaction.impl(), put_sql, test.mailbox, test.state, test.runner, test.enable,
                 test.attempts, test.requested_at, test.requested_by, test.reason, test.due_at, test.ended_at,
                 test.report);
}

Result<std::optional<MailboxTestRow>> find_mailbox_test(Transaction& transaction, MailboxId mailbox) {
  Query query(transaction.impl(), find_sql, mailbox);
  return read_one<MailboxTestRow>(query, read_test);
}

Result<std::vector<MailboxTestRow>> list_mailbox_tests(Transaction& transaction) {
  Query query(transaction.impl(), list_sql);
  return read_all<MailboxTestRow>(query, read_test);
}

Result<std::optional<MailboxTestRow>> take_due_mailbox_test(Transaction& transaction,
                                                            std::string_view runner) {
  std::optional<MailboxTestRow> due;
  {
    Query query(transaction.impl(), due_sql, runner, transaction.impl().now());
    auto found = read_one<MailboxTestRow>(query, read_test);
    if (!found || !*found) return found;
    due = std::move(**found);
  }
  due->state = TestState::running;
  due->due_at = std::nullopt;
  ++due->attempts;
  if (auto put = put_mailbox_test(transaction, *due); !put) return fail(std::move(put.error()));
  return due;
}

Result<std::optional<SystemTime>> next_mailbox_test_due(Transaction& transaction, std::string_view runner) {
  Query query(transaction.impl(), next_due_sql, runner);
  return read_one<SystemTime>(query, [](const Query& row) { return row.time(0); });
}

Result<void> requeue_mailbox_tests(Transaction& transaction, std::string_view runner) {
  return execute(transaction.impl(), requeue_sql, runner, transaction.impl().now());
}

}  // namespace syncline::store
