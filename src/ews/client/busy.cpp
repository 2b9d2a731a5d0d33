// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/client/busy.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "base/text.hpp"

namespace syncline::ews {
namespace {

// "Sun, 06 Nov 1994 08:49:37 GMT", the one form servers may send (RFC 9110 section 5.6.7). No locale is
// asked.
std::optional<SystemTime> parse_http_date(std::string_view date) {
  constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (date.size() != 29 || date.substr(3, 2) != ", " || date.substr(25) != " GMT" || date[19] != ':' ||
      date[22] != ':')
    return std::nullopt;
  const auto month = std::ranges::find(months, date.substr(8, 3));
  const auto day = text::parse_int(date.substr(5, 2));
  const auto year = text::parse_int(date.substr(12, 4));
  const auto hour = text::parse_int(date.substr(17, 2));
  const auto minute = text::parse_int(date.substr(20, 2));
  const auto second = text::parse_int(date.substr(23, 2));
  if (month == months.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day calendar_day{
      std::chrono::year{static_cast<int>(*year)},
      std::chrono::month{static_cast<unsigned>(month - months.begin()) + 1},
      std::chrono::day{static_cast<unsigned>(*day)}};
  const bool in_range =
      *hour >= 0 && *hour < 24 && *minute >= 0 && *minute < 60 && *second >= 0 && *second <= 60;
  if (!calendar_day.ok() || !in_range) return std::nullopt;
  return std::chrono::sys_days{calendar_day} + std::chrono::hours{*hour} + std::chrono::minutes{*minute} +
         std::chrono::seconds{*second};
}

}  // namespace

std::optional<std::chrono::milliseconds> retry_after_of(std::string_view value, SystemTime now) {
  using std::chrono::milliseconds;
  value = text::trim(value);
  if (const auto seconds = text::parse_int(value)) {
    if (*seconds < 0) return std::nullopt;
    const auto most = std::chrono::duration_cast<std::chrono::seconds>(longest_back_off).count();
    return milliseconds{std::chrono::seconds{std::min<std::int64_t>(*seconds, most)}};
  }
  const auto date = parse_http_date(value);
  if (!date) return std::nullopt;
  return std::clamp<milliseconds>(*date - now, milliseconds{0}, longest_back_off);
}

bool is_busy_code(std::string_view code) noexcept {
  constexpr std::array<std::string_view, 5> codes{"ErrorExceededConnectionCount",
                                                  "ErrorExceededSubscriptionCount", "ErrorServerBusy",
                                                  "ErrorTooManyObjectsOpened", "ErrorInsufficientResources"};
  return std::ranges::find(codes, code) != codes.end();
}

std::chrono::milliseconds default_back_off(unsigned busy_answers_in_a_row) noexcept {
  constexpr std::chrono::milliseconds longest = std::chrono::minutes{5};
  const unsigned doublings = std::min(busy_answers_in_a_row == 0 ? 0u : busy_answers_in_a_row - 1, 20u);
  return std::min<std::chrono::milliseconds>(std::chrono::seconds{1} * (1LL << doublings), longest);
}

}  // namespace syncline::ews
