// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the HTTP client needs from an authentication scheme. Implemented in src/auth.
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/async.hpp"
#include "net/url.hpp"

namespace syncline::net {

/// Where a session authenticates: needed for service names and channel binding.
struct AuthTarget {
  Url url;
  bool proxy = false;                ///< 407 / Proxy-Authenticate instead of 401 / WWW-Authenticate
  std::string tls_server_end_point;  ///< Stream::tls_server_end_point() of the connection
};

/// One authentication: lives as long as the connection (NTLM, Negotiate) or the request (Basic, Bearer).
class AuthSession {
 public:
  virtual ~AuthSession() = default;
  /// The Authorization value to send with a request before any challenge; nullopt: send none and wait for
  /// 401.
  virtual Async<std::optional<std::string>> initial() = 0;
  /// After a 401 (407): all WWW-Authenticate values. The value to send the same request with again, on the
  /// same connection; error class reauthenticate when the credentials are refused.
  virtual Async<std::string> answer(std::span<const std::string> challenges) = 0;
  /// False where this session's scheme speaks for one request only, though the authenticator may also choose
  /// one that binds the connection: the next request starts a session of its own.
  virtual bool binds_connection() const noexcept { return true; }
  /// After a response that was not 401: mutual authentication tokens, if the scheme has them.
  virtual Result<void> accepted(std::span<const std::string> challenges) {
    static_cast<void>(challenges);
    return {};
  }
};

/// A scheme with its credentials. Safe to share between connections of one client.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  /// "basic", "ntlm", "negotiate", "bearer"; "auto" where the server's offer decides
  virtual std::string_view scheme() const noexcept = 0;
  /// Identity and a fingerprint of the secret: part of the pool's key. Changes when the secret
  /// changes; never the secret itself.
  virtual std::string pool_key() const = 0;
  /// True where the authentication belongs to the connection and not to the request (NTLM, Negotiate).
  virtual bool connection_bound() const noexcept = 0;
  virtual std::unique_ptr<AuthSession> start(const AuthTarget& target) = 0;
};

}  // namespace syncline::net
