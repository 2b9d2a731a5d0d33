// SPDX-License-Identifier: GPL-3.0-or-later
#include "time/zone_match.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "time/zone_tables.hpp"

namespace syncline::time {
namespace {

namespace chrono = std::chrono;

/// Offsets are compared in a year that is over in every tzdata we may meet, so that answers do not depend on
/// the day.
constexpr int reference_year = 2025;

struct Candidate {
  std::string windows;
  std::string iana;
  Zone zone;
  seconds standard{0};
  seconds daylight{0};
};

/// Every Windows zone with its worldwide IANA zone, the preferred ones first.
const std::vector<Candidate>& candidates() {
  static const std::vector<Candidate> all = [] {
    std::vector<std::string> names(preferred_windows.begin(), preferred_windows.end());
    for (const std::string& name : windows_names()) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    std::vector<Candidate> found;
    for (const std::string& name : names) {
      const auto iana = windows_to_iana(name);
      if (!iana) continue;
      auto zone = Zone::iana(*iana);
      if (!zone) continue;
      Candidate candidate{name, *iana, *zone, {}, {}};
      candidate.standard = candidate.daylight = zone->offset_at(begin_of_year(reference_year));
      for (const OffsetChange& change :
           zone->changes(begin_of_year(reference_year), begin_of_year(reference_year + 1))) {
        candidate.standard = std::min(candidate.standard, change.after);
        candidate.daylight = std::max(candidate.daylight, change.after);
      }
      found.push_back(std::move(candidate));
    }
    return found;
  }();
  return all;
}

bool same_rules(const Zone& a, const Zone& b, sys_seconds from, sys_seconds to) {
  if (a.offset_at(from) != b.offset_at(from)) return false;
  const auto changes_a = a.changes(from, to);
  const auto changes_b = b.changes(from, to);
  return std::equal(
      changes_a.begin(), changes_a.end(), changes_b.begin(), changes_b.end(),
      [](const OffsetChange& x, const OffsetChange& y) { return x.at == y.at && x.after == y.after; });
}

constexpr chrono::days window_before{366};
constexpr chrono::days window_after{6 * 366};

// ---- definition ----

struct YearChange {
  local_seconds wall;  ///< before the change
  seconds before;
  seconds after;
};

/// One recurring change as all years of a span have it, or nothing.
std::optional<model::ZoneTransitionOnDay> common_rule(const std::vector<std::vector<YearChange>>& years,
                                                      std::size_t first, std::size_t position) {
  const YearChange& model_change = years[first][position];
  const Date model_date = date_of(model_change.wall);
  const seconds time = model_change.wall - day_of(model_change.wall);
  const chrono::weekday weekday{day_of(model_change.wall)};
  bool last = true;
  int nth = (static_cast<int>(static_cast<unsigned>(model_date.day())) - 1) / 7 + 1;
  for (std::size_t i = first; i < years.size(); ++i) {
    const YearChange& change = years[i][position];
    const Date date = date_of(change.wall);
    const bool same = change.before == model_change.before && change.after == model_change.after &&
                      date.month() == model_date.month() && change.wall - day_of(change.wall) == time &&
                      chrono::weekday{day_of(change.wall)} == weekday;
    if (!same) return std::nullopt;
    const auto day = static_cast<int>(static_cast<unsigned>(date.day()));
    if ((day - 1) / 7 + 1 != nth) nth = 0;
    if (day + 7 <=
        days_in_month(static_cast<int>(date.year()), static_cast<int>(static_cast<unsigned>(date.month())))) {
      last = false;
    }
  }
  if (!last && (nth == 0 || nth == 5)) return std::nullopt;
  static constexpr std::array<const char*, 7> names{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                    "Thursday", "Friday", "Saturday"};
  return model::ZoneTransitionOnDay{
      format_duration(time), std::to_string(static_cast<unsigned>(model_date.month())),
      names[weekday.c_encoding()], last ? std::string("-1") : std::to_string(nth)};
}

/// The recurring changes that hold from year `first` to the end; nullopt if there is no such rule.
std::optional<std::vector<model::ZoneTransitionOnDay>> common_rules(
    const std::vector<std::vector<YearChange>>& years, std::size_t first) {
  std::vector<model::ZoneTransitionOnDay> rules;
  for (std::size_t i = first; i < years.size(); ++i) {
    if (years[i].size() != years[first].size()) return std::nullopt;
  }
  for (std::size_t position = 0; position < years[first].size(); ++position) {
    auto rule = common_rule(years, first, position);
    if (!rule) return std::nullopt;
    rules.push_back(std::move(*rule));
  }
  return rules;
}

class DefinitionMaker {
 public:
  DefinitionMaker(const Zone& zone, int from_year) : zone_(zone), from_(from_year) {}

