// SPDX-License-Identifier: GPL-3.0-or-later
#include "auth/token_request.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "auth/bearer.hpp"
#include "base/text.hpp"

namespace syncline::auth {

namespace {

using std::chrono::seconds;

constexpr std::uint64_t max_response_octets = 256 * 1024;
constexpr seconds longest_lifetime{48 * 3600};
constexpr seconds longest_refresh_lifetime{100LL * 365 * 24 * 3600};
/// RFC 6749 section 5.1: expires_in is only recommended. Short enough to be harmless, long enough not to
/// hammer.
constexpr seconds assumed_lifetime{300};

std::string string_member(const boost::json::object& object, std::string_view name) {
  const boost::json::value* member = object.if_contains(name);
  return member != nullptr && member->is_string() ? std::string(member->get_string()) : std::string();
}

/// Microsoft sends a number or the digits as text.
seconds lifetime_member(const boost::json::object& object) {
  const boost::json::value* member = object.if_contains("expires_in");
  std::optional<std::int64_t> given;
  if (member != nullptr && member->is_int64()) given = member->get_int64();
  if (member != nullptr && member->is_string())
    given = text::parse_int(std::string_view(member->get_string()));
  if (!given || *given <= 0) return assumed_lifetime;
  return std::min(seconds(*given), longest_lifetime);
}

RetryClass retry_class_of(std::string_view code, int status) noexcept {
  // RFC 6749 section 5.2, OpenID Connect Core section 3.1.2.6: what a person or new settings can cure.
  for (const std::string_view needs_person :
       {"invalid_grant", "interaction_required", "login_required", "consent_required",
        "account_selection_required", "invalid_client", "unauthorized_client", "access_denied"}) {
    if (code == needs_person) return RetryClass::reauthenticate;
  }
  if (code == "temporarily_unavailable" || code == "server_error" || code == "slow_down")
    return RetryClass::after;
  if (status == 408 || status == 429 || status >= 500) return RetryClass::after;
  return RetryClass::never;
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace

void append_form_field(std::string& form, std::string_view name, std::string_view value) {
  if (!form.empty()) form += '&';
  form += name;
  form += '=';
  static constexpr char digits[] = "0123456789ABCDEF";
  for (const char c : value) {
    const auto octet = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       c == '-' || c == '.' || c == '_' || c == '*';
    if (plain) {
      form += c;
    } else {
      form += '%';
      form += digits[octet >> 4];
      form += digits[octet & 15];
    }
  }
}

Error endpoint_error(const net::HttpResponse& response, std::string code, std::string message) {
  Error error{.domain = ErrorDomain::auth, .code = std::move(code), .message = std::move(message)};
  error.retry = retry_class_of(error.code, response.status);
  error.http_status = response.status;
  if (error.retry == RetryClass::after) {
    if (const auto hint = response.headers.find("Retry-After")) {
      const auto wait = text::parse_int(text::trim(*hint));
      if (wait && *wait >= 0 && *wait <= 24 * 3600) error.retry_after = seconds(*wait);
    }
  }
  return error;
}

Result<void> append_client(std::string& form, const TokenEndpoint& endpoint,
                           const TokenEnvironment& environment) {
  append_form_field(form, "client_id", endpoint.client_id);
  if (const auto* secret = std::get_if<Secret>(&endpoint.proof)) {
    append_form_field(form, "client_secret", secret->reveal());
  } else if (const auto* certificate = std::get_if<ClientCertificate>(&endpoint.proof)) {
    const auto assertion = certificate->sign_assertion(endpoint.client_id, endpoint.url.to_string(),
                                                       environment.clock, environment.random);
    if (!assertion) return fail(assertion.error());
    append_form_field(form, "client_assertion_type",
                      "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    append_form_field(form, "client_assertion", *assertion);
  }
  return {};
}

net::Async<net::HttpResponse> post_form(TokenEnvironment environment, net::Url url, std::string form) {
  net::HttpRequest message;
  message.method = "POST";
  message.url = std::move(url);
  message.headers.set("Content-Type", "application/x-www-form-urlencoded");
  message.headers.set("Accept", "application/json");
  message.body = std::make_shared<net::StringSource>(std::move(form));
  net::HttpOptions options;
  options.limits.total = std::chrono::milliseconds(60'000);
  options.limits.body_octets = max_response_octets;
  options.pool = "oauth";
  auto response = co_await environment.http.send(std::move(message), std::move(options));
  if (!response) {
    Error error = std::move(response).error();
    // RFC 6749 section 5.2: 401 is how a token endpoint says invalid_client.
    if (error.http_status == 401) {
      error = Error{.domain = ErrorDomain::auth,
                    .code = "invalid_client",
                    .message = "The token endpoint does not accept the client's proof",
                    .retry = RetryClass::reauthenticate,
                    .http_status = 401};
    }
    co_return fail(std::move(error));
  }
  co_return std::move(*response);
}

net::Async<TokenGrant> request_token(TokenEnvironment environment, net::Url url, std::string form) {
  auto response = co_await post_form(std::move(environment), std::move(url), std::move(form));
  if (!response) co_return fail(std::move(response).error());
  auto grant = read_token_response(*response);
  wipe(response->body);
  co_return grant;
}

Result<void> check_endpoint_url(const net::Url& url, std::string_view what) {
  if (!url.is_tls() && !is_loopback(url.host))
    return fail(ErrorDomain::auth, "bad-settings", "The " + std::string(what) + " must be an https address");
  return {};
}

Result<TokenGrant> read_token_response(const net::HttpResponse& response) {
  boost::json::error_code failure;
  const boost::json::value parsed = boost::json::parse(response.body, failure);
  if (failure || !parsed.is_object()) {
    return fail(endpoint_error(response, "bad-token-response",
                               "The token endpoint answered with status " + std::to_string(response.status) +
                                   " and no JSON object"));
  }
  const boost::json::object& object = parsed.get_object();
  std::string code = string_member(object, "error");
  if (!code.empty() || response.status != 200) {
    std::string message = "The token endpoint refused";
    const std::string said = string_member(object, "error_description");
    // Descriptions go on for pages of correlation data; the first line has the AADSTS number and the reason.
    if (!said.empty())
      message += ": " + said.substr(0, std::min<std::size_t>(said.find_first_of("\r\n"), 400));
    if (code.empty()) code = "http-" + std::to_string(response.status);
    return fail(endpoint_error(response, std::move(code), std::move(message)));
  }
  TokenGrant grant;
  grant.access_token = Secret(string_member(object, "access_token"));
  grant.refresh_token = Secret(string_member(object, "refresh_token"));
  grant.lifetime = lifetime_member(object);
  grant.scope = string_member(object, "scope");
  // Google's, where a sign-in was given for a while only.
  if (const boost::json::value* ends = object.if_contains("refresh_token_expires_in");
      ends != nullptr && ends->is_int64() && ends->get_int64() > 0)
    grant.refresh_lifetime = std::min(seconds(ends->get_int64()), longest_refresh_lifetime);
  if (!is_bearer_token(grant.access_token.reveal())) {
    return fail(
        endpoint_error(response, "bad-token-response", "The token endpoint gave no usable access token"));
  }
  if (!text::equals_ignore_case(string_member(object, "token_type"), "bearer")) {
    return fail(endpoint_error(response, "bad-token-response",
                               "The token endpoint gave a token that is no bearer token"));
  }
  return grant;
}

}  // namespace syncline::auth
