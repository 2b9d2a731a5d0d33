// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/driver/to_item.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "base/text.hpp"
#include "ews/driver/field_writers.hpp"
#include "ews/driver/to_item_parts.hpp"
#include "model/field_catalogue.hpp"

namespace syncline::ews {
namespace {

std::vector<std::span<const FieldWriter>> writers_of(model::RecordKind kind) {
  switch (kind) {
    case model::RecordKind::email:
      return {item_writers(), message_writers()};
    case model::RecordKind::appointment:
      return {item_writers(), calendar_writers()};
    case model::RecordKind::contact:
      return {item_writers(), contact_writers()};
    case model::RecordKind::task:
      return {item_writers(), task_writers()};
  }
  return {};
}

/// In the shapes of the catalogue, so that nothing below has to look at types. Unknown names go.
Result<model::Fields> canonical(model::RecordKind kind, const model::Fields& fields) {
  model::Fields out;
  for (const auto& [name, value] : fields) {
    const model::FieldInfo* info = model::find_field(kind, name);
    if (info == nullptr) continue;
    auto clean = model::canonical(*info, value);
    if (!clean) return fail(std::move(clean.error()));
    out[name] = std::move(*clean);
  }
  return out;
}

/// The name that a contact is shown by, from the parts of it.
std::string name_of(const model::Fields& fields) {
  std::string name;
  for (const char* part : {"givenName", "middleName", "surname"})
    if (const auto* text = fields.if_contains(part); !says_nothing(text) && text->is_string())
      name.append(name.empty() ? "" : " ").append(put::text_of(*text));
  if (const auto* company = fields.if_contains("companyName");
      name.empty() && !says_nothing(company) && company->is_string())
    name = put::text_of(*company);
  return name;
}

/// Contacts without these show as blank lines in lists: clients make them, the server does not.
void name_contact(const model::Fields& fields, Item& item) {
  ContactPart& contact = item.contact.get_or_make();
  if (std::string name = name_of(fields); !contact.display_name && !name.empty())
    contact.display_name = std::move(name);
  if (!contact.file_as && says_nothing(fields.if_contains("fileAs")))
    contact.file_as_mapping =
        contact.surname || contact.given_name ? FileAsMapping::last_comma_first : FileAsMapping::company;
}

/// What follows from other fields of a contact.
void update_names(const model::Fields& fields, const model::Fields& base, std::vector<ItemUpdate>& updates) {
  // A name to file under that was given is not to be made from the others any more.
  if (!says_nothing(fields.if_contains("fileAs")))
    updates.push_back(set_field(ItemKind::contact, field_uri("contacts:FileAsMapping"), [](Item& item) {
      item.contact.get_or_make().file_as_mapping = FileAsMapping::none;
    }));
  const model::FieldValue* shown = base.if_contains("displayName");
  if (fields.contains("displayName") || says_nothing(shown) || !shown->is_string()) return;
  const std::string before = name_of(base);
  const std::string after = name_of(merged(base, fields));
  if (before != after && !after.empty() && put::text_of(*shown) == before)
    updates.push_back(set_field(ItemKind::contact, field_uri("contacts:DisplayName"),
                                [&](Item& item) { item.contact.get_or_make().display_name = after; }));
}

void update_simple(model::RecordKind kind, const model::Fields& fields, std::vector<ItemUpdate>& updates) {
  const ItemKind item_kind = item_kind_of(kind);
  for (const auto writers : writers_of(kind)) {
    for (const FieldWriter& writer : writers) {
      const model::FieldValue* value = fields.if_contains(writer.name);
      if (value == nullptr || model::find_field(kind, writer.name) == nullptr) continue;
      if (!says_nothing(value)) {
        updates.push_back(set_field(item_kind, writer.path, [&](Item& item) { writer.put(*value, item); }));
      } else if (!writer.when_cleared.is_null()) {
        updates.push_back(
            set_field(item_kind, writer.path, [&](Item& item) { writer.put(writer.when_cleared, item); }));
      } else if (!writer.stays_when_cleared) {
        updates.push_back(clear_field(writer.path));
      }
    }
  }
}

}  // namespace

FieldUri field_uri(std::string_view uri) {
  return FieldUri{std::string(uri)};
}

ItemKind item_kind_of(model::RecordKind kind) noexcept {
  switch (kind) {
    case model::RecordKind::email:
      return ItemKind::message;
    case model::RecordKind::appointment:
      return ItemKind::calendar_item;
    case model::RecordKind::contact:
      return ItemKind::contact;
    case model::RecordKind::task:
      return ItemKind::task;
  }
  return ItemKind::item;
}

bool says_nothing(const model::FieldValue* value) {
  if (value == nullptr || value->is_null()) return true;
  if (const auto* text = value->if_string()) return text->empty();
  if (const auto* elements = value->if_array()) return elements->empty();
  if (const auto* object = value->if_object()) return object->empty();
  return false;
}

model::Fields merged(const model::Fields& base, const model::Fields& fields) {
  model::Fields all = base;
  for (const auto& [name, value] : fields) all[name] = value;
  return all;
}

Result<Item> to_item(model::RecordKind kind, const model::Fields& given, const DriverState& state) {
  auto fields = canonical(kind, given);
  if (!fields) return fail(std::move(fields.error()));
  Item item{.kind = item_kind_of(kind)};
  for (const auto writers : writers_of(kind)) {
    for (const FieldWriter& writer : writers) {
      const model::FieldValue* value = fields->if_contains(writer.name);
      if (!says_nothing(value)) writer.put(*value, item);
    }
  }
  const model::FieldValue* recurrence = fields->if_contains("recurrence");
  switch (kind) {
    case model::RecordKind::email:
      item.message.get_or_make();
      break;
    case model::RecordKind::appointment:
      if (auto put = put_times(*fields, state, item); !put) return fail(std::move(put.error()));
      put_attendees(*fields, item);
      break;
    case model::RecordKind::contact:
      put_contact_parts(*fields, item);
      name_contact(*fields, item);
      break;
    case model::RecordKind::task:
      put_task_state(*fields, item);
      break;
  }
  if (!says_nothing(recurrence) &&
      (kind == model::RecordKind::appointment || kind == model::RecordKind::task)) {
    if (auto put = put_recurrence(*recurrence, item); !put) return fail(std::move(put.error()));
  }
  return item;
}

Result<ItemUpdates> to_updates(model::RecordKind kind, const model::Fields& given, const model::Fields& base,
                               const DriverState& state) {
  auto fields = canonical(kind, given);
  if (!fields) return fail(std::move(fields.error()));
  ItemUpdates updates;
  if (kind == model::RecordKind::contact) update_names(*fields, base, updates.changes);
  update_simple(kind, *fields, updates.changes);
  switch (kind) {
    case model::RecordKind::email:
      break;
    case model::RecordKind::appointment:
      if (auto done = update_times(*fields, base, state, updates.changes); !done)
        return fail(std::move(done.error()));
      update_attendees(*fields, base, updates);
      break;
    case model::RecordKind::contact:
      update_contact_parts(*fields, base, updates.changes);
      break;
    case model::RecordKind::task:
      update_task_state(*fields, base, updates.changes);
      break;
  }
  const model::FieldValue* recurrence = fields->if_contains("recurrence");
  if (recurrence != nullptr && (kind == model::RecordKind::appointment || kind == model::RecordKind::task)) {
    if (auto done = update_recurrence(item_kind_of(kind), *recurrence, updates.changes); !done)
      return fail(std::move(done.error()));
  }
  return updates;
}

Result<std::vector<ItemUpdate>> to_occurrence_updates(const model::Fields& patch, const model::Fields& master,
                                                      const DriverState& state) {
  model::Fields fields = patch;
  fields.erase("originalStart");
  auto updates = to_updates(model::RecordKind::appointment, fields, master, state);
  if (!updates) return fail(std::move(updates.error()));
  for (ItemUpdate& removed : updates->attendees_removed) updates->changes.push_back(std::move(removed));
  return std::move(updates->changes);
}

bool changes_series(const model::Fields& fields) {
  return fields.contains("recurrence") || touches_times(fields);
}

}  // namespace syncline::ews
