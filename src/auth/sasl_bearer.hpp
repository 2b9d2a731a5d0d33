// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Private to src/auth: XOAUTH2 (Google's and Microsoft's) and OAUTHBEARER (RFC 7628).
#include <memory>
#include <string>

#include "auth/sasl.hpp"

namespace syncline::auth {

enum class BearerMechanism : std::uint8_t { oauthbearer, xoauth2 };

/// `user` holds no control characters.
std::unique_ptr<SaslExchange> make_bearer_exchange(BearerMechanism mechanism, std::string user,
                                                   std::string host, std::uint16_t port,
                                                   std::shared_ptr<TokenSource> token);

}  // namespace syncline::auth
