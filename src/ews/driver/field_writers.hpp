// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The tables behind to_item.hpp: where in an item a field of a record goes. A value that is put is canonical
// (model::canonical), so its shape need not be looked at again.
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <span>
#include <string>
#include <string_view>

#include "ews/types/item.hpp"
#include "ews/types/property_path.hpp"
#include "model/record.hpp"

namespace syncline::ews {

struct FieldWriter {
  std::string_view name;
  PropertyPath path;
  void (*put)(const model::FieldValue& value, Item& item);
  /// What is put where the protocol has no "none" (importance, reminderIsSet): null means that it has one,
  /// and the property is deleted.
  model::FieldValue when_cleared = nullptr;
  /// Neither: another field says whether it counts (reminderIsSet).
  bool stays_when_cleared = false;
};

/// Fields with a property of their own; the others (times, attendees, dictionaries, a task's state) are seen
/// to one by one.
std::span<const FieldWriter> item_writers();
std::span<const FieldWriter> message_writers();
std::span<const FieldWriter> calendar_writers();
std::span<const FieldWriter> contact_writers();
std::span<const FieldWriter> task_writers();

namespace put {

template <class T>
T& part_of(Item& item) {
  if constexpr (std::is_same_v<T, Item>) return item;
  if constexpr (std::is_same_v<T, MessagePart>) return item.message.get_or_make();
  if constexpr (std::is_same_v<T, CalendarPart>) return item.calendar.get_or_make();
  if constexpr (std::is_same_v<T, ContactPart>) return item.contact.get_or_make();
  if constexpr (std::is_same_v<T, TaskPart>) return item.task.get_or_make();
}
template <class Part, class Value>
Value& place(Value Part::*member, Item& item) {
  return part_of<Part>(item).*member;
}

inline std::string text_of(const model::FieldValue& value) {
  return std::string(std::string_view(value.get_string()));
}
EmailAddress person_of(const model::FieldValue& value);
std::vector<EmailAddress> people_of(const model::FieldValue& value);

template <auto Member>
void text(const model::FieldValue& value, Item& item) {
  place(Member, item) = text_of(value);
}
template <auto Member>
void choice(const model::FieldValue& value, Item& item) {
  auto& slot = place(Member, item);
  slot = std::decay_t<decltype(*slot)>::parse(text_of(value));
}
template <auto Member>
void boolean(const model::FieldValue& value, Item& item) {
  place(Member, item) = value.get_bool();
}
template <auto Member>
void integer(const model::FieldValue& value, Item& item) {
  place(Member, item) = value.to_number<std::int64_t>();
}
template <auto Member>
void number(const model::FieldValue& value, Item& item) {
  place(Member, item) = value.to_number<double>();
}
template <auto Member>
void instant(const model::FieldValue& value, Item& item) {
  place(Member, item) = DateTime::parse(text_of(value));
}
/// A date of a task: midnight in the request's zone, which is UTC (invariant 13).
template <auto Member>
void date(const model::FieldValue& value, Item& item) {
  place(Member, item) = DateTime::parse(text_of(value) + "T00:00:00Z");
}
/// A birthday: near noon UTC, where it is the same day from UTC-11 to UTC+12.
template <auto Member>
void noon_of_date(const model::FieldValue& value, Item& item) {
  place(Member, item) = DateTime::parse(text_of(value) + "T11:59:00Z");
}
template <auto Member>
void words(const model::FieldValue& value, Item& item) {
  for (const auto& word : value.get_array()) place(Member, item).push_back(text_of(word));
}
template <auto Member>
void person(const model::FieldValue& value, Item& item) {
  place(Member, item) = person_of(value);
}
template <auto Member>
void people(const model::FieldValue& value, Item& item) {
  place(Member, item) = people_of(value);
}

}  // namespace put
}  // namespace syncline::ews
