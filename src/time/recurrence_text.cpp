// SPDX-License-Identifier: GPL-3.0-or-later
#include "time/recurrence_text.hpp"

#include <fmt/format.h>
#include <libxml/parser.h>
#include <libxml/tree.h>

#include <array>
#include <boost/json.hpp>
#include <memory>

#include "base/text.hpp"
#include "time/civil.hpp"
#include "time/rrule.hpp"

namespace syncline::time {
namespace {

namespace chrono = std::chrono;
namespace json = boost::json;
using namespace model;

constexpr std::array<std::string_view, 10> day_names{"Sunday",   "Monday",    "Tuesday",  "Wednesday",
                                                     "Thursday", "Friday",    "Saturday", "Day",
                                                     "Weekday",  "WeekendDay"};
constexpr std::array<std::string_view, 5> index_names{"First", "Second", "Third", "Fourth", "Last"};
constexpr std::array<std::string_view, 12> month_names{"January",   "February", "March",    "April",
                                                       "May",       "June",     "July",     "August",
                                                       "September", "October",  "November", "December"};

template <std::size_t N>
std::optional<int> find_name(const std::array<std::string_view, N>& names, std::string_view text) {
  for (std::size_t i = 0; i < N; ++i) {
    if (text::equals_ignore_case(names[i], text)) return static_cast<int>(i);
  }
  return std::nullopt;
}

unexpected<Error> bad(std::string message) {
  return fail(ErrorDomain::input, "bad-recurrence", std::move(message));
}

/// What both forms say, before it is understood. Names are those of the JSON form.
struct Fields {
  std::string pattern_type;
  std::string range_type;
  std::optional<std::string> interval, days_of_week, index, day_of_month, month, first_day_of_week;
  std::optional<std::string> start_date, end_date, number_of_occurrences;
};

/// EWS's element names and the JSON's field names for the same members.
struct Member {
  std::string_view name;
  std::optional<std::string> Fields::*value;
};
constexpr std::array<Member, 9> members{{
    {"interval", &Fields::interval},
    {"daysOfWeek", &Fields::days_of_week},
    {"dayOfWeekIndex", &Fields::index},
    {"dayOfMonth", &Fields::day_of_month},
    {"month", &Fields::month},
    {"firstDayOfWeek", &Fields::first_day_of_week},
    {"startDate", &Fields::start_date},
    {"endDate", &Fields::end_date},
    {"numberOfOccurrences", &Fields::number_of_occurrences},
}};

Result<int> number_of(std::string_view name, const std::optional<std::string>& text, int low, int high) {
  if (!text) return bad(fmt::format("{} is missing", name));
  const auto value = text::parse_int(text::trim(*text));
  if (!value || *value < low || *value > high) {
    return bad(fmt::format("{} is not between {} and {}: {}", name, low, high,
                           text::escape_for_display(std::string_view(*text).substr(0, 40))));
  }
  return static_cast<int>(*value);
}

std::string shown(const std::optional<std::string>& text) {
  return text ? text::escape_for_display(std::string_view(*text).substr(0, 40)) : std::string("nothing");
}

class Builder {
 public:
  explicit Builder(Fields fields) : fields_(std::move(fields)) {}

  Result<ReadRecurrence> build() {
    auto pattern = build_pattern();
    if (!pattern) return unexpected<Error>(std::move(pattern.error()));
    read_.pattern = *pattern;
    if (!fields_.range_type.empty()) {
      auto range = build_range();
      if (!range) return unexpected<Error>(std::move(range.error()));
      read_.range = *range;
    }
    return std::move(read_);
  }

 private:
  Result<int> interval() {
    if (!fields_.interval) {
      read_.notes.push_back("the pattern has no interval: 1 is taken");
      return 1;
    }
    return number_of("interval", fields_.interval, 1, rule_interval_limit);
  }

