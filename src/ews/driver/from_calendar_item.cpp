// SPDX-License-Identifier: GPL-3.0-or-later
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <unordered_set>

#include "base/text.hpp"
#include "ews/driver/field_row.hpp"
#include "ews/driver/from_item.hpp"
#include "ews/driver/marks.hpp"
#include "model/field_catalogue.hpp"
#include "time/civil.hpp"
#include "time/recurrence_text.hpp"
#include "time/zone_text.hpp"

namespace syncline::ews {
namespace {

namespace json = boost::json;

/// MS-OXOCAL 2.2.1.10: the item came by a meeting request.
constexpr std::int64_t state_received = 0x2;

MappedValue zone_of(const std::optional<TimeZoneDefinition>& definition, const ItemContext&) {
  if (!definition) return json::value();
  json::object zone;
  zone.emplace("id", definition->id ? *definition->id : definition->name.value_or(""));
  // A name alone says all there is: its rules are every server's own.
  if (!definition->periods.empty())
    zone.emplace("definition", time::zone_to_json(zone_definition_of(*definition)));
  return json::value(std::move(zone));
}

MappedValue attendees_of(const std::vector<Attendee>& attendees, const ItemContext& context) {
  if (attendees.empty()) return json::value();
  if (attendees.size() > model::field_elements_limit) return std::nullopt;
  json::array made;
  made.reserve(attendees.size());
  std::unordered_set<std::string> seen;
  for (const Attendee& attendee : attendees) {
    const MappedValue mailbox = person_of(attendee.mailbox, context);
    if (!mailbox || !mailbox->is_object()) continue;
    const json::object& said = mailbox->get_object();
    const json::value* key = said.if_contains("emailAddress");
    if (key == nullptr) key = said.if_contains("name");
    if (!seen.insert(text::to_lower_ascii(key->get_string())).second) continue;
    json::object one;
    one.emplace("mailbox", *mailbox);
    if (attendee.response_type && attendee.response_type->known())
      one.emplace("responseType", attendee.response_type->text());
    if (const MappedValue at = instant_of(attendee.last_response_time, context); at && at->is_string())
      one.emplace("lastResponseTime", *at);
    made.emplace_back(std::move(one));
  }
  return made.empty() ? json::value() : json::value(std::move(made));
}

MappedValue recurrence_value(const std::optional<Recurrence>& recurrence, const ItemContext&) {
  if (!recurrence) return json::value();
  const auto read = recurrence_of(*recurrence);
  if (!read) return std::nullopt;
  return json::value(time::recurrence_to_json(*read));
}

MappedValue no_exceptions(const std::vector<Occurrence>& modified, const ItemContext&) {
  // Those that are there are read as items of their own.
  if (!modified.empty()) return std::nullopt;
  return json::value();
}

MappedValue original_starts(const std::vector<DateTime>& deleted, const ItemContext& context) {
  if (deleted.empty()) return json::value();
  if (deleted.size() > model::field_elements_limit) return std::nullopt;
  json::array made;
  made.reserve(deleted.size());
  std::unordered_set<std::string> seen;
  for (const DateTime& start : deleted) {
    MappedValue value = time_or_date_of(start, context);
    if (value && value->is_string() && seen.emplace(value->get_string()).second)
      made.push_back(std::move(*value));
  }
  return made.empty() ? json::value() : json::value(std::move(made));
}

constexpr FieldRow rows[] = {
    {"subject", "item:Subject", mapped<&Item::subject, text_of>},
    {"body", "item:Body", mapped<&Item::body, body_of>},
    {"location", "calendar:Location", mapped<&CalendarPart::location, text_of>},
    {"start", "calendar:Start", mapped<&CalendarPart::start, time_or_date_of>},
    {"end", "calendar:End", mapped<&CalendarPart::end, time_or_date_of>},
    {"isAllDayEvent", "calendar:IsAllDayEvent", mapped<&CalendarPart::is_all_day_event, boolean_of>},
    {"startTimeZone", "calendar:StartTimeZone", mapped<&CalendarPart::start_time_zone, zone_of>},
    {"endTimeZone", "calendar:EndTimeZone", mapped<&CalendarPart::end_time_zone, zone_of>},
    {"recurrence", "calendar:Recurrence", mapped<&CalendarPart::recurrence, recurrence_value>},
    {"modifiedOccurrences", "calendar:ModifiedOccurrences",
     mapped<&CalendarPart::modified_occurrences, no_exceptions>},
    {"deletedOccurrences", "calendar:DeletedOccurrences",
     mapped<&CalendarPart::deleted_occurrences, original_starts>},
    {"organizer", "calendar:Organizer", mapped<&CalendarPart::organizer, person_of>},
    {"requiredAttendees", "calendar:RequiredAttendees",
     mapped<&CalendarPart::required_attendees, attendees_of>},
    {"optionalAttendees", "calendar:OptionalAttendees",
     mapped<&CalendarPart::optional_attendees, attendees_of>},
    {"resources", "calendar:Resources", mapped<&CalendarPart::resources, attendees_of>},
    {"myResponseType", "calendar:MyResponseType",
     mapped<&CalendarPart::my_response_type, choice_of<ResponseType>>},
    {"isCancelled", "calendar:IsCancelled", mapped<&CalendarPart::is_cancelled, boolean_of>},
    {"legacyFreeBusyStatus", "calendar:LegacyFreeBusyStatus",
     mapped<&CalendarPart::legacy_free_busy_status, choice_of<FreeBusyStatus>>},
    {"importance", "item:Importance", mapped<&Item::importance, choice_of<Importance>>},
    {"sensitivity", "item:Sensitivity", mapped<&Item::sensitivity, choice_of<Sensitivity>>},
    {"categories", "item:Categories", mapped<&Item::categories, words_of>},
    {"reminderIsSet", "item:ReminderIsSet", mapped<&Item::reminder_is_set, boolean_of>},
    {"reminderMinutesBeforeStart", "item:ReminderMinutesBeforeStart",
     mapped<&Item::reminder_minutes_before_start, integer_of>},
    {"attachments", "item:Attachments", mapped<&Item::attachments, attachments_of>},
    {"uid", "calendar:UID", mapped<&CalendarPart::uid, text_of>},
};

std::optional<std::chrono::local_seconds> clock_of(const json::value* value) {
  if (value == nullptr || !value->is_string()) return std::nullopt;
  const auto read = time::parse_civil(value->get_string());
  if (!read) return std::nullopt;
  return read->time;
}

/// Whether the exception lies where the pattern puts it, as long as the series' others.
bool is_in_place(const model::Fields& master, const model::Fields& exception, const json::value& original) {
  const json::value* start = exception.if_contains("start");
  if (start == nullptr || *start != original) return false;
  const auto from = clock_of(start);
  const auto to = clock_of(exception.if_contains("end"));
  const auto master_from = clock_of(master.if_contains("start"));
  const auto master_to = clock_of(master.if_contains("end"));
  return from && to && master_from && master_to && *to - *from == *master_to - *master_from;
}

}  // namespace

const KindTable& calendar_item_table() {
  static const KindTable table{
      .rows = rows,
      .properties = {FieldUri{"calendar:IsOrganizer"}, FieldUri{"calendar:AppointmentState"},
                     FieldUri{"calendar:IsMeeting"}, FieldUri{"calendar:CalendarItemType"}, mailed_mark()}};
  return table;
}

bool is_organizer(const Item& item) {
  if (!item.calendar) return true;
  const CalendarPart& calendar = *item.calendar;
  if (calendar.is_organizer) return *calendar.is_organizer;
  if (calendar.my_response_type && calendar.my_response_type->known() &&
      *calendar.my_response_type != ResponseType::unknown)
    return *calendar.my_response_type == ResponseType::organizer;
  return (calendar.appointment_state.value_or(0) & state_received) == 0;
}

model::Fields modified_occurrence(const model::Fields& master, model::Fields&& exception,
                                  json::value original_start) {
  model::Fields patch;
  const bool in_place = is_in_place(master, exception, original_start);
  patch.emplace("originalStart", std::move(original_start));
  for (auto& [key, value] : exception) {
    const model::FieldInfo* info = model::find_field(model::RecordKind::appointment, key);
    if (info == nullptr || info->type == model::FieldType::recurrence ||
        info->type == model::FieldType::occurrences || info->type == model::FieldType::instants ||
        info->direction == model::Direction::none || key == "uid")
      continue;
    if (key == "start" || key == "end") {
      if (!in_place) patch.emplace(key, std::move(value));
      continue;
    }
    const json::value* inherited = master.if_contains(key);
    if (inherited != nullptr && model::same_value(*info, value, *inherited)) continue;
    patch.emplace(key, std::move(value));
  }
  return patch;
}

}  // namespace syncline::ews
