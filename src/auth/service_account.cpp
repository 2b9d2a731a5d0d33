// SPDX-License-Identifier: GPL-3.0-or-later
#include "auth/service_account.hpp"

#include <boost/json.hpp>
#include <chrono>

namespace syncline::auth {

namespace {

namespace json = boost::json;

std::string text_member(const json::object& object, std::string_view name) {
  const json::value* member = object.if_contains(name);
  return member != nullptr && member->is_string() ? std::string(member->get_string()) : std::string();
}

unexpected<Error> bad_key(std::string why) {
  return fail(ErrorDomain::auth, "bad-key",
              "The service account's key file cannot be used: " + std::move(why));
}

}  // namespace

Result<ServiceAccount> ServiceAccount::parse(const Secret& text) {
  constexpr std::size_t max_octets = 64 * 1024;
  if (text.reveal().size() > max_octets) return bad_key("it is too long");
  json::error_code failure;
  const json::value parsed = json::parse(text.reveal(), failure);
  if (failure || !parsed.is_object()) return bad_key("it is not a JSON object");
  const json::object& object = parsed.get_object();
  if (text_member(object, "type") != "service_account") return bad_key("its type is not service_account");
  ServiceAccount account;
  account.email_ = text_member(object, "client_email");
  account.key_id_ = text_member(object, "private_key_id");
  if (account.email_.empty()) return bad_key("it names no client_email");
  auto key = RsaKey::load(Secret(text_member(object, "private_key")));
  if (!key) return bad_key(key.error().message);
  account.key_ = std::move(*key);
  auto url = net::parse_url(text_member(object, "token_uri"));
  if (!url) return bad_key("its token_uri is no address");
  account.token_url_ = std::move(*url);
  return account;
}

Result<std::string> ServiceAccount::sign_assertion(std::string_view scope, std::string_view subject,
                                                   const Clock& clock) const {
  const std::int64_t now = std::chrono::floor<std::chrono::seconds>(clock.now().time_since_epoch()).count();
  json::object header{{"alg", "RS256"}, {"typ", "JWT"}};
  if (!key_id_.empty()) header["kid"] = key_id_;
  const json::object claims{{"iss", email_},  {"sub", subject},
                            {"scope", scope}, {"aud", token_url_.to_string()},
                            {"iat", now},     {"exp", now + 3600}};
  return key_.sign_jwt(AssertionAlgorithm::rs256, json::serialize(header), json::serialize(claims));
}

}  // namespace syncline::auth