  Result<WeekdayMask> days() const {
    WeekdayMask mask = 0;
    std::string spaced = fields_.days_of_week.value_or("");
    for (char& c : spaced) {
      if (c == '\t' || c == '\n' || c == '\r' || c == ',') c = ' ';
    }
    for (const std::string_view item : text::split(spaced, ' ')) {
      if (item.empty()) continue;
      const auto day = parse_day_of_week(item);
      if (!day)
        return bad(fmt::format("daysOfWeek has a day that is none: {}",
                               text::escape_for_display(item.substr(0, 40))));
      mask = static_cast<WeekdayMask>(mask | mask_of(*day));
    }
    if (mask == 0) return bad("daysOfWeek is missing");
    return mask;
  }

  Result<DayOfWeek> single_day() const {
    auto mask = days();
    if (!mask) return unexpected<Error>(std::move(mask.error()));
    for (unsigned i = 0; i < day_names.size(); ++i) {
      if (mask_of(static_cast<DayOfWeek>(i)) == *mask) return static_cast<DayOfWeek>(i);
    }
    return bad(fmt::format("a relative pattern has one day, Day, Weekday or WeekendDay, not {}",
                           shown(fields_.days_of_week)));
  }

  Result<DayOfWeekIndex> index() const {
    const auto found = find_name(index_names, text::trim(fields_.index.value_or("")));
    if (!found) return bad(fmt::format("dayOfWeekIndex is none: {}", shown(fields_.index)));
    return static_cast<DayOfWeekIndex>(*found);
  }

  Result<int> month() const {
    const auto found = find_name(month_names, text::trim(fields_.month.value_or("")));
    if (found) return *found + 1;
    if (!fields_.month || !text::parse_int(text::trim(*fields_.month))) {
      return bad(fmt::format("month is none: {}", shown(fields_.month)));
    }
    return number_of("month", fields_.month, 1, 12);
  }

  Result<RecurrencePattern> build_pattern() {
    const std::string type = text::to_lower_ascii(fields_.pattern_type);
    if (type == "absoluteyearly" || type == "relativeyearly") return build_yearly(type == "absoluteyearly");
    auto steps = interval();
    if (!steps) return unexpected<Error>(std::move(steps.error()));
    if (type == "daily") return DailyPattern{*steps};
    if (type == "weekly") return build_weekly(*steps);
    if (type == "absolutemonthly") {
      auto day = number_of("dayOfMonth", fields_.day_of_month, 1, 31);
      if (!day) return unexpected<Error>(std::move(day.error()));
      return AbsoluteMonthlyPattern{*steps, *day};
    }
    if (type == "relativemonthly") {
      auto day = single_day();
      if (!day) return unexpected<Error>(std::move(day.error()));
      auto position = index();
      if (!position) return unexpected<Error>(std::move(position.error()));
      return RelativeMonthlyPattern{*steps, *day, *position};
    }
    static constexpr std::array<std::string_view, 4> regenerations{
        "dailyRegeneration", "weeklyRegeneration", "monthlyRegeneration", "yearlyRegeneration"};
    if (const auto unit = find_name(regenerations, type)) {
      return RegenerationPattern{static_cast<RegenerationPattern::Unit>(*unit), *steps};
    }
    return bad(fmt::format("there is no such pattern: {}", shown(fields_.pattern_type)));
  }

  Result<RecurrencePattern> build_weekly(int steps) {
    auto mask = days();
    if (!mask) return unexpected<Error>(std::move(mask.error()));
    WeeklyPattern pattern{steps, *mask, std::nullopt};
    if (fields_.first_day_of_week) {
      const auto first = parse_day_of_week(text::trim(*fields_.first_day_of_week));
      if (!first || *first > DayOfWeek::saturday) {
        return bad(fmt::format("firstDayOfWeek is none: {}", shown(fields_.first_day_of_week)));
      }
      pattern.first_day_of_week = chrono::weekday{static_cast<unsigned>(*first)};
    } else if (steps > 1) {
      read_.notes.push_back("the pattern has no firstDayOfWeek: Sunday is taken");
    }
    return pattern;
  }

