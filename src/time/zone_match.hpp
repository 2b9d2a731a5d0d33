// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A zone by what it does rather than by its name; and the definition that EWS is sent.
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "model/time_zone.hpp"
#include "time/zone.hpp"
#include "time/zone_names.hpp"

namespace syncline::time {

/// The Windows zone with these two offsets (east of UTC) at present; `daylight == standard`: no clock
/// changes, or an unknown zone of that offset. Never exact.
ZoneMatch match_offsets(seconds standard, seconds daylight);
/// The smaller offset of this year in an IANA zone; nullopt if there is no such zone.
std::optional<seconds> standard_offset_now(std::string_view iana);

/// A zone with the same changes as `zone` from one year before `around` to six years after it.
ZoneMatch match_rules(const Zone& zone, sys_seconds around);

/// The zone of an item as a server sent it.
struct ResolvedZone {
  Zone zone;        ///< what to convert with
  ZoneMatch match;  ///< what it is called; `none`: the definition itself is the zone
  std::vector<std::string> notes;
};
/// By name if the name is one; a name that only hints (a display name, a localised one, offsets) must agree
/// with the rules that came with it, else the rules decide. Without name and rules: error (domain input)
/// "unknown-zone".
Result<ResolvedZone> resolve_zone(const model::TimeZoneDefinition& definition, sys_seconds around);

/// What we know of a zone survives its trip through a server: `known` (IANA) if `received` is what `known` is
/// called there (America/Winnipeg comes back as "Central Standard Time"), else what `received` resolves to.
std::string keep_identity(std::string_view known_iana, const model::TimeZoneDefinition& received,
                          sys_seconds around);

/// The definition to send for a zone: periods, groups with RecurringDayTransitions where the changes follow a
/// rule from `from_year` on, AbsoluteDateTransitions to groups of one period where they do not (Morocco).
/// `id` and `name` are put in as they are.
model::TimeZoneDefinition make_definition(const Zone& zone, std::string id, std::string name, int from_year);

/// For an IANA zone: its Windows name as the id where there is one, else "Customized Time Zone".
model::TimeZoneDefinition definition_to_send(const Zone& zone, int from_year);

}  // namespace syncline::time
