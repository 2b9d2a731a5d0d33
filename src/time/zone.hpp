// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The rules of one zone: UTC ↔ wall clock. Either an IANA zone (cctz over the system's tzdata), a definition
// that a server sent, or a fixed offset. Cheap to copy; safe to share between threads.
//
// A wall clock that a clock change skips is read with the offset before the change (02:30 becomes 03:30), one
// that comes twice means the first: RFC 5545 section 3.3.5.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "model/time_zone.hpp"
#include "time/civil.hpp"

namespace syncline::time {

struct LocalLookup {
  enum class Kind { unique, skipped, repeated };
  Kind kind = Kind::unique;
  sys_seconds utc{};
};

/// One change of the offset from UTC.
struct OffsetChange {
  sys_seconds at{};
  seconds before{};  ///< east of UTC
  seconds after{};
};

class Zone {
 public:
  Zone();  ///< UTC

  /// An IANA name as tzdata has it, links too; case matters not. Error (domain input): "unknown-zone".
  static Result<Zone> iana(std::string_view name);
  /// Errors (domain input): "bad-zone" for a definition that means nothing (no periods, targets that are not
  /// there, numbers that are none), "too-large" over `zone_definition_limit`.
  static Result<Zone> from_definition(const model::TimeZoneDefinition& definition);
  static Zone fixed(seconds east_of_utc);

  /// The IANA name; empty for others.
  const std::string& iana_name() const noexcept { return name_; }
  seconds offset_at(sys_seconds utc) const;
  local_seconds to_local(sys_seconds utc) const;
  LocalLookup to_utc(local_seconds local) const;
  /// "CET"; empty where there is none.
  std::string abbreviation_at(sys_seconds utc) const;
  bool is_daylight_at(sys_seconds utc) const;
  /// All changes in [from, to), ascending; at most `changes_limit`.
  std::vector<OffsetChange> changes(sys_seconds from, sys_seconds to) const;

  static constexpr std::size_t changes_limit = 2000;

  class Rules;  ///< private to this module

 private:
  Zone(std::shared_ptr<const Rules> rules, std::string name);
  std::shared_ptr<const Rules> rules_;
  std::string name_;
};

/// Periods, groups, and transitions of one group or list. Windows' richest zones have some hundred groups.
constexpr std::size_t zone_definition_limit = 512;
/// Transitions within a year of one group.
constexpr std::size_t zone_group_limit = 16;

/// Midnight UTC of the first of January.
inline sys_seconds begin_of_year(int year) {
  return std::chrono::sys_days{std::chrono::year{year} / std::chrono::January / 1};
}

}  // namespace syncline::time
