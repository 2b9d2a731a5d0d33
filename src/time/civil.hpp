// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Dates and wall clocks as text, and small calendar arithmetic. Proleptic Gregorian, years 1 to 9999.
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "model/recurrence.hpp"

namespace syncline::time {

using model::Date;
using std::chrono::local_days;
using std::chrono::local_seconds;
using std::chrono::seconds;
using std::chrono::sys_seconds;

/// A date, or a date and time of day, as a peer wrote it.
struct CivilTime {
  local_seconds time{};  ///< wall clock; midnight for a date
  bool is_date = false;
  std::optional<seconds> offset = {};  ///< east of UTC if the text said one; 0 for `Z`

  friend bool operator==(const CivilTime&, const CivilTime&) = default;
};

/// "2026-11-22", "20261122", "2026-11-22T09:00:00", "20261122T090000", with fraction (dropped) and `Z` or
/// ±hh:mm. A date may carry an offset too (xs:date: "2014-03-08-08:00"). Second 60 is read as 59. nullopt for
/// anything else, impossible dates and years outside 1 to 9999.
std::optional<CivilTime> parse_civil(std::string_view text);

/// "2026-11-22"
std::string format_date(local_days day);
/// "2026-11-22T09:00:00"
std::string format_local(local_seconds time);
/// "2026-11-22T09:00:00Z"
std::string format_utc(sys_seconds time);
/// "+01:00", "-03:30"; "+00:19:32" where seconds matter
std::string format_offset(seconds offset);

/// xs:duration without years and months ("-PT60M", "PT1H30M", "P1DT2H"), fraction dropped; nullopt if it is
/// none, or beyond ±10,000 days.
std::optional<seconds> parse_duration(std::string_view text);
/// "-PT60M" as Exchange writes biases; seconds only where needed ("PT19M32S").
std::string format_duration(seconds duration);

inline local_days day_of(local_seconds time) {
  return std::chrono::floor<std::chrono::days>(time);
}
inline Date date_of(local_days day) {
  return Date{day};
}
inline Date date_of(local_seconds time) {
  return Date{day_of(time)};
}
inline local_days days_of(Date date) {
  return local_days{date};
}
int days_in_month(int year, int month);
/// The `index`-th (0 based) day of `mask` in that month, or the last for -1; nullopt if there are not so
/// many.
std::optional<local_days> nth_day_in_month(int year, int month, model::WeekdayMask mask, int index);

constexpr int first_year = 1;
constexpr int last_year = 9999;

}  // namespace syncline::time
