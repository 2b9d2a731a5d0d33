// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "time/expansion.hpp"
#include "time/recurrence_text.hpp"
#include "time/rrule_ews.hpp"

namespace syncline::time {
namespace {

std::string ews(std::string_view rule, std::string_view start, bool start_excluded = false) {
  const EwsForm form = to_ews(*parse_rrule(rule), *parse_civil(start), start_excluded);
  if (!form.recurrence) return "null";
  return boost::json::serialize(recurrence_to_json(*form.recurrence)["pattern"]);
}

TEST(RruleToEws, says_what_both_can_say) {
  EXPECT_EQ(ews("FREQ=DAILY;INTERVAL=3", "20260101"), R"({"type":"daily","interval":3})");
  EXPECT_EQ(
      ews("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", "20260101"),
      R"({"type":"weekly","interval":1,"daysOfWeek":["Monday","Tuesday","Wednesday","Thursday","Friday"]})");
  EXPECT_EQ(ews("FREQ=WEEKLY", "20260101"),
            R"({"type":"weekly","interval":1,"daysOfWeek":["Thursday"],"firstDayOfWeek":"Monday"})");
  EXPECT_EQ(ews("FREQ=MONTHLY", "20260115"), R"({"type":"absoluteMonthly","interval":1,"dayOfMonth":15})");
  EXPECT_EQ(ews("FREQ=MONTHLY;BYMONTHDAY=-1", "20260131"),
            R"({"type":"absoluteMonthly","interval":1,"dayOfMonth":31})");
  EXPECT_EQ(ews("FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1", "20260131"),
            R"({"type":"absoluteMonthly","interval":1,"dayOfMonth":31})");
  EXPECT_EQ(ews("FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1", "20260130"),
            R"({"type":"absoluteMonthly","interval":1,"dayOfMonth":30})");
  EXPECT_EQ(ews("FREQ=MONTHLY;BYDAY=2TU", "20260113"),
            R"({"type":"relativeMonthly","interval":1,"daysOfWeek":["Tuesday"],"dayOfWeekIndex":"Second"})");
  EXPECT_EQ(ews("FREQ=MONTHLY;BYDAY=TU;BYMONTHDAY=8,9,10,11,12,13,14", "20260113"),
            R"({"type":"relativeMonthly","interval":1,"daysOfWeek":["Tuesday"],"dayOfWeekIndex":"Second"})");
  EXPECT_EQ(ews("FREQ=MONTHLY;BYDAY=SA,SU;BYSETPOS=-1", "20260131"),
            R"({"type":"relativeMonthly","interval":1,"daysOfWeek":["WeekendDay"],"dayOfWeekIndex":"Last"})");
  EXPECT_EQ(ews("FREQ=YEARLY", "20260115"), R"({"type":"absoluteYearly","dayOfMonth":15,"month":"January"})");
  EXPECT_EQ(ews("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1", "20260228"),
            R"({"type":"absoluteYearly","dayOfMonth":29,"month":"February"})");
  EXPECT_EQ(
      ews("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "20261126"),
      R"({"type":"relativeYearly","daysOfWeek":["Thursday"],"dayOfWeekIndex":"Fourth","month":"November"})");
  EXPECT_EQ(ews("FREQ=YEARLY;INTERVAL=2", "20260115"),
            R"({"type":"absoluteMonthly","interval":24,"dayOfMonth":15})");
  EXPECT_EQ(ews("FREQ=YEARLY;BYMONTH=1,4,7,10;BYMONTHDAY=15", "20260115"),
            R"({"type":"absoluteMonthly","interval":3,"dayOfMonth":15})");
  EXPECT_EQ(ews("FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31", "20260131"),
            R"({"type":"absoluteYearly","dayOfMonth":31,"month":"January"})");
  EXPECT_EQ(ews("FREQ=WEEKLY;BYHOUR=9;BYMINUTE=0", "20260101T090000"),
            R"({"type":"weekly","interval":1,"daysOfWeek":["Thursday"],"firstDayOfWeek":"Monday"})");
}

TEST(RruleToEws, is_null_for_what_ews_cannot_say) {
  for (const auto& [rule, start] : std::vector<std::pair<const char*, const char*>>{
           {"FREQ=MONTHLY;BYMONTHDAY=31", "20260131"},
           {"FREQ=MONTHLY;BYMONTHDAY=30", "20260130"},
           {"FREQ=YEARLY", "20240229"},
           {"FREQ=MONTHLY;BYMONTHDAY=1,15", "20260101"},
           {"FREQ=MONTHLY;BYDAY=5MO", "20260330"},
           {"FREQ=MONTHLY;BYDAY=-2MO", "20260119"},
           {"FREQ=MONTHLY;BYDAY=1MO,3MO", "20260105"},
           {"FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "20260511"},
           {"FREQ=YEARLY;BYYEARDAY=100", "20260410"},
           {"FREQ=DAILY;BYMONTH=1", "20260101"},
           {"FREQ=WEEKLY;BYMONTH=1;BYDAY=MO", "20260105"},
           {"FREQ=DAILY;INTERVAL=1000", "20260101"},
           {"FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "20260213"},
           {"FREQ=DAILY;BYHOUR=9,17", "20260101T090000"},
           {"FREQ=MONTHLY;BYDAY=TU,WE,TH;BYSETPOS=3", "20260108"}}) {
    EXPECT_EQ(ews(rule, start), "null") << rule;
  }
}

TEST(RruleToEws, a_start_outside_the_rule_cannot_be_said_unless_it_is_excluded) {
  EXPECT_EQ(ews("FREQ=WEEKLY;BYDAY=MO;COUNT=3", "20261118"), "null");
  const EwsForm form = to_ews(*parse_rrule("FREQ=WEEKLY;BYDAY=MO;COUNT=3"), *parse_civil("20261118"), true);
  ASSERT_TRUE(form.recurrence);
  EXPECT_EQ(std::get<model::RecurrenceRange::Numbered>(form.recurrence->range.end).number_of_occurrences, 2);
}

TEST(RruleToEws, ends_become_dates_of_the_series) {
  const auto end_of = [](std::string_view rule, std::string_view start) {
    const EwsForm form = to_ews(*parse_rrule(rule), *parse_civil(start));
    return format_date(days_of(std::get<model::Date>(form.recurrence->range.end)));
  };
  EXPECT_EQ(end_of("FREQ=DAILY;UNTIL=20260110T085959", "20260101T090000"), "2026-01-09");
  EXPECT_EQ(end_of("FREQ=DAILY;UNTIL=20260110T090000", "20260101T090000"), "2026-01-10");
  EXPECT_EQ(end_of("FREQ=DAILY;UNTIL=20260110", "20260101T090000"), "2026-01-10");
  EXPECT_EQ(end_of("FREQ=DAILY;COUNT=1000", "20260101"), "2028-09-26");
}

TEST(EwsToRrule, a_regenerating_task_has_none_and_only_its_first_date) {
  const model::Recurrence task{model::RegenerationPattern{model::RegenerationPattern::Unit::weekly, 2},
                               {std::chrono::year{2026} / 1 / 5, model::RecurrenceRange::Numbered{5}}};
  EXPECT_FALSE(to_rrule(task, *parse_civil("20260105")));
  EXPECT_EQ(expand(task).days.size(), 1U);
}

TEST(EwsToRrule, day_31_is_the_last_day_of_the_month) {
  const auto rule = [](int day) {
    const model::Recurrence recurrence{model::AbsoluteMonthlyPattern{1, day},
                                       {std::chrono::year{2026} / 1 / 1, {}}};
    return format_rrule(*to_rrule(recurrence, *parse_civil("20260101")));
  };
  EXPECT_EQ(rule(31), "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1");
  EXPECT_EQ(rule(29), "FREQ=MONTHLY;BYMONTHDAY=28,29;BYSETPOS=-1");
  EXPECT_EQ(rule(28), "FREQ=MONTHLY;BYMONTHDAY=28");
}

}  // namespace
}  // namespace syncline::time
