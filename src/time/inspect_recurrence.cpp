// SPDX-License-Identifier: GPL-3.0-or-later
#include "time/inspect_recurrence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <optional>
#include <vector>

#include "base/text.hpp"
#include "time/expansion.hpp"
#include "time/recurrence_text.hpp"
#include "time/rrule_ews.hpp"
#include "time/zone.hpp"
#include "time/zone_names.hpp"

namespace syncline::time {
namespace {

namespace json = boost::json;

constexpr std::size_t exdate_limit = 10'000;
constexpr unsigned json_depth_limit = 16;

unexpected<Error> bad(std::string code, std::string message) {
  return fail(ErrorDomain::input, std::move(code), std::move(message));
}

struct Exclusions {
  std::vector<local_seconds> times;
  std::vector<local_days> days;
  bool contains(local_seconds time) const {
    return std::find(times.begin(), times.end(), time) != times.end() ||
           std::find(days.begin(), days.end(), day_of(time)) != days.end();
  }
  std::size_t size() const { return times.size() + days.size(); }
};

class Inspector {
 public:
  Inspector(const json::object& line, std::size_t count) : line_(line), count_(count) {}

  Result<json::object> inspect() {
    const json::value* recurrence = member("recurrence");
    const bool bare = recurrence == nullptr && line_.contains("pattern");
    if ((recurrence != nullptr || bare) == (member("rrule") != nullptr)) {
      return bad("bad-line", "a line has either recurrence or rrule");
    }
    if (auto read = read_zone(); !read) return unexpected<Error>(std::move(read.error()));
    auto result = member("rrule") != nullptr ? inspect_rule()
                                             : inspect_pattern(bare ? json::value(line_) : *recurrence);
    if (!result) return result;
    json::array notes;
    for (const std::string& note : notes_) notes.push_back(json::string(note));
    (*result)["notes"] = std::move(notes);
    return result;
  }

 private:
  const json::value* member(std::string_view name) const {
    const json::value* value = line_.if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
  }

  Result<std::string> text_member(std::string_view name) const {
    const json::value* value = member(name);
    if (value == nullptr) return bad("bad-line", fmt::format("{} is missing", name));
    if (!value->is_string()) return bad("bad-line", fmt::format("{} is not text", name));
    return std::string(value->get_string());
  }

  Result<void> read_zone() {
    if (member("timeZone") == nullptr) return {};
    auto name = text_member("timeZone");
    if (!name) return unexpected<Error>(std::move(name.error()));
    return set_zone(*name);
  }
  Result<void> set_zone(const std::string& name) {
    auto zone = Zone::iana(match_name(name).iana);
    if (!zone)
      return bad("unknown-zone",
                 "no time zone has this name: " + text::escape_for_display(name.substr(0, 100)));
    zone_ = std::move(*zone);
    return {};
  }

  /// "20260101T090000", also as iCalendar writes the whole line:
  /// "DTSTART;TZID=Europe/Berlin:20260101T090000".
  Result<CivilTime> read_start(std::string_view name) {
    auto given = text_member(name);
    if (!given) return unexpected<Error>(std::move(given.error()));
    std::string_view value = text::trim(*given);
    const bool property = text::equals_ignore_case(value.substr(0, 7), "DTSTART");
    if (property || text::equals_ignore_case(value.substr(0, 5), "TZID=") ||
        text::equals_ignore_case(value.substr(0, 6), "VALUE=")) {
      const std::size_t colon = value.rfind(':');
      const std::string_view parameters = value.substr(0, colon == std::string_view::npos ? 0 : colon);
      for (const std::string_view parameter : text::split(parameters, ';')) {
        if (!text::equals_ignore_case(parameter.substr(0, 5), "TZID=")) continue;
        if (auto set = set_zone(std::string(parameter.substr(5))); !set)
          return unexpected<Error>(std::move(set.error()));
      }
      value = colon == std::string_view::npos ? std::string_view() : value.substr(colon + 1);
    }
    const auto start = parse_civil(value);
    if (!start)
      return bad("bad-dtstart",
                 fmt::format("{} is no date: {}", name, text::escape_for_display(value.substr(0, 100))));
    if (start->is_date && start->offset)
      return bad("bad-dtstart", fmt::format("{} is a date with an offset", name));
    return start.value();
  }

