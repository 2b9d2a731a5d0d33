// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/driver/feed_cursor.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdint>

namespace syncline::ews {
namespace {

namespace json = boost::json;

unexpected<Error> bad_cursor() {
  return fail(ErrorDomain::ews, "bad-cursor", "the folder's cursor cannot be read", RetryClass::resync);
}

const json::string* text_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value == nullptr ? nullptr : value->if_string();
}

}  // namespace

std::string to_text(const FeedCursor& cursor) {
  json::object object;
  if (const auto* sync = std::get_if<SyncCursor>(&cursor)) {
    object.emplace("kind", "sync");
    object.emplace("state", sync->state);
  } else {
    const FindCursor& find = std::get<FindCursor>(cursor);
    object.emplace("kind", "find");
    object.emplace("at", find.at);
    object.emplace("seen", json::array(find.seen.begin(), find.seen.end()));
  }
  return json::serialize(object);
}

Result<FeedCursor> parse_cursor(std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  const json::object* object = error ? nullptr : value.if_object();
  const json::string* kind = object == nullptr ? nullptr : text_in(*object, "kind");
  if (kind == nullptr) return bad_cursor();
  if (*kind == "sync") {
    const json::string* state = text_in(*object, "state");
    if (state == nullptr) return bad_cursor();
    return SyncCursor{.state = std::string(*state)};
  }
  const json::string* at = text_in(*object, "at");
  const json::value* seen = object->if_contains("seen");
  if (*kind != "find" || at == nullptr || seen == nullptr || !seen->is_array()) return bad_cursor();
  FindCursor cursor{.at = std::string(*at)};
  cursor.seen.reserve(seen->get_array().size());
  for (const json::value& one : seen->get_array()) {
    if (!one.is_string()) return bad_cursor();
    cursor.seen.emplace_back(one.get_string());
  }
  return cursor;
}

std::string digest_of(std::string_view id, std::string_view change_key) {
  // FNV-1a: nobody gains by a collision but an item that is late until the next audit.
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const std::string_view part : {id, std::string_view("\n"), change_key}) {
    for (const char c : part) {
      hash ^= static_cast<unsigned char>(c);
      hash *= 0x100000001b3U;
    }
  }
  std::string digits(16, '0');
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, hash >>= 4U)
    *digit = "0123456789abcdef"[hash & 15U];
  return digits;
}

}  // namespace syncline::ews
