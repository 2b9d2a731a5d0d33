// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/exchange/calendar_time.hpp"

#include <cstdio>

#include "base/text.hpp"

namespace exchange_sim {
namespace {

/// `count` digits at the front of `text`, taken off it.
std::optional<int> digits(std::string_view& text, std::size_t count) noexcept {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) noexcept {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

// Days from civil and back: Gregorian calendar counted in eras of 400 years that begin on 1 March.
Day day_of(int year, int month, int day) noexcept {
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t of_era = y - era * 400;
  const std::int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

CivilDate civil(Day day) noexcept {
  const std::int64_t z = day + 719468;
  const std::int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const std::int64_t of_era = z - era * 146097;
  const std::int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const std::int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month_index = (5 * of_year + 2) / 153;
  const int month = static_cast<int>(month_index < 10 ? month_index + 3 : month_index - 9);
  return {static_cast<int>(year_of_era + era * 400 + (month <= 2 ? 1 : 0)), month,
          static_cast<int>(of_year - (153 * month_index + 2) / 5 + 1)};
}

int days_in_month(int year, int month) noexcept {
  constexpr int kLengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kLengths[month - 1];
}

int weekday(Day day) noexcept {
  return static_cast<int>(((day + 4) % 7 + 7) % 7);
}

Day day_of_seconds(Seconds seconds) noexcept {
  return seconds >= 0 ? seconds / kDaySeconds : -((-seconds + kDaySeconds - 1) / kDaySeconds);
}

std::optional<ParsedTime> parse_time(std::string_view text) noexcept {
  text = syncline::text::trim(text);
  const auto year = digits(text, 4);
  if (!year || *year < 1 || !take(text, '-')) return std::nullopt;
  const auto month = digits(text, 2);
  if (!month || *month < 1 || *month > 12 || !take(text, '-')) return std::nullopt;
  const auto day = digits(text, 2);
  if (!day || *day < 1 || *day > days_in_month(*year, *month)) return std::nullopt;
  ParsedTime parsed;
  parsed.wall = day_of(*year, *month, *day) * kDaySeconds;
  if (take(text, 'T')) {
    const auto hour = digits(text, 2);
    if (!hour || *hour > 24 || !take(text, ':')) return std::nullopt;
    const auto minute = digits(text, 2);
    if (!minute || *minute > 59 || !take(text, ':')) return std::nullopt;
    const auto second = digits(text, 2);
    if (!second || *second > 59) return std::nullopt;
    parsed.wall += *hour * 3600 + *minute * 60 + *second;
    if (take(text, '.')) {
      if (!digits(text, 1)) return std::nullopt;
      while (digits(text, 1)) {
      }
    }
  }
  if (text.empty()) return parsed;
  if (take(text, 'Z')) {
    parsed.offset_minutes = 0;
  } else if (text.front() == '+' || text.front() == '-') {
    const int sign = text.front() == '-' ? -1 : 1;
    text.remove_prefix(1);
    const auto hour = digits(text, 2);
    if (!hour || *hour > 14 || !take(text, ':')) return std::nullopt;
    const auto minute = digits(text, 2);
    if (!minute || *minute > 59) return std::nullopt;
    parsed.offset_minutes = sign * (*hour * 60 + *minute);
  }
  return text.empty() ? std::optional(parsed) : std::nullopt;
}

std::optional<Day> parse_day(std::string_view text) noexcept {
  const auto parsed = parse_time(text);
  return parsed ? std::optional(day_of_seconds(parsed->wall)) : std::nullopt;
}

std::string format_wall(Seconds wall) {
  const Day day = day_of_seconds(wall);
  const CivilDate date = civil(day);
  const int rest = static_cast<int>(wall - day * kDaySeconds);
  char buffer[64];
  const int length = std::snprintf(buffer, sizeof buffer, "%04d-%02d-%02dT%02d:%02d:%02d", date.year,
                                   date.month, date.day, rest / 3600, rest / 60 % 60, rest % 60);
  return std::string(buffer, static_cast<std::size_t>(length));
}

std::string format_utc(Seconds utc) {
  return format_wall(utc) + 'Z';
}

std::string format_day(Day day) {
  return format_wall(day * kDaySeconds).substr(0, 10);
}

std::string format_minutes(std::int64_t minutes) {
  std::string out = minutes < 0 ? "-PT" : "PT";
  out += std::to_string(minutes < 0 ? -minutes : minutes);
  return out + 'M';
}

std::optional<std::int64_t> parse_minutes(std::string_view duration) noexcept {
  duration = syncline::text::trim(duration);
  const bool negative = take(duration, '-');
  if (!take(duration, 'P') || duration.empty()) return std::nullopt;
  bool in_time = false;
  std::int64_t seconds = 0;
  while (!duration.empty()) {
    if (take(duration, 'T')) {
      in_time = true;
      continue;
    }
    std::int64_t number = 0;
    std::size_t count = 0;
    while (const auto digit = digits(duration, 1)) {
      if (++count > 9) return std::nullopt;
      number = number * 10 + *digit;
    }
    if (take(duration, '.')) {
      while (digits(duration, 1)) {
      }
    }
    if (count == 0) return std::nullopt;
    if (!in_time && take(duration, 'D')) {
      seconds += number * kDaySeconds;
    } else if (in_time && take(duration, 'H')) {
      seconds += number * 3600;
    } else if (in_time && take(duration, 'M')) {
      seconds += number * 60;
    } else if (in_time && take(duration, 'S')) {
      seconds += number;
    } else {
      return std::nullopt;
    }
  }
  const std::int64_t minutes = seconds / 60;
  return negative ? -minutes : minutes;
}

}  // namespace exchange_sim
