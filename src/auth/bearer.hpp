// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Bearer tokens on requests (RFC 6750), and what a server says about them.
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "auth/challenge.hpp"
#include "auth/token_source.hpp"
#include "net/authenticator.hpp"

namespace syncline::auth {

/// A 401 makes one new token be asked for; a token that was issued for this very request is not asked for
/// again. Errors of a session: "token-refused", "claims-challenge" (context has the claims the server wants),
/// both class reauthenticate; "clear-text-refused" on http unless `allow_clear_text`.
std::shared_ptr<net::Authenticator> make_bearer(std::shared_ptr<TokenSource> source,
                                                bool allow_clear_text = false);

/// A token that was given and cannot be renewed; nothing is known about its end. Error "bad-credentials" if
/// it is not of RFC 6750's form (section 2.1).
Result<std::shared_ptr<TokenSource>> fixed_token(Secret token);

/// The JSON of a claims challenge (`error="insufficient_claims"`, `claims="<base64>"`), if the server sent
/// one.
std::optional<std::string> claims_challenge(std::span<const Challenge> challenges);

/// RFC 6750 section 2.1, b64token, and not absurdly long.
bool is_bearer_token(std::string_view token) noexcept;

}  // namespace syncline::auth
