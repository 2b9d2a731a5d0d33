// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/operations.hpp"

#include <algorithm>

#include "store/connection.hpp"

namespace syncline::store {
namespace {

#define SYNCLINE_OPERATION_COLUMNS                                                                       \
  "SELECT id, mailbox, record, link, state, what, \"order\", progress, saved_at, not_before, attempts, " \
  "error,"                                                                                               \
  " result_id, created_at FROM operation "

constexpr Sql insert_sql =
    "INSERT INTO operation (id, mailbox, record, link, state, what, \"order\", progress, saved_at, "
    "not_before,"
    " attempts, error, result_id, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
    "?13, ?14)";
constexpr Sql update_sql =
    "UPDATE operation SET mailbox = ?2, record = ?3, link = ?4, state = ?5, what = ?6, \"order\" = ?7, "
    "progress = ?8,"
    " saved_at = ?9, not_before = ?10, attempts = ?11, error = ?12, result_id = ?13, created_at = ?14 WHERE "
    "id = ?1";
constexpr Sql save_progress_sql =
    "UPDATE operation SET progress = ?2, saved_at = ?3, state = ?4 WHERE id = ?1";
constexpr Sql find_sql = SYNCLINE_OPERATION_COLUMNS "WHERE id = ?1";
constexpr Sql unfinished_sql = SYNCLINE_OPERATION_COLUMNS "WHERE mailbox = ?1 AND state < 3 ORDER BY number";
constexpr Sql of_record_sql = SYNCLINE_OPERATION_COLUMNS "WHERE record = ?1 ORDER BY number";
constexpr Sql list_sql = SYNCLINE_OPERATION_COLUMNS "WHERE state = ?1 ORDER BY number LIMIT ?2";

constexpr Sql attempts_sql =
    "SELECT saved_at FROM operation WHERE mailbox = ?1 AND what = ?2 AND saved_at > ?3 ORDER BY saved_at";

#undef SYNCLINE_OPERATION_COLUMNS

static_assert(static_cast<int>(OperationState::uncertain) == 2 && static_cast<int>(OperationState::done) == 3,
              "the border between unfinished and finished stands in the statements above and in the schema");

Operation read_operation(const Query& row) {
  return {.id = row.text(0),
          .mailbox = row.integer(1),
          .record = row.integer(2),
          .link = row.integer(3),
          .state = static_cast<OperationState>(row.integer(4)),
          .what = row.text(5),
          .order = row.text(6),
          .progress = row.text(7),
          .saved_at = row.optional_time(8),
          .not_before = row.optional_time(9),
          .attempts = static_cast<int>(row.integer(10)),
          .error = row.text(11),
          .result_id = row.text(12),
          .created_at = row.time(13)};
}

Result<void> write(Transaction& transaction, Sql sql, const Operation& operation) {
  return execute(transaction.impl(), sql, operation.id, operation.mailbox, null_if_zero(operation.record),
                 null_if_zero(operation.link), operation.state, operation.what, operation.order,
                 operation.progress, operation.saved_at, operation.not_before, operation.attempts,
                 operation.error, operation.result_id, operation.created_at);
}

Result<void> must_have_changed(Transaction& transaction, std::string_view id) {
  if (changed_rows(transaction.impl()) == 0)
    return fail(ErrorDomain::local, "no-operation", "there is no operation " + std::string(id));
  return {};
}

}  // namespace

std::string_view to_string(OperationState state) noexcept {
  switch (state) {
    case OperationState::ready:
      return "ready";
    case OperationState::sent:
      return "sent";
    case OperationState::uncertain:
      return "uncertain";
    case OperationState::done:
      return "done";
    case OperationState::refused:
      return "refused";
    case OperationState::needs_person:
      return "needs-person";
  }
  return "ready";
}

Result<void> insert_operation(Transaction& transaction, const Operation& operation) {
  auto inserted = write(transaction, insert_sql, operation);
  if (!inserted && inserted.error().code == "already-there")
    return fail(ErrorDomain::local, "operation-exists", "there is an operation " + operation.id + " already");
  return inserted;
}

Result<void> update_operation(Transaction& transaction, const Operation& operation) {
  if (auto updated = write(transaction, update_sql, operation); !updated) return updated;
  return must_have_changed(transaction, operation.id);
}

Result<void> save_progress(Transaction& transaction, std::string_view id, std::string_view progress,
                           SystemTime at) {
  auto saved = execute(transaction.impl(), save_progress_sql, id, progress, at, OperationState::sent);
  if (!saved) return saved;
  return must_have_changed(transaction, id);
}

Result<std::optional<Operation>> find_operation(Transaction& transaction, std::string_view id) {
  Query query(transaction.impl(), find_sql, id);
  return read_one<Operation>(query, read_operation);
}

Result<std::vector<Operation>> unfinished_operations(Transaction& transaction, MailboxId mailbox) {
  Query query(transaction.impl(), unfinished_sql, mailbox);
  return read_all<Operation>(query, read_operation);
}

Result<std::vector<Operation>> operations_of_record(Transaction& transaction, model::RecordId record) {
  Query query(transaction.impl(), of_record_sql, record);
  return read_all<Operation>(query, read_operation);
}

Result<std::vector<SystemTime>> attempts_since(Transaction& transaction, MailboxId mailbox,
                                               std::string_view what, SystemTime since) {
  Query query(transaction.impl(), attempts_sql, mailbox, what, since);
  return read_all<SystemTime>(query, [](const Query& row) { return row.time(0); });
}

Result<std::vector<Operation>> list_operations(Transaction& transaction, OperationState state, int most) {
  Query query(transaction.impl(), list_sql, state, std::max(0, most));
  return read_all<Operation>(query, read_operation);
}

}  // namespace syncline::store
