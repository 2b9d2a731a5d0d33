// SPDX-License-Identifier: GPL-3.0-or-later
// R-26: an attendee declines one day of a series; the other 51 stay as they are, in both mailboxes and both
// records.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "exchange_organisation.hpp"

namespace syncline::sync::testing {
namespace {

using model::RecordKind;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::string_view series = R"({"subject":"Jour fixe","location":"Room 1",
  "start":"2026-03-09T09:00:00Z","end":"2026-03-09T10:00:00Z",
  "startTimeZone":{"id":"W. Europe Standard Time"},"endTimeZone":{"id":"W. Europe Standard Time"},
  "recurrence":{"pattern":{"type":"weekly","interval":1,"daysOfWeek":["Monday"]},
                "range":{"type":"numbered","startDate":"2026-03-09","numberOfOccurrences":52}},
  "requiredAttendees":[{"mailbox":{"emailAddress":"bert@example.com"}}]})";

std::string between(std::string_view text, std::string_view begin, std::string_view end) {
  const auto from = text.find(begin);
  if (from == std::string_view::npos) return {};
  const auto to = text.find(end, from + begin.size());
  return std::string(text.substr(from + begin.size(), to - from - begin.size()));
}

class DeclinedOccurrence : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_THAT(server.exchange.schema_violations(), IsEmpty()); }

  /// The days of a calendar as its owner sees them, by their start: subject, place and the owner's answer.
  std::map<std::string, std::string> days(const std::string& mailbox) {
    const std::string view = server.request(
        mailbox,
        R"(<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>AllProperties</t:BaseShape>)"
        R"(</m:ItemShape><m:CalendarView StartDate="2026-03-01T00:00:00Z" EndDate="2027-03-31T00:00:00Z"/>)"
        R"(<m:ParentFolderIds><t:DistinguishedFolderId Id="calendar"/></m:ParentFolderIds></m:FindItem>)");
    std::map<std::string, std::string> days;
    const std::string_view open = "<t:CalendarItem>";
    for (auto at = view.find(open); at != std::string::npos; at = view.find(open, at + 1)) {
      const std::string_view item =
          std::string_view(view).substr(at, view.find("</t:CalendarItem>", at) - at);
      days[between(item, "<t:Start>", "<")] =
          between(item, "<t:Subject>", "<") + "|" + between(item, "<t:Location>", "<") + "|" +
          between(item, "<t:End>", "<") + "|" + between(item, "<t:MyResponseType>", "<");
    }
    return days;
  }
  /// As bert in Outlook.
  void decline(const std::string& master, int nth) {
    const std::string asked = server.request(
        bert, R"(<m:GetItem><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape><m:ItemIds>)"
              R"(<t:OccurrenceItemId RecurringMasterId=")" +
                  master + R"(" InstanceIndex=")" + std::to_string(nth) + R"("/></m:ItemIds></m:GetItem>)");
    server.request(bert, R"(<m:CreateItem MessageDisposition="SendAndSaveCopy"><m:Items><t:DeclineItem>)"
                         R"(<t:ReferenceItemId Id=")" +
                             between(asked, "<t:ItemId Id=\"", "\"") +
                             R"("/></t:DeclineItem></m:Items></m:CreateItem>)");
  }

  ExchangeWorld server{{.schema_folder = SYNCLINE_SOURCE_DIR "/wsdl"}};
  ExchangeOrganisation annas{server, anna};
  ExchangeOrganisation berts{server, bert, 2};
};

TEST_F(DeclinedOccurrence, R26_LeavesTheOther51AloneOnBothSides) {
  const model::Record record = annas.add(RecordKind::appointment, boost::json::parse(series).get_object());
  annas.must_run();
  berts.must_run();
  ASSERT_TRUE(server.service().respond(bert, server.only_item(bert, "calendar"), "Accept"));
  annas.must_run();
  berts.must_run();
  const model::Record theirs = berts.only_record(RecordKind::appointment);
  const auto annas_days = days(anna);
  const auto berts_days = days(bert);
  ASSERT_THAT(annas_days, SizeIs(52));
  ASSERT_THAT(berts_days, SizeIs(52));
  const auto mails = server.mails();

  // The third Monday.
  const std::string declined = "2026-03-23T09:00:00Z";
  decline(server.only_item(bert, "calendar"), 3);
  // Either side may be the first to hear of it, and hears of the other's writes, if there were any.
  for (int round = 0; round < 2; ++round) {
    annas.must_run();
    berts.must_run();
  }

  auto expected = berts_days;
  ASSERT_EQ(expected.erase(declined), 1u);
  EXPECT_EQ(days(bert), expected);
  EXPECT_EQ(days(anna), annas_days) << "the meeting still takes place";
  const model::Record berts_now = berts.record(theirs.id);
  EXPECT_FALSE(berts_now.deleted);
  EXPECT_EQ(field_text(berts_now.fields, "deletedOccurrences"), "[\"" + declined + "\"]");
  EXPECT_EQ(field_text(berts_now.fields, "myResponseType"), "\"Accept\"");
  EXPECT_EQ(field_text(berts_now.fields, "recurrence"), field_text(theirs.fields, "recurrence"));
  const model::Record annas_now = annas.record(record.id);
  EXPECT_EQ(annas_now.fields.at("requiredAttendees").at(0).at("responseType"), "Accept")
      << "of the series, not of the one day";
  const std::string none = field_text(annas_now.fields, "deletedOccurrences");
  EXPECT_TRUE(none == "absent" || none == "null" || none == "[]") << none;

  auto mails_now = server.mails();
  for (const auto& [what, times] : mails) {
    EXPECT_EQ(mails_now[what], times) << what;
    mails_now.erase(what);
  }
  EXPECT_EQ(mails_now, (std::map<std::string, int>{{"response anna@example.com Declined: Jour fixe", 1}}))
      << "bert's own answer, and nothing of ours";
  annas.expect_quiet();
  berts.expect_quiet();
}

}  // namespace
}  // namespace syncline::sync::testing