  Result<RecurrencePattern> build_yearly(bool absolute) {
    auto named = month();
    if (!named) return unexpected<Error>(std::move(named.error()));
    if (fields_.interval && text::parse_int(text::trim(*fields_.interval)) != 1) {
      return bad("EWS's yearly patterns have no interval");
    }
    if (absolute) {
      auto day = number_of("dayOfMonth", fields_.day_of_month, 1, 31);
      if (!day) return unexpected<Error>(std::move(day.error()));
      return AbsoluteYearlyPattern{*named, *day};
    }
    auto day = single_day();
    if (!day) return unexpected<Error>(std::move(day.error()));
    auto position = index();
    if (!position) return unexpected<Error>(std::move(position.error()));
    return RelativeYearlyPattern{*named, *day, *position};
  }

  /// The date as it is written: an offset or a time of day behind it says nothing, the range is in the
  /// series' zone.
  Result<Date> date(std::string_view name, const std::optional<std::string>& text) const {
    const auto read = parse_civil(text::trim(text.value_or("")));
    if (!read) return bad(fmt::format("{} is no date: {}", name, shown(text)));
    return date_of(read->time);
  }

  Result<RecurrenceRange> build_range() {
    auto start = date("startDate", fields_.start_date);
    if (!start) return unexpected<Error>(std::move(start.error()));
    RecurrenceRange range{*start, RecurrenceRange::NoEnd{}};
    const std::string type = text::to_lower_ascii(fields_.range_type);
    if (type == "noend") return range;
    if (type == "enddate") {
      auto end = date("endDate", fields_.end_date);
      if (!end) return unexpected<Error>(std::move(end.error()));
      if (*end < *start) return bad("endDate is before startDate");
      range.end = *end;
      return range;
    }
    if (type == "numbered") {
      auto number = number_of("numberOfOccurrences", fields_.number_of_occurrences, 1, rule_count_limit);
      if (!number) return unexpected<Error>(std::move(number.error()));
      range.end = RecurrenceRange::Numbered{*number};
      return range;
    }
    return bad(fmt::format("there is no such range: {}", shown(fields_.range_type)));
  }

