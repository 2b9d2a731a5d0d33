// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A rule of the catalogue, as one value.
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "routing/rules/condition.hpp"

namespace syncline::rules {

/// As the catalogue has it. `stage` warns while assigning and rejects while enabling.
enum class Severity : std::uint8_t { reject, warn, info, stage };
std::string_view to_string(Severity severity) noexcept;

/// What a field would be had it not been given, in a row whose earlier changes are already made.
struct ToDefault {};
/// The value of env_as_of; less env_process_from_max_days days.
struct AsOf {};
struct EarliestAllowed {};
using Target = std::variant<Word, std::int64_t, ToDefault, AsOf, EarliestAllowed>;

/// One place to act on. The first whose condition holds, and which would change something, names the field to
/// change first. Those with a target make up the fix: all whose condition holds in the row as it was judged
/// are made, in order, and defaults are taken from the row with the earlier ones made.
///
/// A fix touches choices (profile, request, environment switches), never facts about a mailbox or a server,
/// approvals or rights: those are not made true by writing them down.
struct Change {
  Field field;
  std::optional<Target> to;
  Condition where;

  Change only_if(Condition condition) const { return {field, to, where && condition}; }
};

inline Change set(Field field, Word word) {
  return {field, Target{word}, {}};
}
inline Change set(Field field, int number) {
  return {field, Target{std::int64_t{number}}, {}};
}
inline Change set(Field field, AsOf) {
  return {field, Target{AsOf{}}, {}};
}
inline Change set(Field field, EarliestAllowed) {
  return {field, Target{EarliestAllowed{}}, {}};
}
inline Change to_default(Field field) {
  return {field, Target{ToDefault{}}, {}};
}
/// Only points at the field: what it should become is not ours to say.
inline Change look_at(Field field) {
  return {field, std::nullopt, {}};
}

/// Texts are English, and the keys of their translations. `{field}` stands for the row's value of that field;
/// `{allowed_pairs}` for the protocol pairs that its profile type allows.
struct Rule {
  std::string_view id;
  Severity severity;
  Condition condition;
  std::string_view message;
  std::string_view remedy;
  std::vector<Change> change;
  std::string_view source;

  // Filled in by the catalogue:
  std::vector<Field> fields = {};  ///< of the condition, in order of mention
  bool without_profile = false;    ///< is also judged when the row names no profile (section 1, point 5)
};

}  // namespace syncline::rules
