// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A series: its master's times, its zone, and its exceptions as patches over the master.
#include <optional>
#include <vector>

#include "model/recurrence.hpp"
#include "time/expansion.hpp"
#include "time/zone.hpp"

namespace syncline::time {

struct Series {
  model::Recurrence recurrence;
  Zone zone;                ///< the series' own; its dates never depend on who reads it
  bool is_all_day = false;  ///< then `time_of_day` is zero and `length` whole days
  seconds time_of_day{0};   ///< wall clock of the master's start
  seconds length{0};        ///< of the master, by the wall clock
  model::FieldTexts fields;
  std::vector<model::ModifiedOccurrence> modified;
  std::vector<model::DeletedOccurrence> deleted;
};

struct Occurrence {
  model::OccurrenceId id;
  local_seconds start{};  ///< wall clock of the series' zone; all-day: midnight
  local_seconds end{};    ///< exclusive
  sys_seconds start_utc{};
  sys_seconds end_utc{};
  bool is_modified = false;
  model::FieldTexts fields;  ///< the master's, patched

  friend bool operator==(const Occurrence&, const Occurrence&) = default;
};

/// Occurrences that begin in [from, to) (dates of the series' zone, before any move), in the order of their start.
/// Deleted ones are left out; a modified one is given though its new start may lie outside.
std::vector<Occurrence> occurrences(const Series& series, local_days from, local_days to,
                                    std::size_t max_occurrences = 10'000);

/// The occurrence that an instant from a server means (OriginalStart, RecurrenceId, Start of a DeletedOccurrence): its
/// date in the series' zone. All-day series: the nearest midnight there, for servers that say midnight of another
/// zone by a few hours.
model::OccurrenceId occurrence_id(const Series& series, sys_seconds original_start);
/// And back: the instant the pattern gives for an occurrence.
sys_seconds original_start(const Series& series, model::OccurrenceId id);

/// Exceptions of `ours` that `theirs` does not have in the same way: what has to be written again after a change of
/// the master (invariant 12).
struct MissingExceptions {
  std::vector<model::ModifiedOccurrence> modified;
  std::vector<model::DeletedOccurrence> deleted;
  bool empty() const { return modified.empty() && deleted.empty(); }
};
MissingExceptions missing_exceptions(const Series& ours, const Series& theirs);

/// Both give the same occurrences, with the same times, in [from, to).
bool same_occurrences(const Series& a, const Series& b, local_days from, local_days to);

}  // namespace syncline::time