  Fields fields_;
  ReadRecurrence read_;
};

// ---- XML ----

/// The local name; libxml2 leaves an undeclared prefix in it.
std::string_view local_name(const xmlNode* node) {
  const std::string_view name = reinterpret_cast<const char*>(node->name);
  const std::size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

std::string text_of(const xmlNode* node) {
  std::string text;
  for (const xmlNode* child = node->children; child != nullptr; child = child->next) {
    const bool is_text = child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE;
    if (is_text && child->content != nullptr) text += reinterpret_cast<const char*>(child->content);
  }
  return text;
}

/// The next node in document order within `root`, without recursion.
const xmlNode* next_in(const xmlNode* node, const xmlNode* root) {
  if (node->children != nullptr && node->type == XML_ELEMENT_NODE) return node->children;
  while (node != root && node->next == nullptr) node = node->parent;
  return node == root ? nullptr : node->next;
}

std::string lower_first(std::string_view name) {
  std::string text(name);
  if (!text.empty() && text.front() >= 'A' && text.front() <= 'Z')
    text.front() = static_cast<char>(text.front() - 'A' + 'a');
  return text;
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

void read_members(const xmlNode* parent, Fields& fields) {
  for (const xmlNode* child = parent->children; child != nullptr; child = child->next) {
    if (child->type != XML_ELEMENT_NODE) continue;
    const std::string name = lower_first(local_name(child));
    for (const Member& member : members) {
      if (member.name == name) fields.*member.value = text_of(child);
    }
  }
}

Result<Fields> fields_of(const xmlNode* recurrence) {
  Fields fields;
  for (const xmlNode* child = recurrence->children; child != nullptr; child = child->next) {
    if (child->type != XML_ELEMENT_NODE) continue;
    const std::string_view name = local_name(child);
    const bool range =
        name == "NoEndRecurrence" || name == "EndDateRecurrence" || name == "NumberedRecurrence";
    constexpr std::size_t suffix = std::string_view("Recurrence").size();
    if (!ends_with(name, "Recurrence") && !ends_with(name, "Regeneration")) continue;
    std::string& type = range ? fields.range_type : fields.pattern_type;
    if (!type.empty()) return bad(fmt::format("a second {}", range ? "range" : "pattern"));
    type = lower_first(ends_with(name, "Recurrence") ? name.substr(0, name.size() - suffix) : name);
    read_members(child, fields);
  }
  if (fields.pattern_type.empty()) return bad("there is no pattern in it");
  return fields;
}

void be_silent(void*, xmlErrorPtr) {}

// ---- JSON ----

/// Scalars as text, an array as its members with spaces between.
std::optional<std::string> scalar_text(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_int64()) return std::to_string(value.get_int64());
  if (value.is_uint64()) return std::to_string(value.get_uint64());
  return std::nullopt;
}

std::optional<std::string> member_text(const json::value& value) {
  if (!value.is_array()) return scalar_text(value);
  std::string text;
  for (const json::value& item : value.get_array()) {
    const auto one = scalar_text(item);
    if (!one) return std::nullopt;
    text += (text.empty() ? "" : " ") + *one;
  }
  return text;
}

Result<void> read_part(const json::object& object, std::string& type, Fields& fields) {
  const json::value* given = object.if_contains("type");
  if (given == nullptr || !given->is_string()) return bad("type is missing");
  type = given->get_string();
  for (const auto& [key, value] : object) {
    // Graph's name for the same thing is what people type.
    const std::string_view name = key == "index" ? std::string_view("dayOfWeekIndex") : std::string_view(key);
    for (const Member& member : members) {
      if (member.name != name || value.is_null()) continue;
      const auto text = member_text(value);
      if (!text) return bad(fmt::format("{} is neither text nor a whole number", member.name));
      fields.*member.value = *text;
    }
  }
  return {};
}

struct PatternToJson {
  json::object operator()(const DailyPattern& pattern) const {
    return {{"type", "daily"}, {"interval", pattern.interval}};
  }
  json::object operator()(const WeeklyPattern& pattern) const {
    json::array days;
    for (unsigned i = 0; i < 7; ++i) {
      if ((mask_of(chrono::weekday{i}) & pattern.days) != 0) days.push_back(json::string(day_names[i]));
    }
    json::object object{{"type", "weekly"}, {"interval", pattern.interval}, {"daysOfWeek", std::move(days)}};
    if (pattern.first_day_of_week)
      object["firstDayOfWeek"] = day_names[pattern.first_day_of_week->c_encoding()];
    return object;
  }
  json::object operator()(const AbsoluteMonthlyPattern& pattern) const {
    return {
        {"type", "absoluteMonthly"}, {"interval", pattern.interval}, {"dayOfMonth", pattern.day_of_month}};
  }
  json::object operator()(const RelativeMonthlyPattern& pattern) const {
    return {{"type", "relativeMonthly"},
            {"interval", pattern.interval},
            {"daysOfWeek", json::array{json::string(to_string(pattern.day))}},
            {"dayOfWeekIndex", to_string(pattern.index)}};
  }
  json::object operator()(const AbsoluteYearlyPattern& pattern) const {
    return {{"type", "absoluteYearly"},
            {"dayOfMonth", pattern.day_of_month},
            {"month", month_name(pattern.month)}};
  }
  json::object operator()(const RelativeYearlyPattern& pattern) const {
    return {{"type", "relativeYearly"},
            {"daysOfWeek", json::array{json::string(to_string(pattern.day))}},
            {"dayOfWeekIndex", to_string(pattern.index)},
            {"month", month_name(pattern.month)}};
  }
  json::object operator()(const RegenerationPattern& pattern) const {
    static constexpr std::array<std::string_view, 4> names{"dailyRegeneration", "weeklyRegeneration",
                                                           "monthlyRegeneration", "yearlyRegeneration"};
    return {{"type", names[static_cast<unsigned>(pattern.unit)]}, {"interval", pattern.interval}};
  }
};

}  // namespace

Result<ReadRecurrence> read_recurrence_xml(std::string_view xml) {
  if (xml.size() > recurrence_xml_limit_octets)
    return fail(ErrorDomain::xml, "too-large", "the recurrence is too large");
  if (xml.find("<!DOCTYPE") != std::string_view::npos)
    return fail(ErrorDomain::xml, "doctype", "a DOCTYPE is refused");
  const std::unique_ptr<xmlParserCtxt, decltype(&xmlFreeParserCtxt)> context(xmlNewParserCtxt(),
                                                                             xmlFreeParserCtxt);
  if (!context) return fail(ErrorDomain::local, "no-memory", "no memory for the XML parser");
  context->sax->serror = be_silent;
  constexpr int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
  const std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)> document(
      xmlCtxtReadMemory(context.get(), xml.data(), static_cast<int>(xml.size()), nullptr, nullptr, options),
      xmlFreeDoc);
  if (!document || document->intSubset != nullptr) {
    const int line = context->lastError.line;
    return fail(ErrorDomain::xml, "not-xml",
                fmt::format("the recurrence is not well-formed XML (line {})", line));
  }
  const xmlNode* root = xmlDocGetRootElement(document.get());
  for (const xmlNode* node = root; node != nullptr; node = next_in(node, root)) {
    if (node->type != XML_ELEMENT_NODE || local_name(node) != "Recurrence") continue;
    auto fields = fields_of(node);
    if (!fields) return unexpected<Error>(std::move(fields.error()));
    return Builder(std::move(*fields)).build();
  }
  return bad("there is no Recurrence element");
}

Result<ReadRecurrence> read_recurrence_json(const json::value& value) {
  const json::object* object = value.if_object();
  if (object == nullptr) return bad("the recurrence is not an object");
  const json::value* pattern = object->if_contains("pattern");
  const json::value* range = object->if_contains("range");
  if (pattern == nullptr || !pattern->is_object()) return bad("pattern is missing");
  Fields fields;
  if (auto read = read_part(pattern->get_object(), fields.pattern_type, fields); !read) {
    return unexpected<Error>(std::move(read.error()));
  }
  if (range != nullptr && !range->is_null()) {
    if (!range->is_object()) return bad("range is not an object");
    if (auto read = read_part(range->get_object(), fields.range_type, fields); !read) {
      return unexpected<Error>(std::move(read.error()));
    }
  }
  return Builder(std::move(fields)).build();
}

json::object recurrence_to_json(const Recurrence& recurrence) {
  json::object range;
  range["startDate"] = format_date(days_of(recurrence.range.start));
  if (const auto* end = std::get_if<Date>(&recurrence.range.end)) {
    range["type"] = "endDate";
    range["endDate"] = format_date(days_of(*end));
  } else if (const auto* numbered = std::get_if<RecurrenceRange::Numbered>(&recurrence.range.end)) {
    range["type"] = "numbered";
    range["numberOfOccurrences"] = numbered->number_of_occurrences;
  } else {
    range["type"] = "noEnd";
  }
  return {{"pattern", std::visit(PatternToJson{}, recurrence.pattern)}, {"range", std::move(range)}};
}

std::string_view to_string(DayOfWeek day) {
  return day_names[static_cast<unsigned>(day)];
}
std::string_view to_string(DayOfWeekIndex index) {
  return index_names[static_cast<unsigned>(index)];
}
std::string_view month_name(int month) {
  return month_names[static_cast<std::size_t>(month - 1)];
}

std::optional<DayOfWeek> parse_day_of_week(std::string_view text) {
  const auto found = find_name(day_names, text);
  if (!found) return std::nullopt;
  return static_cast<DayOfWeek>(*found);
}

}  // namespace syncline::time
