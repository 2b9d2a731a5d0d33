// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/driver/marks.hpp"

#include <charconv>

#include "base/text.hpp"
#include "sync/driver.hpp"

namespace syncline::ews {
namespace {

/// "0x300B", "0X300b" and "12299" are one tag.
std::optional<unsigned> tag_of(const std::optional<std::string>& written) {
  if (!written) return std::nullopt;
  std::string_view digits = *written;
  int base = 10;
  if (digits.size() > 2 && digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X')) {
    digits.remove_prefix(2);
    base = 16;
  }
  unsigned tag = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), tag, base);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return tag;
}

bool same_text(const std::optional<std::string>& a, const std::optional<std::string>& b) {
  return a.has_value() == b.has_value() && (!a || text::equals_ignore_case(*a, *b));
}

bool is_same(const ExtendedFieldUri& wanted, const ExtendedFieldUri& given) {
  if (wanted.property_tag) return tag_of(wanted.property_tag) == tag_of(given.property_tag);
  return same_text(wanted.property_set_id, given.property_set_id) &&
         wanted.distinguished_property_set == given.distinguished_property_set &&
         wanted.property_name == given.property_name && wanted.property_id == given.property_id;
}

}  // namespace

const ExtendedFieldUri& mailed_mark() {
  static const ExtendedFieldUri mark{.property_set_id = operation_mark().property_set_id,
                                     .property_name = "SynclineMailed",
                                     .property_type = MapiPropertyType::string};
  return mark;
}

const ExtendedFieldUri& own_mail_property() {
  static const ExtendedFieldUri property{.distinguished_property_set = PropertySet::internet_headers,
                                         .property_name = text::to_lower_ascii(sync::own_mail_header),
                                         .property_type = MapiPropertyType::string};
  return property;
}

void set_own_mail(Item& item) {
  static const ExtendedFieldUri submitted{.distinguished_property_set = PropertySet::internet_headers,
                                          .property_name = "auto-submitted",
                                          .property_type = MapiPropertyType::string};
  item.extended_properties.push_back({.uri = own_mail_property(), .values = {"yes"}});
  item.extended_properties.push_back({.uri = submitted, .values = {"auto-generated"}});
}

const ExtendedFieldUri& search_key_property() {
  static const ExtendedFieldUri property{.property_tag = "0x300B", .property_type = MapiPropertyType::binary};
  return property;
}

std::optional<std::string_view> value_of(const Item& item, const ExtendedFieldUri& property) {
  for (const ExtendedProperty& one : item.extended_properties)
    if (!one.values.empty() && is_same(property, one.uri)) return one.values.front();
  return std::nullopt;
}

}  // namespace syncline::ews
