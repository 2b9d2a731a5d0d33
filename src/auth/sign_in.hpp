// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A person signs in with a browser: authorisation code with PKCE (RFC 6749 section 4.1, RFC 7636, RFC 8252).
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/oauth.hpp"
#include "net/environment.hpp"

namespace syncline::auth {

/// What one sign-in is known by; fresh for each.
struct Pkce {
  Secret verifier;  ///< 43 characters, RFC 7636 section 4.1
  std::string challenge;
  std::string state;  ///< 43 characters
};
Pkce make_pkce(Random& random);

struct AuthorisationRequest {
  net::Url endpoint;  ///< where people sign in
  std::string client_id;
  std::string scope;
  std::string redirect_uri;  ///< "http://127.0.0.1:40123/"
  std::string login_hint;    ///< the mailbox's address; may be empty
  /// What a provider wants besides: access_type=offline, prompt=consent.
  std::vector<std::pair<std::string, std::string>> extra = {};
};

/// The address for the person's browser. It holds no secret.
std::string authorisation_url(const AuthorisationRequest& request, const Pkce& pkce);

/// The code out of an address that the browser was sent to ("http://127.0.0.1:1/?code=…&state=…"), a target
/// ("/?code=…") or a bare query. Errors (auth): "state-mismatch" (never) when it belongs to another sign-in;
/// "bad-redirect" (never) when it is none, or says something twice; what the server said otherwise:
/// "access_denied" and its kin.
Result<Secret> read_redirect(std::string_view address, std::string_view state);

/// Waits on 127.0.0.1, at a port that the system chooses, for the browser that comes back.
class RedirectListener {
 public:
  virtual ~RedirectListener() = default;
  virtual std::uint16_t port() const noexcept = 0;
  /// The code of the first request that carries `state`; later ones are not heard. Requests without it are
  /// answered and passed over, sixteen at most. Errors: those of read_redirect but "state-mismatch"; auth
  /// "sign-in-timeout", "too-many-requests"; net "cancelled".
  virtual net::Async<Secret> wait(std::string state, std::chrono::milliseconds patience) = 0;
};

/// Error: local "cannot-listen". `environment` must outlive it.
Result<std::unique_ptr<RedirectListener>> listen_for_redirect(net::Environment& environment);

/// Redeems the code. Errors: of the endpoint; "no-refresh-token" (never) when the server gives none.
net::Async<TokenGrant> redeem_code(TokenEnvironment environment, TokenEndpoint endpoint, Secret code,
                                   std::string redirect_uri, Secret verifier);

/// RFC 7009: tells the server that a token is not needed any more. Unknown tokens are no error.
net::Async<void> revoke_token(TokenEnvironment environment, TokenEndpoint endpoint, net::Url revocation,
                              Secret refresh_token);

}  // namespace syncline::auth
