// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// EWS recurrence ↔ RRULE, for everything both can say.
#include <optional>
#include <string>
#include <vector>

#include "model/recurrence.hpp"
#include "time/rrule.hpp"

namespace syncline::time {

/// Bounds of Exchange's documentation of the elements; a pattern beyond them is refused by a server.
constexpr int daily_interval_limit = 999;
constexpr int other_interval_limit = 99;
constexpr int numbered_limit = 999;

/// nullopt for a regenerating task: RFC 5545 cannot say it. DTSTART has to be the series' *first occurrence*
/// (an RRULE counts its DTSTART). `start` gives UNTIL its form: a date for a date, else a wall clock (in UTC
/// if `start` is). A `day_of_month` over 28 is the month's last day where the month is shorter:
/// BYMONTHDAY=28,…;BYSETPOS=-1.
std::optional<RecurrenceRule> to_rrule(const model::Recurrence& recurrence, const CivilTime& start);

/// What EWS would be sent, or why it cannot say this rule. A result was proved equal by expanding both.
struct EwsForm {
  std::optional<model::Recurrence> recurrence;
  std::vector<std::string> notes;
};
/// `start`: DTSTART. `start_excluded`: an EXDATE removes it, so that it need not be an occurrence of the
/// pattern.
EwsForm to_ews(const RecurrenceRule& rule, const CivilTime& start, bool start_excluded = false,
               seconds until_offset = seconds{0});

}  // namespace syncline::time
