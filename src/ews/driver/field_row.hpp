// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How a table of fields is written: one row for each field of a record, with the property that is asked of
// the server and the function that makes the value.
#include <boost/json/value.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ews/types/item.hpp"
#include "time/zone.hpp"

namespace syncline::ews {

/// What values are seen in.
struct ItemContext {
  const time::Zone& zone;  ///< the item's own if it has one, else the mailbox's
  bool is_all_day = false;
};

/// null: known to be empty. nullopt: unknown (could not be read, or is too large), and left out of the
/// record's fields.
using MappedValue = std::optional<boost::json::value>;

struct FieldRow {
  std::string_view field;  ///< of the record
  const char* uri;  ///< FieldURI that is asked for; nullptr: another row or an extended property brings it
  MappedValue (*value)(const Item& item, const ItemContext& context);
};

template <class Part>
const Part* part_of(const Item& item) noexcept;
template <>
inline const Item* part_of<Item>(const Item& item) noexcept {
  return &item;
}
template <>
inline const MessagePart* part_of<MessagePart>(const Item& item) noexcept {
  return item.message ? &*item.message : nullptr;
}
template <>
inline const CalendarPart* part_of<CalendarPart>(const Item& item) noexcept {
  return item.calendar ? &*item.calendar : nullptr;
}
template <>
inline const ContactPart* part_of<ContactPart>(const Item& item) noexcept {
  return item.contact ? &*item.contact : nullptr;
}
template <>
inline const TaskPart* part_of<TaskPart>(const Item& item) noexcept {
  return item.task ? &*item.task : nullptr;
}

template <class Part, class T>
Part part_type(T Part::*);

/// The value of a row that is one property of the item or of one of its parts: mapped<&Item::subject,
/// text_of>.
template <auto Member, auto Convert>
MappedValue mapped(const Item& item, const ItemContext& context) {
  const auto* part = part_of<decltype(part_type(Member))>(item);
  if (part == nullptr) return boost::json::value();
  return Convert(part->*Member, context);
}

MappedValue text_of(const std::optional<std::string>& text, const ItemContext& context);
MappedValue body_of(const std::optional<Body>& body, const ItemContext& context);
MappedValue boolean_of(const std::optional<bool>& value, const ItemContext& context);
MappedValue integer_of(const std::optional<std::int64_t>& value, const ItemContext& context);
MappedValue number_of(const std::optional<double>& value, const ItemContext& context);
/// Whole seconds, UTC. "0001-01-01", "1601-01-01" and "4501-01-01" are Exchange's ways to say none.
MappedValue instant_of(const std::optional<DateTime>& time, const ItemContext& context);
/// Of what Exchange keeps as an instant and people mean as a date: midnight of the mailbox's zone, midnight
/// UTC, or noon of it (Outlook's birthdays, 11:59 UTC).
MappedValue date_of(const std::optional<DateTime>& time, const ItemContext& context);
/// An instant; of an all-day event the date in the item's own zone, whichever zone's midnight the server
/// gives.
MappedValue time_or_date_of(const std::optional<DateTime>& time, const ItemContext& context);
MappedValue words_of(const std::vector<std::string>& words, const ItemContext& context);
MappedValue person_of(const std::optional<EmailAddress>& person, const ItemContext& context);
MappedValue people_of(const std::vector<EmailAddress>& people, const ItemContext& context);
MappedValue attachments_of(const std::vector<Attachment>& attachments, const ItemContext& context);

/// A value that is newer than our enumeration is unknown.
template <class E>
MappedValue choice_of(const std::optional<Open<E>>& choice, const ItemContext&) {
  if (!choice) return boost::json::value();
  if (!choice->known()) return std::nullopt;
  return boost::json::value(choice->text());
}

/// The tables, and what has to be asked for beside their URIs.
struct KindTable {
  std::span<const FieldRow> rows;
  std::vector<PropertyPath> properties = {};
};
const KindTable& message_table();
const KindTable& calendar_item_table();
const KindTable& contact_table();
const KindTable& task_table();

/// Whether a message's content is closed to us: S/MIME, and what rights management encrypts.
bool is_encrypted(const Item& item);
/// Whether the mailbox's owner may change and mail the meeting; true for what is none.
bool is_organizer(const Item& item);

}  // namespace syncline::ews
