// SPDX-License-Identifier: GPL-3.0-or-later
// A definition that a server sent, as rules. The list of transitions says from when which group of recurring
// changes (or which period for good) holds; a group's changes recur every year. Peers send less than that: no
// groups, a list without its first entry, groups whose changes are all of one kind. What can be meant is read
// so.
#include <algorithm>
#include <map>
#include <optional>

#include "base/text.hpp"
#include "time/recurrence_text.hpp"
#include "time/zone_rules.hpp"

namespace syncline::time {
namespace {

namespace chrono = std::chrono;
using namespace model;

unexpected<Error> bad(std::string message) {
  return fail(ErrorDomain::input, "bad-zone", std::move(message));
}

/// A change that recurs every year, to an offset.
struct Yearly {
  int month = 1;
  int day = 0;  ///< RecurringDate: 1 to 31; 0: by weekday
  WeekdayMask weekdays = 0;
  int occurrence = 0;  ///< 1 to 4, -1
  seconds time_of_day{0};
  seconds offset{0};  ///< after it
  local_seconds in(int year) const {
    local_days date;
    if (day != 0) {
      date = days_of(chrono::year{year} / month / std::min(day, days_in_month(year, month)));
    } else {
      const auto found = nth_day_in_month(year, month, weekdays, occurrence < 0 ? -1 : occurrence - 1);
      date = found ? *found : *nth_day_in_month(year, month, weekdays, -1);
    }
    return date + time_of_day;
  }
};

/// From `begin` on (wall clock) either one offset, or changes every year.
struct Era {
  local_seconds begin = local_seconds::min();
  seconds offset{0};
  std::vector<Yearly> yearly;
};

class DefinitionRules final : public Zone::Rules {
 public:
  explicit DefinitionRules(std::vector<Era> eras, seconds standard)
      : eras_(std::move(eras)), standard_(standard) {}

  seconds offset_at(sys_seconds utc) const override {
    const Window window = window_around(utc);
    seconds offset = window.first;
    for (const OffsetChange& change : window.changes) {
      if (change.at > utc) break;
      offset = change.after;
    }
    return offset;
  }

  LocalLookup to_utc(local_seconds local) const override {
    const sys_seconds nominal{local.time_since_epoch()};
    const Window window = window_around(nominal);
    // The stretches of constant offset in turn: those whose wall clock contains `local`.
    std::optional<sys_seconds> first;
    unsigned matches = 0;
    seconds before_gap = window.first;
    for (std::size_t i = 0; i <= window.changes.size(); ++i) {
      const seconds offset = i == 0 ? window.first : window.changes[i - 1].after;
      const sys_seconds candidate = nominal - offset;
      const bool begun = i == 0 || candidate >= window.changes[i - 1].at;
      const bool ended = i < window.changes.size() && candidate >= window.changes[i].at;
      if (begun && !ended) {
        ++matches;
        if (!first) first = candidate;
      }
      if (i < window.changes.size() && candidate >= window.changes[i].at) before_gap = offset;
    }
    if (!first) return {LocalLookup::Kind::skipped, nominal - before_gap};
    return {matches > 1 ? LocalLookup::Kind::repeated : LocalLookup::Kind::unique, *first};
  }

  bool is_daylight_at(sys_seconds utc) const override { return offset_at(utc) > standard_at(utc); }

  std::vector<OffsetChange> changes(sys_seconds from, sys_seconds to) const override {
    std::vector<OffsetChange> found;
    if (from >= to) return found;
    const int begin = std::clamp(year_of(from), first_year + 2, last_year - 2);
    const int end = std::clamp(year_of(to), first_year + 2, last_year - 2);
    const Window window = window_of_years(begin - 1, std::min(end, begin + 400) + 1);
    for (const OffsetChange& change : window.changes) {
      if (change.at >= from && change.at < to && found.size() < Zone::changes_limit) found.push_back(change);
    }
    return found;
  }

 private:
  struct Window {
    seconds first{0};  ///< offset before the first change
    std::vector<OffsetChange> changes;
  };

  static int year_of(sys_seconds utc) {
    const auto day = chrono::floor<chrono::days>(utc);
    return static_cast<int>(chrono::year_month_day{day}.year());
  }
  Window window_around(sys_seconds utc) const {
    const int year = std::clamp(year_of(utc), first_year + 2, last_year - 2);
    return window_of_years(year - 1, year + 1);
  }

  /// The offset of `era` that holds at its wall clock `at`.
  static seconds state_of(const Era& era, local_seconds at) {
    if (era.yearly.empty()) return era.offset;
    const int year = static_cast<int>(date_of(at).year());
    const Yearly* last = nullptr;
    local_seconds last_at = local_seconds::min();
    for (int candidate : {year - 1, year}) {
      for (const Yearly& yearly : era.yearly) {
        const local_seconds begins = yearly.in(candidate);
        if (begins <= at && begins >= last_at) {
          last = &yearly;
          last_at = begins;
        }
      }
    }
    return last != nullptr ? last->offset : era.yearly.back().offset;
  }

