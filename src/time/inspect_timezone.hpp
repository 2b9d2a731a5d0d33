// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One name of `syncline inspect timezone` (docs/schemas/inspect-timezone.schema.json).
#include <optional>
#include <string>
#include <string_view>

#include "time/civil.hpp"
#include "time/inspect_recurrence.hpp"

namespace syncline::time {

/// `at`: a date is its noon UTC, a time without offset is UTC; the rules that hold then are shown.
InspectedLine inspect_timezone(std::string_view name, sys_seconds at);

/// What `--at` says as an instant; nullopt if it is no date.
std::optional<sys_seconds> parse_instant(std::string_view text);

}  // namespace syncline::time
