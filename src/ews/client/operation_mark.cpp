// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/client/operation_mark.hpp"

#include <utility>

#include "base/text.hpp"

namespace syncline::ews {
namespace {

// Servers answer with the GUID in either case and with the set's other spellings left out.
bool is_operation_mark(const ExtendedFieldUri& uri) {
  const ExtendedFieldUri& mark = operation_mark();
  return uri.property_set_id && uri.property_name == mark.property_name &&
         text::equals_ignore_case(*uri.property_set_id, *mark.property_set_id);
}

}  // namespace

const ExtendedFieldUri& operation_mark() {
  static const ExtendedFieldUri mark{.property_set_id = "5f4c1c0e-62ad-4f2b-9d0e-8a6f3b1d7c52",
                                     .property_name = "SynclineOperationId",
                                     .property_type = MapiPropertyType::string};
  return mark;
}

void set_operation_id(Item& item, std::string operation_id) {
  std::erase_if(item.extended_properties,
                [](const ExtendedProperty& property) { return is_operation_mark(property.uri); });
  item.extended_properties.push_back({.uri = operation_mark(), .values = {std::move(operation_id)}});
}

std::optional<std::string_view> operation_id_of(const Item& item) {
  for (const ExtendedProperty& property : item.extended_properties) {
    if (is_operation_mark(property.uri) && !property.values.empty() && !property.values.front().empty())
      return property.values.front();
  }
  return std::nullopt;
}

Restriction has_operation_id(std::string operation_id) {
  return {Comparison{
      .op = ComparisonOperator::is_equal_to, .path = operation_mark(), .operand = std::move(operation_id)}};
}

}  // namespace syncline::ews
