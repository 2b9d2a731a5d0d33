// SPDX-License-Identifier: GPL-3.0-or-later
#include "time/civil.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace syncline::time {
namespace {

namespace chrono = std::chrono;

class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}
  bool at_end() const { return rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  bool take(char wanted) {
    if (peek() != wanted || rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// Exactly `count` digits.
  std::optional<int> digits(unsigned count) {
    if (rest_.size() < count) return std::nullopt;
    int value = 0;
    for (unsigned i = 0; i < count; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return std::nullopt;
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }
  /// One to nine digits.
  std::optional<std::int64_t> number() {
    std::int64_t value = 0;
    unsigned count = 0;
    while (peek() >= '0' && peek() <= '9' && count < 10) {
      value = value * 10 + (peek() - '0');
      rest_.remove_prefix(1);
      ++count;
    }
    if (count == 0 || count > 9) return std::nullopt;
    return value;
  }
  /// ".123": read and dropped. False only for a dot without digits.
  bool skip_fraction() {
    if (!take('.') && !take(',')) return true;
    bool any = false;
    while (peek() >= '0' && peek() <= '9') {
      rest_.remove_prefix(1);
      any = true;
    }
    return any;
  }

 private:
  std::string_view rest_;
};

std::optional<seconds> read_offset(Cursor& cursor) {
  if (cursor.take('Z') || cursor.take('z')) return seconds{0};
  const bool west = cursor.peek() == '-';
  if (!cursor.take('+') && !cursor.take('-')) return std::nullopt;
  const auto hours = cursor.digits(2);
  cursor.take(':');
  const auto minutes = cursor.digits(2);
  if (!hours || !minutes || *hours > 18 || *minutes > 59) return std::nullopt;
  const seconds offset = chrono::hours{*hours} + chrono::minutes{*minutes};
  return west ? -offset : offset;
}

}  // namespace

std::optional<CivilTime> parse_civil(std::string_view text) {
  Cursor cursor(text);
  const auto year = cursor.digits(4);
  const bool extended = cursor.take('-');
  const auto month = cursor.digits(2);
  if (extended && !cursor.take('-')) return std::nullopt;
  const auto day = cursor.digits(2);
  if (!year || !month || !day || *year < first_year) return std::nullopt;
  const Date date{chrono::year{*year}, chrono::month{static_cast<unsigned>(*month)},
                  chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  CivilTime result{days_of(date), true, std::nullopt};
  if (cursor.take('T') || cursor.take('t') || cursor.take(' ')) {
    const auto hour = cursor.digits(2);
    const bool colons = cursor.take(':');
    const auto minute = cursor.digits(2);
    if (!hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
    int second = 0;
    if (cursor.take(':') || (!colons && cursor.peek() >= '0' && cursor.peek() <= '9')) {
      const auto read = cursor.digits(2);
      if (!read || *read > 60 || !cursor.skip_fraction()) return std::nullopt;
      second = std::min(*read, 59);
    }
    result.is_date = false;
    result.time += chrono::hours{*hour} + chrono::minutes{*minute} + seconds{second};
  }
  if (!cursor.at_end()) {
    result.offset = read_offset(cursor);
    if (!result.offset || !cursor.at_end()) return std::nullopt;
  }
  return result;
}

std::string format_date(local_days day) {
  const Date date{day};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

std::string format_local(local_seconds time) {
  const local_days day = day_of(time);
  const chrono::hh_mm_ss clock{time - day};
  return fmt::format("{}T{:02}:{:02}:{:02}", format_date(day), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

std::string format_utc(sys_seconds time) {
  return format_local(local_seconds{time.time_since_epoch()}) + "Z";
}

std::string format_offset(seconds offset) {
  const auto total = std::abs(offset.count());
  std::string text =
      fmt::format("{}{:02}:{:02}", offset.count() < 0 ? '-' : '+', total / 3600, total / 60 % 60);
  if (total % 60 != 0) text += fmt::format(":{:02}", total % 60);
  return text;
}

std::optional<seconds> parse_duration(std::string_view text) {
  Cursor cursor(text);
  const bool negative = cursor.take('-');
  if (!cursor.take('P')) return std::nullopt;
  std::int64_t total = 0;
  bool any = false;
  bool in_time = false;
  // The unit letters may come once each and only in this order.
  std::string_view units = "DHMS";
  while (!cursor.at_end()) {
    if (cursor.take('T')) {
      if (in_time) return std::nullopt;
      in_time = true;
      any = false;
      continue;
    }
    const auto number = cursor.number();
    if (!number) return std::nullopt;
    const bool fraction = cursor.peek() == '.';
    if (!cursor.skip_fraction()) return std::nullopt;
    const std::size_t at = units.find(cursor.peek());
    if (cursor.at_end() || at == std::string_view::npos) return std::nullopt;
    const char unit = units[at];
    if ((unit == 'D') == in_time || (fraction && unit != 'S')) return std::nullopt;
    units.remove_prefix(at + 1);
    cursor.take(unit);
    total += *number * (unit == 'D' ? 86400 : unit == 'H' ? 3600 : unit == 'M' ? 60 : 1);
    any = true;
  }
  constexpr std::int64_t limit = 10'000LL * 86400;
  if (!any || total > limit) return std::nullopt;
  return seconds{negative ? -total : total};
}

std::string format_duration(seconds duration) {
  const auto total = std::abs(duration.count());
  std::string text = duration.count() < 0 ? "-PT" : "PT";
  text += fmt::format("{}M", total / 60);
  if (total % 60 != 0) text += fmt::format("{}S", total % 60);
  return text;
}

int days_in_month(int year, int month) {
  const chrono::year_month_day_last last{chrono::year{year},
                                         chrono::month_day_last{chrono::month{static_cast<unsigned>(month)}}};
  return static_cast<int>(static_cast<unsigned>(last.day()));
}

std::optional<local_days> nth_day_in_month(int year, int month, model::WeekdayMask mask, int index) {
  const local_days first{
      Date{chrono::year{year}, chrono::month{static_cast<unsigned>(month)}, chrono::day{1}}};
  const int length = days_in_month(year, month);
  if (index < 0) {
    for (int day = length - 1; day >= 0; --day) {
      const local_days candidate = first + chrono::days{day};
      if ((model::mask_of(chrono::weekday{candidate}) & mask) != 0) return candidate;
    }
    return std::nullopt;
  }
  for (int day = 0; day < length; ++day) {
    const local_days candidate = first + chrono::days{day};
    if ((model::mask_of(chrono::weekday{candidate}) & mask) != 0 && index-- == 0) return candidate;
  }
  return std::nullopt;
}

}  // namespace syncline::time
