// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "tests/unit/time/generated_recurrences.hpp"
#include "time/expansion.hpp"
#include "time/rrule_ews.hpp"

namespace syncline::time {
namespace {

namespace chrono = std::chrono;
using namespace model;

// ---- an oracle that walks every day and asks of each whether the pattern means it ----

struct Walked {
  local_days start, day;
  Date first() const { return date_of(start); }
  Date date() const { return date_of(day); }
  int months_since() const {
    return (static_cast<int>(date().year()) - static_cast<int>(first().year())) * 12 +
           static_cast<int>(static_cast<unsigned>(date().month())) -
           static_cast<int>(static_cast<unsigned>(first().month()));
  }
  bool is_last_of_month() const { return date_of(day + chrono::days{1}).month() != date().month(); }
  /// Day `wanted`, or the last of a month that is too short.
  bool is_month_day(int wanted) const {
    const auto number = static_cast<int>(static_cast<unsigned>(date().day()));
    return number == wanted || (is_last_of_month() && number < wanted);
  }
  bool is_relative(DayOfWeek wanted, DayOfWeekIndex index) const {
    const WeekdayMask mask = mask_of(wanted);
    if ((mask_of(chrono::weekday{day}) & mask) == 0) return false;
    int before = 0;
    for (local_days other = day - chrono::days{1}; date_of(other).month() == date().month();
         other -= chrono::days{1}) {
      before += (mask_of(chrono::weekday{other}) & mask) != 0 ? 1 : 0;
    }
    if (index != DayOfWeekIndex::last) return before == static_cast<int>(index);
    for (local_days other = day + chrono::days{1}; date_of(other).month() == date().month();
         other += chrono::days{1}) {
      if ((mask_of(chrono::weekday{other}) & mask) != 0) return false;
    }
    return true;
  }
  bool operator()(const DailyPattern& pattern) const { return (day - start).count() % pattern.interval == 0; }
  bool operator()(const WeeklyPattern& pattern) const {
    const chrono::weekday begins = pattern.first_day_of_week.value_or(chrono::Sunday);
    local_days week = start;
    while (chrono::weekday{week} != begins) week -= chrono::days{1};
    return (day - week).count() / 7 % pattern.interval == 0 &&
           (mask_of(chrono::weekday{day}) & pattern.days) != 0;
  }
  bool operator()(const AbsoluteMonthlyPattern& pattern) const {
    return months_since() % pattern.interval == 0 && is_month_day(pattern.day_of_month);
  }
  bool operator()(const RelativeMonthlyPattern& pattern) const {
    return months_since() % pattern.interval == 0 && is_relative(pattern.day, pattern.index);
  }
  bool operator()(const AbsoluteYearlyPattern& pattern) const {
    return date().month() == chrono::month{static_cast<unsigned>(pattern.month)} &&
           is_month_day(pattern.day_of_month);
  }
  bool operator()(const RelativeYearlyPattern& pattern) const {
    return date().month() == chrono::month{static_cast<unsigned>(pattern.month)} &&
           is_relative(pattern.day, pattern.index);
  }
  bool operator()(const RegenerationPattern&) const { return day == start; }
};

std::vector<local_days> walk(const Recurrence& recurrence, local_days last) {
  const local_days start = days_of(recurrence.range.start);
  if (const auto* end = std::get_if<Date>(&recurrence.range.end)) last = std::min(last, days_of(*end));
  std::size_t most = SIZE_MAX;
  if (const auto* numbered = std::get_if<RecurrenceRange::Numbered>(&recurrence.range.end)) {
    most = static_cast<std::size_t>(numbered->number_of_occurrences);
  }
  std::vector<local_days> found;
  for (local_days day = start; day <= last && found.size() < most; day += chrono::days{1}) {
    if (std::visit(Walked{start, day}, recurrence.pattern)) found.push_back(day);
  }
  return found;
}

TEST(Expansion, of_10000_generated_patterns_equals_a_walk_over_all_days_and_their_rrule) {
  testing::RecurrenceGenerator generator(26);
  std::size_t compared = 0;
  for (int i = 0; i < 10'000; ++i) {
    const Recurrence recurrence = generator.recurrence();
    const local_days last = days_of(recurrence.range.start) + chrono::days{i % 10 == 0 ? 1500 : 250};
    ExpansionLimits limits;
    limits.last_day = last;
    limits.max_occurrences = 2000;
    const std::vector<local_days> expected = walk(recurrence, last);
    const PatternExpansion expansion = expand(recurrence, limits);
    ASSERT_EQ(expansion.days, expected) << i;
    compared += expected.size();
    if (expected.empty()) continue;

    const CivilTime start{local_seconds{expected.front()} + chrono::hours{9}, false, std::nullopt};
    const auto rule = to_rrule(recurrence, start);
    ASSERT_TRUE(rule) << i;
    const auto read = parse_rrule(format_rrule(*rule));
    ASSERT_TRUE(read) << format_rrule(*rule);
    const RuleExpansion by_rule = expand(*read, start, limits);
    EXPECT_FALSE(by_rule.start_is_extra);
    std::vector<local_days> days;
    for (const local_seconds time : by_rule.occurrences) days.push_back(day_of(time));
    ASSERT_EQ(days, expected) << i << ' ' << format_rrule(*rule);

    // And back: EWS can say it, and means the same days by it.
    const EwsForm form = to_ews(*read, start);
    ASSERT_TRUE(form.recurrence) << format_rrule(*rule) << ' '
                                 << (form.notes.empty() ? "" : form.notes.front());
    ASSERT_EQ(expand(*form.recurrence, limits).days, expected) << format_rrule(*rule);
  }
  EXPECT_GT(compared, 40'000U);
}

CivilTime at(std::string_view text) {
  return *parse_civil(text);
}
std::vector<std::string> dates(std::string_view rule, std::string_view start, std::size_t most = 5) {
  ExpansionLimits limits;
  limits.max_occurrences = most;
  std::vector<std::string> shown;
  for (const local_seconds time : expand(*parse_rrule(rule), at(start), limits).occurrences)
    shown.push_back(format_local(time));
  return shown;
}

TEST(Expansion, set_positions_of_a_week_count_days_before_the_start_too) {
  // Week of 2026-11-16 (Monday); the start is its Wednesday. The week's second of MO,WE,FR is Wednesday.
  EXPECT_EQ(dates("FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=2", "20261118T090000", 2),
            (std::vector<std::string>{"2026-11-18T09:00:00", "2026-11-25T09:00:00"}));
}

TEST(Expansion, times_of_day_multiply_and_positions_choose_among_them) {
  EXPECT_EQ(dates("FREQ=DAILY;BYHOUR=9,10;BYMINUTE=0,40", "19970902T090000", 5),
            (std::vector<std::string>{"1997-09-02T09:00:00", "1997-09-02T09:40:00", "1997-09-02T10:00:00",
                                      "1997-09-02T10:40:00", "1997-09-03T09:00:00"}));
  EXPECT_EQ(dates("FREQ=DAILY;BYHOUR=9,10;BYMINUTE=0,40;BYSETPOS=-1", "19970902T104000", 2),
            (std::vector<std::string>{"1997-09-02T10:40:00", "1997-09-03T10:40:00"}));
  EXPECT_EQ(dates("FREQ=DAILY;BYHOUR=9,10", "19970902", 2).size(), 2U);  // ignored for dates
}

TEST(Expansion, a_start_the_rule_does_not_give_counts_first) {
  ExpansionLimits limits;
  const RuleExpansion expansion =
      expand(*parse_rrule("FREQ=WEEKLY;BYDAY=MO;COUNT=3"), at("20261118"), limits);
  EXPECT_TRUE(expansion.start_is_extra);
  ASSERT_EQ(expansion.occurrences.size(), 3U);
  EXPECT_EQ(format_date(day_of(expansion.occurrences[0])), "2026-11-18");
  EXPECT_EQ(format_date(day_of(expansion.occurrences[2])), "2026-11-30");
}

TEST(Expansion, until_is_inclusive_in_each_of_its_forms) {
  EXPECT_EQ(dates("FREQ=DAILY;UNTIL=20260103", "20260101T090000").size(), 3U);
  EXPECT_EQ(dates("FREQ=DAILY;UNTIL=20260103T090000", "20260101T090000").size(), 3U);
  EXPECT_EQ(dates("FREQ=DAILY;UNTIL=20260103T085959", "20260101T090000").size(), 2U);
  EXPECT_EQ(dates("FREQ=DAILY;UNTIL=20260103T000000Z", "20260101").size(), 3U);
  EXPECT_EQ(dates("FREQ=DAILY;UNTIL=20251231", "20260101").size(), 0U);
}

TEST(Expansion, leap_days_and_missing_days_are_skipped) {
  EXPECT_EQ(dates("FREQ=YEARLY", "20960229T000000", 2),
            (std::vector<std::string>{"2096-02-29T00:00:00", "2104-02-29T00:00:00"}));
  EXPECT_EQ(dates("FREQ=MONTHLY", "20260131T000000", 3),
            (std::vector<std::string>{"2026-01-31T00:00:00", "2026-03-31T00:00:00", "2026-05-31T00:00:00"}));
}

TEST(Expansion, impossible_and_huge_rules_end_within_their_steps) {
  for (const char* rule :
       {"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=31", "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2",
        "FREQ=YEARLY;INTERVAL=100000;BYYEARDAY=366", "FREQ=DAILY;INTERVAL=100000;BYMONTH=2;BYMONTHDAY=30"}) {
    const RuleExpansion expansion = expand(*parse_rrule(rule), at("20260101T000000"));
    EXPECT_EQ(expansion.occurrences.size(), 1U) << rule;  // the start
  }
  std::string every = "FREQ=YEARLY;BYSETPOS=366;BYHOUR=0";
  for (int i = 1; i < 24; ++i) every += "," + std::to_string(i);
  every += ";BYMINUTE=0";
  for (int i = 1; i < 60; ++i) every += "," + std::to_string(i);
  every += ";BYSECOND=0";
  for (int i = 1; i < 61; ++i) every += "," + std::to_string(i);
  EXPECT_EQ(dates(every, "20260101T000000", 2).size(), 2U);
  ExpansionLimits few;
  few.max_steps = 100;
  EXPECT_EQ(expand(*parse_rrule("FREQ=DAILY"), at("20260101"), few).end, Expansion::End::steps_spent);
  few.max_occurrences = 3;
  EXPECT_EQ(expand(*parse_rrule("FREQ=DAILY"), at("20260101"), few).end, Expansion::End::more);
}

TEST(Expansion, of_values_no_reader_would_make_is_empty) {
  const Date start = chrono::year{2026} / 1 / 1;
  for (const RecurrencePattern& pattern :
       {RecurrencePattern{DailyPattern{0}}, RecurrencePattern{AbsoluteMonthlyPattern{-1, 1}},
        RecurrencePattern{AbsoluteYearlyPattern{13, 1}}, RecurrencePattern{AbsoluteMonthlyPattern{1, 0}},
        RecurrencePattern{WeeklyPattern{1, 0, std::nullopt}}}) {
    EXPECT_TRUE(expand(Recurrence{pattern, {start, RecurrenceRange::NoEnd{}}}).days.empty());
  }
  EXPECT_TRUE(expand(Recurrence{DailyPattern{1}, {chrono::year{2026} / 2 / 30, RecurrenceRange::NoEnd{}}})
                  .days.empty());
}

}  // namespace
}  // namespace syncline::time
