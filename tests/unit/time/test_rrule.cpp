// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "time/rrule.hpp"

namespace syncline::time {
namespace {

std::string error_of(std::string_view text) {
  const auto rule = parse_rrule(text);
  return rule ? "none" : rule.error().code;
}

TEST(Rrule, is_written_in_canonical_order_with_sorted_lists) {
  const auto rule = parse_rrule(
      "rrule:byday=fr,MO,mo;count=3;FREQ=monthly;BYMONTHDAY=15,1;interval=2;BYSETPOS=-1,1;WKST=SU;");
  ASSERT_TRUE(rule) << rule.error().describe();
  EXPECT_EQ(format_rrule(*rule),
            "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=1,15;BYDAY=MO,FR;BYSETPOS=-1,1;WKST=SU;COUNT=3");
  EXPECT_EQ(format_rrule(*parse_rrule("FREQ=YEARLY;UNTIL=20261122T090000Z;BYDAY=-1SU,20MO")),
            "FREQ=YEARLY;BYDAY=-1SU,20MO;UNTIL=20261122T090000Z");
  EXPECT_EQ(format_rrule(*parse_rrule("FREQ=DAILY;UNTIL=20261122")), "FREQ=DAILY;UNTIL=20261122");
}

TEST(Rrule, small_frequencies_and_other_calendars_are_refused) {
  for (const char* text : {"FREQ=SECONDLY", "FREQ=MINUTELY;INTERVAL=15", "FREQ=HOURLY",
                           "RSCALE=HEBREW;FREQ=YEARLY", "FREQ=MONTHLY;SKIP=BACKWARD"}) {
    EXPECT_EQ(error_of(text), "unsupported-rrule") << text;
  }
}

TEST(Rrule, what_rfc_5545_forbids_is_refused) {
  for (const char* text : {"",
                           "RRULE:",
                           "DAILY",
                           "INTERVAL=2",
                           "FREQ=DAILY;FREQ=DAILY",
                           "FREQ=DAILY;COUNT=2;UNTIL=20260101",
                           "FREQ=DAILY;COUNT=0",
                           "FREQ=DAILY;INTERVAL=-1",
                           "FREQ=WEEKLY;BYDAY=1MO",
                           "FREQ=DAILY;BYDAY=-1FR",
                           "FREQ=WEEKLY;BYMONTHDAY=1",
                           "FREQ=MONTHLY;BYYEARDAY=1",
                           "FREQ=MONTHLY;BYWEEKNO=1",
                           "FREQ=YEARLY;BYWEEKNO=1;BYDAY=1MO",
                           "FREQ=MONTHLY;BYSETPOS=1",
                           "FREQ=MONTHLY;BYMONTHDAY=32",
                           "FREQ=MONTHLY;BYMONTHDAY=0",
                           "FREQ=MONTHLY;BYMONTHDAY=",
                           "FREQ=MONTHLY;BYDAY=0MO",
                           "FREQ=MONTHLY;BYDAY=XX",
                           "FREQ=DAILY;X-A=1",
                           "FREQ=DAILY;UNTIL=tomorrow",
                           "FREQ=DAILY;BYMONTH=1,,2",
                           "FREQ=DAILY;;COUNT=1"}) {
    EXPECT_EQ(error_of(text), "bad-rrule") << text;
  }
  EXPECT_EQ(error_of("FREQ=DAILY;COUNT=1000001"), "too-large");
  EXPECT_EQ(error_of("FREQ=DAILY;COUNT=1000000"), "none");
  EXPECT_EQ(error_of("FREQ=DAILY;BYMONTH=" + std::string(rule_text_limit_octets, '1')), "too-large");
}

}  // namespace
}  // namespace syncline::time
