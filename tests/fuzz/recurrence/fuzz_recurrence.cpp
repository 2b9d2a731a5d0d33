// SPDX-License-Identifier: GPL-3.0-or-later
// A line of `inspect recurrence` (JSON, XML, RRULE, dates) and, when the input begins with '@', a name of a
// time zone.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "time/expansion.hpp"
#include "time/inspect_recurrence.hpp"
#include "time/rrule.hpp"
#include "time/zone_names.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (!text.empty() && text.front() == '@') {
    static_cast<void>(syncline::time::match_name(text.substr(1)));
    return 0;
  }
  const auto answer = syncline::time::inspect_recurrence(text, 1, 20);
  if (answer.json.empty()) std::abort();
  // What we write, we read, and write the same again.
  if (const auto rule = syncline::time::parse_rrule(text)) {
    const std::string written = syncline::time::format_rrule(*rule);
    const auto again = syncline::time::parse_rrule(written);
    if (!again || syncline::time::format_rrule(*again) != written) std::abort();
    syncline::time::ExpansionLimits limits;
    limits.max_occurrences = 20;
    limits.max_steps = 20'000;
    static_cast<void>(expand(*rule, *syncline::time::parse_civil("20260131T090000"), limits));
  }
  return 0;
}
