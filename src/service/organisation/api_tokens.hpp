// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Making, knowing again and revoking tokens of the HTTP API.
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.hpp"
#include "base/secret.hpp"
#include "service/organisation/apply.hpp"
#include "store/api_tokens.hpp"

namespace syncline::service {

/// "system-administrator", "approver", "mailbox-owner", "read-only", "application".
std::string_view to_string(store::ApiRole role) noexcept;
std::optional<store::ApiRole> parse_api_role(std::string_view word) noexcept;

struct NewApiToken {
  std::string name;
  store::ApiRole role = store::ApiRole::read_only;
  std::string owner = {};  ///< needed for a mailbox owner's token, refused for others
  std::optional<SystemTime> expires_at = std::nullopt;
};

struct MadeApiToken {
  store::ApiToken token;
  Secret secret;  ///< "syncline_…": shown once, kept nowhere
};

/// Errors (domain input): "bad-name" (empty, over 100 octets, control characters), "owner-missing",
/// "owner-not-wanted", "bad-expiry" (in the past). An entry of the audit.
Result<MadeApiToken> create_api_token(store::Transaction& transaction, Random& random,
                                      const NewApiToken& wanted, SystemTime now, const Actor& actor);

/// Whose token `text` is; revoked and expired ones too. Nothing: nobody's, or not in the shape of a token.
Result<std::optional<store::ApiToken>> find_api_token(store::Transaction& transaction, std::string_view text);

/// It is refused from now on. Error "no-token" (input). An entry of the audit, unless it was revoked already.
Result<store::ApiToken> revoke_api_token(store::Transaction& transaction, store::ApiTokenId id,
                                         const Actor& actor);

/// {"id","name","role","owner","createdAt","createdBy","expiresAt","revokedAt","lastUsedAt","state"}; state
/// is "valid", "expired" or "revoked".
boost::json::object to_json(const store::ApiToken& token, SystemTime now);

/// 32 octets.
std::string sha256_of(std::string_view octets);

}  // namespace syncline::service
