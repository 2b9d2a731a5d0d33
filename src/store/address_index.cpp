// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/address_index.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace syncline::store {
namespace {

namespace json = boost::json;

/// RFC 5321 section 4.5.3.1: 64 octets, "@", 255 octets.
constexpr std::size_t address_limit_octets = 320;

constexpr std::array fields_with_people = {"organizer", "requiredAttendees", "optionalAttendees",
                                           "resources"};

void add(const json::value& text, std::vector<std::string>& out) {
  if (!text.is_string()) return;
  std::string key = address_key(text.get_string());
  if (!key.empty()) out.push_back(std::move(key));
}

/// "a@b", {"name","emailAddress"} or {"mailbox":{…}}.
void add_person(const json::value& person, std::vector<std::string>& out) {
  const json::value* at = &person;
  if (at->is_object())
    if (const json::value* mailbox = at->get_object().if_contains("mailbox")) at = mailbox;
  if (at->is_object()) {
    if (const json::value* address = at->get_object().if_contains("emailAddress")) add(*address, out);
  } else {
    add(*at, out);
  }
}

}  // namespace

std::string address_key(std::string_view address) {
  address = text::trim(address);
  if (address.size() > address_limit_octets || address.find('@') == std::string_view::npos) return {};
  return text::to_lower_ascii(address);
}

std::vector<std::string> addresses_of(model::RecordKind kind, const model::Fields& fields) {
  std::vector<std::string> out;
  if (kind == model::RecordKind::email) return out;
  for (const char* name : fields_with_people) {
    const json::value* value = fields.if_contains(name);
    if (!value) continue;
    if (value->is_array()) {
      for (const json::value& person : value->get_array()) add_person(person, out);
    } else {
      add_person(*value, out);
    }
  }
  if (const json::value* entries = fields.if_contains("emailAddresses"); entries && entries->is_object())
    for (const auto& entry : entries->get_object()) add_person(entry.value(), out);
  std::ranges::sort(out);
  const auto repeated = std::ranges::unique(out);
  out.erase(repeated.begin(), repeated.end());
  return out;
}

}  // namespace syncline::store
