// SPDX-License-Identifier: GPL-3.0-or-later
#include "time/zone.hpp"

#include <cctz/time_zone.h>

#include "base/text.hpp"
#include "time/zone_names.hpp"
#include "time/zone_rules.hpp"

namespace syncline::time {
namespace {

namespace chrono = std::chrono;

cctz::civil_second to_civil(local_seconds local) {
  return cctz::civil_second(1970, 1, 1) + local.time_since_epoch().count();
}
sys_seconds to_sys(cctz::time_point<cctz::seconds> point) {
  return sys_seconds{seconds{point.time_since_epoch().count()}};
}
cctz::time_point<cctz::seconds> to_point(sys_seconds utc) {
  return cctz::time_point<cctz::seconds>(cctz::seconds(utc.time_since_epoch().count()));
}

class IanaRules final : public Zone::Rules {
 public:
  explicit IanaRules(cctz::time_zone zone) : zone_(zone) {}
  seconds offset_at(sys_seconds utc) const override { return seconds{zone_.lookup(to_point(utc)).offset}; }
  LocalLookup to_utc(local_seconds local) const override {
    const auto found = zone_.lookup(to_civil(local));
    using Found = cctz::time_zone::civil_lookup;
    const auto kind = found.kind == Found::SKIPPED    ? LocalLookup::Kind::skipped
                      : found.kind == Found::REPEATED ? LocalLookup::Kind::repeated
                                                      : LocalLookup::Kind::unique;
    // `pre` is the offset before the change: after the gap for a skipped time, the first of a repeated one.
    return {kind, to_sys(found.pre)};
  }
  std::string abbreviation_at(sys_seconds utc) const override { return zone_.lookup(to_point(utc)).abbr; }
  bool is_daylight_at(sys_seconds utc) const override { return zone_.lookup(to_point(utc)).is_dst; }
  std::vector<OffsetChange> changes(sys_seconds from, sys_seconds to) const override {
    std::vector<OffsetChange> found;
    auto point = to_point(from - seconds{1});
    cctz::time_zone::civil_transition transition;
    while (found.size() < Zone::changes_limit && zone_.next_transition(point, &transition)) {
      const auto at = zone_.lookup(transition.to).trans;
      if (to_sys(at) >= to || at <= point) break;
      point = at;
      const seconds before = offset_at(to_sys(at) - seconds{1});
      const seconds after = offset_at(to_sys(at));
      // tzdata also records changes of name or of daylight alone.
      if (before != after) found.push_back({to_sys(at), before, after});
    }
    return found;
  }

 private:
  cctz::time_zone zone_;
};

class FixedRules final : public Zone::Rules {
 public:
  explicit FixedRules(seconds offset) : offset_(offset) {}
  seconds offset_at(sys_seconds) const override { return offset_; }
  LocalLookup to_utc(local_seconds local) const override {
    return {LocalLookup::Kind::unique, sys_seconds{local.time_since_epoch() - offset_}};
  }
  bool is_daylight_at(sys_seconds) const override { return false; }
  std::vector<OffsetChange> changes(sys_seconds, sys_seconds) const override { return {}; }

 private:
  seconds offset_;
};

/// A name that may be looked up as a file: letters, digits and a few signs, no leading slash, no "..".
bool is_zone_file_name(std::string_view name) {
  if (name.empty() || name.size() > 64 || name.front() == '/' || name.front() == '.' || name.front() == ':')
    return false;
  for (const char c : name) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '/' || c == '_' || c == '-' || c == '+';
    if (!fine) return false;
  }
  return true;
}

}  // namespace

Zone::Zone() : Zone(std::make_shared<FixedRules>(seconds{0}), "UTC") {}
Zone::Zone(std::shared_ptr<const Rules> rules, std::string name)
    : rules_(std::move(rules)), name_(std::move(name)) {}

Result<Zone> Zone::iana(std::string_view given) {
  const std::string name = canonical_case(given);
  cctz::time_zone zone;
  const bool hidden = text::equals_ignore_case(name, "localtime") || name.substr(0, 6) == "Fixed/";
  if (!is_zone_file_name(name) || hidden || !cctz::load_time_zone(name, &zone)) {
    return fail(ErrorDomain::input, "unknown-zone",
                "no time zone has this name: " + text::escape_for_display(given.substr(0, 100)));
  }
  return Zone(std::make_shared<IanaRules>(zone), name);
}

Result<Zone> Zone::from_definition(const model::TimeZoneDefinition& definition) {
  auto rules = definition_rules(definition);
  if (!rules) return unexpected<Error>(std::move(rules.error()));
  return Zone(std::move(*rules), {});
}

Zone Zone::fixed(seconds east_of_utc) {
  return Zone(std::make_shared<FixedRules>(east_of_utc), {});
}

seconds Zone::offset_at(sys_seconds utc) const {
  return rules_->offset_at(utc);
}
local_seconds Zone::to_local(sys_seconds utc) const {
  return local_seconds{utc.time_since_epoch() + offset_at(utc)};
}
LocalLookup Zone::to_utc(local_seconds local) const {
  return rules_->to_utc(local);
}
std::string Zone::abbreviation_at(sys_seconds utc) const {
  return rules_->abbreviation_at(utc);
}
bool Zone::is_daylight_at(sys_seconds utc) const {
  return rules_->is_daylight_at(utc);
}
std::vector<OffsetChange> Zone::changes(sys_seconds from, sys_seconds to) const {
  return rules_->changes(from, to);
}

}  // namespace syncline::time
