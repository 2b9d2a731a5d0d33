// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The three-way merge of a record and its remote item against what both last agreed on (invariants 3 and 9).
// Pure.
#include <optional>
#include <string>
#include <vector>

#include "model/policies.hpp"

namespace syncline::sync::plan {

struct MergeInput {
  model::RecordKind kind = model::RecordKind::appointment;
  const model::Fields& base;    ///< the item's fields when both sides last agreed
  const model::Fields& record;  ///< now
  /// Now; a field that base has and remote lacks was cleared (but for a message's body, MIME and attachments
  /// and a contact's photo: those were not read).
  const model::Fields& remote;
  std::optional<SystemTime> record_changed_at = std::nullopt;
  std::optional<SystemTime> remote_changed_at = std::nullopt;
};

/// Both sides changed one field (one entry of a dictionary, one exception of a series, or things that belong
/// together), to different values.
struct FieldConflict {
  /// "location", "phoneNumbers.BusinessPhone", "modifiedOccurrences.2026-11-22T10:00:00Z"; of a group its
  /// first field, with all its values as objects: "start", "status".
  std::string field;
  model::FieldValue record;
  model::FieldValue remote;
  model::ConflictWinner winner = model::ConflictWinner::newest;  ///< of a one-way field its direction's
  bool record_won = false;                                       ///< of `ask`: neither did
};

struct Merge {
  model::Fields to_record;  ///< fields the record is to get; null clears
  model::Fields to_remote;  ///< fields the item is to get; null clears
  /// What both agree on if to_record is applied, and to_remote is not yet. Once that is written it is
  /// patched(kind, base, to_remote): not the item read again, in which a change of the meantime would hide.
  model::Fields base;
  std::vector<FieldConflict> conflicts;
  /// A conflict that a person has to decide; its field is in neither list.
  bool asks() const;
};

/// Fields of the catalogue only, each by its direction. What belongs together is decided together: an
/// appointment's times with their zones and recurrence, a task's state with its percentage. Sets (categories,
/// attendees, deleted occurrences) and dictionaries are merged element by element and do not conflict as a
/// whole. A formatted body is never replaced by its plain copy (invariant 9).
Merge merge(const MergeInput& input, const model::Policies& policies);

/// Of what an item holds, the fields that may go into a record.
model::Fields for_record(model::RecordKind kind, const model::Fields& remote,
                         const model::Policies& policies);
/// Of what a record holds, the fields that may go into an item.
model::Fields for_remote(model::RecordKind kind, const model::Fields& record,
                         const model::Policies& policies);
/// `fields` with `changes` applied: of a dictionary the entries that are named, of other fields the whole
/// value. null stays as null: known to be empty.
model::Fields patched(model::RecordKind kind, model::Fields fields, const model::Fields& changes);

}  // namespace syncline::sync::plan
