// SPDX-License-Identifier: GPL-3.0-or-later
#include "time/series.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace syncline::time {
namespace {

namespace chrono = std::chrono;

model::FieldTexts patched(model::FieldTexts fields, const model::FieldTexts& patch) {
  for (const auto& [name, value] : patch) fields[name] = value;
  return fields;
}

void set_utc(const Series& series, Occurrence& occurrence) {
  occurrence.start_utc = series.zone.to_utc(occurrence.start).utc;
  occurrence.end_utc = series.zone.to_utc(occurrence.end).utc;
}

}  // namespace

std::vector<Occurrence> occurrences(const Series& series, local_days from, local_days to, std::size_t max_occurrences) {
  std::map<model::OccurrenceId, const model::ModifiedOccurrence*> modified;
  for (const model::ModifiedOccurrence& exception : series.modified) modified[exception.id] = &exception;
  std::set<model::OccurrenceId> deleted;
  for (const model::DeletedOccurrence& exception : series.deleted) deleted.insert(exception.id);

  std::vector<Occurrence> found;
  if (from >= to) return found;
  ExpansionLimits limits;
  limits.last_day = to - chrono::days{1};
  limits.max_occurrences = limits.max_steps;
  for (const local_days day : expand(series.recurrence, limits).days) {
    if (found.size() == max_occurrences) break;
    const model::OccurrenceId id{date_of(day)};
    if (day < from || deleted.count(id) != 0) continue;
    Occurrence occurrence{id, day + series.time_of_day, {}, {}, {}, false, series.fields};
    occurrence.end = occurrence.start + series.length;
    if (const auto exception = modified.find(id); exception != modified.end()) {
      const model::ModifiedOccurrence& patch = *exception->second;
      // A moved start without an end keeps the length.
      if (patch.start) occurrence.start = *patch.start;
      occurrence.end = patch.end.value_or(occurrence.start + series.length);
      occurrence.is_modified = true;
      occurrence.fields = patched(std::move(occurrence.fields), patch.fields);
    }
    set_utc(series, occurrence);
    found.push_back(std::move(occurrence));
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Occurrence& a, const Occurrence& b) { return a.start_utc < b.start_utc; });
  return found;
}

model::OccurrenceId occurrence_id(const Series& series, sys_seconds original_start) {
  const local_seconds local = series.zone.to_local(original_start);
  return {date_of(series.is_all_day ? local + chrono::hours{12} : local)};
}

sys_seconds original_start(const Series& series, model::OccurrenceId id) {
  return series.zone.to_utc(days_of(id.original_date) + series.time_of_day).utc;
}

MissingExceptions missing_exceptions(const Series& ours, const Series& theirs) {
  MissingExceptions missing;
  for (const model::ModifiedOccurrence& exception : ours.modified) {
    if (std::find(theirs.modified.begin(), theirs.modified.end(), exception) == theirs.modified.end()) {
      missing.modified.push_back(exception);
    }
  }
  for (const model::DeletedOccurrence& exception : ours.deleted) {
    if (std::find(theirs.deleted.begin(), theirs.deleted.end(), exception) == theirs.deleted.end()) {
      missing.deleted.push_back(exception);
    }
  }
  return missing;
}

bool same_occurrences(const Series& a, const Series& b, local_days from, local_days to) {
  const auto in_a = occurrences(a, from, to);
  const auto in_b = occurrences(b, from, to);
  return std::equal(in_a.begin(), in_a.end(), in_b.begin(), in_b.end(), [](const Occurrence& x, const Occurrence& y) {
    return x.id == y.id && x.start_utc == y.start_utc && x.end_utc == y.end_utc;
  });
}

}  // namespace syncline::time
