// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "time/zone.hpp"
#include "time/zone_match.hpp"
#include "time/zone_text.hpp"

namespace syncline::time {
namespace {

namespace chrono = std::chrono;
using namespace model;
using Kind = ZoneTransitionTarget::Kind;

local_seconds local(std::string_view text) {
  return parse_civil(text)->time;
}
sys_seconds utc(std::string_view text) {
  return sys_seconds{parse_civil(text)->time.time_since_epoch()};
}

/// Central Europe's rules as Exchange 2010 writes them.
TimeZoneDefinition central_europe(std::string id, std::string name) {
  return {std::move(id),
          std::move(name),
          {{"std", "Standard", "-PT60M"}, {"dlt", "Daylight", "-PT120M"}},
          {{"0",
            {{{Kind::period, "std"}, ZoneTransitionOnDay{"PT180M", "10", "Sunday", "-1"}},
             {{Kind::period, "dlt"}, ZoneTransitionOnDay{"PT120M", "3", "Sunday", "-1"}}}}},
          {{{Kind::group, "0"}, ZoneTransitionAlways{}}}};
}

TEST(Zone, a_skipped_time_is_read_with_the_offset_before_and_a_repeated_one_is_the_first) {
  for (const Zone& zone : {*Zone::iana("Europe/Berlin"), *Zone::from_definition(central_europe("x", ""))}) {
    const LocalLookup gap = zone.to_utc(local("2026-03-29T02:30:00"));
    EXPECT_EQ(gap.kind, LocalLookup::Kind::skipped);
    EXPECT_EQ(format_utc(gap.utc), "2026-03-29T01:30:00Z");
    const LocalLookup twice = zone.to_utc(local("2026-10-25T02:30:00"));
    EXPECT_EQ(twice.kind, LocalLookup::Kind::repeated);
    EXPECT_EQ(format_utc(twice.utc), "2026-10-25T00:30:00Z");
    EXPECT_EQ(zone.to_utc(local("2026-10-25T03:00:00")).kind, LocalLookup::Kind::unique);
    EXPECT_EQ(format_utc(zone.to_utc(local("2026-03-29T03:00:00")).utc), "2026-03-29T01:00:00Z");
    EXPECT_TRUE(zone.is_daylight_at(utc("2026-07-01T00:00:00")));
    EXPECT_FALSE(zone.is_daylight_at(utc("2026-12-01T00:00:00")));
  }
}

TEST(Zone, a_definition_agrees_with_tzdata_every_hour_around_its_changes) {
  const Zone ours = *Zone::from_definition(central_europe("x", ""));
  const Zone theirs = *Zone::iana("Europe/Berlin");
  for (const int year : {1999, 2026, 2050}) {
    for (const OffsetChange& change : theirs.changes(begin_of_year(year), begin_of_year(year + 1))) {
      for (int hours = -30; hours <= 30; ++hours) {
        const sys_seconds at = change.at + chrono::hours{hours};
        EXPECT_EQ(ours.offset_at(at), theirs.offset_at(at));
        const local_seconds wall = theirs.to_local(at) + chrono::minutes{30};
        EXPECT_EQ(ours.to_utc(wall).utc, theirs.to_utc(wall).utc);
        EXPECT_EQ(ours.to_utc(wall).kind, theirs.to_utc(wall).kind);
      }
    }
  }
}

TEST(Zone, the_definition_made_of_any_iana_zone_means_the_same) {
  std::size_t zones = 0;
  for (const std::string& name : iana_names()) {
    const auto zone = Zone::iana(name);
    if (!zone) continue;
    ++zones;
    const TimeZoneDefinition definition = definition_to_send(*zone, 2025);
    const auto read = Zone::from_definition(definition);
    ASSERT_TRUE(read) << name << read.error().describe();
    for (sys_seconds at = begin_of_year(2025); at < begin_of_year(2034);
         at += chrono::days{9} + chrono::hours{7}) {
      ASSERT_EQ(read->offset_at(at), zone->offset_at(at))
          << name << ' ' << format_utc(at) << zone_to_xml(definition, "Z");
    }
    for (const OffsetChange& change : zone->changes(begin_of_year(2025), begin_of_year(2034))) {
      ASSERT_EQ(read->offset_at(change.at), change.after) << name << format_utc(change.at);
      ASSERT_EQ(read->offset_at(change.at - seconds{1}), change.before) << name << format_utc(change.at);
    }
  }
  EXPECT_GT(zones, 500U);
}

TEST(Zone, rules_of_the_southern_hemisphere_are_in_summer_on_new_year) {
  const Zone zone = *Zone::from_definition(definition_to_send(*Zone::iana("Australia/Sydney"), 2026));
  EXPECT_EQ(zone.offset_at(utc("2026-01-01T00:00:00")), chrono::hours{11});
  EXPECT_EQ(zone.offset_at(utc("2026-06-01T00:00:00")), chrono::hours{10});
}

TEST(Zone, thin_definitions_are_read_as_far_as_they_mean_something) {
  TimeZoneDefinition only_period{"x", "", {{"p", "Standard", "PT5H"}}, {}, {}};
  EXPECT_EQ(Zone::from_definition(only_period)->offset_at(utc("2026-06-01T00:00:00")), -chrono::hours{5});
  TimeZoneDefinition no_list = central_europe("x", "");
  no_list.transitions.clear();
  EXPECT_EQ(Zone::from_definition(no_list)->offset_at(utc("2026-06-01T00:00:00")), chrono::hours{2});
  TimeZoneDefinition windows_last = central_europe("x", "");
  std::get<ZoneTransitionOnDay>(windows_last.groups[0].transitions[0].when).occurrence = "5";
  EXPECT_EQ(Zone::from_definition(windows_last)->offset_at(utc("2026-10-25T01:00:00")), chrono::hours{1});
}

TEST(Zone, definitions_without_meaning_or_without_measure_are_refused) {
  const auto code = [](const TimeZoneDefinition& definition) {
    const auto zone = Zone::from_definition(definition);
    return zone ? std::string("none") : zone.error().code;
  };
  EXPECT_EQ(code({"x", "", {}, {}, {}}), "bad-zone");
  TimeZoneDefinition definition = central_europe("x", "");
  definition.periods[0].bias = "soon";
  EXPECT_EQ(code(definition), "bad-zone");
  definition = central_europe("x", "");
  definition.periods[0].bias = "PT900H";
  EXPECT_EQ(code(definition), "bad-zone");
  definition = central_europe("x", "");
  definition.transitions[0].to.id = "7";
  EXPECT_EQ(code(definition), "bad-zone");
  definition = central_europe("x", "");
  definition.groups[0].transitions[0].to = {Kind::group, "0"};
  EXPECT_EQ(code(definition), "bad-zone");
  definition = central_europe("x", "");
  std::get<ZoneTransitionOnDay>(definition.groups[0].transitions[0].when).month = "13";
  EXPECT_EQ(code(definition), "bad-zone");
  definition = central_europe("x", "");
  definition.periods.resize(zone_definition_limit + 1, {"p", "", "PT0S"});
  EXPECT_EQ(code(definition), "too-large");
  definition = central_europe("x", "");
  definition.groups[0].transitions.resize(zone_group_limit + 1, definition.groups[0].transitions[0]);
  EXPECT_EQ(code(definition), "too-large");
}

TEST(Zone, names_that_are_files_but_no_zones_are_refused) {
  for (const char* name : {"", "../../etc/passwd", "/etc/localtime", "localtime", "zone.tab", "Europe",
                           "Europe/Nowhere", "file:x", "Fixed/UTC+01:00:00"}) {
    EXPECT_FALSE(Zone::iana(name)) << name;
  }
  EXPECT_EQ(Zone::iana("europe/berlin")->iana_name(), "Europe/Berlin");
}

TEST(ResolveZone, an_unnamed_definition_is_matched_by_its_rules) {
  for (const char* id : {"", "Customized Time Zone", "tzone://Microsoft/Custom", "x-unheard-of"}) {
    const auto resolved = resolve_zone(central_europe(id, ""), utc("2026-06-01T00:00:00"));
    ASSERT_TRUE(resolved) << id;
    EXPECT_EQ(resolved->match.by, ZoneMatch::By::rules) << id;
    EXPECT_EQ(resolved->match.windows, "W. Europe Standard Time");
    EXPECT_FALSE(resolved->match.exact);  // others have the same rules
  }
}

TEST(ResolveZone, what_no_zone_does_stays_a_definition) {
  TimeZoneDefinition odd = central_europe("Customized Time Zone", "");
  odd.periods[1].bias = "-PT97M";
  const auto resolved = resolve_zone(odd, utc("2026-06-01T00:00:00"));
  ASSERT_TRUE(resolved);
  EXPECT_FALSE(resolved->match.found());
  EXPECT_EQ(resolved->zone.offset_at(utc("2026-06-01T00:00:00")), chrono::minutes{97});
}

TEST(ResolveZone, a_hint_that_the_rules_contradict_is_not_followed) {
  const auto resolved = resolve_zone(central_europe("GMT -0500 (Standard) / GMT -0400 (Daylight)", ""),
                                     utc("2026-06-01T00:00:00"));
  ASSERT_TRUE(resolved);
  EXPECT_EQ(resolved->match.windows, "W. Europe Standard Time");
  EXPECT_FALSE(resolved->notes.empty());
}

TEST(ResolveZone, a_german_name_with_an_empty_definition_is_known) {  // exchangelib 1197
  const auto resolved = resolve_zone({"Mitteleuropäische Zeit", "", {}, {}, {}}, utc("2026-06-01T00:00:00"));
  ASSERT_TRUE(resolved);
  EXPECT_EQ(resolved->zone.iana_name(), "Europe/Berlin");
  EXPECT_FALSE(resolve_zone({"", "", {}, {}, {}}, utc("2026-06-01T00:00:00")));
}

TEST(ResolveZone, zones_that_share_a_windows_name_keep_their_identity) {
  const sys_seconds now = utc("2026-06-01T00:00:00");
  EXPECT_EQ(keep_identity("America/Winnipeg", {"Central Standard Time", "", {}, {}, {}}, now),
            "America/Winnipeg");
  EXPECT_EQ(keep_identity("America/Chicago", {"Central Standard Time", "", {}, {}, {}}, now),
            "America/Chicago");
  EXPECT_EQ(keep_identity("America/Winnipeg", {"Eastern Standard Time", "", {}, {}, {}}, now),
            "America/New_York");
  const TimeZoneDefinition troll = definition_to_send(*Zone::iana("Antarctica/Troll"), 2026);
  EXPECT_EQ(troll.id, "Customized Time Zone");
  EXPECT_EQ(keep_identity("Antarctica/Troll", troll, now), "Antarctica/Troll");
}

TEST(RecordTimeZone, keeps_what_was_received_until_it_is_edited) {  // invariant 13
  const TimeZoneDefinition received = central_europe("Customized Time Zone", "odd \"spelling\"");
  RecordTimeZone zone{"Customized Time Zone", "Europe/Berlin", received};
  EXPECT_EQ(zone_to_xml(*zone.received, "StartTimeZone"), zone_to_xml(received, "StartTimeZone"));
  EXPECT_NE(zone_to_xml(received, "StartTimeZone").find("Bias=\"-PT120M\""), std::string::npos);
  zone.edit("Romance Standard Time", "Europe/Paris");
  EXPECT_FALSE(zone.received);
}

}  // namespace
}  // namespace syncline::time
