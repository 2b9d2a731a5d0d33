// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// RRULE (RFC 5545 section 3.3.10): its parts as values, reading and writing. SECONDLY, MINUTELY and HOURLY
// are refused: EWS has none, and they are how a peer makes an expansion endless. RSCALE and SKIP (RFC 7529)
// are refused too.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "time/civil.hpp"

namespace syncline::time {

enum class Frequency : std::uint8_t { daily, weekly, monthly, yearly };

/// "2MO": the second Monday; ordinal 0: every one.
struct ByDay {
  int ordinal = 0;
  std::chrono::weekday day{};
  friend bool operator==(const ByDay&, const ByDay&) = default;
};

struct RecurrenceRule {
  Frequency frequency = Frequency::daily;
  int interval = 1;
  std::optional<int> count;
  std::optional<CivilTime> until;                  ///< offset 0 for a UTC time
  std::vector<int> by_second, by_minute, by_hour;  ///< these and all below: sorted, each value once
  std::vector<ByDay> by_day;
  std::vector<int> by_month_day, by_year_day, by_week_no, by_month, by_set_pos;
  std::optional<std::chrono::weekday> week_start;  ///< WKST; absent: Monday

  friend bool operator==(const RecurrenceRule&, const RecurrenceRule&) = default;
};

constexpr std::size_t rule_text_limit_octets = 16 * 1024;
constexpr int rule_interval_limit = 100'000;
constexpr int rule_count_limit = 1'000'000;

/// With or without the name "RRULE:". Errors (domain input): "bad-rrule" with what is wrong,
/// "unsupported-rrule" for what is refused though RFC 5545 or 7529 knows it, "too-large" over the limits
/// above.
Result<RecurrenceRule> parse_rrule(std::string_view text);

/// In the canonical order FREQ, INTERVAL, BY…, WKST, UNTIL or COUNT; without the name.
std::string format_rrule(const RecurrenceRule& rule);

}  // namespace syncline::time
