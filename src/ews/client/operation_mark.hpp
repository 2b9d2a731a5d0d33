// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The mark that every item made by us bears: the id of the operation that made it, in one named MAPI property
// of our own property set. It is the evidence by which a lost reply is settled (invariants 6 and 7).
#include <optional>
#include <string>
#include <string_view>

#include "ews/types/item.hpp"
#include "ews/types/property_path.hpp"
#include "ews/types/restriction.hpp"

namespace syncline::ews {

/// The property's path, for shapes, changes and searches.
const ExtendedFieldUri& operation_mark();

void set_operation_id(Item& item, std::string operation_id);
/// Of an item that was read with operation_mark() in its shape; empty text counts as none.
std::optional<std::string_view> operation_id_of(const Item& item);
Restriction has_operation_id(std::string operation_id);

}  // namespace syncline::ews
