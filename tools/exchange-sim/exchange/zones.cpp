// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/exchange/zones.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <unordered_map>

#include "base/text.hpp"
#include "tools/exchange-sim/exchange/zone_table.hpp"

namespace exchange_sim {
namespace {

constexpr std::string_view kDayNames[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                          "Thursday", "Friday", "Saturday"};

Seconds wall_of(const ZoneChange& change, int year) {
  const int length = days_in_month(year, change.month);
  int day = std::min(change.day, length);
  if (change.day == 0 && change.occurrence < 0) {
    const Day last = day_of(year, change.month, length);
    day = length - (weekday(last) - change.weekday + 7) % 7;
  } else if (change.day == 0) {
    const Day first = day_of(year, change.month, 1);
    day = 1 + (change.weekday - weekday(first) + 7) % 7 + (change.occurrence - 1) * 7;
    if (day > length) day -= 7;
  }
  return day_of(year, change.month, day) * kDaySeconds + change.minutes * Seconds{60};
}

const ZoneEra& era_of(const Zone& zone, int year) {
  const ZoneEra* found = &zone.eras.front();
  for (const ZoneEra& era : zone.eras)
    if (era.first_year <= year) found = &era;
  return *found;
}

/// Changes of a year in order of time.
std::vector<std::pair<Seconds, int>> changes_of(const ZoneEra& era, int year) {
  std::vector<std::pair<Seconds, int>> changes;
  for (const ZoneChange& change : era.changes)
    changes.emplace_back(wall_of(change, year), change.offset_after);
  std::sort(changes.begin(), changes.end());
  return changes;
}

std::string offset_name(int minutes) {
  if (minutes == 0) return "(UTC)";
  const int absolute = std::abs(minutes);
  std::string text = minutes < 0 ? "(UTC-" : "(UTC+";
  text += static_cast<char>('0' + absolute / 600);
  text += static_cast<char>('0' + absolute / 60 % 10);
  text += ':';
  text += static_cast<char>('0' + absolute % 60 / 10);
  text += static_cast<char>('0' + absolute % 10);
  return text + ')';
}

Zone zone_of(const zone_table::Row& row) {
  Zone zone;
  zone.id = row.id;
  zone.name = offset_name(row.standard_offset) + ' ' +
              (row.id == "UTC" ? "Coordinated Universal Time" : std::string(row.city));
  const auto change = [](const zone_table::Change& c, int offset) {
    return ZoneChange{c.month, c.weekday, c.occurrence, 0, c.minutes, offset};
  };
  ZoneEra now;
  now.standard_offset = row.standard_offset;
  if (row.to_daylight.month != 0)
    now.changes = {change(row.to_daylight, row.daylight_offset),
                   change(row.to_standard, row.standard_offset)};
  if (row.changed_in_2007) {
    ZoneEra before = now;
    before.changes = {ZoneChange{4, 0, 1, 0, 120, row.daylight_offset},
                      ZoneChange{10, 0, -1, 0, 120, row.standard_offset}};
    zone.eras.push_back(std::move(before));
    now.first_year = 2007;
  }
  zone.eras.push_back(std::move(now));
  return zone;
}

syncline::unexpected<syncline::Error> invalid(std::string what) {
  return syncline::fail(syncline::ErrorDomain::ews, "ErrorTimeZone",
                        "The time zone is invalid: " + std::move(what));
}

int day_number(std::string_view name) {
  for (int i = 0; i < 7; ++i)
    if (kDayNames[i] == name) return i;
  return -1;
}

/// A RecurringDayTransition, RecurringDateTransition or a 2007 TimeChange' parts.
syncline::Result<ZoneChange> read_change(const Element& element, int offset_after) {
  ZoneChange change;
  change.offset_after = offset_after;
  const auto minutes = parse_minutes(element.child_text("TimeOffset"));
  const auto month = syncline::text::parse_int(element.child_text("Month"));
  if (!minutes || *minutes < -1440 || *minutes > 2880 || !month || *month < 1 || *month > 12)
    return invalid("a transition's month or time");
  change.minutes = static_cast<int>(*minutes);
  change.month = static_cast<int>(*month);
  if (element.name == "RecurringDateTransition") {
    const auto day = syncline::text::parse_int(element.child_text("Day"));
    if (!day || *day < 1 || *day > 31) return invalid("a transition's day");
    change.day = static_cast<int>(*day);
    return change;
  }
  const auto occurrence = syncline::text::parse_int(element.child_text("Occurrence"));
  change.weekday = day_number(element.child_text("DayOfWeek"));
  if (change.weekday < 0 || !occurrence || *occurrence == 0 || *occurrence < -1 || *occurrence > 5)
    return invalid("a transition's day");
  change.occurrence = *occurrence == 5 ? -1 : static_cast<int>(*occurrence);
  return change;
}

}  // namespace

int Zone::offset_at_utc(Seconds utc) const {
  const int year = civil(day_of_seconds(utc)).year;
  // Walk the changes from two years back; the last one before `utc` decides.
  int offset = era_of(*this, year - 2).standard_offset;
  if (const auto before = changes_of(era_of(*this, year - 2), year - 2); !before.empty())
    offset = before.back().second;
  for (int y = year - 1; y <= year + 1; ++y) {
    const ZoneEra& era = era_of(*this, y);
    if (era.changes.empty()) {
      if (day_of(y, 1, 1) * kDaySeconds - era.standard_offset * Seconds{60} <= utc)
        offset = era.standard_offset;
      continue;
    }
    for (const auto& [wall, after] : changes_of(era, y)) {
      if (wall - offset * Seconds{60} > utc) return offset;
      offset = after;
    }
  }
  return offset;
}

Seconds Zone::to_utc(Seconds wall) const {
  const int early = offset_at_utc(wall - 26 * 3600);
  const int late = offset_at_utc(wall + 26 * 3600);
  const bool early_fits = offset_at_utc(wall - early * Seconds{60}) == early;
  const bool late_fits = offset_at_utc(wall - late * Seconds{60}) == late;
  if (early_fits && late_fits) return wall - std::min(early, late) * Seconds{60};
  if (late_fits) return wall - late * Seconds{60};
  return wall - early * Seconds{60};
}

const std::vector<Zone>& all_zones() {
  static const std::vector<Zone> zones = [] {
    std::vector<Zone> made;
    for (const zone_table::Row& row : zone_table::kRows) made.push_back(zone_of(row));
    std::stable_sort(made.begin(), made.end(), [](const Zone& a, const Zone& b) {
      return a.eras.back().standard_offset < b.eras.back().standard_offset;
    });
    return made;
  }();
  return zones;
}

const Zone* find_zone(std::string_view windows_id) {
  static const std::unordered_map<std::string, const Zone*> index = [] {
    std::unordered_map<std::string, const Zone*> made;
    for (const Zone& zone : all_zones()) made.emplace(syncline::text::to_lower_ascii(zone.id), &zone);
    made.emplace("tzone://microsoft/utc", made.at("utc"));
    return made;
  }();
  const auto at = index.find(syncline::text::to_lower_ascii(windows_id));
  return at == index.end() ? nullptr : at->second;
}

const Zone& utc_zone() {
  return *find_zone("UTC");
}

syncline::Result<Zone> read_zone(const Element& definition) {
  const std::string_view id = definition.attribute_or("Id", "");
  const Element* groups = definition.child("TransitionsGroups");
  const Element* transitions = definition.child("Transitions");
  const Element* periods = definition.child("Periods");
  if (groups == nullptr || transitions == nullptr || periods == nullptr || groups->children.empty() ||
      periods->children.empty() || transitions->children.empty()) {
    const Zone* zone = find_zone(id);
    if (zone == nullptr) return invalid("no zone is known as " + std::string(id));
    return *zone;
  }
  if (groups->children.size() > 500 || periods->children.size() > 500) return invalid("too many rules");
  std::map<std::string_view, int> offsets;
  std::map<std::string_view, std::string_view> names;
  for (const Element& period : periods->children) {
    const auto bias = parse_minutes(period.attribute_or("Bias", ""));
    if (!bias || *bias < -1440 || *bias > 1440) return invalid("a period's bias");
    offsets[period.attribute_or("Id", "")] = static_cast<int>(-*bias);
    names[period.attribute_or("Id", "")] = period.attribute_or("Name", "");
  }
  std::map<std::string_view, ZoneEra> eras;
  for (const Element& group : groups->children) {
    ZoneEra era;
    bool first = true;
    for (const Element& transition : group.children) {
      const std::string_view target = transition.child_text("To");
      const auto offset = offsets.find(target);
      if (offset == offsets.end()) return invalid("a transition to an unknown period");
      if (first || names[target] == "Standard") era.standard_offset = offset->second;
      first = false;
      if (transition.name != "RecurringDayTransition" && transition.name != "RecurringDateTransition")
        continue;
      auto change = read_change(transition, offset->second);
      if (!change) return syncline::fail(std::move(change.error()));
      era.changes.push_back(*change);
    }
    if (era.changes.size() == 1) era.changes.clear();
    eras[group.attribute_or("Id", "")] = std::move(era);
  }
  Zone zone;
  zone.id = id;
  zone.name = definition.attribute_or("Name", "");
  for (const Element& transition : transitions->children) {
    const Element* to = transition.child("To");
    if (to == nullptr) return invalid("a transition without a target");
    const std::string_view target = syncline::text::trim(to->text);
    ZoneEra era;
    if (to->attribute_or("Kind", "Group") == "Group") {
      const auto group = eras.find(target);
      if (group == eras.end()) return invalid("a transition to an unknown group");
      era = group->second;
    } else {
      const auto offset = offsets.find(target);
      if (offset == offsets.end()) return invalid("a transition to an unknown period");
      era.standard_offset = offset->second;
    }
    if (transition.name == "AbsoluteDateTransition") {
      const auto at = parse_time(transition.child_text("DateTime"));
      if (!at) return invalid("a transition's date");
      era.first_year = civil(day_of_seconds(at->wall)).year;
    }
    zone.eras.push_back(std::move(era));
  }
  std::stable_sort(zone.eras.begin(), zone.eras.end(),
                   [](const ZoneEra& a, const ZoneEra& b) { return a.first_year < b.first_year; });
  return zone;
}

syncline::Result<Zone> read_meeting_zone(const Element& element) {
  const std::string_view name = element.attribute_or("TimeZoneName", "");
  if (const Zone* known = find_zone(name)) return *known;
  Zone zone;
  zone.id = name;
  zone.name = name;
  ZoneEra era;
  const auto base = parse_minutes(element.child_text("BaseOffset"));
  if (!base || *base < -1440 || *base > 1440) return invalid("no zone is known as " + std::string(name));
  era.standard_offset = static_cast<int>(-*base);
  const Element* standard = element.child("Standard");
  const Element* daylight = element.child("Daylight");
  if (standard != nullptr && daylight != nullptr) {
    for (const Element* side : {standard, daylight}) {
      const Element* relative = side->child("RelativeYearlyRecurrence");
      const auto time = parse_time("2000-01-01T" + std::string(side->child_text("Time")));
      const auto bias = parse_minutes(side->child_text("Offset"));
      if (relative == nullptr || !time || !bias) return invalid("a change of the meeting's zone");
      constexpr std::string_view kIndexes[] = {"First", "Second", "Third", "Fourth", "Last"};
      constexpr std::string_view kMonths[] = {"January",   "February", "March",    "April",
                                              "May",       "June",     "July",     "August",
                                              "September", "October",  "November", "December"};
      ZoneChange change;
      change.weekday = day_number(relative->child_text("DaysOfWeek"));
      change.month = 0;
      for (int i = 0; i < 12; ++i)
        if (kMonths[i] == relative->child_text("Month")) change.month = i + 1;
      for (int i = 0; i < 5; ++i)
        if (kIndexes[i] == relative->child_text("DayOfWeekIndex")) change.occurrence = i == 4 ? -1 : i + 1;
      if (change.weekday < 0 || change.month == 0) return invalid("a change of the meeting's zone");
      change.minutes = static_cast<int>((time->wall % kDaySeconds) / 60);
      change.offset_after = era.standard_offset - static_cast<int>(*bias);
      era.changes.push_back(change);
    }
  }
  zone.eras.push_back(std::move(era));
  return zone;
}

void write_zone(std::string& out, const Zone& zone, bool full, std::string_view element) {
  out += "<t:";
  out += element;
  append_attribute(out, "Id", zone.id);
  append_attribute(out, "Name", zone.name);
  out += '>';
  std::string periods;
  std::string groups;
  std::string transitions;
  for (std::size_t i = 0; i < zone.eras.size(); ++i) {
    const ZoneEra& era = zone.eras[i];
    const std::string group = std::to_string(i);
    const std::string base =
        "trule:Microsoft/Registry/" + zone.id + '/' + std::to_string(std::max(era.first_year, 1)) + '-';
    const auto period = [&](std::string_view kind, int offset) {
      periods += "<t:Period";
      append_attribute(periods, "Bias", format_minutes(-offset));
      append_attribute(periods, "Name", kind);
      append_attribute(periods, "Id", base + std::string(kind));
      periods += "/>";
    };
    int standard = era.standard_offset;
    period("Standard", standard);
    groups += "<t:TransitionsGroup";
    append_attribute(groups, "Id", group);
    groups += '>';
    if (era.changes.empty()) {
      groups += "<t:Transition><t:To Kind=\"Period\">";
      append_escaped(groups, base + "Standard");
      groups += "</t:To></t:Transition>";
    } else {
      for (const ZoneChange& change : era.changes)
        if (change.offset_after != standard) period("Daylight", change.offset_after);
      for (const ZoneChange& change : era.changes) {
        const std::string_view name = change.day != 0 ? "RecurringDateTransition" : "RecurringDayTransition";
        groups += "<t:";
        groups += name;
        groups += "><t:To Kind=\"Period\">";
        append_escaped(groups, base + (change.offset_after == standard ? "Standard" : "Daylight"));
        groups += "</t:To>";
        append_text_element(groups, "TimeOffset", format_minutes(change.minutes));
        append_text_element(groups, "Month", std::to_string(change.month));
        if (change.day != 0) {
          append_text_element(groups, "Day", std::to_string(change.day));
        } else {
          append_text_element(groups, "DayOfWeek", kDayNames[change.weekday]);
          append_text_element(groups, "Occurrence", std::to_string(change.occurrence));
        }
        groups += "</t:";
        groups += name;
        groups += '>';
      }
    }
    groups += "</t:TransitionsGroup>";
    const bool absolute = i > 0;
    transitions += absolute ? "<t:AbsoluteDateTransition>" : "<t:Transition>";
    transitions += "<t:To Kind=\"Group\">" + group + "</t:To>";
    if (absolute)
      append_text_element(transitions, "DateTime", format_wall(day_of(era.first_year, 1, 1) * kDaySeconds));
    transitions += absolute ? "</t:AbsoluteDateTransition>" : "</t:Transition>";
  }
  if (full) {
    out += "<t:Periods>" + periods + "</t:Periods>";
    out += "<t:TransitionsGroups>" + groups + "</t:TransitionsGroups>";
    out += "<t:Transitions>" + transitions + "</t:Transitions>";
  }
  out += "</t:";
  out += element;
  out += '>';
}

}  // namespace exchange_sim
