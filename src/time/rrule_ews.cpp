// SPDX-License-Identifier: GPL-3.0-or-later
#include "time/rrule_ews.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "time/expansion.hpp"

namespace syncline::time {
namespace {

namespace chrono = std::chrono;
using namespace model;

// ---- EWS to RRULE ----

void set_days(RecurrenceRule& rule, WeekdayMask mask, int ordinal = 0) {
  for (unsigned i = 1; i <= 7; ++i) {  // Monday first, as BYDAY is commonly written
    const chrono::weekday day{i};
    if ((mask_of(day) & mask) != 0) rule.by_day.push_back({ordinal, day});
  }
}

/// Days 29 to 31 are the last day of a shorter month.
void set_month_day(RecurrenceRule& rule, int day, int shortest, int longest) {
  day = std::min(day, longest);
  if (day <= shortest) {
    rule.by_month_day = {day};
    return;
  }
  for (int i = 28; i <= day; ++i) rule.by_month_day.push_back(i);
  rule.by_set_pos = {-1};
}

void set_relative(RecurrenceRule& rule, DayOfWeek day, DayOfWeekIndex index) {
  const int position = index == DayOfWeekIndex::last ? -1 : static_cast<int>(index) + 1;
  if (day <= DayOfWeek::saturday) {
    set_days(rule, mask_of(day), position);
  } else {
    set_days(rule, mask_of(day));
    rule.by_set_pos = {position};
  }
}

struct ToRule {
  RecurrenceRule& rule;
  bool operator()(const DailyPattern& pattern) const {
    rule.frequency = Frequency::daily;
    rule.interval = pattern.interval;
    return true;
  }
  bool operator()(const WeeklyPattern& pattern) const {
    rule.frequency = Frequency::weekly;
    rule.interval = pattern.interval;
    set_days(rule, pattern.days);
    // Where weeks begin matters only if weeks are left out; there an absent day is Exchange's Sunday.
    rule.week_start = pattern.first_day_of_week;
    if (!rule.week_start && pattern.interval > 1) rule.week_start = chrono::Sunday;
    return true;
  }
  bool operator()(const AbsoluteMonthlyPattern& pattern) const {
    rule.frequency = Frequency::monthly;
    rule.interval = pattern.interval;
    set_month_day(rule, pattern.day_of_month, 28, 31);
    return true;
  }
  bool operator()(const RelativeMonthlyPattern& pattern) const {
    rule.frequency = Frequency::monthly;
    rule.interval = pattern.interval;
    set_relative(rule, pattern.day, pattern.index);
    return true;
  }
  bool operator()(const AbsoluteYearlyPattern& pattern) const {
    rule.frequency = Frequency::yearly;
    rule.by_month = {pattern.month};
    set_month_day(rule, pattern.day_of_month, days_in_month(2001, pattern.month),
                  days_in_month(2000, pattern.month));
    return true;
  }
  bool operator()(const RelativeYearlyPattern& pattern) const {
    rule.frequency = Frequency::yearly;
    rule.by_month = {pattern.month};
    set_relative(rule, pattern.day, pattern.index);
    return true;
  }
  bool operator()(const RegenerationPattern&) const { return false; }
};

// ---- RRULE to EWS ----

struct Reading {
  std::optional<RecurrencePattern> pattern;
  std::string why;
};
Reading cannot(std::string why) {
  return {std::nullopt, std::move(why)};
}

WeekdayMask mask_of_days(const std::vector<ByDay>& days) {
  WeekdayMask mask = 0;
  for (const ByDay& by : days) mask = static_cast<WeekdayMask>(mask | mask_of(by.day));
  return mask;
}

std::optional<DayOfWeek> day_of_mask(WeekdayMask mask) {
  for (unsigned i = 0; i <= static_cast<unsigned>(DayOfWeek::weekend_day); ++i) {
    if (mask_of(static_cast<DayOfWeek>(i)) == mask) return static_cast<DayOfWeek>(i);
  }
  return std::nullopt;
}

std::optional<DayOfWeekIndex> index_of(int position) {
  if (position == -1) return DayOfWeekIndex::last;
  if (position >= 1 && position <= 4) return static_cast<DayOfWeekIndex>(position - 1);
  return std::nullopt;
}

/// Which months a rule visits, as EWS can: every `step`-th month from that of the start.
struct Months {
  int step = 0;  ///< in months
  int only = 0;  ///< 1 to 12 if it is always the same month, else 0
};

class RuleReading {
 public:
  RuleReading(const RecurrenceRule& rule, const CivilTime& start) : rule_(rule), start_(start) {
    const Date date = date_of(start.time);
    month_ = static_cast<int>(static_cast<unsigned>(date.month()));
    day_ = static_cast<int>(static_cast<unsigned>(date.day()));
  }

