// SPDX-License-Identifier: GPL-3.0-or-later
#include "time/inspect_timezone.hpp"

#include <boost/json.hpp>

#include "base/text.hpp"
#include "time/zone_match.hpp"
#include "time/zone_text.hpp"

namespace syncline::time {
namespace {

namespace chrono = std::chrono;
namespace json = boost::json;

constexpr chrono::days near_future{2 * 366};

json::value optional_text(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

json::object change_to_json(const OffsetChange& change) {
  return {{"at", format_utc(change.at)},
          {"localBefore", format_local(local_seconds{change.at.time_since_epoch() + change.before})},
          {"localAfter", format_local(local_seconds{change.at.time_since_epoch() + change.after})},
          {"offsetBefore", format_offset(change.before)},
          {"offsetAfter", format_offset(change.after)}};
}

json::object rules_to_json(const Zone& zone, sys_seconds at, int year) {
  seconds least = zone.offset_at(at);
  seconds most = least;
  json::array changes;
  for (const OffsetChange& change : zone.changes(begin_of_year(year), begin_of_year(year + 1))) {
    changes.push_back(change_to_json(change));
    least = std::min({least, change.before, change.after});
    most = std::max({most, change.before, change.after});
  }
  const auto coming = zone.changes(at + seconds{1}, at + near_future);
  return {
      {"offset", format_offset(zone.offset_at(at))},
      {"abbreviation", optional_text(zone.abbreviation_at(at))},
      {"isDaylight", zone.is_daylight_at(at)},
      {"standardOffset", format_offset(least)},
      {"daylightOffset", most == least ? json::value(nullptr) : json::value(format_offset(most))},
      {"changesOfYear", std::move(changes)},
      {"nextChange", coming.empty() ? json::value(nullptr) : json::value(change_to_json(coming.front()))}};
}

}  // namespace

std::optional<sys_seconds> parse_instant(std::string_view text) {
  const auto read = parse_civil(text::trim(text));
  if (!read) return std::nullopt;
  const auto year = static_cast<int>(date_of(read->time).year());
  if (year < 1800 || year > 2400) return std::nullopt;
  if (read->is_date) return sys_seconds{read->time.time_since_epoch() + chrono::hours{12}};
  return sys_seconds{read->time.time_since_epoch() - read->offset.value_or(seconds{0})};
}

InspectedLine inspect_timezone(std::string_view name, sys_seconds at) {
  json::object out;
  out["name"] = text::to_xml_text(name.substr(0, 1000));
  const ZoneMatch match = match_name(name);
  auto zone = Zone::iana(match.found() ? std::string_view(match.iana) : text::trim(name));
  if (!zone) {
    out["error"] = json::object{{"code", zone.error().code}, {"message", zone.error().message}};
    return {json::serialize(out), false};
  }
  const auto year = static_cast<int>(date_of(zone->to_local(at)).year());
  json::array notes;
  const std::string windows = match.found() ? match.windows : iana_to_windows(zone->iana_name()).value_or("");
  if (!match.exact) notes.push_back("several zones fit: the commonest is taken");
  if (windows.empty()) notes.push_back("Windows has no such zone: EWS is sent its definition");
  if (match.by == ZoneMatch::By::retired_name) notes.push_back("Windows has retired this name");
  if (const auto back = windows_to_iana(windows); back && *back != zone->iana_name()) {
    notes.push_back(
        json::string("the Windows name stands for " + *back + " first: the IANA name is kept beside it"));
  }
  const model::TimeZoneDefinition definition = definition_to_send(*zone, year);
  json::object ews = zone_to_json(definition);
  ews["xml"] = zone_to_xml(definition, "StartTimeZone");
  out["windows"] = optional_text(windows);
  out["iana"] = zone->iana_name();
  out["by"] = to_string(match.found() ? match.by : ZoneMatch::By::iana_name);
  out["at"] = format_utc(at);
  out["rules"] = rules_to_json(*zone, at, year);
  out["ews"] = std::move(ews);
  out["notes"] = std::move(notes);
  return {json::serialize(out), true};
}

}  // namespace syncline::time
