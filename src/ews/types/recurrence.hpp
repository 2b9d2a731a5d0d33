// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Recurrence of appointments and tasks: one pattern and one range (MS-OXWSCDATA 2.2.4.58 and following).
#include <optional>
#include <variant>
#include <vector>

#include "ews/types/date_time.hpp"
#include "ews/types/enums.hpp"
#include "ews/types/ids.hpp"

namespace syncline::ews {

struct RelativeYearlyPattern {
  std::vector<Open<DayOfWeek>> days;  ///< the protocol's one value; a list is tolerated when reading
  Open<DayOfWeekIndex> index;
  Open<Month> month;
  bool operator==(const RelativeYearlyPattern&) const = default;
};
struct AbsoluteYearlyPattern {
  int day_of_month = 1;
  Open<Month> month;
  bool operator==(const AbsoluteYearlyPattern&) const = default;
};
struct RelativeMonthlyPattern {
  int interval = 1;
  std::vector<Open<DayOfWeek>> days;
  Open<DayOfWeekIndex> index;
  bool operator==(const RelativeMonthlyPattern&) const = default;
};
struct AbsoluteMonthlyPattern {
  int interval = 1;
  int day_of_month = 1;  ///< 31: the month's last day
  bool operator==(const AbsoluteMonthlyPattern&) const = default;
};
struct WeeklyPattern {
  int interval = 1;
  std::vector<Open<DayOfWeek>> days;
  std::optional<Open<DayOfWeek>> first_day_of_week = std::nullopt;
  bool operator==(const WeeklyPattern&) const = default;
};
struct DailyPattern {
  int interval = 1;
  bool operator==(const DailyPattern&) const = default;
};
/// Tasks only: the next one comes `interval` units after this one was completed.
struct RegeneratingPattern {
  enum class Unit { day, week, month, year };
  Unit unit = Unit::day;
  int interval = 1;
  bool operator==(const RegeneratingPattern&) const = default;
};

/// std::monostate: the server sent no pattern we know.
using RecurrencePattern =
    std::variant<std::monostate, RelativeYearlyPattern, AbsoluteYearlyPattern, RelativeMonthlyPattern,
                 AbsoluteMonthlyPattern, WeeklyPattern, DailyPattern, RegeneratingPattern>;

struct NoEndRange {
  Date start;
  bool operator==(const NoEndRange&) const = default;
};
struct EndDateRange {
  Date start;
  Date end;
  bool operator==(const EndDateRange&) const = default;
};
struct NumberedRange {
  Date start;
  int count = 1;
  bool operator==(const NumberedRange&) const = default;
};

using RecurrenceRange = std::variant<std::monostate, NoEndRange, EndDateRange, NumberedRange>;

struct Recurrence {
  RecurrencePattern pattern;
  RecurrenceRange range;
  bool operator==(const Recurrence&) const = default;
};

/// An occurrence that was changed, or the first or last one of a series.
struct Occurrence {
  ItemId item_id;
  DateTime start;
  DateTime end;
  DateTime original_start;
  bool operator==(const Occurrence&) const = default;
};

}  // namespace syncline::ews
