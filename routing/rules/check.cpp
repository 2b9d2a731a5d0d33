// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/rules/check.hpp"

#include <algorithm>

namespace syncline::rules {
namespace {

using enum Word;

// Sets the field of `change` in `values`, in which earlier changes are already made.
void apply(const Change& change, FieldValues& values) {
  const Day as_of = values.number(Field::env_as_of);
  const Field field = change.field;
  struct Apply {
    FieldValues& values;
    Field field;
    Day as_of;
    void operator()(Word word) const { values.set(field, word); }
    void operator()(std::int64_t number) const { values.set_number(field, number); }
    void operator()(ToDefault) const { set_to_default(values, field, as_of); }
    void operator()(AsOf) const { values.set_number(field, as_of); }
    void operator()(EarliestAllowed) const {
      values.set_number(field, as_of - values.number(Field::env_process_from_max_days));
    }
  };
  std::visit(Apply{values, field, as_of}, *change.to);
}

bool alike(const FieldValues& a, const FieldValues& b, Field field) {
  if (a.is_empty(field) || b.is_empty(field)) return a.is_empty(field) == b.is_empty(field);
  if (info(field).kind == FieldKind::text) return a.text(field) == b.text(field);
  return a.number(field) == b.number(field);
}

Severity resolved(Severity severity, const FieldValues& values) {
  if (severity != Severity::stage) return severity;
  return values.is(Field::stage, enable) ? Severity::reject : Severity::warn;
}

void judge_by_catalogue(Judgement& judgement, const Assignment& assignment) {
  const FieldValues& values = assignment.values;
  judgement.findings.clear();
  judgement.read = {};
  const bool without_profile = values.is(Field::prof_type, none);
  judgement.read.insert(Field::prof_type);
  bool a_stage_rule_fired = false;
  for (const Rule* rule : all_rules()) {
    if (without_profile && !rule->without_profile) continue;
    if (!rule->condition.holds(values, judgement.read)) continue;
    a_stage_rule_fired |= rule->severity == Severity::stage;
    judgement.findings.push_back({rule, resolved(rule->severity, values)});
  }
  if (a_stage_rule_fired) judgement.read.insert(Field::stage);
  std::stable_sort(judgement.findings.begin(), judgement.findings.end(),
                   [](const Finding& a, const Finding& b) { return a.severity < b.severity; });
  judgement.verdict = Verdict::accept;
  if (!judgement.findings.empty()) {
    const Severity worst = judgement.findings.front().severity;
    if (worst == Severity::reject) judgement.verdict = Verdict::reject;
    if (worst == Severity::warn) judgement.verdict = Verdict::warn;
  }
}

}  // namespace

std::string_view to_string(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::accept:
      return "accept";
    case Verdict::warn:
      return "warn";
    case Verdict::reject:
      return "reject";
  }
  return {};
}

Judgement judge(const Assignment& assignment) {
  Judgement judgement;
  judge_by_catalogue(judgement, assignment);
  return judgement;
}

std::optional<CheckedAssignment> judge_into(Judgement& judgement, const Assignment& assignment) {
  judge_by_catalogue(judgement, assignment);
  if (judgement.verdict == Verdict::reject) return std::nullopt;
  return CheckedAssignment{assignment};
}

std::optional<CheckedAssignment> checked(const Assignment& assignment) {
  Judgement judgement;
  return judge_into(judgement, assignment);
}

Fix fix_for(const Rule& rule, const Assignment& assignment) {
  Fix fix;
  fix.values = assignment.values;
  for (const Change& change : rule.change) {
    if (!change.to || !change.where.holds(assignment.values)) continue;
    apply(change, fix.values);
    // Some defaults are empty, and a field cannot be set to that.
    if (fix.values.is_empty(change.field)) fix.values.copy(change.field, assignment.values);
    if (alike(fix.values, assignment.values, change.field)) continue;
    if (std::find(fix.fields.begin(), fix.fields.end(), change.field) == fix.fields.end()) {
      fix.fields.push_back(change.field);
    }
  }
  // Half a fix is none: where one leg can be mended and the other not, a person has to look.
  if (rule.condition.holds(fix.values)) fix.fields.clear();
  return fix;
}

Field field_to_change(const Rule& rule, const Assignment& assignment) {
  for (const Change& change : rule.change) {
    if (!change.where.holds(assignment.values)) continue;
    if (!change.to) return change.field;
    FieldValues changed = assignment.values;
    apply(change, changed);
    if (!alike(changed, assignment.values, change.field)) return change.field;
  }
  return rule.fields.front();
}

std::vector<Field> fields_of(const Rule& rule, const Assignment& assignment) {
  std::vector<Field> fields = rule.fields;
  const auto first = std::find(fields.begin(), fields.end(), field_to_change(rule, assignment));
  if (first != fields.end()) std::rotate(fields.begin(), first, first + 1);
  return fields;
}

}  // namespace syncline::rules