  /// `time` as a wall clock of the series.
  local_seconds as_local(const CivilTime& time, const CivilTime& start) const {
    if (time.is_date || !time.offset || start.is_date) return time.time;
    const sys_seconds utc{time.time.time_since_epoch() - *time.offset};
    if (start.offset) return local_seconds{utc.time_since_epoch() + *start.offset};
    return zone_ ? zone_->to_local(utc) : time.time;
  }

  Result<Exclusions> read_exclusions(const CivilTime& start) const {
    Exclusions exclusions;
    const json::value* given = member("exdates");
    if (given == nullptr) return exclusions;
    std::vector<std::string> texts;
    const auto add = [&texts](std::string_view list) {
      for (const std::string_view item : text::split(list, ',')) texts.emplace_back(text::trim(item));
    };
    if (given->is_string()) {
      add(given->get_string());
    } else if (given->is_array()) {
      for (const json::value& item : given->get_array()) {
        if (!item.is_string()) return bad("bad-exdates", "exdates has an entry that is not text");
        add(item.get_string());
      }
    } else {
      return bad("bad-exdates", "exdates is not an array");
    }
    if (texts.size() > exdate_limit)
      return bad("too-large", fmt::format("more than {} exdates", exdate_limit));
    for (const std::string& text : texts) {
      const auto time = parse_civil(text);
      if (!time)
        return bad("bad-exdates", "an exdate is no date: " +
                                      text::escape_for_display(std::string_view(text).substr(0, 100)));
      if (time->is_date || start.is_date) {
        exclusions.days.push_back(day_of(time->time));
      } else {
        exclusions.times.push_back(as_local(*time, start));
      }
    }
    return exclusions;
  }

  ExpansionLimits limits_for(const Exclusions& exclusions) const {
    ExpansionLimits limits;
    limits.max_occurrences = count_ + exclusions.size();
    return limits;
  }

  json::array dates_of(const std::vector<local_seconds>& times, bool as_dates, const Exclusions& exclusions,
                       Expansion::End end) {
    json::array dates;
    for (const local_seconds time : times) {
      if (dates.size() == count_) break;
      if (exclusions.contains(time)) continue;
      dates.push_back(json::string(as_dates ? format_date(day_of(time)) : format_local(time)));
      if (zone_ && !as_dates) note_gap(time);
    }
    if (end == Expansion::End::steps_spent)
      notes_.push_back("no further date was found within the limit of steps");
    return dates;
  }

  void note_gap(local_seconds time) {
    const LocalLookup found = zone_->to_utc(time);
    if (found.kind != LocalLookup::Kind::skipped) return;
    notes_.push_back(fmt::format("{} is skipped by a clock change in {}: it is {}", format_local(time),
                                 zone_->iana_name(), format_local(zone_->to_local(found.utc))));
  }

  Result<json::object> inspect_rule() {
    auto text = text_member("rrule");
    if (!text) return unexpected<Error>(std::move(text.error()));
    auto rule = parse_rrule(*text);
    if (!rule) return unexpected<Error>(std::move(rule.error()));
    auto start = read_start("dtstart");
    if (!start) return unexpected<Error>(std::move(start.error()));
    auto exclusions = read_exclusions(*start);
    if (!exclusions) return unexpected<Error>(std::move(exclusions.error()));

    seconds until_offset{0};
    if (rule->until && !start->is_date && rule->until->offset) {
      until_offset = as_local(*rule->until, *start) - rule->until->time;
      if (!start->offset && !zone_)
        notes_.push_back("UNTIL is UTC and dtstart has no zone: UNTIL is read as dtstart's clock");
    }
    const RuleExpansion expansion = expand(*rule, *start, limits_for(*exclusions), until_offset);
    if (expansion.start_is_extra) {
      notes_.push_back("dtstart is not given by the rule (RFC 5545 leaves that open): it is counted first");
    }
    json::object result;
    result["dates"] = dates_of(expansion.occurrences, start->is_date, *exclusions, expansion.end);
    result["rrule"] = format_rrule(*rule);
    EwsForm form = to_ews(*rule, *start, exclusions->contains(start->time), until_offset);
    result["ews"] =
        form.recurrence ? json::value(recurrence_to_json(*form.recurrence)) : json::value(nullptr);
    notes_.insert(notes_.end(), form.notes.begin(), form.notes.end());
    if (form.recurrence && exclusions->size() > 0) notes_.push_back("EWS says exdates as deletedOccurrences");
    return result;
  }