  Window window_of_years(int begin, int end) const {
    struct Event {
      local_seconds at;
      seconds offset;
    };
    std::vector<Event> events;
    const local_seconds opens = days_of(chrono::year{begin} / chrono::January / 1);
    const local_seconds closes = days_of(chrono::year{end + 1} / chrono::January / 1);
    Window window;
    for (std::size_t i = 0; i < eras_.size(); ++i) {
      const Era& era = eras_[i];
      const local_seconds era_end = i + 1 < eras_.size() ? eras_[i + 1].begin : local_seconds::max();
      if (era.begin >= closes || era_end <= opens) continue;
      const local_seconds entered = std::max(era.begin, opens);
      if (entered == opens) {
        window.first = state_of(era, opens);
      } else {
        events.push_back({entered, state_of(era, entered)});
      }
      for (int year = begin; year <= end; ++year) {
        for (const Yearly& yearly : era.yearly) {
          const local_seconds at = yearly.in(year);
          if (at > entered && at < era_end && at < closes) events.push_back({at, yearly.offset});
        }
      }
    }
    std::stable_sort(events.begin(), events.end(),
                     [](const Event& a, const Event& b) { return a.at < b.at; });
    seconds offset = window.first;
    for (const Event& event : events) {
      if (event.offset == offset) continue;
      const sys_seconds at{event.at.time_since_epoch() - offset};
      window.changes.push_back({at, offset, event.offset});
      offset = event.offset;
    }
    // Changes closer together than the offsets differ would cross in UTC.
    std::stable_sort(window.changes.begin(), window.changes.end(),
                     [](const OffsetChange& a, const OffsetChange& b) { return a.at < b.at; });
    return window;
  }

  /// The smaller offset of the year around: what Windows calls standard time.
  seconds standard_at(sys_seconds utc) const {
    const Window window = window_around(utc);
    if (window.changes.empty()) return std::min(standard_, window.first);
    seconds least = offset_at(utc);
    for (const OffsetChange& change : window.changes) {
      if (chrono::abs(change.at - utc) < chrono::days{366})
        least = std::min({least, change.before, change.after});
    }
    return least;
  }

  std::vector<Era> eras_;
  seconds standard_;
};

class Compiler {
 public:
  explicit Compiler(const TimeZoneDefinition& definition) : definition_(definition) {}

  Result<std::vector<Era>> compile() {
    if (auto ok = check_sizes(); !ok) return unexpected<Error>(std::move(ok.error()));
    if (auto ok = read_periods(); !ok) return unexpected<Error>(std::move(ok.error()));
    for (const ZoneTransitionGroup& group : definition_.groups) groups_.emplace(group.id, &group);

    std::vector<Era> eras;
    if (definition_.transitions.empty()) {
      // No list: the only group holds, or else the first period.
      auto era = definition_.groups.empty() ? Result<Era>(Era{local_seconds::min(), first_offset_, {}})
                                            : era_of_group(definition_.groups.front());
      if (!era) return unexpected<Error>(std::move(era.error()));
      eras.push_back(std::move(*era));
      return eras;
    }
    for (const ZoneTransition& transition : definition_.transitions) {
      auto era = era_of(transition);
      if (!era) return unexpected<Error>(std::move(era.error()));
      eras.push_back(std::move(*era));
    }
    std::stable_sort(eras.begin(), eras.end(), [](const Era& a, const Era& b) { return a.begin < b.begin; });
    eras.front().begin = local_seconds::min();
    return eras;
  }

  seconds standard() const { return first_offset_; }

 private:
  Result<void> check_sizes() const {
    const bool too_large =
        definition_.periods.size() > zone_definition_limit ||
        definition_.groups.size() > zone_definition_limit ||
        definition_.transitions.size() > zone_definition_limit ||
        std::any_of(definition_.groups.begin(), definition_.groups.end(),
                    [](const auto& group) { return group.transitions.size() > zone_group_limit; });
    if (too_large) return fail(ErrorDomain::input, "too-large", "the time zone definition is too large");
    if (definition_.periods.empty()) return bad("the time zone definition has no periods");
    return {};
  }

  Result<void> read_periods() {
    for (const ZonePeriod& period : definition_.periods) {
      const auto bias = parse_duration(text::trim(period.bias));
      if (!bias || chrono::abs(*bias) > chrono::hours{26}) return bad("a period's bias is none");
      if (periods_.empty()) first_offset_ = -*bias;
      periods_.emplace(period.id, -*bias);
    }
    return {};
  }