  Reading read() const {
    if (!start_.is_date && !times_are_the_starts())
      return cannot("EWS has one time of day for all occurrences");
    switch (rule_.frequency) {
      case Frequency::daily:
        return read_daily();
      case Frequency::weekly:
        return read_weekly();
      default:
        return read_months();
    }
  }

 private:
  bool times_are_the_starts() const {
    const chrono::hh_mm_ss clock{start_.time - day_of(start_.time)};
    const auto same = [](const std::vector<int>& values, auto count) {
      return values.empty() || (values.size() == 1 && values.front() == count);
    };
    return same(rule_.by_hour, clock.hours().count()) && same(rule_.by_minute, clock.minutes().count()) &&
           same(rule_.by_second, clock.seconds().count());
  }

  Reading read_daily() const {
    if (!rule_.by_month.empty() || !rule_.by_month_day.empty()) {
      if (rule_.interval == 1) return read_months();
      return cannot("EWS has no days left out by month");
    }
    if (!rule_.by_set_pos.empty()) return cannot("EWS has no BYSETPOS within a day");
    if (rule_.by_day.empty()) return Reading{DailyPattern{rule_.interval}, {}};
    if (rule_.interval != 1) return cannot("EWS cannot choose days of the week every few days");
    return Reading{WeeklyPattern{1, mask_of_days(rule_.by_day), rule_.week_start}, {}};
  }

  Reading read_weekly() const {
    if (!rule_.by_month.empty()) return cannot("EWS has no weeks left out by month");
    if (!rule_.by_set_pos.empty()) return cannot("EWS has no BYSETPOS within a week");
    const WeekdayMask mask =
        rule_.by_day.empty() ? mask_of(chrono::weekday{day_of(start_.time)}) : mask_of_days(rule_.by_day);
    return Reading{WeeklyPattern{rule_.interval, mask, rule_.week_start.value_or(chrono::Monday)}, {}};
  }

  std::optional<Months> months() const {
    const int unit = rule_.frequency == Frequency::yearly ? 12 : 1;
    if (rule_.by_month.empty()) {
      const bool implied = unit == 12 && rule_.by_month_day.empty() && rule_.by_day.empty();
      if (unit == 1) return Months{rule_.interval, rule_.interval % 12 == 0 ? month_ : 0};
      if (implied) return Months{12 * rule_.interval, month_};
      if (rule_.interval != 1) return std::nullopt;
      return Months{1, 0};
    }
    if (rule_.by_month.size() == 1) {
      const int month = rule_.by_month.front();
      if (unit == 12 && rule_.interval > 1) {
        // Years are counted from that of the start, even if its month is past in it.
        if (month != month_) return std::nullopt;
        return Months{12 * rule_.interval, month};
      }
      if (unit == 1 && rule_.interval > 1) return std::nullopt;
      return Months{12, month};
    }
    // Evenly spaced months through the start's own are "every few months".
    const auto size = static_cast<int>(rule_.by_month.size());
    if (rule_.interval != 1 || 12 % size != 0) return std::nullopt;
    const int step = 12 / size;
    for (int i = 1; i < size; ++i) {
      const auto at = static_cast<std::size_t>(i);
      if (rule_.by_month[at] - rule_.by_month[at - 1] != step) return std::nullopt;
    }
    if (!std::binary_search(rule_.by_month.begin(), rule_.by_month.end(), month_)) return std::nullopt;
    return Months{step, 0};
  }

  /// The days of the shortest and longest month that is visited.
  std::pair<int, int> lengths(const Months& months) const {
    if (months.only != 0) return {days_in_month(2001, months.only), days_in_month(2000, months.only)};
    int shortest = 31;
    int longest = 28;
    const int stride = std::gcd(months.step, 12);
    for (int month = (month_ - 1) % stride + 1; month <= 12; month += stride) {
      shortest = std::min(shortest, days_in_month(2001, month));
      longest = std::max(longest, days_in_month(2000, month));
    }
    return {shortest, longest};
  }

  /// The single day of the month the rule means, as EWS says it (over the month's length: its last day).
  std::optional<int> ews_month_day(const Months& months) const {
    const auto [shortest, longest] = lengths(months);
    const std::vector<int> days = rule_.by_month_day.empty() ? std::vector<int>{day_} : rule_.by_month_day;
    if (days.size() == 1 && (rule_.by_set_pos.empty() || rule_.by_set_pos == std::vector<int>{1} ||
                             rule_.by_set_pos == std::vector<int>{-1})) {
      const int day = days.front();
      if (day > 0) return day <= shortest ? std::optional<int>(day) : std::nullopt;
      if (day == -1) return months.only != 0 ? longest : 31;
      if (shortest != longest) return std::nullopt;
      return longest + 1 + day > 0 ? std::optional<int>(longest + 1 + day) : std::nullopt;
    }
    if (rule_.by_set_pos != std::vector<int>{-1} || days.front() < 1 || days.front() > shortest)
      return std::nullopt;
    for (std::size_t i = 1; i < days.size(); ++i) {
      // Between the shortest month's end and the chosen day none may be missing.
      if (days[i] != days[i - 1] + 1 && days[i] > shortest) return std::nullopt;
    }
    return days.back();
  }

