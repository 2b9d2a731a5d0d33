// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/api_tokens.hpp"

#include <algorithm>

#include "store/connection.hpp"

namespace syncline::store {
namespace {

#define SYNCLINE_API_TOKEN_COLUMNS                                                              \
  "SELECT id, name, role, owner, created_at, created_by, expires_at, revoked_at, last_used_at " \
  "FROM api_token "
constexpr Sql insert_sql =
    "INSERT INTO api_token (name, role, owner, hash, created_at, created_by, expires_at)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
constexpr Sql by_hash_sql = SYNCLINE_API_TOKEN_COLUMNS "WHERE hash = ?1";
constexpr Sql by_id_sql = SYNCLINE_API_TOKEN_COLUMNS "WHERE id = ?1";
constexpr Sql list_sql = SYNCLINE_API_TOKEN_COLUMNS "WHERE id > ?1 ORDER BY id LIMIT ?2";
#undef SYNCLINE_API_TOKEN_COLUMNS
constexpr Sql revoke_sql = "UPDATE api_token SET revoked_at = coalesce(revoked_at, ?2) WHERE id = ?1";
constexpr Sql use_sql = "UPDATE api_token SET last_used_at = ?2 WHERE id = ?1";

ApiToken read_token(const Query& row) {
  return {.id = row.integer(0),
          .name = row.text(1),
          .role = static_cast<ApiRole>(row.integer(2)),
          .owner = row.text(3),
          .created_at = row.time(4),
          .created_by = row.text(5),
          .expires_at = row.optional_time(6),
          .revoked_at = row.optional_time(7),
          .last_used_at = row.optional_time(8)};
}

}  // namespace

Result<ApiToken> insert_api_token(Transaction& transaction, ApiToken token, std::string_view hash) {
  Transaction::Impl& connection = transaction.impl();
  token.created_at = connection.now();
  auto inserted = execute(connection, insert_sql, token.name, token.role, token.owner, Blob{hash},
                          token.created_at, token.created_by, token.expires_at);
  if (!inserted) return fail(std::move(inserted.error()));
  token.id = sqlite3_last_insert_rowid(connection.handle());
  return token;
}

Result<std::optional<ApiToken>> find_api_token_by_hash(Transaction& transaction, std::string_view hash) {
  Query query(transaction.impl(), by_hash_sql, Blob{hash});
  return read_one<ApiToken>(query, read_token);
}

Result<std::optional<ApiToken>> find_api_token(Transaction& transaction, ApiTokenId id) {
  Query query(transaction.impl(), by_id_sql, id);
  return read_one<ApiToken>(query, read_token);
}

Result<std::vector<ApiToken>> list_api_tokens(Transaction& transaction, ApiTokenId after, int most) {
  Query query(transaction.impl(), list_sql, after, std::max(0, most));
  return read_all<ApiToken>(query, read_token);
}

Result<void> revoke_api_token(Transaction& transaction, ApiTokenId id) {
  Transaction::Impl& connection = transaction.impl();
  if (auto done = execute(connection, revoke_sql, id, connection.now()); !done) return done;
  if (changed_rows(connection) == 0)
    return fail(ErrorDomain::input, "no-token", "There is no token " + std::to_string(id));
  return {};
}

Result<void> note_api_token_use(Transaction& transaction, ApiTokenId id) {
  return execute(transaction.impl(), use_sql, id, transaction.impl().now());
}

}  // namespace syncline::store
