// SPDX-License-Identifier: GPL-3.0-or-later
#include "mime/date.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "base/text.hpp"

namespace syncline::mime {
namespace {

constexpr std::size_t date_octets_limit = 512;
constexpr std::string_view months[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                       "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::string_view weekdays[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct NamedZone {
  std::string_view name;
  int hours;
};
/// RFC 5322 section 4.3; single letters say nothing there, and other names mean several zones each.
constexpr NamedZone zones[] = {{"ut", 0},   {"gmt", 0},  {"utc", 0},  {"z", 0},    {"est", -5}, {"edt", -4},
                               {"cst", -6}, {"cdt", -5}, {"mst", -7}, {"mdt", -6}, {"pst", -8}, {"pdt", -7}};

struct Parts {
  std::optional<int> year = std::nullopt, month = std::nullopt, day = std::nullopt, hour = std::nullopt;
  std::optional<int> minute = std::nullopt, second = std::nullopt, offset_minutes = std::nullopt;
  bool has_zone = false;
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

/// Decimal of at most `most` digits.
std::optional<int> number(std::string_view text, std::size_t most) {
  if (!all_digits(text) || text.size() > most) return std::nullopt;
  return static_cast<int>(*text::parse_int(text));
}

std::string without_comments(std::string_view text) {
  std::string plain;
  int depth = 0;
  for (const char c : text) {
    if (c == '(') ++depth;
    if (depth == 0) plain.push_back(static_cast<unsigned char>(c) < 0x20 || c == ',' ? ' ' : c);
    if (c == ')') {
      if (depth == 1) plain.push_back(' ');
      depth = std::max(0, depth - 1);
    }
  }
  return plain;
}

/// "10:20", "10:20:30", "10.20.30", a fraction is dropped.
bool read_time(std::string_view text, Parts& parts) {
  const char separator = text.find(':') != std::string_view::npos ? ':' : '.';
  const auto pieces = text::split(text, separator);
  if (pieces.size() < 2 || pieces.size() > (separator == ':' ? 3U : 4U)) return false;
  const auto hour = number(pieces[0], 2);
  const auto minute = number(pieces[1], 2);
  std::optional<int> second = 0;
  if (pieces.size() > 2) second = number(pieces[2].substr(0, pieces[2].find('.')), 2);
  if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) return false;
  parts.hour = hour;
  parts.minute = minute;
  parts.second = second;
  return true;
}

/// "+0530", "+05:30", "+05"
bool read_offset(std::string_view text, Parts& parts) {
  if (text.size() < 3 || (text[0] != '+' && text[0] != '-')) return false;
  std::string digits;
  for (const char c : text.substr(1)) {
    if (c == ':' && digits.size() == 2) continue;
    digits.push_back(c);
  }
  if (digits.size() == 2) digits += "00";
  if (digits.size() != 4 || !all_digits(digits)) return false;
  const int hours = *number(std::string_view(digits).substr(0, 2), 2);
  const int minutes = *number(std::string_view(digits).substr(2), 2);
  if (hours > 23 || minutes > 59) return false;
  parts.has_zone = true;
  const int total = hours * 60 + minutes;
  // "-0000" says that the offset is not known.
  if (text[0] == '-' && total == 0) return true;
  parts.offset_minutes = text[0] == '-' ? -total : total;
  return true;
}

bool read_zone(std::string_view text, Parts& parts) {
  if (read_offset(text, parts)) return true;
  const std::string lower = text::to_lower_ascii(text);
  for (const NamedZone& zone : zones) {
    if (lower == zone.name) {
      parts.offset_minutes = zone.hours * 60;
      parts.has_zone = true;
      return true;
    }
    // "GMT+0200"
    if (zone.hours == 0 && zone.name.size() > 1 && lower.size() > zone.name.size() &&
        lower.starts_with(zone.name))
      return read_offset(text.substr(zone.name.size()), parts);
  }
  return false;
}

std::optional<int> month_of(std::string_view text) {
  if (text.size() < 3) return std::nullopt;
  const std::string lower = text::to_lower_ascii(text.substr(0, 3));
  const auto* found = std::find(std::begin(months), std::end(months), lower);
  if (found == std::end(months)) return std::nullopt;
  return static_cast<int>(found - std::begin(months)) + 1;
}

bool is_weekday(std::string_view text) {
  return text.size() >= 3 && std::find(std::begin(weekdays), std::end(weekdays),
                                       text::to_lower_ascii(text.substr(0, 3))) != std::end(weekdays);
}

std::optional<int> year_of(std::string_view text) {
  const auto value = number(text, 4);
  if (!value || text.size() < 2) return std::nullopt;
  // RFC 5322 section 4.3.
  if (text.size() == 2) return *value + (*value < 50 ? 2000 : 1900);
  if (text.size() == 3) return *value + 1900;
  return value;
}

/// "2026-11-22T10:00:00.123+01:00"; the time may stand apart.
bool read_iso(std::string_view text, Parts& parts, std::string_view& rest) {
  if (text.size() < 10 || text[4] != '-' || text[7] != '-') return false;
  parts.year = number(text.substr(0, 4), 4);
  parts.month = number(text.substr(5, 2), 2);
  parts.day = number(text.substr(8, 2), 2);
  if (!parts.year || !parts.month || !parts.day) return false;
  rest = text.substr(10);
  if (!rest.empty() && (rest[0] == 'T' || rest[0] == 't')) rest.remove_prefix(1);
  return true;
}

/// A time with its zone behind it: "10:00:00Z", "10:00:00+01:00".
bool read_time_and_zone(std::string_view text, Parts& parts) {
  const std::size_t end = text.find_first_not_of("0123456789:.");
  if (!read_time(text.substr(0, end), parts)) return false;
  return end == std::string_view::npos || read_zone(text.substr(end), parts);
}

std::optional<DateTime> made_of(const Parts& parts) {
  if (!parts.year || !parts.month || !parts.day || !parts.hour || *parts.year < 1900) return std::nullopt;
  const std::chrono::year_month_day day{std::chrono::year(*parts.year),
                                        std::chrono::month(static_cast<unsigned>(*parts.month)),
                                        std::chrono::day(static_cast<unsigned>(*parts.day))};
  if (!day.ok()) return std::nullopt;
  DateTime date;
  date.instant = std::chrono::sys_days(day) + std::chrono::hours(*parts.hour) +
                 std::chrono::minutes(*parts.minute) + std::chrono::seconds(*parts.second);
  if (parts.offset_minutes) {
    date.offset = std::chrono::minutes(*parts.offset_minutes);
    date.instant -= *date.offset;
  }
  // An offset must not carry it out of the years that four digits can say.
  const std::chrono::year_month_day said{std::chrono::floor<std::chrono::days>(date.instant)};
  if (said.year() > std::chrono::year(9999) || said.year() < std::chrono::year(1899)) return std::nullopt;
  return date;
}

struct Civil {
  int year;
  unsigned month, day, weekday;
  int hour, minute, second;
};

Civil civil_of(std::chrono::sys_seconds local) {
  const auto days = std::chrono::floor<std::chrono::days>(local);
  const std::chrono::year_month_day day{days};
  const std::chrono::hh_mm_ss time{local - days};
  return {static_cast<int>(day.year()),
          static_cast<unsigned>(day.month()),
          static_cast<unsigned>(day.day()),
          std::chrono::weekday(days).c_encoding(),
          static_cast<int>(time.hours().count()),
          static_cast<int>(time.minutes().count()),
          static_cast<int>(time.seconds().count())};
}

std::string title_case(std::string_view lower) {
  std::string word(lower);
  word[0] = static_cast<char>(word[0] - 'a' + 'A');
  return word;
}

}  // namespace

std::optional<DateTime> parse_date(std::string_view text, bool* has_zone) {
  const std::string plain = without_comments(text.substr(0, date_octets_limit));
  std::vector<std::string_view> words;
  for (const std::string_view word : text::split(plain, ' '))
    if (!word.empty()) words.push_back(word);

  Parts parts;
  bool zone_read = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view word = words[i];
    if (!parts.hour && !parts.year && !parts.day) {
      std::string_view rest;
      if (read_iso(word, parts, rest)) {
        if (!rest.empty() && !read_time_and_zone(rest, parts)) return std::nullopt;
        zone_read = parts.has_zone;
        continue;
      }
      const std::optional<int> month = parts.month;
      parts = Parts();
      parts.month = month;
      if (is_weekday(word) && !month_of(word)) continue;
    }
    // "12-Jan-2026", as IMAP writes it, and with two digits.
    if (!parts.day && !parts.month && std::count(word.begin(), word.end(), '-') == 2) {
      const auto pieces = text::split(word, '-');
      parts.day = number(pieces[0], 2);
      parts.month = month_of(pieces[1]);
      parts.year = year_of(pieces[2]);
      if (!parts.day || !parts.month || !parts.year) return std::nullopt;
      continue;
    }
    if (!parts.month) {
      if (const auto month = month_of(word)) {
        parts.month = month;
        continue;
      }
    }
    if (!parts.day && all_digits(word) && word.size() <= 2) {
      parts.day = number(word, 2);
      continue;
    }
    if (!parts.hour && word.find_first_of(":.") != std::string_view::npos && is_digit(word[0])) {
      if (!read_time_and_zone(word, parts)) return std::nullopt;
      zone_read = zone_read || parts.has_zone;
      continue;
    }
    if (!parts.year && parts.day && parts.month) {
      if (const auto year = year_of(word)) {
        parts.year = year;
        continue;
      }
    }
    if (parts.hour && !zone_read) {
      const std::string lower = text::to_lower_ascii(word);
      if ((lower == "pm" || lower == "am") && *parts.hour >= 1 && *parts.hour <= 12) {
        parts.hour = *parts.hour % 12 + (lower == "pm" ? 12 : 0);
        continue;
      }
      if (read_zone(word, parts)) {
        zone_read = true;
        continue;
      }
      // A zone's name that means nothing, "DST" or other words behind the date.
      continue;
    }
    // Something before the time that no form has.
    if (!parts.hour) return std::nullopt;
  }
  if (has_zone != nullptr) *has_zone = parts.has_zone;
  return made_of(parts);
}

std::string format_date(const DateTime& date) {
  const std::chrono::minutes offset = date.offset.value_or(std::chrono::minutes(0));
  const Civil at = civil_of(date.instant + offset);
  const int minutes = static_cast<int>(std::abs(offset.count()));
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} {}{:02}{:02}", title_case(weekdays[at.weekday]),
                     at.day, title_case(months[at.month - 1]), at.year, at.hour, at.minute, at.second,
                     !date.offset || offset.count() < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

std::string to_rfc3339(const DateTime& date) {
  const std::chrono::minutes offset = date.offset.value_or(std::chrono::minutes(0));
  const Civil at = civil_of(date.instant + offset);
  const int minutes = static_cast<int>(std::abs(offset.count()));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}{:02}:{:02}", at.year, at.month, at.day, at.hour,
                     at.minute, at.second, !date.offset || offset.count() < 0 ? '-' : '+', minutes / 60,
                     minutes % 60);
}

std::string to_utc_text(const DateTime& date) {
  const Civil at = civil_of(date.instant);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", at.year, at.month, at.day, at.hour, at.minute,
                     at.second);
}

}  // namespace syncline::mime
