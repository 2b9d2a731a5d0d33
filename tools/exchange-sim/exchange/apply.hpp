// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Writing properties: from the elements of CreateItem and UpdateItem into an item, with the server's own
// couplings.
#include <memory>
#include <string_view>

#include "base/error.hpp"
#include "tools/exchange-sim/exchange/context.hpp"

namespace exchange_sim {

/// Where properties go: an item's own bag, or the patch of one day of its series.
struct Target {
  Item& item;
  PropertyBag& bag;
  bool occurrence = false;
};

/// A new item from its element ("t:Message", …), not yet in a folder. Errors: ErrorInvalidPropertySet,
/// ErrorMimeContentInvalid, ErrorInvalidExtendedPropertyValue, and the calendar's.
syncline::Result<std::unique_ptr<Item>> build_item(Context& context, const Element& element,
                                                   std::size_t depth = 0);
/// One property from its element.
syncline::Result<void> set_property(Context& context, Target target, Field field, const Element& value);
syncline::Result<void> set_extended(Context& context, Target target, const Element& extended_property);
/// t:Updates of one item.
syncline::Result<void> apply_updates(Context& context, Target target, const Element& updates);
/// After any change of properties: times, all-day, recurrence, task status, display names. `before` is the
/// item as it was, nullptr for a new one.
syncline::Result<void> settle(Context& context, Item& item, const Item* before);

/// A message from octets. Nothing in them is an error.
std::unique_ptr<Item> item_from_mime(Context& context, std::string mime);
std::unique_ptr<Item> item_from_generated(const GeneratedMail& mail);
/// An attachment from its element. Errors: ErrorAttachmentNestLevelLimitExceeded,
/// ErrorInvalidValueForProperty.
syncline::Result<Attachment> build_attachment(Context& context, const Element& element, std::size_t depth);
/// Conversation properties of a message that has none.
void set_conversation(Context& context, Item& item, std::string_view parent_index);

}  // namespace exchange_sim
