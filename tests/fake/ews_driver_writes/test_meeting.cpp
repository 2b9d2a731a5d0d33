// SPDX-License-Identifier: GPL-3.0-or-later
// Meetings: who is mailed, by what, and how often (invariants 6 and 11).
#include "write_bench.hpp"

namespace syncline::ews::testing {
namespace {

using model::RecordKind;
using Mails = std::map<std::string, int>;

constexpr std::string_view meeting = R"({"subject":"Plan","start":"2026-03-20T11:00:00Z",
  "end":"2026-03-20T12:00:00Z","startTimeZone":{"id":"W. Europe Standard Time"},
  "requiredAttendees":[{"mailbox":{"emailAddress":"bert@example.com"}}],
  "optionalAttendees":[{"mailbox":{"emailAddress":"out@example.org"}}]})";

class Meeting : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_THAT(bench.exchange.schema_violations(), ::testing::IsEmpty()); }
  WriteBench bench;

  sync::WriteOrder mailed(sync::WriteOrder order) {
    order.mail_attendees = true;
    return order;
  }
  std::string invited() { return bench.made(mailed(bench.create(RecordKind::appointment, meeting))); }
};

TEST_F(Meeting, InvitationsGoOnceToEverybody) {
  const auto applied = bench.apply(mailed(bench.create(RecordKind::appointment, meeting)));
  ASSERT_TRUE(applied) << applied.error().describe();
  EXPECT_EQ(bench.mails(),
            (Mails{{"invitation to bert@example.com", 1}, {"invitation to out@example.org", 1}}));
  EXPECT_EQ(bench.count("calendar"), 1U);
  EXPECT_EQ(applied->item, bench.ref(RecordKind::appointment, applied->item.id));
  EXPECT_EQ(bench.service().list(bert, "calendar").value().size(), 1U);
}

TEST_F(Meeting, ALostAnswerToTheMailingIsSettledByItsProperty) {
  bench.exchange.lose_reply("UpdateItem");
  ASSERT_TRUE(bench.apply(mailed(bench.create(RecordKind::appointment, meeting))));
  EXPECT_EQ(bench.exchange.requests("UpdateItem"), 1U);
  EXPECT_EQ(bench.mails().at("invitation to bert@example.com"), 1);
}

TEST_F(Meeting, ALostMailingIsSentAgain) {
  bench.exchange.lose_request("UpdateItem");
  ASSERT_TRUE(bench.apply(mailed(bench.create(RecordKind::appointment, meeting))));
  EXPECT_EQ(bench.mails().at("invitation to bert@example.com"), 1);
}

TEST_F(Meeting, AnUpdateIsMailedOnce) {
  const std::string id = invited();
  ASSERT_TRUE(bench.apply(mailed(bench.update(
      RecordKind::appointment, id, R"({"start":"2026-03-20T12:00:00Z","end":"2026-03-20T13:00:00Z"})"))));
  EXPECT_EQ(bench.mails().at("update to bert@example.com"), 1);
  EXPECT_EQ(bench.mails().at("invitation to bert@example.com"), 1);
}

TEST_F(Meeting, AnUpdateThatIsNotToBeMailedIsNot) {
  const std::string id = invited();
  ASSERT_TRUE(bench.apply(bench.update(RecordKind::appointment, id, R"({"location":"There"})")));
  EXPECT_FALSE(bench.mails().contains("update to bert@example.com"));
  EXPECT_EQ(bench.property(id, "calendar:Location"), "There");
}

TEST_F(Meeting, WhoIsTakenOffIsToldAndTheOthersAnswersStay) {
  const std::string id = invited();
  const std::string theirs = bench.service().list(bert, "calendar").value().front().id;
  ASSERT_TRUE(bench.service().respond(bert, theirs, "Accept"));
  ASSERT_TRUE(bench.apply(mailed(bench.update(
      RecordKind::appointment, id,
      R"({"optionalAttendees":[],"requiredAttendees":[{"mailbox":{"emailAddress":"BERT@example.com"}},
          {"mailbox":{"emailAddress":"new@example.org"}}]})"))));
  EXPECT_EQ(bench.mails().at("cancellation to out@example.org"), 1);
  EXPECT_EQ(bench.mails().count("cancellation to bert@example.com"), 0U);
  const auto held = bench.read(RecordKind::appointment, id).fields;
  ASSERT_EQ(held.at("requiredAttendees").get_array().size(), 2U);
  EXPECT_EQ(held.at("requiredAttendees").at(0).at("responseType"), "Accept");
  EXPECT_TRUE(held.at("optionalAttendees").is_null());
}

TEST_F(Meeting, TheSameSetOfAttendeesIsNotWritten) {
  const std::string id = invited();
  const std::string theirs = bench.service().list(bert, "calendar").value().front().id;
  ASSERT_TRUE(bench.service().respond(bert, theirs, "Decline"));
  ASSERT_TRUE(bench.apply(bench.update(
      RecordKind::appointment, id,
      R"({"requiredAttendees":[{"mailbox":{"emailAddress":"Bert@Example.com"},"responseType":"Accept"}]})")));
  const auto held = bench.read(RecordKind::appointment, id).fields;
  EXPECT_EQ(held.at("requiredAttendees").at(0).at("responseType"), "Decline");
}

TEST_F(Meeting, SomebodyElsesMeetingIsNeverMailed) {
  const auto before = bench.mails();
  const auto theirs = bench.foreign_meeting();
  const auto updated =
      bench.apply(mailed(bench.update(RecordKind::appointment, theirs, R"({"location":"There"})")));
  ASSERT_FALSE(updated);
  EXPECT_EQ(updated.error().code, "not-organizer");
  EXPECT_EQ(updated.error().retry, RetryClass::never);
  const auto removed = bench.apply(mailed(bench.remove(RecordKind::appointment, theirs)));
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, "not-organizer");
  EXPECT_EQ(bench.mails(), before);
}

TEST_F(Meeting, CallingOffMailsOnceAndDeletes) {
  const std::string id = invited();
  bench.exchange.lose_reply("DeleteItem");
  ASSERT_TRUE(bench.apply(mailed(bench.remove(RecordKind::appointment, id))));
  EXPECT_EQ(bench.mails().at("cancellation to bert@example.com"), 1);
  EXPECT_EQ(bench.count("calendar"), 0U);
  EXPECT_EQ(bench.count("deleteditems"), 1U);
}

TEST_F(Meeting, DeletingWithoutMailTellsNobody) {
  const std::string id = invited();
  ASSERT_TRUE(bench.apply(bench.remove(RecordKind::appointment, id)));
  EXPECT_FALSE(bench.mails().contains("cancellation to bert@example.com"));
}

}  // namespace
}  // namespace syncline::ews::testing