  Result<json::object> inspect_pattern(const json::value& given) {
    auto read = given.is_string() ? read_recurrence_xml(given.get_string()) : read_recurrence_json(given);
    if (!read) return unexpected<Error>(std::move(read.error()));
    notes_ = std::move(read->notes);
    std::optional<CivilTime> start;
    for (const std::string_view name : {"dtstart", "start"}) {
      if (start || member(name) == nullptr) continue;
      auto own = read_start(name);
      if (!own) return unexpected<Error>(std::move(own.error()));
      start = *own;
    }
    if (!read->range && !start) return bad("bad-recurrence", "there is neither a range nor a start");
    model::Recurrence recurrence{read->pattern, read->range.value_or(model::RecurrenceRange{})};
    if (!read->range) recurrence.range.start = date_of(start->time);
    if (!start) start = CivilTime{days_of(recurrence.range.start), true, std::nullopt};
    if (date_of(start->time) != recurrence.range.start) {
      notes_.push_back("the range's startDate decides where the series begins, start only the time of day");
    }
    auto exclusions = read_exclusions(*start);
    if (!exclusions) return unexpected<Error>(std::move(exclusions.error()));

    const PatternExpansion expansion = expand(recurrence, limits_for(*exclusions));
    std::vector<local_seconds> times;
    const seconds time_of_day = start->time - day_of(start->time);
    for (const local_days day : expansion.days) times.push_back(day + time_of_day);
    json::object result;
    result["dates"] = dates_of(times, start->is_date, *exclusions, expansion.end);
    const auto rule = to_rrule(recurrence, *start);
    result["rrule"] = rule ? json::value(format_rrule(*rule)) : json::value(nullptr);
    if (!rule) {
      notes_.push_back(
          "rrule is null: the task is made anew after it was completed, only its first date is known");
    } else if (!times.empty() && date_of(times.front()) != recurrence.range.start) {
      notes_.push_back(fmt::format("the range's start is no occurrence: the rrule's DTSTART is {}",
                                   format_date(day_of(times.front()))));
    }
    result["ews"] = recurrence_to_json(recurrence);
    return result;
  }

  const json::object& line_;
  std::size_t count_;
  std::optional<Zone> zone_;
  std::vector<std::string> notes_;
};

json::object error_object(std::string_view code, std::string_view message) {
  return {{"code", code}, {"message", message}};
}

}  // namespace

InspectedLine inspect_recurrence(std::string_view line, std::size_t line_number, std::size_t count) {
  json::object out;
  out["line"] = line_number;
  const auto refused = [&out](std::string_view code, std::string_view message) {
    out["error"] = error_object(code, message);
    return InspectedLine{json::serialize(out), false};
  };
  if (line.size() > recurrence_line_limit_octets) return refused("too-large", "the line is too long");
  json::parse_options options;
  options.max_depth = json_depth_limit;
  json::error_code failed;
  const json::value parsed = json::parse(json::string_view(line.data(), line.size()), failed, {}, options);
  if (failed) return refused("not-json", "the line is not JSON: " + failed.message());
  const json::object* object = parsed.if_object();
  if (object == nullptr) return refused("bad-line", "the line is not an object");
  if (const json::value* id = object->if_contains("id");
      id != nullptr && (id->is_string() || id->is_number()))
    out["id"] = *id;
  auto result = Inspector(*object, count).inspect();
  if (!result) return refused(result.error().code, result.error().message);
  for (auto& [key, value] : *result) out[key] = std::move(value);
  return {json::serialize(out), true};
}

std::string cannot_open(std::string_view file) {
  const json::object out{{"file", text::to_xml_text(file)},
                         {"error", error_object("cannot-open", "the file cannot be opened")}};
  return json::serialize(out);
}

}  // namespace syncline::time
