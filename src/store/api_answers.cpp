// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/api_answers.hpp"

#include "store/connection.hpp"

namespace syncline::store {
namespace {

constexpr Sql find_sql = "SELECT request, status, header, body FROM api_answer WHERE token = ?1 AND key = ?2";
constexpr Sql put_sql =
    "INSERT INTO api_answer (token, key, request, at, status, header, body)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
constexpr Sql forget_sql =
    "DELETE FROM api_answer WHERE rowid IN"
    " (SELECT rowid FROM api_answer WHERE at < ?1 ORDER BY at LIMIT 16)";

}  // namespace

Result<std::optional<ApiAnswer>> find_api_answer(Transaction& transaction, ApiTokenId token,
                                                 std::string_view key) {
  Query query(transaction.impl(), find_sql, token, key);
  return read_one<ApiAnswer>(query, [](const Query& row) {
    return ApiAnswer{.request = row.text(0),
                     .status = static_cast<int>(row.integer(1)),
                     .header = row.text(2),
                     .body = row.text(3)};
  });
}

Result<void> put_api_answer(Transaction& transaction, ApiTokenId token, std::string_view key,
                            const ApiAnswer& answer, SystemTime forget_before) {
  Transaction::Impl& connection = transaction.impl();
  if (auto forgotten = execute(connection, forget_sql, forget_before); !forgotten) return forgotten;
  auto put = execute(connection, put_sql, token, key, Blob{answer.request}, connection.now(), answer.status,
                     answer.header, answer.body);
  if (!put && put.error().code == "already-there")
    return fail(ErrorDomain::local, "key-taken", "There is an answer for this Idempotency-Key already");
  return put;
}

}  // namespace syncline::store