  model::TimeZoneDefinition make(std::string id, std::string name) {
    definition_.id = std::move(id);
    definition_.name = std::move(name);
    collect_years();
    std::size_t stable = 0;
    std::optional<std::vector<model::ZoneTransitionOnDay>> rules;
    for (; stable + shortest_rule <= years_.size(); ++stable) {
      rules = common_rules(years_, stable);
      if (rules) break;
    }
    const std::size_t single_until = rules ? stable : irregular_years;
    standard_ = zone_.offset_at(begin_of_year(from_));
    for (const auto& year : years_) {
      for (const YearChange& change : year) standard_ = std::min({standard_, change.before, change.after});
    }
    if (!rules || stable > 0 || rules->empty())
      enter(std::nullopt, constant_group(zone_.offset_at(begin_of_year(from_))));
    for (std::size_t i = 0; i < single_until && i < years_.size(); ++i) {
      for (const YearChange& change : years_[i]) enter(change.wall, constant_group(change.after));
    }
    if (rules && !rules->empty()) {
      const std::string group = recurring_group(*rules, years_[stable]);
      const local_seconds begin =
          days_of(chrono::year{from_ + static_cast<int>(stable)} / chrono::January / 1);
      enter(stable == 0 ? std::nullopt : std::optional<local_seconds>(begin), group);
    }
    return std::move(definition_);
  }

 private:
  /// A rule is believed if it holds for this many years; 28 have every calendar but for centuries.
  static constexpr std::size_t years_looked_at = 28;
  static constexpr std::size_t shortest_rule = 10;
  /// How far changes without a rule are listed.
  static constexpr std::size_t irregular_years = 10;

  void collect_years() {
    for (std::size_t i = 0; i < years_looked_at; ++i) {
      const int year = from_ + static_cast<int>(i);
      std::vector<YearChange> changes;
      for (const OffsetChange& change : zone_.changes(begin_of_year(year), begin_of_year(year + 1))) {
        changes.push_back(
            {local_seconds{change.at.time_since_epoch() + change.before}, change.before, change.after});
      }
      years_.push_back(std::move(changes));
    }
  }

  std::string period(seconds offset) {
    const std::string bias = format_duration(-offset);
    for (const model::ZonePeriod& known : definition_.periods) {
      if (known.bias == bias) return known.id;
    }
    const bool daylight = offset != standard_;
    const std::string id = (daylight ? "Dlt" : "Std") + std::to_string(definition_.periods.size());
    definition_.periods.push_back({id, daylight ? "Daylight" : "Standard", bias});
    return id;
  }

  std::string constant_group(seconds offset) {
    const std::string target = period(offset);
    for (const model::ZoneTransitionGroup& group : definition_.groups) {
      if (group.transitions.size() == 1 && group.transitions.front().to.id == target) return group.id;
    }
    model::ZoneTransitionGroup group{std::to_string(definition_.groups.size()), {}};
    group.transitions.push_back(
        {{model::ZoneTransitionTarget::Kind::period, target}, model::ZoneTransitionAlways{}});
    definition_.groups.push_back(std::move(group));
    return definition_.groups.back().id;
  }

  std::string recurring_group(const std::vector<model::ZoneTransitionOnDay>& rules,
                              const std::vector<YearChange>& year) {
    model::ZoneTransitionGroup group{std::to_string(definition_.groups.size()), {}};
    for (std::size_t i = 0; i < rules.size(); ++i) {
      group.transitions.push_back(
          {{model::ZoneTransitionTarget::Kind::period, period(year[i].after)}, rules[i]});
    }
    definition_.groups.push_back(std::move(group));
    return definition_.groups.back().id;
  }

  void enter(std::optional<local_seconds> at, const std::string& group) {
    model::ZoneTransition transition{{model::ZoneTransitionTarget::Kind::group, group},
                                     model::ZoneTransitionAlways{}};
    if (at) transition.when = model::ZoneTransitionAt{format_local(*at)};
    definition_.transitions.push_back(std::move(transition));
  }

