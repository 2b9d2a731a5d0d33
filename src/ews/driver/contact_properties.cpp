// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/driver/contact_properties.hpp"

namespace syncline::ews {
namespace {

ExtendedFieldUri tag(const char* number) {
  return {.property_tag = number, .property_type = MapiPropertyType::string};
}

ExtendedFieldUri address_property(std::int64_t id) {
  return {.distinguished_property_set = PropertySet::address,
          .property_id = id,
          .property_type = MapiPropertyType::string};
}

}  // namespace

const ExtendedFieldUri& title_property() {
  static const ExtendedFieldUri property = tag("0x3A45");
  return property;
}

const ExtendedFieldUri& ftp_site_property() {
  static const ExtendedFieldUri property = tag("0x3A4C");
  return property;
}

const ExtendedFieldUri& government_id_property() {
  static const ExtendedFieldUri property = tag("0x3A07");
  return property;
}

const ExtendedFieldUri& phonetic_given_name_property() {
  static const ExtendedFieldUri property = address_property(0x802C);
  return property;
}

const ExtendedFieldUri& phonetic_surname_property() {
  static const ExtendedFieldUri property = address_property(0x802D);
  return property;
}

}  // namespace syncline::ews
