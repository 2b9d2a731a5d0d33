// SPDX-License-Identifier: GPL-3.0-or-later
#include "auth/stored_grant.hpp"

#include <boost/json.hpp>

#include "base/text.hpp"

namespace syncline::auth {

namespace {

namespace json = boost::json;
using std::chrono::seconds;

std::int64_t to_seconds(SystemTime time) {
  return std::chrono::floor<seconds>(time.time_since_epoch()).count();
}

std::optional<SystemTime> time_member(const json::object& object, std::string_view name) {
  // Up to the year 9999, so that no arithmetic on it overflows.
  constexpr std::int64_t latest = 253'402'300'799;
  const json::value* member = object.if_contains(name);
  if (member == nullptr || !member->is_int64()) return std::nullopt;
  if (member->get_int64() < 0 || member->get_int64() > latest) return std::nullopt;
  return SystemTime(seconds(member->get_int64()));
}

std::string text_member(const json::object& object, std::string_view name) {
  const json::value* member = object.if_contains(name);
  return member != nullptr && member->is_string() ? std::string(member->get_string()) : std::string();
}

}  // namespace

Result<StoredGrant> StoredGrant::parse(const Secret& kept) {
  const std::string_view text = text::trim(kept.reveal());
  StoredGrant grant;
  if (!text.starts_with('{')) {
    grant.refresh_token = Secret(text);
    return grant;
  }
  json::error_code failure;
  const json::value parsed = json::parse(text, failure);
  if (failure || !parsed.is_object())
    return fail(ErrorDomain::auth, "bad-grant", "What is kept of the sign-in cannot be read; sign in again",
                RetryClass::reauthenticate);
  const json::object& object = parsed.get_object();
  grant.refresh_token = Secret(text_member(object, "refresh_token"));
  grant.obtained = time_member(object, "obtained");
  grant.ends = time_member(object, "ends");
  grant.scope = text_member(object, "scope");
  if (const auto refused = time_member(object, "refused")) {
    grant.refusal = Refusal{.at = *refused,
                            .code = text_member(object, "refusal"),
                            .message = text_member(object, "refusal_message")};
  }
  return grant;
}

Secret StoredGrant::print() const {
  json::object object{{"refresh_token", refresh_token.reveal()}};
  if (obtained) object["obtained"] = to_seconds(*obtained);
  if (ends) object["ends"] = to_seconds(*ends);
  if (!scope.empty()) object["scope"] = scope;
  if (refusal) {
    object["refused"] = to_seconds(refusal->at);
    object["refusal"] = refusal->code;
    object["refusal_message"] = refusal->message;
  }
  return Secret(json::serialize(object));
}

}  // namespace syncline::auth
