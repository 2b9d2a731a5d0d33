// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One line of `syncline inspect recurrence` (docs/schemas/inspect-recurrence.schema.json): an EWS recurrence
// or an RRULE in, its dates and both spellings out.
#include <cstddef>
#include <string>
#include <string_view>

namespace syncline::time {

struct InspectedLine {
  std::string json;  ///< one object, without a line end
  bool ok = true;    ///< false: the object has `error`
};

constexpr std::size_t recurrence_line_limit_octets = 1024 * 1024;

/// `line_number` counts from 1 and is repeated in the answer. Never fails otherwise than in `error`. At most
/// `count` dates.
InspectedLine inspect_recurrence(std::string_view line, std::size_t line_number, std::size_t count);

/// The answer for a file that cannot be opened.
std::string cannot_open(std::string_view file);

}  // namespace syncline::time
