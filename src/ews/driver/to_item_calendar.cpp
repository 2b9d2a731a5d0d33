// SPDX-License-Identifier: GPL-3.0-or-later
// Times, zones, recurrence and attendees of appointments (invariants 11 to 13).
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <set>
#include <utility>

#include "base/text.hpp"
#include "ews/driver/field_writers.hpp"
#include "ews/driver/to_item_parts.hpp"
#include "time/civil.hpp"
#include "time/recurrence_text.hpp"

namespace syncline::ews {
namespace {

namespace json = boost::json;

constexpr std::string_view time_fields[] = {"start", "end", "isAllDayEvent", "startTimeZone", "endTimeZone"};

/// Start and end as instants, and the zones they are seen in.
struct Times {
  std::optional<DateTime> start;
  std::optional<DateTime> end;
  TimeZoneDefinition start_zone;
  TimeZoneDefinition end_zone;
  bool is_all_day = false;
};

unexpected<Error> bad_value(std::string_view field, std::string_view must) {
  return fail(ErrorDomain::input, "bad-value", std::string(field) + " must be " + std::string(must));
}

/// Of an all-day event the midnight of a date in its zone, else the instant.
Result<std::optional<DateTime>> instant_of(const model::Fields& all, std::string_view name, bool is_all_day,
                                           const time::Zone& zone) {
  const model::FieldValue* value = all.if_contains(name);
  if (says_nothing(value)) return std::nullopt;
  const std::string text = put::text_of(*value);
  const auto civil = time::parse_civil(text);
  if (!civil) return bad_value(name, "a time or a date");
  if (!is_all_day) {
    if (civil->is_date) return bad_value(name, "an instant in UTC, for the event is not all-day");
    return DateTime::parse(text);
  }
  const time::local_days day =
      civil->is_date ? time::day_of(civil->time)
                     : time::day_of(zone.to_local(std::chrono::sys_seconds(civil->time.time_since_epoch())));
  const auto midnight = zone.to_utc(day).utc;
  return DateTime::at(std::chrono::milliseconds(midnight.time_since_epoch()).count());
}

/// The zone that a field names, or the mailbox's.
json::value zone_field(const model::Fields& all, std::string_view name, const json::value& otherwise) {
  const model::FieldValue* value = all.if_contains(name);
  return says_nothing(value) ? otherwise : *value;
}

/// What came from a server and is no zone that we know goes back by its name.
Result<TimeZoneDefinition> zone_to_send(const json::value& zone, int from_year, bool is_edited) {
  auto known = to_zone(zone, from_year);
  if (known || is_edited) return known;
  return TimeZoneDefinition{.id = put::text_of(zone.get_object().at("id"))};
}

Result<Times> times_of(const model::Fields& all, const model::Fields& edited, const DriverState& state) {
  Times times;
  const model::FieldValue* all_day = all.if_contains("isAllDayEvent");
  times.is_all_day = all_day != nullptr && all_day->is_bool() && all_day->get_bool();
  const model::FieldValue* begins = all.if_contains("start");
  const auto first = says_nothing(begins) ? std::nullopt : time::parse_civil(put::text_of(*begins));
  const int from_year = first ? static_cast<int>(time::date_of(first->time).year()) - 1 : 1970;
  const json::value own = json::object{{"id", state.settings.time_zone}};
  const json::value start_zone = zone_field(all, "startTimeZone", own);
  const json::value end_zone = zone_field(all, "endTimeZone", start_zone);
  auto start_definition = zone_to_send(start_zone, from_year, edited.contains("startTimeZone"));
  if (!start_definition) return fail(std::move(start_definition.error()));
  auto end_definition = zone_to_send(end_zone, from_year, edited.contains("endTimeZone"));
  if (!end_definition) return fail(std::move(end_definition.error()));
  times.start_zone = std::move(*start_definition);
  times.end_zone = std::move(*end_definition);
  const auto start_clock = zone_of(start_zone);
  const auto end_clock = zone_of(end_zone);
  auto start = instant_of(all, "start", times.is_all_day, start_clock ? *start_clock : state.zone);
  if (!start) return fail(std::move(start.error()));
  auto end = instant_of(all, "end", times.is_all_day, end_clock ? *end_clock : state.zone);
  if (!end) return fail(std::move(end.error()));
  times.start = std::move(*start);
  times.end = std::move(*end);
  return times;
}

struct AttendeeList {
  std::string_view field;
  std::string_view uri;
  std::vector<Attendee> CalendarPart::*member;
};
constexpr AttendeeList attendee_lists[] = {
    {"requiredAttendees", "calendar:RequiredAttendees", &CalendarPart::required_attendees},
    {"optionalAttendees", "calendar:OptionalAttendees", &CalendarPart::optional_attendees},
    {"resources", "calendar:Resources", &CalendarPart::resources},
};

std::string key_of(const json::object& mailbox) {
  for (const char* part : {"emailAddress", "name"})
    if (const json::value* said = mailbox.if_contains(part); said != nullptr && said->is_string())
      return text::to_lower_ascii(said->get_string());
  return {};
}

/// The persons of a list by address. Their answers are the server's to say.
std::vector<std::pair<std::string, Attendee>> attendees_in(const model::Fields& fields,
                                                           std::string_view name) {
  std::vector<std::pair<std::string, Attendee>> attendees;
  const model::FieldValue* value = fields.if_contains(name);
  const json::array* elements = value == nullptr ? nullptr : value->if_array();
  if (elements == nullptr) return attendees;
  for (const json::value& element : *elements) {
    const json::object* attendee = element.if_object();
    const json::value* mailbox = attendee == nullptr ? nullptr : attendee->if_contains("mailbox");
    if (mailbox == nullptr || !mailbox->is_object()) continue;
    attendees.emplace_back(key_of(mailbox->get_object()), Attendee{.mailbox = put::person_of(*mailbox)});
  }
  return attendees;
}

Recurrence to_recurrence(const model::Recurrence& recurrence);

}  // namespace

bool touches_times(const model::Fields& fields) {
  return std::any_of(std::begin(time_fields), std::end(time_fields),
                     [&](std::string_view name) { return fields.contains(name); });
}

Result<void> put_times(const model::Fields& all, const DriverState& state, Item& item) {
  auto times = times_of(all, all, state);
  if (!times) return fail(std::move(times.error()));
  CalendarPart& calendar = item.calendar.get_or_make();
  calendar.start = std::move(times->start);
  calendar.end = std::move(times->end);
  if (times->is_all_day) calendar.is_all_day_event = true;
  calendar.start_time_zone = std::move(times->start_zone);
  calendar.end_time_zone = std::move(times->end_zone);
  return {};
}

Result<void> update_times(const model::Fields& fields, const model::Fields& base, const DriverState& state,
                          std::vector<ItemUpdate>& updates) {
  if (!touches_times(fields)) return {};
  auto times = times_of(merged(base, fields), fields, state);
  if (!times) return fail(std::move(times.error()));
  if (!times->start || !times->end) return bad_value(!times->start ? "start" : "end", "a time or a date");
  const auto set = [&](std::string_view uri, auto member, auto value) {
    updates.push_back(set_field(ItemKind::calendar_item, field_uri(uri),
                                [&](Item& item) { item.calendar.get_or_make().*member = std::move(value); }));
  };
  // A zone that is set alone moves the times with it, so the times come after.
  set("calendar:StartTimeZone", &CalendarPart::start_time_zone, std::move(times->start_zone));
  set("calendar:EndTimeZone", &CalendarPart::end_time_zone, std::move(times->end_zone));
  if (fields.contains("isAllDayEvent"))
    set("calendar:IsAllDayEvent", &CalendarPart::is_all_day_event, times->is_all_day);
  set("calendar:Start", &CalendarPart::start, *times->start);
  set("calendar:End", &CalendarPart::end, *times->end);
  return {};
}

void put_attendees(const model::Fields& fields, Item& item) {
  for (const AttendeeList& list : attendee_lists)
    for (auto& [key, attendee] : attendees_in(fields, list.field))
      (item.calendar.get_or_make().*list.member).push_back(std::move(attendee));
}

void update_attendees(const model::Fields& fields, const model::Fields& base, ItemUpdates& updates) {
  for (const AttendeeList& list : attendee_lists) {
    if (!fields.contains(list.field)) continue;
    auto wanted = attendees_in(fields, list.field);
    std::set<std::string> held;
    for (const auto& [key, attendee] : attendees_in(base, list.field)) held.insert(key);
    std::set<std::string> kept;
    std::vector<Attendee> added;
    for (const auto& [key, attendee] : wanted) {
      kept.insert(key);
      if (!held.contains(key)) added.push_back(attendee);
    }
    const bool removed = !std::includes(kept.begin(), kept.end(), held.begin(), held.end());
    if (removed && wanted.empty()) {
      updates.attendees_removed.push_back(clear_field(field_uri(list.uri)));
    } else if (removed) {
      updates.attendees_removed.push_back(
          set_field(ItemKind::calendar_item, field_uri(list.uri), [&](Item& item) {
            for (auto& [key, attendee] : wanted)
              (item.calendar.get_or_make().*list.member).push_back(std::move(attendee));
          }));
    } else if (!added.empty()) {
      AppendToItemField append{.path = field_uri(list.uri), .item = {.kind = ItemKind::calendar_item}};
      append.item.calendar.get_or_make().*list.member = std::move(added);
      updates.changes.push_back(std::move(append));
    }
  }
}

Result<void> put_recurrence(const model::FieldValue& value, Item& item) {
  auto read = time::read_recurrence_json(value);
  if (!read) return fail(std::move(read.error()));
  if (!read->range) return bad_value("recurrence", "given with a range");
  Recurrence recurrence = to_recurrence({.pattern = read->pattern, .range = *read->range});
  if (item.kind == ItemKind::task) {
    item.task.get_or_make().recurrence = std::move(recurrence);
  } else {
    item.calendar.get_or_make().recurrence = std::move(recurrence);
  }
  return {};
}

Result<void> update_recurrence(ItemKind kind, const model::FieldValue& value,
                               std::vector<ItemUpdate>& updates) {
  PropertyPath path = field_uri(kind == ItemKind::task ? "task:Recurrence" : "calendar:Recurrence");
  if (says_nothing(&value)) {
    updates.push_back(clear_field(std::move(path)));
    return {};
  }
  SetItemField set{.path = std::move(path), .item = {.kind = kind}};
  if (auto put = put_recurrence(value, set.item); !put) return put;
  updates.push_back(std::move(set));
  return {};
}

namespace {

Date to_date(model::Date date) {
  return Date::of(static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()));
}

std::vector<Open<DayOfWeek>> days_of(model::WeekdayMask mask) {
  std::vector<Open<DayOfWeek>> days;
  for (unsigned day = 0; day < 7; ++day)
    if ((mask >> day & 1U) != 0) days.emplace_back(static_cast<DayOfWeek>(day));
  return days;
}

// The enumerators of both sides stand in the same order.
static_assert(static_cast<int>(DayOfWeek::weekend_day) == static_cast<int>(model::DayOfWeek::weekend_day));
static_assert(static_cast<int>(DayOfWeekIndex::last) == static_cast<int>(model::DayOfWeekIndex::last));
DayOfWeek to_day(model::DayOfWeek day) {
  return static_cast<DayOfWeek>(day);
}
DayOfWeekIndex to_index(model::DayOfWeekIndex index) {
  return static_cast<DayOfWeekIndex>(index);
}
Month to_month(int month) {
  return static_cast<Month>(month - 1);
}

struct ToPattern {
  RecurrencePattern operator()(const model::DailyPattern& p) const {
    return DailyPattern{.interval = p.interval};
  }
  RecurrencePattern operator()(const model::WeeklyPattern& p) const {
    WeeklyPattern out{.interval = p.interval, .days = days_of(p.days)};
    if (p.first_day_of_week)
      out.first_day_of_week = Open<DayOfWeek>(static_cast<DayOfWeek>(p.first_day_of_week->c_encoding()));
    return out;
  }
  RecurrencePattern operator()(const model::AbsoluteMonthlyPattern& p) const {
    return AbsoluteMonthlyPattern{.interval = p.interval, .day_of_month = p.day_of_month};
  }
  RecurrencePattern operator()(const model::RelativeMonthlyPattern& p) const {
    return RelativeMonthlyPattern{
        .interval = p.interval, .days = {Open<DayOfWeek>(to_day(p.day))}, .index = to_index(p.index)};
  }
  RecurrencePattern operator()(const model::AbsoluteYearlyPattern& p) const {
    return AbsoluteYearlyPattern{.day_of_month = p.day_of_month, .month = to_month(p.month)};
  }
  RecurrencePattern operator()(const model::RelativeYearlyPattern& p) const {
    return RelativeYearlyPattern{
        .days = {Open<DayOfWeek>(to_day(p.day))}, .index = to_index(p.index), .month = to_month(p.month)};
  }
  RecurrencePattern operator()(const model::RegenerationPattern& p) const {
    return RegeneratingPattern{.unit = static_cast<RegeneratingPattern::Unit>(p.unit),
                               .interval = p.interval};
  }
};
static_assert(static_cast<int>(RegeneratingPattern::Unit::year) ==
              static_cast<int>(model::RegenerationPattern::Unit::yearly));

Recurrence to_recurrence(const model::Recurrence& recurrence) {
  Recurrence out{.pattern = std::visit(ToPattern{}, recurrence.pattern), .range = {}};
  const Date start = to_date(recurrence.range.start);
  if (const auto* end = std::get_if<model::Date>(&recurrence.range.end)) {
    out.range = EndDateRange{.start = start, .end = to_date(*end)};
  } else if (const auto* count = std::get_if<model::RecurrenceRange::Numbered>(&recurrence.range.end)) {
    out.range = NumberedRange{.start = start, .count = count->number_of_occurrences};
  } else {
    out.range = NoEndRange{.start = start};
  }
  return out;
}

}  // namespace
}  // namespace syncline::ews
