// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "time/series.hpp"

namespace syncline::time {
namespace {

namespace chrono = std::chrono;
using namespace model;

local_days day(std::string_view text) {
  return day_of(parse_civil(text)->time);
}
sys_seconds utc(std::string_view text) {
  return sys_seconds{parse_civil(text)->time.time_since_epoch()};
}
OccurrenceId id(std::string_view text) {
  return {date_of(day(text))};
}

/// Every Sunday at 09:30 in Berlin for a year, one hour; both clock changes fall on one.
Series berlin_weekly() {
  Series series;
  series.zone = *Zone::iana("Europe/Berlin");
  series.recurrence = {WeeklyPattern{1, mask_of(DayOfWeek::sunday), std::nullopt},
                       {date_of(day("2026-01-04")), RecurrenceRange::Numbered{52}}};
  series.time_of_day = chrono::hours{9} + chrono::minutes{30};
  series.length = chrono::hours{1};
  series.fields = {{"subject", R"("Standup")"}, {"location", R"("Room 1")"}};
  return series;
}

TEST(Series, an_all_day_series_of_berlin_keeps_its_dates_when_read_in_winnipeg) {  // R-25
  Series series;
  series.zone = *Zone::iana("Europe/Berlin");
  series.is_all_day = true;
  series.length = chrono::days{1};
  series.recurrence = {DailyPattern{1}, {date_of(day("2026-03-27")), RecurrenceRange::Numbered{5}}};
  // The server says the deleted and the moved day as Berlin's midnights in UTC; the clock changes on the
  // 29th.
  series.deleted.push_back({occurrence_id(series, utc("2026-03-27T23:00:00"))});
  ModifiedOccurrence moved{occurrence_id(series, utc("2026-03-29T22:00:00")), {}, {}, {}};
  moved.start = day("2026-04-05");
  series.modified.push_back(moved);
  EXPECT_EQ(series.deleted.front().id, id("2026-03-28"));
  EXPECT_EQ(moved.id, id("2026-03-30"));

  const Zone reader = *Zone::iana("America/Winnipeg");
  std::vector<std::string> dates;
  for (const Occurrence& occurrence : occurrences(series, day("2026-03-01"), day("2026-05-01"))) {
    dates.push_back(format_date(day_of(occurrence.start)));
    // The instants differ from the reader's midnights: dates must not be made of them there.
    EXPECT_NE(day_of(reader.to_local(occurrence.start_utc)), day_of(occurrence.start));
    EXPECT_EQ(occurrence.end - occurrence.start, chrono::days{1});
  }
  EXPECT_EQ(dates, (std::vector<std::string>{"2026-03-27", "2026-03-29", "2026-03-31", "2026-04-05"}));
}

TEST(Series, an_all_day_id_said_as_another_zones_midnight_is_the_nearest_day) {
  Series series = berlin_weekly();
  series.is_all_day = true;
  EXPECT_EQ(occurrence_id(series, utc("2026-07-05T00:00:00")), id("2026-07-05"));  // midnight UTC
  EXPECT_EQ(occurrence_id(series, utc("2026-07-04T22:00:00")), id("2026-07-05"));
  EXPECT_EQ(occurrence_id(series, utc("2026-07-05T05:00:00")), id("2026-07-05"));  // midnight in Winnipeg
}

TEST(Series, ids_are_compared_in_the_series_zone_across_both_clock_changes) {  // R-25
  const Series series = berlin_weekly();
  const auto all = occurrences(series, day("2026-01-01"), day("2027-01-01"));
  ASSERT_EQ(all.size(), 52U);
  for (const Occurrence& occurrence : all) {
    EXPECT_EQ(series.zone.to_local(occurrence.start_utc) - day_of(occurrence.start), series.time_of_day);
    EXPECT_EQ(occurrence_id(series, occurrence.start_utc), occurrence.id);
    EXPECT_EQ(original_start(series, occurrence.id), occurrence.start_utc);
  }
  EXPECT_EQ(format_utc(original_start(series, id("2026-03-22"))), "2026-03-22T08:30:00Z");
  EXPECT_EQ(format_utc(original_start(series, id("2026-03-29"))), "2026-03-29T07:30:00Z");
  EXPECT_EQ(format_utc(original_start(series, id("2026-10-25"))), "2026-10-25T08:30:00Z");
}

TEST(Series, late_evenings_belong_to_their_local_day_not_to_utcs) {
  Series series = berlin_weekly();
  series.zone = *Zone::iana("America/Los_Angeles");
  series.time_of_day = chrono::hours{22};
  EXPECT_EQ(occurrence_id(series, utc("2026-01-05T06:00:00")), id("2026-01-04"));
}

TEST(Series, an_exception_is_a_patch_and_leaves_the_other_51_alone) {  // R-26
  const Series plain = berlin_weekly();
  const auto before = occurrences(plain, day("2026-01-01"), day("2027-01-01"));
  const auto one_changed = [&](const Series& series, std::size_t expected_size, OccurrenceId changed) {
    const auto after = occurrences(series, day("2026-01-01"), day("2027-01-01"));
    EXPECT_EQ(after.size(), expected_size);
    for (const Occurrence& occurrence : before) {
      if (occurrence.id == changed) continue;
      EXPECT_EQ(std::count(after.begin(), after.end(), occurrence), 1);
    }
    const auto found =
        std::find_if(after.begin(), after.end(), [&](const Occurrence& o) { return o.id == changed; });
    return found == after.end() ? std::optional<Occurrence>() : std::optional<Occurrence>(*found);
  };

  Series status_only = plain;
  status_only.modified.push_back({id("2026-06-07"), {}, {}, {{"legacyFreeBusyStatus", R"("Free")"}}});
  const auto free = one_changed(status_only, 52, id("2026-06-07"));
  ASSERT_TRUE(free);
  EXPECT_EQ(free->fields.at("subject"), R"("Standup")");  // not blanked
  EXPECT_EQ(free->fields.at("legacyFreeBusyStatus"), R"("Free")");
  EXPECT_EQ(free->start, day("2026-06-07") + plain.time_of_day);

  Series emptied = plain;
  emptied.modified.push_back({id("2026-06-07"), {}, {}, {{"location", std::nullopt}}});
  EXPECT_EQ(one_changed(emptied, 52, id("2026-06-07"))->fields.at("location"), std::nullopt);

  Series moved = plain;
  moved.modified.push_back({id("2026-06-07"), day("2026-06-09") + chrono::hours{15}, {}, {}});
  const auto later = one_changed(moved, 52, id("2026-06-07"));
  ASSERT_TRUE(later);
  EXPECT_EQ(format_utc(later->start_utc), "2026-06-09T13:00:00Z");
  EXPECT_EQ(later->end - later->start, plain.length);

  Series cut = plain;
  cut.deleted.push_back({id("2026-06-07")});
  EXPECT_FALSE(one_changed(cut, 51, id("2026-06-07")));
}

TEST(Series, exceptions_that_a_change_of_the_master_lost_are_named) {  // invariant 12
  Series ours = berlin_weekly();
  ours.modified.push_back({id("2026-06-07"), {}, {}, {{"subject", R"("Other")"}}});
  ours.deleted.push_back({id("2026-06-14")});
  Series theirs = berlin_weekly();
  const MissingExceptions missing = missing_exceptions(ours, theirs);
  EXPECT_EQ(missing.modified.size(), 1U);
  EXPECT_EQ(missing.deleted.size(), 1U);
  EXPECT_FALSE(same_occurrences(ours, theirs, day("2026-01-01"), day("2027-01-01")));
  theirs.modified = missing.modified;
  theirs.deleted = missing.deleted;
  EXPECT_TRUE(missing_exceptions(ours, theirs).empty());
  EXPECT_TRUE(same_occurrences(ours, theirs, day("2026-01-01"), day("2027-01-01")));
}

}  // namespace
}  // namespace syncline::time
