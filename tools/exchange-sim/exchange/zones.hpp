// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Time zones of the test Exchange: Windows ids with rules of its own table, and definitions as clients send
// them.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "tools/exchange-sim/exchange/calendar_time.hpp"
#include "tools/exchange-sim/exchange/xml.hpp"

namespace exchange_sim {

struct ZoneChange {
  int month = 1;
  int weekday = 0;       ///< 0 is Sunday; unused with `day`
  int occurrence = 1;    ///< 1…4, -1 is the last
  int day = 0;           ///< a fixed day of the month instead; 0: none
  int minutes = 0;       ///< wall clock before the change, 0…1440
  int offset_after = 0;  ///< minutes east of UTC
};

/// A span of time with one set of rules.
struct ZoneEra {
  int first_year = 0;       ///< the era holds from 1 January of it, wall clock
  int standard_offset = 0;  ///< minutes east of UTC, when there are no changes
  std::vector<ZoneChange> changes;
};

struct Zone {
  std::string id;
  std::string name;
  std::vector<ZoneEra> eras;  ///< ascending, never empty

  int offset_at_utc(Seconds utc) const;
  Seconds to_wall(Seconds utc) const { return utc + offset_at_utc(utc) * Seconds{60}; }
  /// Twice-occurring times are standard time, skipped ones move forward, as .NET has it.
  Seconds to_utc(Seconds wall) const;
};

/// nullptr if the id is not in the table.
const Zone* find_zone(std::string_view windows_id);
const Zone& utc_zone();
const std::vector<Zone>& all_zones();

/// A t:TimeZoneDefinition: by its rules if it has any, else by its id. Error, domain ews: "ErrorTimeZone".
syncline::Result<Zone> read_zone(const Element& definition);
/// A t:MeetingTimeZone of Exchange 2007: by TimeZoneName, else by BaseOffset and changes.
syncline::Result<Zone> read_meeting_zone(const Element& element);
/// The whole <t:TimeZoneDefinition>, or its id and name only.
void write_zone(std::string& out, const Zone& zone, bool full,
                std::string_view element = "TimeZoneDefinition");

}  // namespace exchange_sim
