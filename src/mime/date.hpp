// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Date and time of a header (RFC 5322 section 3.3), with the forms that are seen besides. Our own:
// GMime 3.2.13 takes a zone written "+05:30" for UTC, and guesses which number is the month.
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace syncline::mime {

struct DateTime {
  std::chrono::sys_seconds instant{};
  /// East of Greenwich; nullopt: the header does not say ("-0000", no zone or one that nobody knows), and the
  /// instant was read as UTC.
  std::optional<std::chrono::minutes> offset = std::nullopt;
  friend bool operator==(const DateTime&, const DateTime&) = default;
};

/// RFC 5322 with obsolete zones and two-digit years, asctime's order, "12-Jan-2026", ISO 8601. nullopt: no
/// date between 1900 and 9999 can be read from it.
/// `has_zone`, if given: whether it says a zone; "-0000" is one.
std::optional<DateTime> parse_date(std::string_view text, bool* has_zone = nullptr);

/// "Sun, 22 Nov 2026 09:30:00 +0100"
std::string format_date(const DateTime& date);
/// "2026-11-22T09:30:00+01:00"; "-00:00" where the offset is not known (RFC 3339 section 4.3).
std::string to_rfc3339(const DateTime& date);
/// "2026-11-22T08:30:00Z", as records hold instants.
std::string to_utc_text(const DateTime& date);

}  // namespace syncline::mime
