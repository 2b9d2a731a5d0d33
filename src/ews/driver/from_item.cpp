// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/driver/from_item.hpp"

#include <chrono>
#include <utility>

#include "ews/driver/field_row.hpp"
#include "ews/driver/marks.hpp"
#include "time/zone_match.hpp"

namespace syncline::ews {
namespace {

using model::RecordKind;

const KindTable& table_of(RecordKind kind) {
  switch (kind) {
    case RecordKind::email:
      return message_table();
    case RecordKind::appointment:
      return calendar_item_table();
    case RecordKind::contact:
      return contact_table();
    case RecordKind::task:
      return task_table();
  }
  return message_table();
}

bool can_be(RecordKind kind, ItemKind item) noexcept {
  switch (item) {
    case ItemKind::message:
    case ItemKind::meeting_message:
    case ItemKind::meeting_request:
    case ItemKind::meeting_response:
    case ItemKind::meeting_cancellation:
      return kind == RecordKind::email;
    case ItemKind::calendar_item:
      return kind == RecordKind::appointment;
    case ItemKind::contact:
      return kind == RecordKind::contact;
    case ItemKind::task:
      return kind == RecordKind::task;
    case ItemKind::item:
    case ItemKind::distribution_list:
    case ItemKind::post_item:
    case ItemKind::opaque:
      return false;
  }
  return false;
}

std::optional<SystemTime> system_time_of(const std::optional<DateTime>& time) {
  if (!time || !time->unix_ms()) return std::nullopt;
  return SystemTime(std::chrono::milliseconds(*time->unix_ms()));
}

}  // namespace

time::Zone zone_of_days(const Item& item, const DriverState& state) {
  if (!item.calendar || !item.calendar->start_time_zone) return state.zone;
  const auto start = system_time_of(item.calendar->start);
  if (!start) return state.zone;
  auto resolved = time::resolve_zone(zone_definition_of(*item.calendar->start_time_zone),
                                     std::chrono::floor<std::chrono::seconds>(*start));
  return resolved ? std::move(resolved->zone) : state.zone;
}

ItemShape shape_of(RecordKind kind, bool with_body) {
  const KindTable& table = table_of(kind);
  ItemShape shape{.base = BaseShape::id_only, .body_type = BodyShape::best};
  shape.additional.reserve(table.rows.size() + table.properties.size() + 6);
  for (const char* uri : {"item:ParentFolderId", "item:ItemClass", "item:LastModifiedTime"})
    shape.additional.emplace_back(FieldUri{uri});
  for (const FieldRow& row : table.rows)
    if (row.uri != nullptr) shape.additional.emplace_back(FieldUri{row.uri});
  if (kind == RecordKind::email && with_body) shape.additional.emplace_back(FieldUri{"item:Body"});
  shape.additional.emplace_back(operation_mark());
  shape.additional.emplace_back(search_key_property());
  shape.additional.insert(shape.additional.end(), table.properties.begin(), table.properties.end());
  return shape;
}

sync::RemoteItem from_item(RecordKind kind, const Item& item, const DriverState& state, bool with_body) {
  sync::RemoteItem made;
  made.kind = kind;
  if (item.item_id) made.ref = {.id = item.item_id->id, .version = item.item_id->change_key};
  if (item.parent_folder_id) made.folder_id = item.parent_folder_id->id;
  made.item_class = item.item_class.value_or("");
  if (const auto key = value_of(item, search_key_property())) made.search_key = *key;
  if (const auto id = operation_id_of(item)) made.operation_id = std::string(*id);
  made.last_modified = system_time_of(item.last_modified_time);
  made.opaque = !can_be(kind, item.kind);
  if (made.opaque) return made;
  made.is_organizer = is_organizer(item);
  made.is_own_automatic_mail = value_of(item, own_mail_property()).has_value();
  made.is_private =
      kind != RecordKind::email && item.sensitivity &&
      (*item.sensitivity == Sensitivity::private_ || *item.sensitivity == Sensitivity::confidential);

  const bool is_all_day = item.calendar && item.calendar->is_all_day_event.value_or(false);
  const time::Zone zone = is_all_day ? zone_of_days(item, state) : state.zone;
  const ItemContext context{.zone = zone, .is_all_day = is_all_day};
  const KindTable& table = table_of(kind);
  // With room for what a record has besides.
  made.fields.reserve(table.rows.size() + 8);
  for (const FieldRow& row : table.rows)
    if (MappedValue value = row.value(item, context)) made.fields.emplace(row.field, std::move(*value));
  if (kind == RecordKind::email && with_body && !is_encrypted(item))
    if (MappedValue body = body_of(item.body, context)) made.fields.emplace("body", std::move(*body));
  return made;
}

}  // namespace syncline::ews
