// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// From a rule or an EWS pattern to dates. Both walk dates arithmetically and count every step: no rule,
// however impossible, runs longer than its limits.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "model/recurrence.hpp"
#include "time/rrule.hpp"

namespace syncline::time {

struct ExpansionLimits {
  std::size_t max_occurrences = 1000;
  /// Days, sets and times looked at. A million is some 2,700 years of days; about 50 ms.
  std::uint64_t max_steps = 1'000'000;
  /// Nothing after this is looked for; occurrences before it are counted all the same.
  local_days last_day{Date{std::chrono::year{last_year}, std::chrono::December, std::chrono::day{31}}};
};

struct Expansion {
  enum class End : std::uint8_t {
    ended,        ///< the rule gives no more (or none up to `last_day`)
    more,         ///< `max_occurrences` reached
    steps_spent,  ///< `max_steps` reached: there may be more, far away
  };
  std::vector<local_seconds> occurrences;
  End end = End::ended;
};

/// The recurrence set of `rule` from `start` (DTSTART): wall clocks in the zone of `start`, ascending.
/// `start` counts first even if the rule does not give it; `start_is_extra` tells. UNTIL with a zone is
/// compared after `until_offset` (seconds east of UTC of the wall clock, at that time) was added. BYHOUR and
/// smaller are ignored when `start` is a date (RFC 5545).
struct RuleExpansion : Expansion {
  bool start_is_extra = false;
};
RuleExpansion expand(const RecurrenceRule& rule, const CivilTime& start, const ExpansionLimits& limits = {},
                     seconds until_offset = seconds{0});

/// The days of an EWS recurrence. The range's start is not counted unless the pattern gives it. A
/// regenerating task has only its start: the next exists once this one was completed.
struct PatternExpansion {
  std::vector<local_days> days;
  Expansion::End end = Expansion::End::ended;
};
PatternExpansion expand(const model::Recurrence& recurrence, const ExpansionLimits& limits = {});

}  // namespace syncline::time
