// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Names of properties in shapes, changes, restrictions and sort orders; extended properties and their values.
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ews/types/enums.hpp"

namespace syncline::ews {

/// "item:Subject", "calendar:Start", …
struct FieldUri {
  std::string uri;
  bool operator==(const FieldUri&) const = default;
};

/// "contacts:EmailAddress" with "EmailAddress1", "item:InternetMessageHeader" with a header's name, …
struct IndexedFieldUri {
  std::string uri;
  std::string index;
  bool operator==(const IndexedFieldUri&) const = default;
};

/// A MAPI property: by tag; or by set (a well-known one or a GUID) with a name or a dispatch id.
struct ExtendedFieldUri {
  std::optional<Open<PropertySet>> distinguished_property_set = std::nullopt;
  std::optional<std::string> property_set_id = std::nullopt;  ///< GUID, no braces
  std::optional<std::string> property_tag = std::nullopt;     ///< "0x1234" or decimal
  std::optional<std::string> property_name = std::nullopt;
  std::optional<std::int64_t> property_id = std::nullopt;
  Open<MapiPropertyType> property_type = MapiPropertyType::string;
  bool operator==(const ExtendedFieldUri&) const = default;
};

using PropertyPath = std::variant<FieldUri, IndexedFieldUri, ExtendedFieldUri>;

struct ExtendedProperty {
  ExtendedFieldUri uri;
  std::vector<std::string> values;  ///< one for a single-valued type
  bool is_array = false;            ///< the values stand in Values, not in Value
  bool operator==(const ExtendedProperty&) const = default;
};

}  // namespace syncline::ews
