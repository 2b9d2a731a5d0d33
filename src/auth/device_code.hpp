// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A person signs in on another device (RFC 8628): for servers without a browser.
#include <chrono>
#include <string>

#include "auth/oauth.hpp"
#include "net/timers.hpp"

namespace syncline::auth {

struct DeviceAuthorisation {
  Secret device_code;
  std::string user_code;         ///< what the person types
  std::string verification_uri;  ///< where
  std::string complete_uri;      ///< the same with the code in it; empty where the server gives none
  std::chrono::seconds lifetime{0};
  std::chrono::seconds interval{5};
};

/// Asks for a code at `device_endpoint`. Errors: of the endpoint; auth "bad-device-response".
net::Async<DeviceAuthorisation> request_device_code(TokenEnvironment environment, TokenEndpoint endpoint,
                                                    net::Url device_endpoint);

/// Asks the token endpoint at the server's pace until the person has decided or the code is worth nothing any
/// more; a slow or unreachable server makes it slower. Errors (auth, class reauthenticate): "access_denied",
/// "expired_token"; "no-refresh-token" (never); others of the endpoint.
net::Async<TokenGrant> wait_for_device(TokenEnvironment environment, net::Timers& timers,
                                       TokenEndpoint endpoint, DeviceAuthorisation authorisation);

}  // namespace syncline::auth
