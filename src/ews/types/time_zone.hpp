// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Time zone definitions: periods with a bias each, groups of yearly transitions between them, and transitions
// in time between groups.
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ews/types/date_time.hpp"
#include "ews/types/enums.hpp"

namespace syncline::ews {

struct TimeZonePeriod {
  Duration bias;  ///< UTC minus local time: "-PT60M" is one hour east
  std::string name;
  std::string id;
  bool operator==(const TimeZonePeriod&) const = default;
};

/// From the beginning of time (element Transition).
struct InitialTransition {
  bool operator==(const InitialTransition&) const = default;
};
struct AbsoluteDateTransition {
  DateTime at;
  bool operator==(const AbsoluteDateTransition&) const = default;
};
/// Every year on a weekday: the `occurrence`th of the month, negative ones counted from its end.
struct RecurringDayTransition {
  Duration time_offset;  ///< from local midnight
  int month = 0;
  Open<DayOfWeek> day_of_week;
  int occurrence = 0;
  bool operator==(const RecurringDayTransition&) const = default;
};
struct RecurringDateTransition {
  Duration time_offset;
  int month = 0;
  int day = 0;
  bool operator==(const RecurringDateTransition&) const = default;
};

struct TimeZoneTransition {
  Open<TransitionTarget> target_kind = TransitionTarget::period;
  std::string target;  ///< id of a period or of a group
  std::variant<InitialTransition, AbsoluteDateTransition, RecurringDayTransition, RecurringDateTransition>
      when;
  bool operator==(const TimeZoneTransition&) const = default;
};

struct TransitionsGroup {
  std::string id;
  std::vector<TimeZoneTransition> transitions;
  bool operator==(const TransitionsGroup&) const = default;
};

/// Either a name alone (`id`, periods empty) or a whole definition; servers also send a name with empty
/// Periods.
struct TimeZoneDefinition {
  std::optional<std::string> id = std::nullopt;  ///< Windows zone name, mostly
  std::optional<std::string> name = std::nullopt;
  std::vector<TimeZonePeriod> periods = {};
  std::vector<TransitionsGroup> groups = {};
  std::vector<TimeZoneTransition> transitions = {};
  bool operator==(const TimeZoneDefinition&) const = default;
};

}  // namespace syncline::ews
