// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What was answered to requests that must not be done twice (Idempotency-Key): written in the transaction of
// what they did wherever that is one of the caller's own.
#include <optional>
#include <string>
#include <string_view>

#include "store/api_tokens.hpp"

namespace syncline::store {

struct ApiAnswer {
  std::string request = {};  ///< SHA-256 of method, target and body
  int status = 0;
  std::string header = {};  ///< JSON object: field names and values
  std::string body = {};
};

/// Keys are each token's own.
Result<std::optional<ApiAnswer>> find_api_answer(Transaction& transaction, ApiTokenId token,
                                                 std::string_view key);
/// Forgets a few that are older than `forget_before`, so that the table does not grow for ever. Error
/// "key-taken": the key has an answer already.
Result<void> put_api_answer(Transaction& transaction, ApiTokenId token, std::string_view key,
                            const ApiAnswer& answer, SystemTime forget_before);

}  // namespace syncline::store
