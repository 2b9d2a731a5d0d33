// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Private to src/auth: one request to an OAuth endpoint (RFC 6749 section 3.2).
#include <string>
#include <string_view>

#include "auth/oauth.hpp"

namespace syncline::auth {

/// application/x-www-form-urlencoded; also what a query is made of.
void append_form_field(std::string& form, std::string_view name, std::string_view value);

/// client_id, and client_secret or client_assertion.
Result<void> append_client(std::string& form, const TokenEndpoint& endpoint,
                           const TokenEnvironment& environment);

/// Any status is a response, except 401, which is how an endpoint says invalid_client.
net::Async<net::HttpResponse> post_form(TokenEnvironment environment, net::Url url, std::string form);

/// post_form() and read_token_response().
net::Async<TokenGrant> request_token(TokenEnvironment environment, net::Url url, std::string form);

/// https, or http to a loopback address. Error: auth "bad-settings".
Result<void> check_endpoint_url(const net::Url& url, std::string_view what);

/// An OAuth error response (RFC 6749 section 5.2) or a body that is none.
Error endpoint_error(const net::HttpResponse& response, std::string code, std::string message);

}  // namespace syncline::auth
