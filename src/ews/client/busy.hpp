// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// "Not now": how long a server wants to be left alone, from each of the places where it says so.
#include <chrono>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "ews/types/response_message.hpp"
#include "ews/types/soap.hpp"

namespace syncline::ews {

/// The longest hint that is believed: a server that says more is asked again after an hour.
constexpr std::chrono::milliseconds longest_back_off = std::chrono::hours{1};

/// The value of Retry-After: seconds, or an HTTP date (RFC 9110 section 10.2.3) seen from `now`. A date in
/// the past is zero; what cannot be read is nullopt.
std::optional<std::chrono::milliseconds> retry_after_of(std::string_view value, SystemTime now);

/// Codes by which a server says that the caller does too much at once: ErrorServerBusy,
/// ErrorTooManyObjectsOpened, ErrorExceededConnectionCount, ErrorExceededSubscriptionCount, ….
bool is_busy_code(std::string_view code) noexcept;

/// The wait where a busy answer carries no hint: one second, doubled with each busy answer in a row, at most
/// five minutes (the usual length of Exchange's own hint).
std::chrono::milliseconds default_back_off(unsigned busy_answers_in_a_row) noexcept;

}  // namespace syncline::ews
