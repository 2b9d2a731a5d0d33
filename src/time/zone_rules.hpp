// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What stands behind a Zone. Only zone*.cpp include this.
#include "time/zone.hpp"

namespace syncline::time {

class Zone::Rules {
 public:
  virtual ~Rules() = default;
  virtual seconds offset_at(sys_seconds utc) const = 0;
  virtual LocalLookup to_utc(local_seconds local) const = 0;
  virtual std::string abbreviation_at(sys_seconds) const { return {}; }
  virtual bool is_daylight_at(sys_seconds utc) const = 0;
  virtual std::vector<OffsetChange> changes(sys_seconds from, sys_seconds to) const = 0;
};

Result<std::shared_ptr<const Zone::Rules>> definition_rules(const model::TimeZoneDefinition& definition);

}  // namespace syncline::time
