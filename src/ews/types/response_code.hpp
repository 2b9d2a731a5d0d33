// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The one table from EWS response codes to what may be done about them (invariant 26).
#include <span>
#include <string_view>

#include "base/error.hpp"

namespace syncline::ews {

struct ResponseCodeEntry {
  std::string_view code;
  RetryClass retry;
};

/// All codes we know, sorted by octets.
std::span<const ResponseCodeEntry> response_codes() noexcept;

/// A code newer than the table: `after` if its name speaks of a passing state (Busy, Timeout, Transient,
/// Unavailable, Throttl…), else `never`. "NoError" is `never`: there is nothing to repeat.
RetryClass retry_class_of(std::string_view response_code) noexcept;
bool is_known_response_code(std::string_view response_code) noexcept;

}  // namespace syncline::ews
