// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/imap/internal_date.hpp"

#include <array>
#include <chrono>
#include <cstdio>

#include "base/text.hpp"

namespace syncline::imap {
namespace {

using namespace std::chrono;

constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// Two or four digits; -1 for anything else.
int digits(std::string_view text) noexcept {
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

std::optional<SystemTime> parse_internal_date(std::string_view text) noexcept {
  text = text::trim(text);
  if (text.size() == 25) {  // day without its leading blank or zero
    if (text[1] != '-') return std::nullopt;
  } else if (text.size() != 26) {
    return std::nullopt;
  }
  const std::size_t day_length = text.size() - 24;
  const std::string_view day_text = text::trim(text.substr(0, day_length));
  const std::string_view rest = text.substr(day_length);  // "-Jul-1996 02:44:25 -0700"
  if (rest[0] != '-' || rest[4] != '-' || rest[9] != ' ' || rest[12] != ':' || rest[15] != ':' ||
      rest[18] != ' ')
    return std::nullopt;
  unsigned number = 0;
  for (unsigned i = 0; i < months.size(); ++i)
    if (text::equals_ignore_case(rest.substr(1, 3), months[i])) number = i + 1;
  const int day_of_month = digits(day_text);
  const int year_number = digits(rest.substr(5, 4));
  const int hour = digits(rest.substr(10, 2));
  const int minute = digits(rest.substr(13, 2));
  const int second = digits(rest.substr(16, 2));
  const int zone_hour = digits(rest.substr(20, 2));
  const int zone_minute = digits(rest.substr(22, 2));
  const char sign = rest[19];
  if (number == 0 || day_of_month < 1 || year_number < 0 || hour < 0 || hour > 23 || minute < 0 ||
      minute > 59 || second < 0 || second > 60 || zone_hour < 0 || zone_minute < 0 || zone_minute > 59 ||
      (sign != '+' && sign != '-'))
    return std::nullopt;
  const year_month_day date{year(year_number), month(number), day(static_cast<unsigned>(day_of_month))};
  if (!date.ok()) return std::nullopt;
  const minutes offset = hours(zone_hour) + minutes(zone_minute);
  const auto local = sys_days(date) + hours(hour) + minutes(minute) + seconds(second);
  return time_point_cast<milliseconds>(sign == '-' ? local + offset : local - offset);
}

std::string format_internal_date(SystemTime time) {
  const auto days_part = floor<days>(time);
  const hh_mm_ss<seconds> clock(floor<seconds>(time - days_part));
  char text[16];
  std::snprintf(text, sizeof text, " %02d:%02d:%02d", static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
  return format_search_date(time) + text + " +0000";
}

std::string format_search_date(SystemTime time) {
  const year_month_day date(floor<days>(time));
  char text[24];
  std::snprintf(text, sizeof text, "%02u-%s-%04d", static_cast<unsigned>(date.day()),
                std::string(months[static_cast<unsigned>(date.month()) - 1]).c_str(),
                static_cast<int>(date.year()));
  return text;
}

}  // namespace syncline::imap
