// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// date-time of RFC 9051, section 9: "17-Jul-1996 02:44:25 -0700".
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace syncline::imap {

std::optional<SystemTime> parse_internal_date(std::string_view text) noexcept;
/// In UTC, without quotes.
std::string format_internal_date(SystemTime time);
/// "17-Jul-1996": the day in UTC, for SEARCH.
std::string format_search_date(SystemTime time);

}  // namespace syncline::imap
