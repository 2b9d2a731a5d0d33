// SPDX-License-Identifier: GPL-3.0-or-later
// A record's zone on its way to the server: what came from there goes back as it came (invariant 13).
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/text.hpp"
#include "ews/driver/to_item.hpp"
#include "time/zone_match.hpp"
#include "time/zone_names.hpp"

namespace syncline::ews {
namespace {

namespace json = boost::json;

template <class Each>
void for_each_object(const json::object& object, std::string_view name, Each each) {
  const json::value* value = object.if_contains(name);
  const json::array* elements = value == nullptr ? nullptr : value->if_array();
  if (elements == nullptr) return;
  for (const json::value& element : *elements)
    if (const json::object* one = element.if_object()) each(*one);
}

model::ZoneTransition transition_of(const json::object& object) {
  model::ZoneTransition transition;
  if (const json::value* to = object.if_contains("to"); to != nullptr && to->is_object()) {
    transition.to.id = text_at(to->get_object(), "id");
    if (text::equals_ignore_case(text_at(to->get_object(), "kind"), "Group"))
      transition.to.kind = model::ZoneTransitionTarget::Kind::group;
  }
  const std::string type = text_at(object, "type");
  if (type == "absoluteDateTransition") {
    transition.when = model::ZoneTransitionAt{text_at(object, "dateTime")};
  } else if (type == "recurringDayTransition") {
    transition.when = model::ZoneTransitionOnDay{text_at(object, "timeOffset"), text_at(object, "month"),
                                                 text_at(object, "dayOfWeek"), text_at(object, "occurrence")};
  } else if (type == "recurringDateTransition") {
    transition.when = model::ZoneTransitionOnDate{text_at(object, "timeOffset"), text_at(object, "month"),
                                                  text_at(object, "day")};
  }
  return transition;
}

std::vector<model::ZoneTransition> transitions_of(const json::object& object) {
  std::vector<model::ZoneTransition> transitions;
  for_each_object(object, "transitions",
                  [&](const json::object& one) { transitions.push_back(transition_of(one)); });
  return transitions;
}

int number_of(const model::Lexical& text) {
  return static_cast<int>(text::parse_int(text).value_or(0));
}

TimeZoneTransition to_transition(const model::ZoneTransition& transition) {
  TimeZoneTransition out;
  out.target_kind = transition.to.kind == model::ZoneTransitionTarget::Kind::group ? TransitionTarget::group
                                                                                   : TransitionTarget::period;
  out.target = transition.to.id;
  if (const auto* at = std::get_if<model::ZoneTransitionAt>(&transition.when)) {
    out.when = AbsoluteDateTransition{DateTime::parse(at->date_time)};
  } else if (const auto* day = std::get_if<model::ZoneTransitionOnDay>(&transition.when)) {
    out.when = RecurringDayTransition{.time_offset = Duration::parse(day->time_offset),
                                      .month = number_of(day->month),
                                      .day_of_week = Open<DayOfWeek>::parse(day->day_of_week),
                                      .occurrence = number_of(day->occurrence)};
  } else if (const auto* date = std::get_if<model::ZoneTransitionOnDate>(&transition.when)) {
    out.when = RecurringDateTransition{.time_offset = Duration::parse(date->time_offset),
                                       .month = number_of(date->month),
                                       .day = number_of(date->day)};
  } else {
    out.when = InitialTransition{};
  }
  return out;
}

TimeZoneDefinition to_definition(const model::TimeZoneDefinition& zone) {
  TimeZoneDefinition out;
  if (!zone.id.empty()) out.id = zone.id;
  if (!zone.name.empty()) out.name = zone.name;
  for (const model::ZonePeriod& period : zone.periods)
    out.periods.push_back({.bias = Duration::parse(period.bias), .name = period.name, .id = period.id});
  for (const model::ZoneTransitionGroup& group : zone.groups) {
    TransitionsGroup& made = out.groups.emplace_back(TransitionsGroup{.id = group.id, .transitions = {}});
    for (const model::ZoneTransition& one : group.transitions) made.transitions.push_back(to_transition(one));
  }
  for (const model::ZoneTransition& one : zone.transitions) out.transitions.push_back(to_transition(one));
  return out;
}

std::string id_of(const json::value& zone) {
  const json::object* object = zone.if_object();
  return object == nullptr ? std::string() : text_at(*object, "id");
}

unexpected<Error> unknown_zone(const std::string& id) {
  return fail(ErrorDomain::input, "unknown-zone", "\"" + id + "\" is no time zone that is known here");
}

}  // namespace

std::optional<model::TimeZoneDefinition> definition_of(const model::FieldValue& zone) {
  const json::object* object = zone.if_object();
  const json::value* value = object == nullptr ? nullptr : object->if_contains("definition");
  const json::object* definition = value == nullptr ? nullptr : value->if_object();
  if (definition == nullptr) return std::nullopt;
  model::TimeZoneDefinition out;
  out.id = text_at(*definition, "id");
  out.name = text_at(*definition, "name");
  for_each_object(*definition, "periods", [&](const json::object& one) {
    out.periods.push_back(
        {.id = text_at(one, "id"), .name = text_at(one, "name"), .bias = text_at(one, "bias")});
  });
  for_each_object(*definition, "transitionsGroups", [&](const json::object& one) {
    out.groups.push_back({.id = text_at(one, "id"), .transitions = transitions_of(one)});
  });
  out.transitions = transitions_of(*definition);
  return out;
}

Result<TimeZoneDefinition> to_zone(const model::FieldValue& zone, int from_year) {
  if (const auto definition = definition_of(zone); definition && definition->has_rules())
    return to_definition(*definition);
  const std::string id = id_of(zone);
  if (const auto windows = time::canonical_windows(id)) return TimeZoneDefinition{.id = *windows};
  if (const auto windows = time::iana_to_windows(id)) return TimeZoneDefinition{.id = *windows};
  // A zone that Windows does not have (Antarctica/Troll) is sent with its rules.
  const time::ZoneMatch match = time::match_name(id);
  if (!match.windows.empty()) return TimeZoneDefinition{.id = match.windows};
  auto known = time::Zone::iana(match.iana.empty() ? id : match.iana);
  if (!known) return unknown_zone(id);
  return to_definition(time::definition_to_send(*known, from_year));
}

Result<time::Zone> zone_of(const model::FieldValue& zone) {
  const std::string id = id_of(zone);
  if (const auto definition = definition_of(zone); definition && definition->has_rules()) {
    auto resolved = time::Zone::from_definition(*definition);
    if (resolved) return resolved;
  }
  const time::ZoneMatch match = time::match_name(id);
  if (match.iana.empty()) return unknown_zone(id);
  return time::Zone::iana(match.iana);
}

}  // namespace syncline::ews
