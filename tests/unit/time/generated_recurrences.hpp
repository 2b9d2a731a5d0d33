// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <chrono>
#include <random>

#include "model/recurrence.hpp"
#include "time/civil.hpp"

namespace syncline::time::testing {

/// Patterns and ranges of every kind, the same for the same seed.
class RecurrenceGenerator {
 public:
  explicit RecurrenceGenerator(unsigned seed) : random_(seed) {}
  int number(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  /// Starts within `start_days` days from the first of January 2018.
  model::Recurrence recurrence(int start_days = 2000) {
    model::Recurrence made{
        pattern(),
        {date_of(start() + std::chrono::days{number(0, start_days)}), model::RecurrenceRange::NoEnd{}}};
    const int range = number(0, 2);
    if (range == 1) made.range.end = model::RecurrenceRange::Numbered{number(1, 30)};
    if (range == 2) made.range.end = date_of(days_of(made.range.start) + std::chrono::days{number(0, 1500)});
    return made;
  }

 private:
  static local_days start() { return days_of(std::chrono::year{2018} / std::chrono::January / 1); }
  model::RecurrencePattern pattern() {
    const auto day = [this] { return static_cast<model::DayOfWeek>(number(0, 9)); };
    const auto index = [this] { return static_cast<model::DayOfWeekIndex>(number(0, 4)); };
    switch (number(0, 5)) {
      case 0:
        return model::DailyPattern{number(1, 20)};
      case 1: {
        model::WeeklyPattern weekly{number(1, 5), static_cast<model::WeekdayMask>(number(1, 127)),
                                    std::nullopt};
        if (number(0, 3) != 0)
          weekly.first_day_of_week = std::chrono::weekday{static_cast<unsigned>(number(0, 6))};
        return weekly;
      }
      case 2:
        return model::AbsoluteMonthlyPattern{number(1, 14), number(1, 31)};
      case 3:
        return model::RelativeMonthlyPattern{number(1, 14), day(), index()};
      case 4:
        return model::AbsoluteYearlyPattern{number(1, 12), number(1, 31)};
      default:
        return model::RelativeYearlyPattern{number(1, 12), day(), index()};
    }
  }
  std::mt19937 random_;
};

}  // namespace syncline::time::testing
