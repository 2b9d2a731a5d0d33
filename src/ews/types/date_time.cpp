// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/types/date_time.hpp"

#include <array>
#include <cstdlib>

#include "base/text.hpp"

namespace syncline::ews {
namespace {

constexpr std::int64_t ms_per_day = 24 * 60 * 60 * 1000;
// Enough for 0000-01-01 to 9999-12-31 with any offset; keeps all arithmetic far from overflow.
constexpr std::int64_t min_ms = -719'529 * ms_per_day;
constexpr std::int64_t max_ms = 2'932'897 * ms_per_day;

// Days from 1970-01-01 in the proleptic Gregorian calendar, which is XML Schema's.
constexpr std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) noexcept {
  year -= month <= 2;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const auto year_of_era = static_cast<unsigned>(year - era * 400);
  const unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + static_cast<std::int64_t>(day_of_era) - 719'468;
}

struct Civil {
  std::int64_t year;
  unsigned month;
  unsigned day;
};

constexpr Civil civil_from_days(std::int64_t days) noexcept {
  days += 719'468;
  const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const auto day_of_era = static_cast<unsigned>(days - era * 146'097);
  const unsigned year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned month_index = (5 * day_of_year + 2) / 153;
  const unsigned month = month_index < 10 ? month_index + 3 : month_index - 9;
  return {static_cast<std::int64_t>(year_of_era) + era * 400 + (month <= 2), month,
          day_of_year - (153 * month_index + 2) / 5 + 1};
}

constexpr unsigned days_in_month(std::int64_t year, unsigned month) noexcept {
  constexpr std::array<unsigned, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : days[month - 1];
}

// A cursor over the text; every read either takes what it wants or leaves the text alone.
class Reader {
 public:
  explicit Reader(std::string_view rest) : rest_(rest) {}
  bool take(char wanted) noexcept {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::optional<unsigned> digits(std::size_t at_least, std::size_t at_most) noexcept {
    std::size_t count = 0;
    unsigned value = 0;
    while (count < at_most && count < rest_.size() && rest_[count] >= '0' && rest_[count] <= '9')
      value = value * 10 + static_cast<unsigned>(rest_[count++] - '0');
    if (count < at_least) return std::nullopt;
    rest_.remove_prefix(count);
    return value;
  }
  bool done() const noexcept { return rest_.empty(); }
  bool at(char wanted) const noexcept { return !rest_.empty() && rest_.front() == wanted; }
  std::string_view rest() const noexcept { return rest_; }

 private:
  std::string_view rest_;
};

std::optional<Civil> read_date(Reader& in) {
  const auto year = in.digits(4, 4);
  if (!year || !in.take('-')) return std::nullopt;
  const auto month = in.digits(2, 2);
  if (!month || *month < 1 || *month > 12 || !in.take('-')) return std::nullopt;
  const auto day = in.digits(2, 2);
  if (!day || *day < 1 || *day > days_in_month(*year, *month)) return std::nullopt;
  return Civil{*year, *month, *day};
}

// Milliseconds since midnight; 24:00:00 is the end of the day (XML Schema part 2, 3.2.7.1).
std::optional<std::int64_t> read_time(Reader& in) {
  const auto hour = in.digits(2, 2);
  if (!hour || *hour > 24 || !in.take(':')) return std::nullopt;
  const auto minute = in.digits(2, 2);
  if (!minute || *minute > 59) return std::nullopt;
  std::int64_t ms = (static_cast<std::int64_t>(*hour) * 60 + *minute) * 60'000;
  if (in.take(':')) {
    const auto second = in.digits(2, 2);
    if (!second || *second > 60) return std::nullopt;
    ms += static_cast<std::int64_t>(*second) * 1000;
    if (in.take('.')) {
      std::int64_t scale = 100;
      std::size_t count = 0;
      while (const auto digit = in.digits(1, 1)) {
        ms += *digit * scale;
        scale /= 10;
        ++count;
      }
      if (count == 0) return std::nullopt;
    }
  }
  if (ms > ms_per_day) return std::nullopt;
  return ms;
}

struct Zone {
  bool given = false;
  std::int64_t offset_ms = 0;
};

std::optional<Zone> read_zone(Reader& in) {
  if (in.done()) return Zone{};
  if (in.take('Z') || in.take('z')) return Zone{true, 0};
  const bool west = in.at('-');
  if (!in.take('+') && !in.take('-')) return std::nullopt;
  const auto hour = in.digits(2, 2);
  if (!hour || *hour > 14) return std::nullopt;
  in.take(':');
  const auto minute = in.digits(2, 2);
  if (!minute || *minute > 59) return std::nullopt;
  const std::int64_t offset = (static_cast<std::int64_t>(*hour) * 60 + *minute) * 60'000;
  return Zone{true, west ? -offset : offset};
}

std::string padded(std::int64_t value, std::size_t width) {
  auto digits = std::to_string(value);
  return digits.size() < width ? std::string(width - digits.size(), '0') + digits : digits;
}

std::string format(std::int64_t ms) {
  std::int64_t days = ms / ms_per_day;
  std::int64_t rest = ms % ms_per_day;
  if (rest < 0) {
    rest += ms_per_day;
    --days;
  }
  const auto date = civil_from_days(days);
  auto out = padded(date.year, 4) + '-' + padded(date.month, 2) + '-' + padded(date.day, 2) + 'T' +
             padded(rest / 3'600'000, 2) + ':' + padded(rest / 60'000 % 60, 2) + ':' +
             padded(rest / 1000 % 60, 2);
  if (rest % 1000 != 0) out += '.' + padded(rest % 1000, 3);
  return out;
}

}  // namespace

DateTime DateTime::at(std::int64_t unix_ms) {
  DateTime time;
  if (unix_ms < min_ms || unix_ms >= max_ms) return time;
  time.form_ = Form::instant;
  time.ms_ = unix_ms;
  time.text_ = format(unix_ms) + 'Z';
  return time;
}

DateTime DateTime::wall_clock(std::int64_t local_ms) {
  DateTime time;
  if (local_ms < min_ms || local_ms >= max_ms) return time;
  time.form_ = Form::wall_clock;
  time.ms_ = local_ms;
  time.text_ = format(local_ms);
  return time;
}

DateTime DateTime::parse(std::string_view text) {
  DateTime time;
  time.text_ = text;
  Reader in(text::trim(text));
  const auto date = read_date(in);
  if (!date) return time;
  std::int64_t ms = days_from_civil(date->year, date->month, date->day) * ms_per_day;
  if (in.take('T') || in.take('t') || in.take(' ')) {
    const auto time_of_day = read_time(in);
    if (!time_of_day) return time;
    ms += *time_of_day;
  }
  const auto zone = read_zone(in);
  if (!zone || !in.done()) return time;
  time.form_ = zone->given ? Form::instant : Form::wall_clock;
  time.ms_ = ms - zone->offset_ms;
  return time;
}

std::optional<std::int64_t> DateTime::unix_ms() const noexcept {
  return form_ == Form::instant ? std::optional(ms_) : std::nullopt;
}

std::optional<std::int64_t> DateTime::wall_clock_ms() const noexcept {
  return form_ == Form::wall_clock ? std::optional(ms_) : std::nullopt;
}

Date Date::of(int year, unsigned month, unsigned day) {
  if (year < 0 || year > 9999 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
    return {};
  return {.year = year, .month = month, .day = day};
}

Date Date::parse(std::string_view text) {
  Reader in(text::trim(text));
  const auto date = read_date(in);
  Date result{.text = std::string(text)};
  if (!date) return result;
  // A time after the date is what some servers write; a zone says nothing about a date.
  if (in.take('T') && !read_time(in)) return result;
  if (!read_zone(in) || !in.done()) return result;
  result.year = static_cast<int>(date->year);
  result.month = date->month;
  result.day = date->day;
  return result;
}

std::string Date::to_xml() const {
  return valid() ? padded(year, 4) + '-' + padded(month, 2) + '-' + padded(day, 2) : text;
}

Duration Duration::of_seconds(std::int64_t seconds) {
  return {.seconds = seconds};
}

Duration Duration::parse(std::string_view text) {
  Duration result{.text = std::string(text)};
  Reader in(text::trim(text));
  const bool negative = in.take('-');
  if (!in.take('P')) return result;
  std::int64_t seconds = 0;
  bool any = false;
  bool in_time = false;
  // The order of designators is fixed, but nothing is lost by not insisting on it.
  while (!in.done()) {
    if (!in_time && in.take('T')) {
      in_time = true;
      continue;
    }
    const auto amount = in.digits(1, 7);
    if (!amount) return result;
    if (in_time && in.take('.')) {
      if (!in.digits(1, 9)) return result;
      if (!in.at('S')) return result;
    }
    if (!in_time && in.take('D')) {
      seconds += std::int64_t{*amount} * 86'400;
    } else if (in_time && in.take('H')) {
      seconds += std::int64_t{*amount} * 3600;
    } else if (in_time && in.take('M')) {
      seconds += std::int64_t{*amount} * 60;
    } else if (in_time && in.take('S')) {
      seconds += *amount;
    } else {
      return result;
    }
    any = true;
  }
  if (any) result.seconds = negative ? -seconds : seconds;
  return result;
}

std::string Duration::to_xml() const {
  if (!text.empty() || !seconds) return text;
  const auto amount = std::llabs(*seconds);
  std::string out = *seconds < 0 ? "-PT" : "PT";
  return amount % 60 == 0 ? out + std::to_string(amount / 60) + 'M' : out + std::to_string(amount) + 'S';
}

}  // namespace syncline::ews
