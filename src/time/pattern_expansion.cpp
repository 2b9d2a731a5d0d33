// SPDX-License-Identifier: GPL-3.0-or-later
// EWS patterns, by their own arithmetic and not through RRULE: the two are tested against each other.
#include <algorithm>

#include "time/expansion.hpp"

namespace syncline::time {
namespace {

namespace chrono = std::chrono;
using namespace model;

class PatternWalk {
 public:
  PatternWalk(const Recurrence& recurrence, const ExpansionLimits& limits)
      : start_(days_of(recurrence.range.start)),
        last_(limits.last_day),
        limits_(limits),
        most_(limits.max_occurrences) {
    if (const auto* end = std::get_if<Date>(&recurrence.range.end)) last_ = std::min(last_, days_of(*end));
    if (const auto* numbered = std::get_if<RecurrenceRange::Numbered>(&recurrence.range.end)) {
      number_ = static_cast<std::size_t>(std::max(numbered->number_of_occurrences, 0));
    }
    last_ = std::min(last_, local_days{chrono::year{last_year} / chrono::December / 31});
  }

  PatternExpansion run(const RecurrencePattern& pattern) {
    if (number_ != 0) std::visit([this](const auto& chosen) { walk(chosen); }, pattern);
    return std::move(result_);
  }

 private:
  /// False when there is nothing more to look for.
  bool step() {
    if (++steps_ > limits_.max_steps) {
      result_.end = Expansion::End::steps_spent;
      return false;
    }
    return true;
  }
  bool offer(local_days day) {
    if (!step()) return false;
    if (day < start_) return true;
    if (day > last_) return false;
    if (result_.days.size() == most_) {
      result_.end = Expansion::End::more;
      return false;
    }
    result_.days.push_back(day);
    return result_.days.size() != number_;
  }

  void walk(const DailyPattern& pattern) {
    for (local_days day = start_; offer(day);) day += chrono::days{pattern.interval};
  }

  void walk(const WeeklyPattern& pattern) {
    const chrono::weekday first = pattern.first_day_of_week.value_or(chrono::Sunday);
    local_days week = start_ - (chrono::weekday{start_} - first);
    for (; week <= last_; week += chrono::weeks{pattern.interval}) {
      if (!step()) return;
      for (int i = 0; i < 7; ++i) {
        const local_days day = week + chrono::days{i};
        if ((mask_of(chrono::weekday{day}) & pattern.days) != 0 && !offer(day)) return;
      }
    }
  }

  /// Every `interval`-th month from that of the start, `day_of(year, month)` in each.
  template <class DayOf>
  void walk_months(int year, int month, int interval, DayOf day_of_month) {
    while (year <= last_year) {
      if (!offer(day_of_month(year, month))) return;
      month += interval;
      year += (month - 1) / 12;
      month = (month - 1) % 12 + 1;
    }
  }
  static local_days absolute(int year, int month, int day) {
    const int real = std::min(day, days_in_month(year, month));
    return days_of(chrono::year{year} / month / real);
  }
  static local_days relative(int year, int month, DayOfWeek day, DayOfWeekIndex index) {
    const int position = index == DayOfWeekIndex::last ? -1 : static_cast<int>(index);
    // Every set of days comes four times at least in the shortest month.
    return *nth_day_in_month(year, month, mask_of(day), position);
  }
  int start_year() const { return static_cast<int>(date_of(start_).year()); }
  int start_month() const { return static_cast<int>(static_cast<unsigned>(date_of(start_).month())); }

  void walk(const AbsoluteMonthlyPattern& pattern) {
    walk_months(start_year(), start_month(), pattern.interval,
                [&](int year, int month) { return absolute(year, month, pattern.day_of_month); });
  }
  void walk(const RelativeMonthlyPattern& pattern) {
    walk_months(start_year(), start_month(), pattern.interval,
                [&](int year, int month) { return relative(year, month, pattern.day, pattern.index); });
  }
  void walk(const AbsoluteYearlyPattern& pattern) {
    walk_months(start_year(), pattern.month, 12,
                [&](int year, int month) { return absolute(year, month, pattern.day_of_month); });
  }
  void walk(const RelativeYearlyPattern& pattern) {
    walk_months(start_year(), pattern.month, 12,
                [&](int year, int month) { return relative(year, month, pattern.day, pattern.index); });
  }
  void walk(const RegenerationPattern&) { offer(start_); }

  local_days start_;
  local_days last_;
  ExpansionLimits limits_;
  std::size_t most_;
  std::size_t number_ = SIZE_MAX;
  std::uint64_t steps_ = 0;
  PatternExpansion result_;
};

bool is_sound(const Recurrence& recurrence) {
  const auto interval = [](const auto& pattern) {
    if constexpr (requires { pattern.interval; })
      return pattern.interval;
    else
      return 1;
  };
  const auto month = [](const auto& pattern) {
    if constexpr (requires { pattern.month; })
      return pattern.month;
    else
      return 1;
  };
  const auto day = [](const auto& pattern) {
    if constexpr (requires { pattern.day_of_month; })
      return pattern.day_of_month;
    else
      return 1;
  };
  const int steps = std::visit(interval, recurrence.pattern);
  const int named_month = std::visit(month, recurrence.pattern);
  const int named_day = std::visit(day, recurrence.pattern);
  return recurrence.range.start.ok() && steps >= 1 && steps <= rule_interval_limit && named_month >= 1 &&
         named_month <= 12 && named_day >= 1 && named_day <= 31;
}

}  // namespace

PatternExpansion expand(const Recurrence& recurrence, const ExpansionLimits& limits) {
  if (!is_sound(recurrence)) return {};
  return PatternWalk(recurrence, limits).run(recurrence.pattern);
}

}  // namespace syncline::time
