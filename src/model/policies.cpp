// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/policies.hpp"

namespace syncline::model {

Direction Policies::direction_of(RecordKind kind, const FieldInfo& field) const {
  if (!field.settable) return field.direction;
  const auto found = directions.find({kind, std::string(field.name)});
  return found == directions.end() ? field.direction : found->second;
}

ConflictWinner Policies::winner_of(RecordKind kind, std::string_view field) const {
  const auto found = conflict.by_field.find({kind, std::string(field)});
  return found == conflict.by_field.end() ? conflict.winner : found->second;
}

}  // namespace syncline::model
