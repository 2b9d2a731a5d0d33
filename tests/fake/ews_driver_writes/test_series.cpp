// SPDX-License-Identifier: GPL-3.0-or-later
// Series: a new pattern, and every exception of ours afterwards (invariant 12).
#include "write_bench.hpp"

namespace syncline::ews::testing {
namespace {

using model::RecordKind;

/// Mondays at ten in Berlin, over the change to summer time; the second is moved, the fourth is off.
constexpr std::string_view series = R"({"subject":"Jour fixe","start":"2026-03-09T09:00:00Z",
  "end":"2026-03-09T10:00:00Z","startTimeZone":{"id":"W. Europe Standard Time"},
  "endTimeZone":{"id":"W. Europe Standard Time"},
  "recurrence":{"pattern":{"type":"weekly","interval":1,"daysOfWeek":["Monday"]},
                "range":{"type":"numbered","startDate":"2026-03-09","numberOfOccurrences":6}},
  "modifiedOccurrences":[{"originalStart":"2026-03-16T09:00:00Z","start":"2026-03-17T09:00:00Z",
                          "end":"2026-03-17T09:30:00Z","subject":"Moved"}],
  "deletedOccurrences":["2026-03-30T08:00:00Z"]})";

class Series : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_THAT(bench.exchange.schema_violations(), ::testing::IsEmpty()); }
  WriteBench bench;

  model::Fields now(const std::string& id) { return bench.read(RecordKind::appointment, id).fields; }
};

TEST_F(Series, ASeriesComesWithItsExceptions) {
  const auto applied = bench.apply(bench.create(RecordKind::appointment, series));
  ASSERT_TRUE(applied) << applied.error().describe();
  EXPECT_EQ(applied->remark, "");
  EXPECT_EQ(applied->item, bench.ref(RecordKind::appointment, applied->item.id));
  const model::Fields held = now(applied->item.id);
  ASSERT_EQ(held.at("modifiedOccurrences").get_array().size(), 1U);
  EXPECT_EQ(held.at("modifiedOccurrences").at(0).at("subject"), "Moved");
  EXPECT_EQ(held.at("modifiedOccurrences").at(0).at("start"), "2026-03-17T09:00:00Z");
  EXPECT_EQ(held.at("deletedOccurrences"), boost::json::parse(R"(["2026-03-30T08:00:00Z"])"));
}

TEST_F(Series, ANewTimeOfDayKeepsTheExceptions) {
  const std::string id = bench.made(bench.create(RecordKind::appointment, series));
  const auto applied = bench.apply(bench.update(
      RecordKind::appointment, id, R"({"start":"2026-03-09T13:00:00Z","end":"2026-03-09T14:00:00Z"})"));
  ASSERT_TRUE(applied) << applied.error().describe();
  EXPECT_EQ(applied->remark, "");
  const model::Fields held = now(id);
  EXPECT_EQ(held.at("start"), "2026-03-09T13:00:00Z");
  ASSERT_TRUE(held.at("modifiedOccurrences").is_array()) << held;
  EXPECT_EQ(held.at("modifiedOccurrences").at(0).at("originalStart"), "2026-03-16T13:00:00Z");
  EXPECT_EQ(held.at("modifiedOccurrences").at(0).at("start"), "2026-03-17T09:00:00Z");
  EXPECT_EQ(held.at("deletedOccurrences"), boost::json::parse(R"(["2026-03-30T12:00:00Z"])"));
}

TEST_F(Series, ANewPatternKeepsTheExceptionsItStillHas) {
  const std::string id = bench.made(bench.create(RecordKind::appointment, series));
  const auto applied = bench.apply(bench.update(RecordKind::appointment, id, R"({"recurrence":{
      "pattern":{"type":"daily","interval":1},
      "range":{"type":"endDate","startDate":"2026-03-09","endDate":"2026-03-20"}}})"));
  ASSERT_TRUE(applied) << applied.error().describe();
  const model::Fields held = now(id);
  EXPECT_EQ(held.at("modifiedOccurrences").get_array().size(), 1U);
  EXPECT_TRUE(held.at("deletedOccurrences").is_null()) << "30 March is not in the series any more";
}

