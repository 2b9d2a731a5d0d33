// SPDX-License-Identifier: GPL-3.0-or-later
#include "auth/device_code.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "auth/token_request.hpp"
#include "base/text.hpp"

namespace syncline::auth {

namespace {

namespace json = boost::json;
using std::chrono::seconds;

/// RFC 8628 section 3.5: so much slower after each slow_down.
constexpr seconds slow_down_step{5};
constexpr seconds slowest{120};
constexpr seconds longest_life{24 * 3600};

std::string text_member(const json::object& object, std::string_view name) {
  const json::value* member = object.if_contains(name);
  return member != nullptr && member->is_string() ? std::string(member->get_string()) : std::string();
}

seconds seconds_member(const json::object& object, std::string_view name, seconds otherwise, seconds most) {
  const json::value* member = object.if_contains(name);
  std::optional<std::int64_t> given;
  if (member != nullptr && member->is_int64()) given = member->get_int64();
  if (member != nullptr && member->is_string())
    given = text::parse_int(std::string_view(member->get_string()));
  if (!given || *given <= 0) return otherwise;
  return std::min(seconds(*given), most);
}

Result<DeviceAuthorisation> read_authorisation(const net::HttpResponse& response) {
  json::error_code failure;
  const json::value parsed = json::parse(response.body, failure);
  if (failure || !parsed.is_object()) {
    return fail(endpoint_error(response, "bad-device-response",
                               "The device endpoint answered with status " + std::to_string(response.status) +
                                   " and no JSON object"));
  }
  const json::object& object = parsed.get_object();
  std::string code = text_member(object, "error");
  if (!code.empty() || response.status != 200) {
    if (code.empty()) code = "http-" + std::to_string(response.status);
    const std::string said = text_member(object, "error_description");
    std::string message = "The device endpoint refused";
    if (!said.empty())
      message += ": " + said.substr(0, std::min<std::size_t>(said.find_first_of("\r\n"), 400));
    return fail(endpoint_error(response, std::move(code), std::move(message)));
  }
  DeviceAuthorisation authorisation;
  authorisation.device_code = Secret(text_member(object, "device_code"));
  authorisation.user_code = text_member(object, "user_code");
  authorisation.verification_uri = text_member(object, "verification_uri");
  // Google's spelling, from before the standard.
  if (authorisation.verification_uri.empty())
    authorisation.verification_uri = text_member(object, "verification_url");
  authorisation.complete_uri = text_member(object, "verification_uri_complete");
  authorisation.lifetime = seconds_member(object, "expires_in", seconds(900), longest_life);
  authorisation.interval = seconds_member(object, "interval", seconds(5), slowest);
  const bool presentable = net::parse_url(authorisation.verification_uri) &&
                           (authorisation.complete_uri.empty() || net::parse_url(authorisation.complete_uri));
  if (authorisation.device_code.empty() || authorisation.user_code.empty() || !presentable) {
    return fail(endpoint_error(response, "bad-device-response",
                               "The device endpoint's answer lacks a code or a usable address"));
  }
  return authorisation;
}

}  // namespace

net::Async<DeviceAuthorisation> request_device_code(TokenEnvironment environment, TokenEndpoint endpoint,
                                                    net::Url device_endpoint) {
  if (auto checked = check_endpoint_url(device_endpoint, "device endpoint"); !checked)
    co_return fail(std::move(checked).error());
  std::string form;
  if (auto named = append_client(form, endpoint, environment); !named)
    co_return fail(std::move(named).error());
  append_form_field(form, "scope", endpoint.scope);
  auto response = co_await post_form(environment, std::move(device_endpoint), std::move(form));
  if (!response) co_return fail(std::move(response).error());
  auto read = read_authorisation(*response);
  wipe(response->body);
  co_return read;
}

net::Async<TokenGrant> wait_for_device(TokenEnvironment environment, net::Timers& timers,
                                       TokenEndpoint endpoint, DeviceAuthorisation authorisation) {
  if (auto checked = check_endpoint_url(endpoint.url, "token endpoint"); !checked)
    co_return fail(std::move(checked).error());
  const SteadyTime ends = environment.clock.steady_now() + authorisation.lifetime;
  seconds pace = authorisation.interval;
  for (;;) {
    const SteadyTime next = environment.clock.steady_now() + pace;
    if (next >= ends) break;
    auto slept = co_await timers.sleep_until(next);
    if (!slept) co_return fail(std::move(slept).error());
    std::string form;
    append_form_field(form, "grant_type", "urn:ietf:params:oauth:grant-type:device_code");
    append_form_field(form, "device_code", authorisation.device_code.reveal());
    if (auto named = append_client(form, endpoint, environment); !named)
      co_return fail(std::move(named).error());
    auto grant = co_await request_token(environment, endpoint.url, std::move(form));
    if (grant) {
      if (grant->refresh_token.empty()) {
        co_return fail(ErrorDomain::auth, "no-refresh-token",
                       "The server gave no refresh token: the application must ask for offline access");
      }
      co_return std::move(*grant);
    }
    Error error = std::move(grant).error();
    if (error.code == "authorization_pending") continue;
    if (error.code == "slow_down") {
      pace = std::min(pace + slow_down_step, slowest);
      continue;
    }
    if (error.code == "expired_token" || error.code == "code_expired") break;
    if (error.code == "access_denied" || error.code == "authorization_declined") {
      co_return fail(ErrorDomain::auth, "access_denied", "The sign-in was declined on the other device",
                     RetryClass::reauthenticate);
    }
    // RFC 8628 section 3.5: a server that cannot be reached is asked half as often each time.
    if (error.retry == RetryClass::after || error.retry == RetryClass::now ||
        ((error.domain == ErrorDomain::net || error.domain == ErrorDomain::http) &&
         error.code != "cancelled")) {
      pace = std::min(pace * 2, slowest);
      continue;
    }
    co_return fail(std::move(error).during("waiting for the sign-in on the other device"));
  }
  co_return fail(ErrorDomain::auth, "expired_token",
                 "Nobody finished the sign-in on the other device before its code expired; begin anew",
                 RetryClass::reauthenticate);
}

}  // namespace syncline::auth
