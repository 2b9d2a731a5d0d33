// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Judges one assignment by the whole catalogue. Pure: no clock, no I/O; the day is in the row.
#include <optional>
#include <vector>

#include "routing/rules/assignment.hpp"
#include "routing/rules/catalogue.hpp"

namespace syncline::rules {

enum class Verdict : std::uint8_t { accept, warn, reject };
std::string_view to_string(Verdict verdict) noexcept;

/// One rule that fired.
struct Finding {
  const Rule* rule;
  Severity severity;  ///< `stage` is resolved: reject, warn or info
};

struct Judgement {
  Verdict verdict = Verdict::accept;
  std::vector<Finding> findings;  ///< rejects, warnings, infos, each in catalogue order
  FieldSet read;                  ///< fields that a rule had to look at
};

/// An assignment that the catalogue accepts, perhaps with warnings, with the judgement's word for it: only
/// `checked` makes one, so what takes a CheckedAssignment can not be given a rejected one (invariant 20).
class CheckedAssignment {
 public:
  const FieldValues& values() const noexcept { return values_; }
  /// The step it was judged for: `assign` or `enable`.
  Word stage() const noexcept { return values_.word(Field::stage); }
  /// Whether the field was stated; if not, its value is a default.
  bool given(Field field) const noexcept { return !values_.is_empty(field) && !defaulted_.contains(field); }

 private:
  friend std::optional<CheckedAssignment> judge_into(Judgement& judgement, const Assignment& assignment);
  explicit CheckedAssignment(const Assignment& assignment)
      : values_(assignment.values), defaulted_(assignment.defaulted) {}
  FieldValues values_;
  FieldSet defaulted_;
};

/// Judges; the second form keeps the memory of `judgement` over many rows.
Judgement judge(const Assignment& assignment);
/// Judges and, unless it is rejected, hands out the proof.
std::optional<CheckedAssignment> judge_into(Judgement& judgement, const Assignment& assignment);
std::optional<CheckedAssignment> checked(const Assignment& assignment);

/// One field that a fix sets. `values` of Fix holds what it becomes.
struct Fix {
  std::vector<Field> fields;  ///< those that change, in the order of the changes; empty: no fix is known
  FieldValues values;         ///< the row with the fix made
};
/// What would remove `rule`, which fired on `assignment`.
Fix fix_for(const Rule& rule, const Assignment& assignment);

/// Fields that the rule's condition names, the one to change first first.
std::vector<Field> fields_of(const Rule& rule, const Assignment& assignment);
/// That first one alone.
Field field_to_change(const Rule& rule, const Assignment& assignment);

/// `assumed`: fields that were not given, took their default, and were looked at by a rule.
inline FieldSet assumed(const Judgement& judgement, const Assignment& assignment) noexcept {
  return judgement.read & assignment.defaulted;
}

}  // namespace syncline::rules