  std::optional<std::pair<DayOfWeek, DayOfWeekIndex>> relative() const {
    if (rule_.by_day.size() == 1 && rule_.by_day.front().ordinal != 0) {
      if (!rule_.by_month_day.empty() || !rule_.by_set_pos.empty()) return std::nullopt;
      const auto index = index_of(rule_.by_day.front().ordinal);
      if (!index) return std::nullopt;
      return std::pair{static_cast<DayOfWeek>(rule_.by_day.front().day.c_encoding()), *index};
    }
    const bool ordinals = std::any_of(rule_.by_day.begin(), rule_.by_day.end(),
                                      [](const ByDay& by) { return by.ordinal != 0; });
    const auto day = day_of_mask(mask_of_days(rule_.by_day));
    if (ordinals || !day) return std::nullopt;
    if (rule_.by_set_pos.size() == 1 && rule_.by_month_day.empty()) {
      const auto index = index_of(rule_.by_set_pos.front());
      if (!index) return std::nullopt;
      return std::pair{*day, *index};
    }
    // "The Tuesday among the days 8 to 14" is the second Tuesday.
    if (!rule_.by_set_pos.empty() || *day > DayOfWeek::saturday || rule_.by_month_day.size() != 7)
      return std::nullopt;
    const int first = rule_.by_month_day.front();
    for (int i = 0; i < 7; ++i) {
      if (rule_.by_month_day[static_cast<std::size_t>(i)] != first + i) return std::nullopt;
    }
    if (first == -7) return std::pair{*day, DayOfWeekIndex::last};
    if (first < 1 || first > 22 || first % 7 != 1) return std::nullopt;
    return std::pair{*day, static_cast<DayOfWeekIndex>(first / 7)};
  }

  Reading read_months() const {
    if (!rule_.by_week_no.empty()) return cannot("EWS has no numbers of weeks");
    if (!rule_.by_year_day.empty()) return cannot("EWS has no numbers of days of the year");
    const bool yearly = rule_.frequency == Frequency::yearly;
    if (yearly && rule_.by_month.empty() && !rule_.by_day.empty()) return read_days_of_year();
    if (rule_.frequency == Frequency::daily) {
      if (rule_.by_month_day.empty()) return cannot("EWS has no days left out by month");
      if (rule_.by_month_day.size() > 1 || !rule_.by_day.empty() || !rule_.by_set_pos.empty()) {
        return cannot("EWS has one day a month");
      }
    }
    const auto visited = months();
    if (!visited) return cannot("EWS cannot choose these months");
    if (rule_.by_day.empty()) {
      const auto day = ews_month_day(*visited);
      if (!day) return cannot("EWS has one day a month, and takes the last day where a month is too short");
      if (visited->step == 12 && visited->only != 0)
        return Reading{AbsoluteYearlyPattern{visited->only, *day}, {}};
      return Reading{AbsoluteMonthlyPattern{visited->step, *day}, {}};
    }
    const auto chosen = relative();
    if (!chosen) return cannot("EWS has one first to fourth or last day, weekday or weekend day a month");
    if (visited->step == 12 && visited->only != 0) {
      return Reading{RelativeYearlyPattern{visited->only, chosen->first, chosen->second}, {}};
    }
    return Reading{RelativeMonthlyPattern{visited->step, chosen->first, chosen->second}, {}};
  }

  Reading read_days_of_year() const {
    if (rule_.interval != 1 || !rule_.by_month_day.empty())
      return cannot("EWS cannot count days within a year");
    const bool single = rule_.by_day.size() == 1;
    const int ordinal = rule_.by_day.front().ordinal;
    const bool plain = std::all_of(rule_.by_day.begin(), rule_.by_day.end(),
                                   [](const ByDay& by) { return by.ordinal == 0; });
    if (plain && rule_.by_set_pos.empty())
      return Reading{WeeklyPattern{1, mask_of_days(rule_.by_day), rule_.week_start}, {}};
    const auto day = day_of_mask(mask_of_days(rule_.by_day));
    const int position = plain && rule_.by_set_pos.size() == 1 ? rule_.by_set_pos.front()
                         : single                              ? ordinal
                                                               : 0;
    const auto index = index_of(position);
    if (!day || !index || (!plain && !rule_.by_set_pos.empty()))
      return cannot("EWS cannot count days within a year");
    // The first to fourth of a year are those of January, the last is that of December.
    return Reading{RelativeYearlyPattern{position < 0 ? 12 : 1, *day, *index}, {}};
  }

