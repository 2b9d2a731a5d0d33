// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The parts of to_item.hpp that are more than one property for one field. Values are canonical.
#include <string_view>
#include <vector>

#include "ews/driver/to_item.hpp"

namespace syncline::ews {

/// A change of one property, made by filling an item that holds nothing else.
template <class Fill>
ItemUpdate set_field(ItemKind kind, PropertyPath path, Fill fill) {
  SetItemField set{.path = std::move(path), .item = {.kind = kind}};
  fill(set.item);
  return set;
}
inline ItemUpdate clear_field(PropertyPath path) {
  return DeleteItemField{.path = std::move(path)};
}
FieldUri field_uri(std::string_view uri);

/// Start, end, all-day and zones, for a new item or a changed one: all of them or none. `fields` over `base`.
Result<void> put_times(const model::Fields& all, const DriverState& state, Item& item);
Result<void> update_times(const model::Fields& fields, const model::Fields& base, const DriverState& state,
                          std::vector<ItemUpdate>& updates);

void put_attendees(const model::Fields& fields, Item& item);
void update_attendees(const model::Fields& fields, const model::Fields& base, ItemUpdates& updates);

/// Of an appointment or a task.
Result<void> put_recurrence(const model::FieldValue& value, Item& item);
Result<void> update_recurrence(ItemKind kind, const model::FieldValue& value,
                               std::vector<ItemUpdate>& updates);

void put_contact_parts(const model::Fields& fields, Item& item);
void update_contact_parts(const model::Fields& fields, const model::Fields& base,
                          std::vector<ItemUpdate>& updates);

/// Status, percentComplete and completeDate, of which Exchange lets the last one win (Microsoft's page on
/// Status): only those are written that agree.
void put_task_state(const model::Fields& fields, Item& item);
void update_task_state(const model::Fields& fields, const model::Fields& base,
                       std::vector<ItemUpdate>& updates);

}  // namespace syncline::ews
