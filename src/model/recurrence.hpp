// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A recurrence as EWS says it (types.xsd: RecurrenceType, TaskRecurrenceType), and the exceptions of a
// series. Values only; what they mean in days is in src/time.
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace syncline::model {

using Date = std::chrono::year_month_day;

/// EWS DayOfWeekType: seven days and three sets.
enum class DayOfWeek : std::uint8_t {
  sunday,
  monday,
  tuesday,
  wednesday,
  thursday,
  friday,
  saturday,
  day,          ///< any day
  weekday,      ///< Monday to Friday
  weekend_day,  ///< Saturday or Sunday
};

/// Days of the week as bits: bit 0 Sunday … bit 6 Saturday.
using WeekdayMask = std::uint8_t;
constexpr WeekdayMask every_day_mask = 0x7f;
constexpr WeekdayMask weekday_mask = 0x3e;
constexpr WeekdayMask weekend_mask = 0x41;

constexpr WeekdayMask mask_of(std::chrono::weekday day) {
  return static_cast<WeekdayMask>(1U << day.c_encoding());
}
constexpr WeekdayMask mask_of(DayOfWeek day) {
  switch (day) {
    case DayOfWeek::day:
      return every_day_mask;
    case DayOfWeek::weekday:
      return weekday_mask;
    case DayOfWeek::weekend_day:
      return weekend_mask;
    default:
      return static_cast<WeekdayMask>(1U << static_cast<unsigned>(day));
  }
}

enum class DayOfWeekIndex : std::uint8_t { first, second, third, fourth, last };

/// Every `interval` days.
struct DailyPattern {
  int interval = 1;
  friend bool operator==(const DailyPattern&, const DailyPattern&) = default;
};
/// On `days` of every `interval`-th week; weeks begin on `first_day_of_week` (absent before Exchange 2010:
/// Sunday).
struct WeeklyPattern {
  int interval = 1;
  WeekdayMask days = 0;
  std::optional<std::chrono::weekday> first_day_of_week = std::nullopt;
  friend bool operator==(const WeeklyPattern&, const WeeklyPattern&) = default;
};
/// On `day_of_month` (1 to 31) of every `interval`-th month; in a shorter month on its last day.
struct AbsoluteMonthlyPattern {
  int interval = 1;
  int day_of_month = 1;
  friend bool operator==(const AbsoluteMonthlyPattern&, const AbsoluteMonthlyPattern&) = default;
};
/// "The last weekday of every second month".
struct RelativeMonthlyPattern {
  int interval = 1;
  DayOfWeek day = DayOfWeek::day;
  DayOfWeekIndex index = DayOfWeekIndex::first;
  friend bool operator==(const RelativeMonthlyPattern&, const RelativeMonthlyPattern&) = default;
};
/// On `day_of_month` of `month` (1 to 12); 29 February is 28 February in common years.
struct AbsoluteYearlyPattern {
  int month = 1;
  int day_of_month = 1;
  friend bool operator==(const AbsoluteYearlyPattern&, const AbsoluteYearlyPattern&) = default;
};
struct RelativeYearlyPattern {
  int month = 1;
  DayOfWeek day = DayOfWeek::day;
  DayOfWeekIndex index = DayOfWeekIndex::first;
  friend bool operator==(const RelativeYearlyPattern&, const RelativeYearlyPattern&) = default;
};
/// Tasks only: a new task `interval` units after the last was completed, so only the first date can be known.
struct RegenerationPattern {
  enum class Unit : std::uint8_t { daily, weekly, monthly, yearly };
  Unit unit = Unit::daily;
  int interval = 1;
  friend bool operator==(const RegenerationPattern&, const RegenerationPattern&) = default;
};

using RecurrencePattern =
    std::variant<DailyPattern, WeeklyPattern, AbsoluteMonthlyPattern, RelativeMonthlyPattern,
                 AbsoluteYearlyPattern, RelativeYearlyPattern, RegenerationPattern>;

/// Dates are of the series' zone. `start` is not an occurrence unless the pattern gives it.
struct RecurrenceRange {
  struct NoEnd {
    friend bool operator==(const NoEnd&, const NoEnd&) = default;
  };
  struct Numbered {
    int number_of_occurrences = 1;
    friend bool operator==(const Numbered&, const Numbered&) = default;
  };
  Date start{};
  std::variant<NoEnd, Date, Numbered> end = NoEnd{};  ///< a Date is the last day that may have an occurrence
  friend bool operator==(const RecurrenceRange&, const RecurrenceRange&) = default;
};

struct Recurrence {
  RecurrencePattern pattern;
  RecurrenceRange range;
  friend bool operator==(const Recurrence&, const Recurrence&) = default;
};

/// Which occurrence of a series: the date, in the series' zone, on which the pattern puts it. EWS has never
/// two occurrences of a series on one day, and the date survives a changed time of day.
struct OccurrenceId {
  Date original_date{};
  friend bool operator==(const OccurrenceId&, const OccurrenceId&) = default;
  friend auto operator<=>(const OccurrenceId&, const OccurrenceId&) = default;
};

/// Fields by their record name (docs: records), each as its JSON text. Absent: not said; nullopt: known
/// empty.
using FieldTexts = std::map<std::string, std::optional<std::string>>;

/// A patch over the master: what it does not say is inherited (a status-only exception must not blank the
/// title).
struct ModifiedOccurrence {
  OccurrenceId id;
  /// Wall clock of the series' zone; for all-day series midnight, `end` exclusive.
  std::optional<std::chrono::local_seconds> start;
  std::optional<std::chrono::local_seconds> end;
  FieldTexts fields;
  friend bool operator==(const ModifiedOccurrence&, const ModifiedOccurrence&) = default;
};

struct DeletedOccurrence {
  OccurrenceId id;
  friend bool operator==(const DeletedOccurrence&, const DeletedOccurrence&) = default;
};

}  // namespace syncline::model