  const RecurrenceRule& rule_;
  const CivilTime& start_;
  int month_;
  int day_;
};

std::string limit_of(const RecurrencePattern& pattern) {
  const int interval = std::visit(
      [](const auto& chosen) {
        if constexpr (requires { chosen.interval; })
          return chosen.interval;
        else
          return 1;
      },
      pattern);
  const int limit =
      std::holds_alternative<DailyPattern>(pattern) ? daily_interval_limit : other_interval_limit;
  return interval > limit ? fmt::format("Exchange accepts no interval over {}", limit) : std::string();
}

/// The first occurrences of both are the same, and end the same way if they end within them.
bool are_equal(const RecurrenceRule& rule, const CivilTime& start, seconds until_offset, bool drop_start,
               const Recurrence& recurrence) {
  ExpansionLimits limits;
  limits.max_occurrences = 100;
  RuleExpansion rules = expand(rule, start, limits, until_offset);
  if (drop_start && rules.start_is_extra && !rules.occurrences.empty())
    rules.occurrences.erase(rules.occurrences.begin());
  const PatternExpansion patterns = expand(recurrence, limits);
  const std::size_t common = std::min(rules.occurrences.size(), patterns.days.size());
  if (rules.end == Expansion::End::ended && rules.occurrences.size() != patterns.days.size()) return false;
  if (patterns.end == Expansion::End::ended && rules.occurrences.size() != patterns.days.size()) return false;
  for (std::size_t i = 0; i < common; ++i) {
    if (day_of(rules.occurrences[i]) != patterns.days[i]) return false;
  }
  return true;
}

}  // namespace

std::optional<RecurrenceRule> to_rrule(const Recurrence& recurrence, const CivilTime& start) {
  RecurrenceRule rule;
  if (!std::visit(ToRule{rule}, recurrence.pattern)) return std::nullopt;
  if (const auto* numbered = std::get_if<RecurrenceRange::Numbered>(&recurrence.range.end)) {
    rule.count = numbered->number_of_occurrences;
  } else if (const auto* end = std::get_if<Date>(&recurrence.range.end)) {
    CivilTime until{days_of(*end), start.is_date, std::nullopt};
    if (!start.is_date) {
      until.time += start.time - day_of(start.time);
      if (start.offset == seconds{0}) until.offset = seconds{0};
    }
    rule.until = until;
  }
  return rule;
}

EwsForm to_ews(const RecurrenceRule& rule, const CivilTime& start, bool start_excluded,
               seconds until_offset) {
  EwsForm form;
  const auto refuse = [&form](std::string why) {
    form.notes.push_back("ews is null: " + std::move(why));
    return form;
  };
  ExpansionLimits first_only;
  first_only.max_occurrences = 2;
  const RuleExpansion head = expand(rule, start, first_only, until_offset);
  if (head.start_is_extra && !start_excluded) {
    return refuse("EWS does not count a start that its pattern does not give");
  }
  Reading reading = RuleReading(rule, start).read();
  if (!reading.pattern) return refuse(std::move(reading.why));
  if (std::string why = limit_of(*reading.pattern); !why.empty()) return refuse(std::move(why));
  if (head.occurrences.empty()) return refuse("the rule has no occurrence");

  Recurrence recurrence{*reading.pattern, {date_of(start.time), RecurrenceRange::NoEnd{}}};
  if (rule.until) {
    const bool local = rule.until->offset && !start.is_date;
    local_seconds last = local ? rule.until->time + until_offset : rule.until->time;
    const seconds time_of_day = start.time - day_of(start.time);
    const bool too_early = !start.is_date && !rule.until->is_date && last - day_of(last) < time_of_day;
    recurrence.range.end = date_of(day_of(last) - chrono::days{too_early ? 1 : 0});
  } else if (rule.count) {
    const int number = *rule.count - (head.start_is_extra ? 1 : 0);
    if (number < 1) return refuse("nothing is left without its start");
    if (number <= numbered_limit) {
      recurrence.range.end = RecurrenceRange::Numbered{number};
    } else {
      ExpansionLimits limits;
      limits.max_occurrences = static_cast<std::size_t>(*rule.count);
      const RuleExpansion whole = expand(rule, start, limits, until_offset);
      if (whole.end == Expansion::End::steps_spent) return refuse("the series ends too far away");
      recurrence.range.end = date_of(whole.occurrences.back());
      form.notes.push_back(fmt::format(
          "Exchange counts no more than {} occurrences: the end is said as a date", numbered_limit));
    }
  }
  if (!are_equal(rule, start, until_offset, start_excluded, recurrence)) {
    return refuse("no EWS pattern gives the same dates");
  }
  form.recurrence = std::move(recurrence);
  return form;
}

}  // namespace syncline::time
