// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Tokens from an OAuth 2.0 token endpoint (RFC 6749): client credentials (section 4.4) and refresh (section
// 6).
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "auth/client_assertion.hpp"
#include "auth/secret_store.hpp"
#include "auth/token_source.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "net/http_client.hpp"

namespace syncline::auth {

/// A public client (no proof of its own), a client secret, or a certificate.
using ClientProof = std::variant<std::monostate, Secret, ClientCertificate>;

struct TokenEndpoint {
  net::Url url;       ///< https, or http to a loopback address
  std::string scope;  ///< "https://outlook.office365.com/.default"
  std::string client_id;
  ClientProof proof;
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

/// A user's delegated token. The refresh token is read from `store` under `key`; one the server gives in its
/// place is put there before the access token that came with it is handed out.
Result<std::shared_ptr<TokenSource>> make_refresh_grant(TokenEnvironment environment, TokenEndpoint endpoint,
                                                        SecretStore& store, std::string key);

/// What a token endpoint's answer means. `body` is the response's JSON; anything else is an error with the
/// status.
struct TokenGrant {
  Secret access_token;
  Secret refresh_token;  ///< empty: the old one stays
  std::chrono::seconds lifetime{0};
};
Result<TokenGrant> read_token_response(const net::HttpResponse& response);

}  // namespace syncline::auth
