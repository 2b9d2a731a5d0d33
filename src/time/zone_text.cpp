// SPDX-License-Identifier: GPL-3.0-or-later
#include "time/zone_text.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/text.hpp"

namespace syncline::time {
namespace {

namespace json = boost::json;
using namespace model;

std::string_view kind_of(const ZoneTransitionTarget& target) {
  return target.kind == ZoneTransitionTarget::Kind::group ? "Group" : "Period";
}

json::object transition_to_json(const ZoneTransition& transition) {
  json::object object;
  const auto put = [&object](const char* key, const std::string& value) { object[key] = value; };
  if (const auto* at = std::get_if<ZoneTransitionAt>(&transition.when)) {
    object["type"] = "absoluteDateTransition";
    put("dateTime", at->date_time);
  } else if (const auto* day = std::get_if<ZoneTransitionOnDay>(&transition.when)) {
    object["type"] = "recurringDayTransition";
    put("timeOffset", day->time_offset);
    put("month", day->month);
    put("dayOfWeek", day->day_of_week);
    put("occurrence", day->occurrence);
  } else if (const auto* date = std::get_if<ZoneTransitionOnDate>(&transition.when)) {
    object["type"] = "recurringDateTransition";
    put("timeOffset", date->time_offset);
    put("month", date->month);
    put("day", date->day);
  } else {
    object["type"] = "transition";
  }
  object["to"] = json::object{{"kind", kind_of(transition.to)}, {"id", transition.to.id}};
  return object;
}

json::array transitions_to_json(const std::vector<ZoneTransition>& transitions) {
  json::array array;
  for (const ZoneTransition& transition : transitions) array.push_back(transition_to_json(transition));
  return array;
}

std::string transition_to_xml(const ZoneTransition& transition) {
  std::string name = "Transition";
  std::string rest;
  if (const auto* at = std::get_if<ZoneTransitionAt>(&transition.when)) {
    name = "AbsoluteDateTransition";
    rest = fmt::format("<t:DateTime>{}</t:DateTime>", text::escape_for_xml(at->date_time));
  } else if (const auto* day = std::get_if<ZoneTransitionOnDay>(&transition.when)) {
    name = "RecurringDayTransition";
    rest = fmt::format(
        "<t:TimeOffset>{}</t:TimeOffset><t:Month>{}</t:Month><t:DayOfWeek>{}</t:DayOfWeek><t:Occurrence>{}</"
        "t:Occurrence>",
        text::escape_for_xml(day->time_offset), text::escape_for_xml(day->month),
        text::escape_for_xml(day->day_of_week), text::escape_for_xml(day->occurrence));
  } else if (const auto* date = std::get_if<ZoneTransitionOnDate>(&transition.when)) {
    name = "RecurringDateTransition";
    rest = fmt::format("<t:TimeOffset>{}</t:TimeOffset><t:Month>{}</t:Month><t:Day>{}</t:Day>",
                       text::escape_for_xml(date->time_offset), text::escape_for_xml(date->month),
                       text::escape_for_xml(date->day));
  }
  return fmt::format("<t:{0}><t:To Kind=\"{1}\">{2}</t:To>{3}</t:{0}>", name, kind_of(transition.to),
                     text::escape_for_xml(transition.to.id), rest);
}

}  // namespace

json::object zone_to_json(const TimeZoneDefinition& definition) {
  json::array periods;
  for (const ZonePeriod& period : definition.periods) {
    periods.push_back(json::object{{"id", period.id}, {"name", period.name}, {"bias", period.bias}});
  }
  json::array groups;
  for (const ZoneTransitionGroup& group : definition.groups) {
    groups.push_back(json::object{{"id", group.id}, {"transitions", transitions_to_json(group.transitions)}});
  }
  return {{"id", definition.id},
          {"name", definition.name},
          {"periods", std::move(periods)},
          {"transitionsGroups", std::move(groups)},
          {"transitions", transitions_to_json(definition.transitions)}};
}

std::string zone_to_xml(const TimeZoneDefinition& definition, std::string_view element) {
  std::string xml = fmt::format("<t:{} Id=\"{}\"", element, text::escape_for_xml(definition.id));
  if (!definition.name.empty()) xml += fmt::format(" Name=\"{}\"", text::escape_for_xml(definition.name));
  xml += '>';
  if (!definition.periods.empty()) {
    xml += "<t:Periods>";
    for (const ZonePeriod& period : definition.periods) {
      xml += fmt::format("<t:Period Bias=\"{}\" Name=\"{}\" Id=\"{}\"/>", text::escape_for_xml(period.bias),
                         text::escape_for_xml(period.name), text::escape_for_xml(period.id));
    }
    xml += "</t:Periods>";
  }
  if (!definition.groups.empty()) {
    xml += "<t:TransitionsGroups>";
    for (const ZoneTransitionGroup& group : definition.groups) {
      xml += fmt::format("<t:TransitionsGroup Id=\"{}\">", text::escape_for_xml(group.id));
      for (const ZoneTransition& transition : group.transitions) xml += transition_to_xml(transition);
      xml += "</t:TransitionsGroup>";
    }
    xml += "</t:TransitionsGroups>";
  }
  if (!definition.transitions.empty()) {
    xml += "<t:Transitions>";
    for (const ZoneTransition& transition : definition.transitions) xml += transition_to_xml(transition);
    xml += "</t:Transitions>";
  }
  return xml + fmt::format("</t:{}>", element);
}

}  // namespace syncline::time
