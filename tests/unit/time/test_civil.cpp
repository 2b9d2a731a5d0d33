// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "time/civil.hpp"

namespace syncline::time {
namespace {

std::string shown(std::string_view text) {
  const auto read = parse_civil(text);
  if (!read) return "none";
  std::string out = read->is_date ? format_date(day_of(read->time)) : format_local(read->time);
  if (read->offset) out += format_offset(*read->offset);
  return out;
}

TEST(Civil, dates_and_times_are_read_in_both_iso_forms) {
  EXPECT_EQ(shown("2026-11-22"), "2026-11-22");
  EXPECT_EQ(shown("20261122"), "2026-11-22");
  EXPECT_EQ(shown("20261122T090501"), "2026-11-22T09:05:01");
  EXPECT_EQ(shown("20261122T090501Z"), "2026-11-22T09:05:01+00:00");
  EXPECT_EQ(shown("2026-11-22T09:05:01.123-03:30"), "2026-11-22T09:05:01-03:30");
  EXPECT_EQ(shown("2014-03-08-08:00"), "2014-03-08-08:00");
  EXPECT_EQ(shown("2016-12-31T23:59:60Z"), "2016-12-31T23:59:59+00:00");
}

TEST(Civil, what_is_no_date_is_refused) {
  for (const char* text : {"", "2026", "2026-02-29", "2026-13-01", "0000-01-01", "2026-11-22T",
                           "2026-11-22T24:00:00", "2026-11-22T09:05:01.", "2026-11-22T09:05:01+19:00",
                           "2026-11-2x", "20261122T0905017", "99999-01-01"}) {
    EXPECT_EQ(shown(text), "none") << text;
  }
}

TEST(Civil, durations_are_read_and_written) {
  EXPECT_EQ(parse_duration("-PT60M"), seconds{-3600});
  EXPECT_EQ(parse_duration("PT1H30M"), seconds{5400});
  EXPECT_EQ(parse_duration("P1DT2H"), seconds{93600});
  EXPECT_EQ(parse_duration("PT0S"), seconds{0});
  EXPECT_EQ(parse_duration("PT1.5S"), seconds{1});
  for (const char* text :
       {"", "P", "PT", "60M", "PT60", "PT1M1H", "P1Y", "PT-1M", "PT99999999999M", "P1M", "PT1.5M", "P1DT"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
  EXPECT_EQ(format_duration(seconds{-3600}), "-PT60M");
  EXPECT_EQ(parse_duration(format_duration(seconds{1172})), seconds{1172});
}

}  // namespace
}  // namespace syncline::time
