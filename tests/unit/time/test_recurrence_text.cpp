// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "time/recurrence_text.hpp"

namespace syncline::time {
namespace {

std::string read(std::string_view xml) {
  const auto parsed = read_recurrence_xml(xml);
  if (!parsed) return parsed.error().code;
  return boost::json::serialize(
      recurrence_to_json({parsed->pattern, parsed->range.value_or(model::RecurrenceRange{})}));
}

constexpr const char* weekly_json =
    R"({"pattern":{"type":"weekly","interval":2,"daysOfWeek":["Monday","Friday"],"firstDayOfWeek":"Sunday"},)"
    R"("range":{"startDate":"2014-03-08","type":"numbered","numberOfOccurrences":10}})";

TEST(RecurrenceXml, is_read_with_prefixes_declared_or_not_and_in_any_order) {
  EXPECT_EQ(
      read("<t:Recurrence><t:WeeklyRecurrence><t:Interval>2</t:Interval><t:DaysOfWeek>Monday\n "
           "Friday</t:DaysOfWeek>"
           "<t:FirstDayOfWeek>Sunday</t:FirstDayOfWeek></t:WeeklyRecurrence><t:NumberedRecurrence>"
           "<t:StartDate>2014-03-08-08:00</t:StartDate><t:NumberOfOccurrences>10</t:NumberOfOccurrences>"
           "</t:NumberedRecurrence></t:Recurrence>"),
      weekly_json);
  EXPECT_EQ(read("<a><b/><Recurrence "
                 "xmlns='http://schemas.microsoft.com/exchange/services/2006/types'><NumberedRecurrence>"
                 "<NumberOfOccurrences> 10 "
                 "</NumberOfOccurrences><StartDate>2014-03-08Z</StartDate></NumberedRecurrence><New/>"
                 "<WeeklyRecurrence><FirstDayOfWeek>Sunday</FirstDayOfWeek><DaysOfWeek>Friday "
                 "Monday</DaysOfWeek><Interval>2</Interval>"
                 "</WeeklyRecurrence></Recurrence></a>"),
            weekly_json);
}

TEST(RecurrenceXml, refuses_what_is_none) {
  EXPECT_EQ(read("<!DOCTYPE a [<!ENTITY b 'c'>]><Recurrence/>"), "doctype");
  EXPECT_EQ(read("<Recurrence>"), "not-xml");
  EXPECT_EQ(read(""), "not-xml");
  EXPECT_EQ(read("<Other/>"), "bad-recurrence");
  EXPECT_EQ(read("<Recurrence/>"), "bad-recurrence");
  EXPECT_EQ(read("<Recurrence><DailyRecurrence/><DailyRecurrence/></Recurrence>"), "bad-recurrence");
  EXPECT_EQ(read("<Recurrence><DailyRecurrence><Interval>0</Interval></DailyRecurrence></Recurrence>"),
            "bad-recurrence");
  EXPECT_EQ(read("<Recurrence><WeeklyRecurrence><Interval>1</Interval></WeeklyRecurrence></Recurrence>"),
            "bad-recurrence");
  EXPECT_EQ(read(std::string(recurrence_xml_limit_octets + 1, ' ')), "too-large");
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "<a>";
  EXPECT_EQ(read(deep), "not-xml");
}

TEST(RecurrenceJson, comes_back_as_it_was_for_every_pattern) {
  for (
      const char* text :
      {weekly_json,
       R"({"pattern":{"type":"daily","interval":1},"range":{"startDate":"2026-01-01","type":"noEnd"}})",
       R"({"pattern":{"type":"absoluteMonthly","interval":1,"dayOfMonth":31},"range":{"startDate":"2026-01-01","type":"endDate","endDate":"2026-12-31"}})",
       R"({"pattern":{"type":"relativeMonthly","interval":3,"daysOfWeek":["WeekendDay"],"dayOfWeekIndex":"Last"},"range":{"startDate":"2026-01-01","type":"noEnd"}})",
       R"({"pattern":{"type":"absoluteYearly","dayOfMonth":29,"month":"February"},"range":{"startDate":"2026-01-01","type":"noEnd"}})",
       R"({"pattern":{"type":"relativeYearly","daysOfWeek":["Day"],"dayOfWeekIndex":"First","month":"May"},"range":{"startDate":"2026-01-01","type":"noEnd"}})",
       R"({"pattern":{"type":"monthlyRegeneration","interval":2},"range":{"startDate":"2026-01-01","type":"noEnd"}})"}) {
    const auto parsed = read_recurrence_json(boost::json::parse(text));
    ASSERT_TRUE(parsed) << text << parsed.error().describe();
    EXPECT_EQ(boost::json::serialize(recurrence_to_json({parsed->pattern, *parsed->range})), text);
  }
}

TEST(RecurrenceJson, refuses_what_is_none) {
  for (
      const char* text :
      {R"([])", R"({})", R"({"pattern":{}})", R"({"pattern":{"type":"hourly"}})",
       R"({"pattern":{"type":"daily","interval":1.5}})",
       R"({"pattern":{"type":"absoluteYearly","interval":2,"dayOfMonth":1,"month":1}})",
       R"({"pattern":{"type":"relativeMonthly","interval":1,"daysOfWeek":["Monday","Tuesday"],"dayOfWeekIndex":"First"}})",
       R"({"pattern":{"type":"daily","interval":1},"range":{"type":"endDate","startDate":"2026-01-02","endDate":"2026-01-01"}})",
       R"({"pattern":{"type":"daily","interval":1},"range":{"type":"numbered","startDate":"2026-01-02","numberOfOccurrences":0}})"}) {
    EXPECT_FALSE(read_recurrence_json(boost::json::parse(text))) << text;
  }
}

}  // namespace
}  // namespace syncline::time