TEST_F(Series, OneMoreExceptionLeavesTheOthersAlone) {
  const std::string id = bench.made(bench.create(RecordKind::appointment, series));
  auto order = bench.update(RecordKind::appointment, id, "{}");
  auto modified = order.base.at("modifiedOccurrences").get_array();
  modified.push_back(fields(R"({"originalStart":"2026-04-06T08:00:00Z","location":"Garden"})"));
  order.fields["modifiedOccurrences"] = modified;
  bench.exchange.forget_requests();
  const auto applied = bench.apply(order);
  ASSERT_TRUE(applied) << applied.error().describe();
  EXPECT_EQ(applied->remark, "");
  EXPECT_EQ(bench.exchange.requests("UpdateItem"), 2U) << "the master's mark, and one occurrence";
  EXPECT_EQ(now(id).at("modifiedOccurrences").get_array().size(), 2U);
}

TEST_F(Series, AnAllDaySeriesKeepsItsDates) {
  const auto applied = bench.apply(bench.create(RecordKind::appointment, R"({"subject":"Shift",
    "isAllDayEvent":true,"start":"2026-03-26","end":"2026-03-27","startTimeZone":{"id":"W. Europe Standard Time"},
    "recurrence":{"pattern":{"type":"daily","interval":1},
                  "range":{"type":"numbered","startDate":"2026-03-26","numberOfOccurrences":8}},
    "modifiedOccurrences":[{"originalStart":"2026-03-30","start":"2026-04-10","end":"2026-04-11"}],
    "deletedOccurrences":["2026-03-29"]})"));
  ASSERT_TRUE(applied) << applied.error().describe();
  EXPECT_EQ(applied->remark, "");
  const model::Fields held = now(applied->item.id);
  EXPECT_EQ(held.at("start"), "2026-03-26");
  EXPECT_EQ(held.at("deletedOccurrences"), boost::json::parse(R"(["2026-03-29"])"));
  EXPECT_EQ(held.at("modifiedOccurrences").at(0).at("start"), "2026-04-10");
}

TEST_F(Series, AnOccurrenceThatIsToComeBackIsSaidInARemark) {
  const std::string id = bench.made(bench.create(RecordKind::appointment, series));
  const auto applied = bench.apply(bench.update(RecordKind::appointment, id, R"({"deletedOccurrences":[]})"));
  ASSERT_TRUE(applied) << applied.error().describe();
  EXPECT_NE(applied->remark, "");
}

TEST_F(Series, ExceptionsAreMailedOnceEach) {
  auto order = bench.create(RecordKind::appointment, series);
  order.fields["requiredAttendees"] =
      boost::json::parse(R"([{"mailbox":{"emailAddress":"bert@example.com"}}])");
  order.mail_attendees = true;
  const auto applied = bench.apply(order);
  ASSERT_TRUE(applied) << applied.error().describe();
  EXPECT_EQ(bench.mails(), (std::map<std::string, int>{{"invitation to bert@example.com", 1},
                                                       {"update to bert@example.com", 1},
                                                       {"cancellation to bert@example.com", 1}}));
}

TEST_F(Series, AChangedExceptionIsMailedWithoutItsSeries) {
  auto first = bench.create(RecordKind::appointment, series);
  first.fields["requiredAttendees"] =
      boost::json::parse(R"([{"mailbox":{"emailAddress":"bert@example.com"}}])");
  first.mail_attendees = true;
  const std::string id = bench.made(first);
  const auto before = bench.mails();
  auto order = bench.update(RecordKind::appointment, id, "{}");
  auto modified = order.base.at("modifiedOccurrences").get_array();
  modified.push_back(fields(R"({"originalStart":"2026-04-06T08:00:00Z","location":"Garden"})"));
  order.fields["modifiedOccurrences"] = modified;
  order.mail_attendees = true;
  ASSERT_TRUE(bench.apply(order));
  auto expected = before;
  ++expected["update to bert@example.com"];
  EXPECT_EQ(bench.mails(), expected);
}

}  // namespace
}  // namespace syncline::ews::testing
