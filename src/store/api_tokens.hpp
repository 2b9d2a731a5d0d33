// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Tokens of the HTTP API: who may call it, as what, until when. The token itself is not here, only its hash.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "store/store.hpp"

namespace syncline::store {

using ApiTokenId = std::int64_t;

enum class ApiRole : std::uint8_t { system_administrator, approver, mailbox_owner, read_only, application };
inline constexpr ApiRole api_roles[] = {ApiRole::system_administrator, ApiRole::approver,
                                        ApiRole::mailbox_owner, ApiRole::read_only, ApiRole::application};

struct ApiToken {
  ApiTokenId id = 0;      ///< set by insert
  std::string name = {};  ///< what it is for, for people
  ApiRole role = ApiRole::read_only;
  std::string owner = {};      ///< of mailbox_owner: the address whose records and mailboxes it may see
  SystemTime created_at = {};  ///< set by insert
  std::string created_by = {};
  std::optional<SystemTime> expires_at = std::nullopt;
  std::optional<SystemTime> revoked_at = std::nullopt;
  std::optional<SystemTime> last_used_at = std::nullopt;

  bool is_valid(SystemTime now) const noexcept { return !revoked_at && (!expires_at || now < *expires_at); }
};

/// `hash`: SHA-256 of the token, 32 octets.
Result<ApiToken> insert_api_token(Transaction& transaction, ApiToken token, std::string_view hash);
/// Revoked and expired ones too.
Result<std::optional<ApiToken>> find_api_token_by_hash(Transaction& transaction, std::string_view hash);
Result<std::optional<ApiToken>> find_api_token(Transaction& transaction, ApiTokenId id);
/// In the order of their ids.
Result<std::vector<ApiToken>> list_api_tokens(Transaction& transaction, ApiTokenId after, int most);
/// Leaves an earlier revocation as it is. Error "no-token".
Result<void> revoke_api_token(Transaction& transaction, ApiTokenId id);
Result<void> note_api_token_use(Transaction& transaction, ApiTokenId id);

}  // namespace syncline::store
