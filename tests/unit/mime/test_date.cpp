// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "mime/date.hpp"

namespace syncline::mime {
namespace {

std::string read(std::string_view text) {
  const auto date = parse_date(text);
  return date ? to_rfc3339(*date) : "none";
}

TEST(Date, IsReadAsRfc5322WritesIt) {
  EXPECT_EQ(read("Sun, 22 Nov 2026 09:30:15 +0100"), "2026-11-22T09:30:15+01:00");
  EXPECT_EQ(read("22 Nov 2026 09:30 -0330"), "2026-11-22T09:30:00-03:30");
  EXPECT_EQ(read("Sun, 22 Nov 2026 09:30:15 +0000 (UTC)"), "2026-11-22T09:30:15+00:00");
  EXPECT_EQ(read("Sun,22 Nov 2026 09:30:15 +0100"), "2026-11-22T09:30:15+01:00");
  EXPECT_EQ(read("Sun, (a (nested) comment) 22 Nov 2026 09:30:15 +0100"), "2026-11-22T09:30:15+01:00");
  EXPECT_EQ(read("Tue, 29 Feb 2028 23:59:60 +0000"), "2028-03-01T00:00:00+00:00");
}

TEST(Date, IsReadInObsoleteAndForeignForms) {
  EXPECT_EQ(read("22 Nov 26 09:30:15 EST"), "2026-11-22T09:30:15-05:00");
  EXPECT_EQ(read("22 Nov 98 09:30:15 GMT"), "1998-11-22T09:30:15+00:00");
  EXPECT_EQ(read("22 Nov 126 09:30:15 Z"), "2026-11-22T09:30:15+00:00");
  EXPECT_EQ(read("Sun Nov 22 09:30:15 2026"), "2026-11-22T09:30:15-00:00");
  EXPECT_EQ(read("22-Nov-2026 09:30:15 +0100"), "2026-11-22T09:30:15+01:00");
  EXPECT_EQ(read("2026-11-22T09:30:15.123+01:00"), "2026-11-22T09:30:15+01:00");
  EXPECT_EQ(read("2026-11-22 09:30:15Z"), "2026-11-22T09:30:15+00:00");
  EXPECT_EQ(read("Sunday, 22 November 2026 09:30:15 +0100"), "2026-11-22T09:30:15+01:00");
  EXPECT_EQ(read("Sun, 22 Nov 2026 9:30 PM +0100"), "2026-11-22T21:30:00+01:00");
  EXPECT_EQ(read("Sun, 22 Nov 2026 09.30.15 +0100"), "2026-11-22T09:30:15+01:00");
}

TEST(Date, ZoneWithAColonIsNotTakenForUtc) {
  EXPECT_EQ(read("Sun, 22 Nov 2026 09:30:15 +05:30"), "2026-11-22T09:30:15+05:30");
  EXPECT_EQ(read("Sun, 22 Nov 2026 09:30:15 GMT+0200"), "2026-11-22T09:30:15+02:00");
}

TEST(Date, ZoneThatSaysNothingIsKnownToSayNothing) {
  for (const char* text : {"Sun, 22 Nov 2026 09:30:15 -0000", "Sun, 22 Nov 2026 09:30:15",
                           "Sun, 22 Nov 2026 09:30:15 MESZ", "Sun, 22 Nov 2026 09:30:15 +9999"}) {
    const auto date = parse_date(text);
    ASSERT_TRUE(date) << text;
    EXPECT_FALSE(date->offset) << text;
    EXPECT_EQ(to_utc_text(*date), "2026-11-22T09:30:15Z") << text;
  }
}

TEST(Date, MinusZeroIsAZoneThatWasSaid) {
  bool has_zone = false;
  EXPECT_TRUE(parse_date("22 Nov 2026 09:30:15 -0000", &has_zone));
  EXPECT_TRUE(has_zone);
  EXPECT_TRUE(parse_date("22 Nov 2026 09:30:15", &has_zone));
  EXPECT_FALSE(has_zone);
}

TEST(Date, ThatIsNoneIsNone) {
  for (const char* text :
       {"", " ", "yesterday", "Sun, 32 Nov 2026 09:30:15 +0100", "Sun, 22 Foo 2026 09:30:15 +0100",
        "30 Feb 2026 10:00:00 +0000", "Sun, 22 Nov 2026", "Sun, 22 Nov 2026 25:00:00 +0100",
        "Sun, 22 Nov 2026 10:61:00 +0100", "22 Nov 1 10:00:00 +0000", "22 Nov 1066 10:00:00 +0000",
        "11/22/2026 10:00:00", "99999999999999999999 Nov 2026 10:00:00", "((((", "2026-13-01T10:00:00Z",
        "1 Jan 99999 00:00:00 +0000"})
    EXPECT_EQ(read(text), "none") << text;
}

TEST(Date, WrittenIsReadAgain) {
  SeededRandom random(7);
  for (int i = 0; i < 2'000; ++i) {
    DateTime date;
    date.instant = std::chrono::sys_seconds(
        std::chrono::seconds(static_cast<std::int64_t>(random.below(4'000'000'000))));
    if (random.below(4) != 0)
      date.offset = std::chrono::minutes(static_cast<int>(random.below(24 * 60)) - 12 * 60);
    EXPECT_EQ(parse_date(format_date(date)), date) << format_date(date);
    EXPECT_EQ(parse_date(to_rfc3339(date)), date) << to_rfc3339(date);
  }
}

}  // namespace
}  // namespace syncline::mime
