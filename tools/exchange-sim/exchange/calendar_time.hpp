// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Points in time and days as the test Exchange counts them: plain integers, independent of src/time
// (invariant 31).
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace exchange_sim {

using Seconds = std::int64_t;  ///< since 1970-01-01T00:00:00, UTC or a wall clock's, by the name
using Day = std::int64_t;      ///< days since 1970-01-01

inline constexpr Seconds kDaySeconds = 86400;

struct CivilDate {
  int year;
  int month;  ///< 1…12
  int day;    ///< 1…31
};

CivilDate civil(Day day) noexcept;
Day day_of(int year, int month, int day) noexcept;
int days_in_month(int year, int month) noexcept;
/// 0 is Sunday.
int weekday(Day day) noexcept;
/// Rounds down, for times before 1970 too.
Day day_of_seconds(Seconds seconds) noexcept;

struct ParsedTime {
  Seconds wall = 0;                     ///< the date and time as written
  std::optional<int> offset_minutes{};  ///< east of UTC is positive; nothing: none was written
  Seconds utc() const noexcept { return wall - offset_minutes.value_or(0) * Seconds{60}; }
};

/// xs:dateTime or xs:date, years 1…9999; fractions of a second are dropped.
std::optional<ParsedTime> parse_time(std::string_view text) noexcept;
/// The day of an xs:date; a zone behind it is passed over.
std::optional<Day> parse_day(std::string_view text) noexcept;

std::string format_utc(Seconds utc);    ///< "2026-03-01T08:00:00Z"
std::string format_wall(Seconds wall);  ///< the same without Z
std::string format_day(Day day);        ///< "2026-03-01"
/// xs:duration of minutes: "PT90M", "-PT60M"
std::string format_minutes(std::int64_t minutes);
/// Minutes of an xs:duration without years and months; nullopt if it is none.
std::optional<std::int64_t> parse_minutes(std::string_view duration) noexcept;

}  // namespace exchange_sim
