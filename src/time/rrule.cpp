// SPDX-License-Identifier: GPL-3.0-or-later
#include "time/rrule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/text.hpp"

namespace syncline::time {
namespace {

namespace chrono = std::chrono;

constexpr std::array<std::string_view, 7> day_names{"SU", "MO", "TU", "WE", "TH", "FR", "SA"};

unexpected<Error> bad(std::string message) {
  return fail(ErrorDomain::input, "bad-rrule", std::move(message));
}

std::optional<chrono::weekday> parse_day(std::string_view text) {
  for (unsigned i = 0; i < day_names.size(); ++i) {
    if (text == day_names[i]) return chrono::weekday{i};
  }
  return std::nullopt;
}

/// A decimal number with an optional sign.
std::optional<int> parse_signed(std::string_view text) {
  if (!text.empty() && text.front() == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text.front() == '-') return std::nullopt;
  }
  const auto value = text::parse_int(text);
  if (!value || *value > 1'000'000'000 || *value < -1'000'000'000) return std::nullopt;
  return static_cast<int>(*value);
}

template <class T>
void sort_once(std::vector<T>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

Result<std::vector<int>> parse_list(std::string_view name, std::string_view text, int low, int high,
                                    bool negative) {
  std::vector<int> values;
  for (const std::string_view item : text::split(text, ',')) {
    const auto value = parse_signed(item);
    const bool fits =
        value && ((*value >= low && *value <= high) || (negative && -*value >= low && -*value <= high));
    if (!fits)
      return bad(fmt::format("{} has a value that is none: {}", name, text::escape_for_display(item)));
    values.push_back(*value);
  }
  sort_once(values);
  return values;
}

Result<std::vector<ByDay>> parse_by_day(std::string_view text) {
  std::vector<ByDay> values;
  for (const std::string_view item : text::split(text, ',')) {
    if (item.size() < 2) return bad("BYDAY has an empty entry");
    const auto day = parse_day(item.substr(item.size() - 2));
    const std::string_view number = item.substr(0, item.size() - 2);
    const auto ordinal = number.empty() ? std::optional<int>{0} : parse_signed(number);
    const bool fits =
        day && ordinal && (number.empty() || (*ordinal != 0 && *ordinal >= -53 && *ordinal <= 53));
    if (!fits) return bad(fmt::format("BYDAY has a value that is none: {}", text::escape_for_display(item)));
    values.push_back({*ordinal, *day});
  }
  const auto key = [](const ByDay& by) {
    return by.ordinal * 7 + static_cast<int>(by.day.iso_encoding()) - 1;
  };
  std::sort(values.begin(), values.end(), [&](const ByDay& a, const ByDay& b) { return key(a) < key(b); });
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

struct ListPart {
  std::string_view name;
  int low;
  int high;
  bool negative;
  std::vector<int> RecurrenceRule::*values;
};
constexpr std::array<ListPart, 8> list_parts{{
    {"BYSECOND", 0, 60, false, &RecurrenceRule::by_second},
    {"BYMINUTE", 0, 59, false, &RecurrenceRule::by_minute},
    {"BYHOUR", 0, 23, false, &RecurrenceRule::by_hour},
    {"BYMONTHDAY", 1, 31, true, &RecurrenceRule::by_month_day},
    {"BYYEARDAY", 1, 366, true, &RecurrenceRule::by_year_day},
    {"BYWEEKNO", 1, 53, true, &RecurrenceRule::by_week_no},
    {"BYMONTH", 1, 12, false, &RecurrenceRule::by_month},
    {"BYSETPOS", 1, 366, true, &RecurrenceRule::by_set_pos},
}};

Result<void> set_frequency(RecurrenceRule& rule, std::string_view value) {
  if (value == "DAILY") {
    rule.frequency = Frequency::daily;
  } else if (value == "WEEKLY") {
    rule.frequency = Frequency::weekly;
  } else if (value == "MONTHLY") {
    rule.frequency = Frequency::monthly;
  } else if (value == "YEARLY") {
    rule.frequency = Frequency::yearly;
  } else if (value == "SECONDLY" || value == "MINUTELY" || value == "HOURLY") {
    return fail(ErrorDomain::input, "unsupported-rrule", fmt::format("FREQ={} is not supported", value));
  } else {
    return bad(fmt::format("FREQ is none of those of RFC 5545: {}", text::escape_for_display(value)));
  }
  return {};
}

Result<void> set_part(RecurrenceRule& rule, std::string_view name, std::string_view value) {
  if (name == "FREQ") return set_frequency(rule, value);
  if (name == "INTERVAL" || name == "COUNT") {
    const auto number = parse_signed(value);
    if (!number || *number < 1) return bad(fmt::format("{} is not a positive number", name));
    const int limit = name == "COUNT" ? rule_count_limit : rule_interval_limit;
    if (*number > limit)
      return fail(ErrorDomain::input, "too-large", fmt::format("{} is over {}", name, limit));
    if (name == "COUNT") {
      rule.count = *number;
    } else {
      rule.interval = *number;
    }
    return {};
  }
  if (name == "UNTIL") {
    rule.until = parse_civil(value);
    if (!rule.until) return bad(fmt::format("UNTIL is no date: {}", text::escape_for_display(value)));
    return {};
  }
  if (name == "BYDAY") {
    auto days = parse_by_day(value);
    if (!days) return unexpected<Error>(std::move(days.error()));
    rule.by_day = std::move(*days);
    return {};
  }
  if (name == "WKST") {
    rule.week_start = parse_day(value);
    if (!rule.week_start) return bad("WKST is no day of the week");
    return {};
  }
  if (name == "RSCALE" || name == "SKIP") {
    return fail(ErrorDomain::input, "unsupported-rrule", fmt::format("{} (RFC 7529) is not supported", name));
  }
  for (const ListPart& part : list_parts) {
    if (part.name != name) continue;
    auto values = parse_list(name, value, part.low, part.high, part.negative);
    if (!values) return unexpected<Error>(std::move(values.error()));
    rule.*part.values = std::move(*values);
    return {};
  }
  return bad(fmt::format("a part RFC 5545 does not know: {}", text::escape_for_display(name)));
}

/// The combinations that RFC 5545 section 3.3.10 forbids.
Result<void> check(const RecurrenceRule& rule) {
  const Frequency frequency = rule.frequency;
  const bool ordinals =
      std::any_of(rule.by_day.begin(), rule.by_day.end(), [](const ByDay& by) { return by.ordinal != 0; });
  if (rule.count && rule.until) return bad("COUNT and UNTIL exclude each other");
  if (ordinals && frequency != Frequency::monthly && frequency != Frequency::yearly) {
    return bad("a number in BYDAY needs FREQ=MONTHLY or YEARLY");
  }
  if (ordinals && !rule.by_week_no.empty()) return bad("a number in BYDAY and BYWEEKNO exclude each other");
  if (!rule.by_month_day.empty() && frequency == Frequency::weekly)
    return bad("BYMONTHDAY and FREQ=WEEKLY exclude each other");
  if (!rule.by_year_day.empty() && frequency != Frequency::yearly) return bad("BYYEARDAY needs FREQ=YEARLY");
  if (!rule.by_week_no.empty() && frequency != Frequency::yearly) return bad("BYWEEKNO needs FREQ=YEARLY");
  const bool any_by = !rule.by_second.empty() || !rule.by_minute.empty() || !rule.by_hour.empty() ||
                      !rule.by_day.empty() || !rule.by_month_day.empty() || !rule.by_year_day.empty() ||
                      !rule.by_week_no.empty() || !rule.by_month.empty();
  if (!rule.by_set_pos.empty() && !any_by) return bad("BYSETPOS needs another BY part");
  return {};
}

std::string format_until(const CivilTime& until) {
  std::string text;
  const std::string local = format_local(until.time);
  std::copy_if(local.begin(), local.end(), std::back_inserter(text),
               [](char c) { return c != '-' && c != ':'; });
  if (until.is_date) return text.substr(0, 8);
  if (until.offset) text += 'Z';
  return text;
}

}  // namespace

Result<RecurrenceRule> parse_rrule(std::string_view given) {
  if (given.size() > rule_text_limit_octets)
    return fail(ErrorDomain::input, "too-large", "the rule is too long");
  std::string upper;
  for (const char c : text::trim(given)) upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  std::string_view rest = upper;
  if (rest.substr(0, 6) == "RRULE:") rest.remove_prefix(6);
  if (!rest.empty() && rest.back() == ';') rest.remove_suffix(1);  // seen from several writers
  if (rest.empty()) return bad("the rule is empty");

  RecurrenceRule rule;
  std::set<std::string_view> seen;
  for (const std::string_view part : text::split(rest, ';')) {
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) {
      return bad(fmt::format("a part without '=': {}", text::escape_for_display(part.substr(0, 40))));
    }
    const std::string_view name = text::trim(part.substr(0, equals));
    if (!seen.insert(name).second)
      return bad(fmt::format("{} is given twice", text::escape_for_display(name)));
    if (auto set = set_part(rule, name, text::trim(part.substr(equals + 1))); !set) {
      return unexpected<Error>(std::move(set.error()));
    }
  }
  if (seen.count("FREQ") == 0) return bad("FREQ is missing");
  if (auto ok = check(rule); !ok) return unexpected<Error>(std::move(ok.error()));
  if (rule.until && rule.until->offset && *rule.until->offset != seconds{0}) {
    return bad("UNTIL with an offset other than Z");
  }
  return rule;
}

std::string format_rrule(const RecurrenceRule& rule) {
  static constexpr std::array<std::string_view, 4> names{"DAILY", "WEEKLY", "MONTHLY", "YEARLY"};
  std::string text = fmt::format("FREQ={}", names[static_cast<unsigned>(rule.frequency)]);
  if (rule.interval != 1) text += fmt::format(";INTERVAL={}", rule.interval);
  const auto list = [&text](std::string_view name, const std::vector<int>& values) {
    if (!values.empty()) text += fmt::format(";{}={}", name, fmt::join(values, ","));
  };
  list("BYMONTH", rule.by_month);
  list("BYWEEKNO", rule.by_week_no);
  list("BYYEARDAY", rule.by_year_day);
  list("BYMONTHDAY", rule.by_month_day);
  for (std::size_t i = 0; i < rule.by_day.size(); ++i) {
    const ByDay& by = rule.by_day[i];
    text += i == 0 ? ";BYDAY=" : ",";
    if (by.ordinal != 0) text += std::to_string(by.ordinal);
    text += day_names[by.day.c_encoding()];
  }
  list("BYHOUR", rule.by_hour);
  list("BYMINUTE", rule.by_minute);
  list("BYSECOND", rule.by_second);
  list("BYSETPOS", rule.by_set_pos);
  if (rule.week_start && *rule.week_start != chrono::Monday) {
    text += fmt::format(";WKST={}", day_names[rule.week_start->c_encoding()]);
  }
  if (rule.until) text += ";UNTIL=" + format_until(*rule.until);
  if (rule.count) text += fmt::format(";COUNT={}", *rule.count);
  return text;
}

}  // namespace syncline::time
