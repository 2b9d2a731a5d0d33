// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Recurrences, expanded by walking days one by one: slow, plain, and unlike the expansion it is there to
// check.
#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "tools/exchange-sim/exchange/calendar_time.hpp"
#include "tools/exchange-sim/exchange/xml.hpp"

namespace exchange_sim {

struct Recurrence {
  enum class Pattern {
    daily,
    weekly,
    absolute_monthly,
    relative_monthly,
    absolute_yearly,
    relative_yearly,
    daily_regeneration,  // tasks only, from here on
    weekly_regeneration,
    monthly_regeneration,
    yearly_regeneration,
  };
  Pattern pattern = Pattern::daily;
  int interval = 1;
  unsigned days = 0;  ///< bit 0 is Sunday; relative patterns: the days one of which is meant
  int index = 1;      ///< relative patterns: 1…4, 5 is the last
  int day_of_month = 1;
  int month = 1;
  int first_day_of_week = 0;  ///< weekly
  bool has_first_day = false;
  Day start = 0;
  std::optional<Day> end;    ///< EndDateRecurrence, inclusive
  std::optional<int> count;  ///< NumberedRecurrence

  bool regenerates() const noexcept { return pattern >= Pattern::daily_regeneration; }
};

/// From the children of t:Recurrence. Errors, domain ews: "ErrorCalendarInvalidRecurrence" and its kin.
syncline::Result<Recurrence> read_recurrence(const Element& element, bool for_task);
/// The children of t:Recurrence.
std::string write_recurrence(const Recurrence& recurrence);

/// Whether the pattern falls on this day, range aside (but never before its start).
bool falls_on(const Recurrence& recurrence, Day day) noexcept;

/// Calls `visit(day, index)` with each day of the series up to `last` in order, index from 1, deleted ones
/// not known here; stops when it returns false. A series without end is walked at most to the year 4500, as
/// Outlook does.
void walk(const Recurrence& recurrence, Day last, const std::function<bool(Day, std::size_t)>& visit);

/// First day of the series; nullopt if it has none.
std::optional<Day> first_day(const Recurrence& recurrence);
/// Last day; nullopt if it has no end or no day.
std::optional<Day> last_day(const Recurrence& recurrence);
/// The next due day of a regenerating task finished on `done`.
Day regenerate(const Recurrence& recurrence, Day done) noexcept;

}  // namespace exchange_sim
