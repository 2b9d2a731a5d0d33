// SPDX-License-Identifier: GPL-3.0-or-later
// Recurrences and zones of the wire as values of the model.
#include <chrono>

#include "ews/driver/from_item.hpp"

namespace syncline::ews {
namespace {

std::optional<model::Date> date_of(const Date& date) {
  if (!date.valid()) return std::nullopt;
  const model::Date made{std::chrono::year(date.year), std::chrono::month(date.month),
                         std::chrono::day(date.day)};
  return made.ok() ? std::optional(made) : std::nullopt;
}

std::optional<model::DayOfWeek> day_of(const Open<DayOfWeek>& day) {
  if (!day.known()) return std::nullopt;
  return static_cast<model::DayOfWeek>(*day.known());
}

/// The protocol has one value here; "Monday Tuesday" and the like of some servers mean a set we may have a
/// name for.
std::optional<model::DayOfWeek> day_of(const std::vector<Open<DayOfWeek>>& days) {
  if (days.size() == 1) return day_of(days.front());
  model::WeekdayMask mask = 0;
  for (const auto& one : days) {
    const auto day = day_of(one);
    if (!day) return std::nullopt;
    mask |= model::mask_of(*day);
  }
  if (mask == model::every_day_mask) return model::DayOfWeek::day;
  if (mask == model::weekday_mask) return model::DayOfWeek::weekday;
  if (mask == model::weekend_mask) return model::DayOfWeek::weekend_day;
  return std::nullopt;
}

std::optional<model::DayOfWeekIndex> index_of(const Open<DayOfWeekIndex>& index) {
  if (!index.known()) return std::nullopt;
  return static_cast<model::DayOfWeekIndex>(*index.known());
}

std::optional<int> month_of(const Open<Month>& month) {
  if (!month.known()) return std::nullopt;
  return static_cast<int>(*month.known()) + 1;
}

using Pattern = std::optional<model::RecurrencePattern>;

struct PatternReader {
  Pattern operator()(const std::monostate&) const { return std::nullopt; }
  Pattern operator()(const DailyPattern& pattern) const {
    return model::DailyPattern{.interval = pattern.interval};
  }
  Pattern operator()(const WeeklyPattern& pattern) const {
    model::WeeklyPattern made{.interval = pattern.interval};
    for (const auto& one : pattern.days) {
      const auto day = day_of(one);
      if (!day) return std::nullopt;
      made.days |= model::mask_of(*day);
    }
    if (pattern.first_day_of_week) {
      const auto first = day_of(*pattern.first_day_of_week);
      if (first && *first <= model::DayOfWeek::saturday)
        made.first_day_of_week = std::chrono::weekday(static_cast<unsigned>(*first));
    }
    if (made.days == 0) return std::nullopt;
    return made;
  }
  Pattern operator()(const AbsoluteMonthlyPattern& pattern) const {
    return model::AbsoluteMonthlyPattern{.interval = pattern.interval, .day_of_month = pattern.day_of_month};
  }
  Pattern operator()(const RelativeMonthlyPattern& pattern) const {
    const auto day = day_of(pattern.days);
    const auto index = index_of(pattern.index);
    if (!day || !index) return std::nullopt;
    return model::RelativeMonthlyPattern{.interval = pattern.interval, .day = *day, .index = *index};
  }
  Pattern operator()(const AbsoluteYearlyPattern& pattern) const {
    const auto month = month_of(pattern.month);
    if (!month) return std::nullopt;
    return model::AbsoluteYearlyPattern{.month = *month, .day_of_month = pattern.day_of_month};
  }
  Pattern operator()(const RelativeYearlyPattern& pattern) const {
    const auto day = day_of(pattern.days);
    const auto index = index_of(pattern.index);
    const auto month = month_of(pattern.month);
    if (!day || !index || !month) return std::nullopt;
    return model::RelativeYearlyPattern{.month = *month, .day = *day, .index = *index};
  }
  Pattern operator()(const RegeneratingPattern& pattern) const {
    return model::RegenerationPattern{.unit = static_cast<model::RegenerationPattern::Unit>(pattern.unit),
                                      .interval = pattern.interval};
  }
};

using Range = std::optional<model::RecurrenceRange>;

struct RangeReader {
  Range operator()(const std::monostate&) const { return std::nullopt; }
  Range operator()(const NoEndRange& range) const {
    const auto start = date_of(range.start);
    if (!start) return std::nullopt;
    return model::RecurrenceRange{.start = *start, .end = model::RecurrenceRange::NoEnd{}};
  }
  Range operator()(const EndDateRange& range) const {
    const auto start = date_of(range.start);
    const auto end = date_of(range.end);
    if (!start || !end) return std::nullopt;
    return model::RecurrenceRange{.start = *start, .end = *end};
  }
  Range operator()(const NumberedRange& range) const {
    const auto start = date_of(range.start);
    if (!start) return std::nullopt;
    return model::RecurrenceRange{
        .start = *start, .end = model::RecurrenceRange::Numbered{.number_of_occurrences = range.count}};
  }
};

struct TransitionReader {
  using When = decltype(model::ZoneTransition::when);
  When operator()(const InitialTransition&) const { return model::ZoneTransitionAlways{}; }
  When operator()(const AbsoluteDateTransition& when) const {
    return model::ZoneTransitionAt{.date_time = when.at.text()};
  }
  When operator()(const RecurringDayTransition& when) const {
    return model::ZoneTransitionOnDay{.time_offset = when.time_offset.to_xml(),
                                      .month = std::to_string(when.month),
                                      .day_of_week = std::string(when.day_of_week.text()),
                                      .occurrence = std::to_string(when.occurrence)};
  }
  When operator()(const RecurringDateTransition& when) const {
    return model::ZoneTransitionOnDate{.time_offset = when.time_offset.to_xml(),
                                       .month = std::to_string(when.month),
                                       .day = std::to_string(when.day)};
  }
};

std::vector<model::ZoneTransition> transitions_of(const std::vector<TimeZoneTransition>& transitions) {
  std::vector<model::ZoneTransition> made;
  made.reserve(transitions.size());
  for (const TimeZoneTransition& one : transitions) {
    model::ZoneTransition transition;
    transition.to.kind = one.target_kind == TransitionTarget::group
                             ? model::ZoneTransitionTarget::Kind::group
                             : model::ZoneTransitionTarget::Kind::period;
    transition.to.id = one.target;
    transition.when = std::visit(TransitionReader{}, one.when);
    made.push_back(std::move(transition));
  }
  return made;
}

}  // namespace

std::optional<model::Recurrence> recurrence_of(const Recurrence& recurrence) {
  auto pattern = std::visit(PatternReader{}, recurrence.pattern);
  const auto range = std::visit(RangeReader{}, recurrence.range);
  if (!pattern || !range) return std::nullopt;
  return model::Recurrence{.pattern = std::move(*pattern), .range = *range};
}

model::TimeZoneDefinition zone_definition_of(const TimeZoneDefinition& definition) {
  model::TimeZoneDefinition made;
  made.id = definition.id.value_or("");
  made.name = definition.name.value_or("");
  made.periods.reserve(definition.periods.size());
  for (const TimeZonePeriod& period : definition.periods)
    made.periods.push_back({.id = period.id, .name = period.name, .bias = period.bias.to_xml()});
  for (const TransitionsGroup& group : definition.groups)
    made.groups.push_back({.id = group.id, .transitions = transitions_of(group.transitions)});
  made.transitions = transitions_of(definition.transitions);
  return made;
}

}  // namespace syncline::ews