  std::optional<seconds> offset_of(const std::string& period) const {
    const auto found = periods_.find(period);
    return found == periods_.end() ? std::nullopt : std::optional<seconds>(found->second);
  }

  Result<Era> era_of(const ZoneTransition& transition) const {
    Era era;
    if (transition.to.kind == ZoneTransitionTarget::Kind::group) {
      const auto group = groups_.find(transition.to.id);
      if (group == groups_.end()) return bad("a transition leads to a group that is not there");
      auto of_group = era_of_group(*group->second);
      if (!of_group) return of_group;
      era = std::move(*of_group);
    } else {
      const auto offset = offset_of(transition.to.id);
      if (!offset) return bad("a transition leads to a period that is not there");
      era.offset = *offset;
    }
    if (const auto* at = std::get_if<ZoneTransitionAt>(&transition.when)) {
      const auto begin = parse_civil(text::trim(at->date_time));
      if (!begin) return bad("a transition's date is none");
      era.begin = begin->time;
    } else if (!std::holds_alternative<ZoneTransitionAlways>(transition.when)) {
      // A recurring change in the list itself: as a group of its own.
      auto yearly = yearly_of(transition);
      if (!yearly) return unexpected<Error>(std::move(yearly.error()));
      era.yearly = {*yearly};
    }
    return era;
  }

  Result<Era> era_of_group(const ZoneTransitionGroup& group) const {
    Era era;
    era.offset = first_offset_;
    for (const ZoneTransition& transition : group.transitions) {
      if (transition.to.kind != ZoneTransitionTarget::Kind::period)
        return bad("a group leads to another group");
      const auto offset = offset_of(transition.to.id);
      if (!offset) return bad("a transition leads to a period that is not there");
      const bool recurring = std::holds_alternative<ZoneTransitionOnDay>(transition.when) ||
                             std::holds_alternative<ZoneTransitionOnDate>(transition.when);
      if (!recurring) {
        era.offset = *offset;
        continue;
      }
      auto yearly = yearly_of(transition);
      if (!yearly) return unexpected<Error>(std::move(yearly.error()));
      era.yearly.push_back(*yearly);
    }
    return era;
  }

  static std::optional<int> number(std::string_view lexical, int low, int high) {
    const auto value = text::parse_int(text::trim(lexical));
    if (!value || *value < low || *value > high) return std::nullopt;
    return static_cast<int>(*value);
  }

  Result<Yearly> yearly_of(const ZoneTransition& transition) const {
    Yearly yearly;
    const auto offset = offset_of(transition.to.id);
    if (transition.to.kind != ZoneTransitionTarget::Kind::period || !offset) {
      return bad("a transition leads to a period that is not there");
    }
    yearly.offset = *offset;
    std::string_view time;
    std::string_view month;
    if (const auto* by_day = std::get_if<ZoneTransitionOnDay>(&transition.when)) {
      time = by_day->time_offset;
      month = by_day->month;
      const auto day = parse_day_of_week(text::trim(by_day->day_of_week));
      const auto occurrence = number(by_day->occurrence, -4, 5);
      if (!day || !occurrence || *occurrence == 0) return bad("a recurring transition's day is none");
      yearly.weekdays = mask_of(*day);
      // Windows' own rules write the last one as 5.
      yearly.occurrence = *occurrence == 5 || *occurrence < 0 ? -1 : *occurrence;
    } else if (const auto* by_date = std::get_if<ZoneTransitionOnDate>(&transition.when)) {
      time = by_date->time_offset;
      month = by_date->month;
      const auto day = number(by_date->day, 1, 31);
      if (!day) return bad("a recurring transition's day is none");
      yearly.day = *day;
    }
    const auto time_of_day = parse_duration(text::trim(time));
    const auto named_month = number(month, 1, 12);
    if (!time_of_day || chrono::abs(*time_of_day) > chrono::hours{48} || !named_month) {
      return bad("a recurring transition's month or time is none");
    }
    yearly.time_of_day = *time_of_day;
    yearly.month = *named_month;
    return yearly;
  }

  const TimeZoneDefinition& definition_;
  std::map<std::string, seconds, std::less<>> periods_;
  std::map<std::string, const ZoneTransitionGroup*, std::less<>> groups_;
  seconds first_offset_{0};
};

}  // namespace

Result<std::shared_ptr<const Zone::Rules>> definition_rules(const TimeZoneDefinition& definition) {
  Compiler compiler(definition);
  auto eras = compiler.compile();
  if (!eras) return unexpected<Error>(std::move(eras.error()));
  return std::shared_ptr<const Zone::Rules>(
      std::make_shared<DefinitionRules>(std::move(*eras), compiler.standard()));
}

}  // namespace syncline::time
