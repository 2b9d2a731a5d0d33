// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Tokens from an OAuth 2.0 token endpoint (RFC 6749): client credentials (section 4.4), refresh (section 6),
// and Google's service accounts (RFC 7523 section 2.1). How a person signs in: sign_in.hpp, device_code.hpp.
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "auth/client_assertion.hpp"
#include "auth/secret_store.hpp"
#include "auth/service_account.hpp"
#include "auth/token_source.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "net/http_client.hpp"

namespace syncline::auth {

/// A public client (no proof of its own), a client secret, or a certificate.
using ClientProof = std::variant<std::monostate, Secret, ClientCertificate>;

/// Whose habits an endpoint has; a test server may have them, too.
enum class OAuthProvider : std::uint8_t { other, google, microsoft };

struct TokenEndpoint {
  net::Url url;       ///< https, or http to a loopback address
  std::string scope;  ///< "https://outlook.office365.com/.default"
  std::string client_id;
  ClientProof proof;
  OAuthProvider provider = OAuthProvider::other;
};

/// What a token source works with. References must outlive it and every request under way.
struct TokenEnvironment {
  net::asio::any_io_executor executor;
  net::HttpClient& http;
  const Clock& clock;
  Random& random;
};

/// The application's own token. Error "bad-settings" for an endpoint that is neither https nor loopback, or
/// without a proof.
Result<std::shared_ptr<TokenSource>> make_client_credentials(TokenEnvironment environment,
                                                             TokenEndpoint endpoint);

/// A user's delegated token. What the sign-in left is read from `store` under `key` (stored_grant.hpp); a
/// refresh token the server gives in its place is put there before the access token that came with it is
/// handed out. When the server refuses the refresh token for good, that is kept there as well: neither this
/// source nor a later process asks again until somebody has signed in anew. Errors, class
/// reauthenticate: "no-refresh-token"; "invalid_grant"; "testing-mode-expired", the end after seven days that
/// Google sets for apps in testing.
Result<std::shared_ptr<TokenSource>> make_refresh_grant(TokenEnvironment environment, TokenEndpoint endpoint,
                                                        SecretStore& store, std::string key);

/// Tokens for `subject`, a user of a Google Workspace domain whose administrator has delegated `scope` to the
/// service account. Errors of a source, class reauthenticate: "unauthorized_client" or, with status 401,
/// "invalid_client" (no delegation), "invalid_grant" (no such user, or this machine's clock is wrong).
Result<std::shared_ptr<TokenSource>> make_service_account(TokenEnvironment environment,
                                                          ServiceAccount account, std::string scope,
                                                          std::string subject);

/// What a token endpoint's answer means. `body` is the response's JSON; anything else is an error with the
/// status.
struct TokenGrant {
  Secret access_token;
  Secret refresh_token;  ///< empty: the old one stays
  std::chrono::seconds lifetime{0};
  std::chrono::seconds refresh_lifetime{0};  ///< of the refresh token; 0: not said
  std::string scope;                         ///< what was granted; empty: not said, as asked for
};
Result<TokenGrant> read_token_response(const net::HttpResponse& response);

}  // namespace syncline::auth