  const Zone& zone_;
  int from_;
  seconds standard_{0};
  std::vector<std::vector<YearChange>> years_;
  model::TimeZoneDefinition definition_;
};

}  // namespace

ZoneMatch match_offsets(seconds standard, seconds daylight) {
  // "GMT -0400 / GMT -0500" has them the other way round.
  const auto [low, high] = std::minmax(standard, daylight);
  for (const Candidate& candidate : candidates()) {
    if (candidate.standard == low && candidate.daylight == high) {
      return {ZoneMatch::By::offsets, candidate.iana, candidate.windows, false};
    }
  }
  return {};
}

std::optional<seconds> standard_offset_now(std::string_view iana) {
  const auto zone = Zone::iana(iana);
  if (!zone) return std::nullopt;
  seconds offset = zone->offset_at(begin_of_year(reference_year));
  for (const OffsetChange& change :
       zone->changes(begin_of_year(reference_year), begin_of_year(reference_year + 1))) {
    offset = std::min(offset, change.after);
  }
  return offset;
}

ZoneMatch match_rules(const Zone& zone, sys_seconds around) {
  const sys_seconds from = around - window_before;
  const sys_seconds to = around + window_after;
  ZoneMatch match;
  for (const Candidate& candidate : candidates()) {
    if (!same_rules(zone, candidate.zone, from, to)) continue;
    if (match.found()) {
      match.exact = false;
      break;
    }
    match = {ZoneMatch::By::rules, candidate.iana, candidate.windows, true};
  }
  return match;
}

Result<ResolvedZone> resolve_zone(const model::TimeZoneDefinition& definition, sys_seconds around) {
  ResolvedZone resolved;
  std::optional<Zone> own;
  if (definition.has_rules()) {
    auto read = Zone::from_definition(definition);
    if (read) {
      own = std::move(*read);
    } else {
      resolved.notes.push_back("the definition cannot be read: " + read.error().message);
    }
  }
  for (const std::string& name : {definition.id, definition.name}) {
    const ZoneMatch match = match_name(name);
    if (!match.found()) continue;
    auto zone = Zone::iana(match.iana);
    if (!zone) continue;
    const bool is_name = match.by == ZoneMatch::By::windows_name || match.by == ZoneMatch::By::iana_name ||
                         match.by == ZoneMatch::By::retired_name;
    if (!is_name && own && !same_rules(*own, *zone, around - window_before, around + window_after)) {
      resolved.notes.push_back("its name hints at " + match.iana + ", its rules do not agree");
      continue;
    }
    resolved.zone = std::move(*zone);
    resolved.match = match;
    return resolved;
  }
  if (!own) {
    return fail(ErrorDomain::input, "unknown-zone",
                "neither a known name nor rules: " +
                    text::escape_for_display(std::string_view(definition.id).substr(0, 100)));
  }
  resolved.match = match_rules(*own, around);
  if (resolved.match.found()) {
    if (auto zone = Zone::iana(resolved.match.iana)) {
      resolved.zone = std::move(*zone);
      return resolved;
    }
  }
  resolved.match = {};
  resolved.zone = std::move(*own);
  return resolved;
}

std::string keep_identity(std::string_view known_iana, const model::TimeZoneDefinition& received,
                          sys_seconds around) {
  const auto windows = iana_to_windows(known_iana);
  if (windows && text::equals_ignore_case(*windows, text::trim(received.id))) return std::string(known_iana);
  const auto resolved = resolve_zone(received, around);
  if (!resolved) return {};
  // A zone without a Windows name comes back with the rules it was sent with.
  const auto known = Zone::iana(known_iana);
  const bool by_rules = resolved->match.by == ZoneMatch::By::rules || !resolved->match.found();
  if (known && by_rules &&
      same_rules(*known, resolved->zone, around - window_before, around + window_after)) {
    return std::string(known_iana);
  }
  return resolved->match.iana;
}

model::TimeZoneDefinition make_definition(const Zone& zone, std::string id, std::string name, int from_year) {
  return DefinitionMaker(zone, std::clamp(from_year, 1900, 2400)).make(std::move(id), std::move(name));
}

model::TimeZoneDefinition definition_to_send(const Zone& zone, int from_year) {
  const auto windows = iana_to_windows(zone.iana_name());
  return make_definition(zone, windows.value_or("Customized Time Zone"), windows.value_or(zone.iana_name()),
                         from_year);
}

}  // namespace syncline::time
