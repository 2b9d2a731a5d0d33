// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Whether a write to an appointment mails its attendees, and whether it is made at all (features:
// appointments).
#include <string_view>

#include "base/clock.hpp"
#include "model/policies.hpp"

namespace syncline::sync::plan {

enum class MeetingWrite : std::uint8_t { create, update, remove };

struct MeetingFacts {
  MeetingWrite write = MeetingWrite::create;
  bool is_organizer = true;      ///< this mailbox organises it
  const model::Fields& fields;   ///< the record's, after the change
  const model::Fields& changes;  ///< of an update: what is written
};

struct MeetingDecision {
  bool write = true;
  bool mail = false;
  std::string_view reason;  ///< of the journal
};

/// Not written: what attendees see of a meeting that somebody else organises, a removal of such a meeting or
/// of a past appointment, and changes of past meetings unless the policy wants them. Nobody is mailed when
/// the start (of a series: the last occurrence that the range tells) is past, there are no attendees, this
/// mailbox is not the organiser, or nothing changed that attendees see.
MeetingDecision decide_meeting(const MeetingFacts& facts, const model::SyncPolicy& policy, SystemTime now);
/// Whether the mailbox with `address` organises the meeting; if no organiser is named, its owner does.
bool organizes(const model::Fields& fields, std::string_view address);
/// How many people `mail` reaches.
std::size_t count_attendees(const model::Fields& fields);

}  // namespace syncline::sync::plan
