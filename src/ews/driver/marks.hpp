// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Properties beside operation_mark() by which an item is known again, and how to read one of an item.
#include <optional>
#include <string_view>

#include "ews/client/operation_mark.hpp"
#include "ews/types/item.hpp"
#include "ews/types/property_path.hpp"

namespace syncline::ews {

/// Of a meeting: the operation whose mails are out. Set by the very request that carries the mailing
/// disposition (invariant 6).
const ExtendedFieldUri& mailed_mark();
/// PidTagSearchKey (MS-OXPROPS): the same for an item wherever it is moved.
const ExtendedFieldUri& search_key_property();

/// The header of our own test mails, alerts and reports (sync::own_mail_header), as Exchange names it.
const ExtendedFieldUri& own_mail_property();
/// Marks a message as our own automatic mail: that header, and Auto-Submitted (RFC 3834).
void set_own_mail(Item& item);

/// The first value of a property of an item that was read with it; nullopt: it has none. Servers spell GUIDs
/// and tags in either case.
std::optional<std::string_view> value_of(const Item& item, const ExtendedFieldUri& property);

}  // namespace syncline::ews
