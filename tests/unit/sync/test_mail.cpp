// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "organisation.hpp"

namespace syncline::sync::testing {
namespace {

using model::MailFilter;
using model::RecordKind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class Mail : public ::testing::Test {
 protected:
  ManualClock clock;
  MemoryServer server{clock, "anna@example.com"};
  Organisation organisation{clock, server};

  static model::Fields message(const std::string& id, model::Fields more = {}) {
    model::Fields fields{{"subject", "Message " + id},
                         {"internetMessageId", "<" + id + "@x>"},
                         {"from", {{"emailAddress", "bert@example.com"}}},
                         {"toRecipients", {{{"emailAddress", "anna@example.com"}}}},
                         {"dateTimeSent", "2026-01-04T08:00:00Z"},
                         {"dateTimeReceived", "2026-01-05T08:00:00Z"},
                         {"isRead", false},
                         {"body", {{"type", "text"}, {"value", "text of " + id}}}};
    for (auto& [name, value] : more) fields[name] = value;
    return fields;
  }
  void track(MailFilter filter) { organisation.settings.policies.mail.track = filter; }
};

TEST_F(Mail, isTrackedWithItsOctetsAsReceived) {
  server.add("inbox", message("1")).mime = "Subject: x\r\n\r\nbody";
  organisation.must_run();
  const model::Record record = organisation.only_record(RecordKind::email);
  EXPECT_EQ(record.fields.at("direction"), "incoming");
  EXPECT_EQ(record.fields.at("mime").at("size").to_number<int>(), 18);
}

TEST_F(Mail, r05AReadFlagComesWithoutReading) {
  const std::string id = server.add("inbox", message("1")).id;
  organisation.must_run();
  server.edit(id, {{"isRead", true}});
  organisation.must_run();
  EXPECT_EQ(organisation.only_record(RecordKind::email).fields.at("isRead"), true);
}

TEST_F(Mail, everyMessageThatIsNotTrackedHasItsReasonInTheJournalOnce) {
  track(MailFilter::replies);
  server.add("inbox", message("1"));
  server.add("inbox", message("2"));
  organisation.must_run();
  server.invalidate_cursors();
  organisation.must_run();
  EXPECT_THAT(organisation.journal("not-tracked"), ElementsAre("no-correlation", "no-correlation"));
}

TEST_F(Mail, repliesAreKnownByReferenceTokenAndConversation) {
  track(MailFilter::all);
  server.add("inbox", message("1", {{"conversationIndex", "AdkAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}}));
  organisation.must_run();
  track(MailFilter::replies);
  server.add("inbox", message("2", {{"inReplyTo", "<1@x>"}}));
  server.add("inbox", message("3", {{"references", "<0@x> <1@x>"}}));
  server.add("inbox", message("4", {{"conversationIndex", "AdkAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="}}));
  server.add("inbox", message("5"));
  organisation.must_run();
  EXPECT_THAT(organisation.journal("tracked"),
              UnorderedElementsAre("filter-all", "in-reply-to", "references", "conversation"));
}

TEST_F(Mail, anAnswerIsKnownByTheTokenInItsSubject) {
  track(MailFilter::replies);
  organisation.add(RecordKind::email, {{"direction", "outgoing"},
                                       {"statusCode", "pendingSend"},
                                       {"subject", "Offer"},
                                       {"toRecipients", {{{"emailAddress", "bert@example.com"}}}}});
  organisation.must_run();
  const std::string subject(server.sent().front().fields.at("subject").as_string());
  EXPECT_THAT(subject, ::testing::StartsWith("Offer SYN:"));
  server.add("inbox", message("2", {{"subject", "AW: " + subject}}));
  organisation.must_run();
  EXPECT_THAT(organisation.journal("tracked"), ElementsAre("token"));
}

TEST_F(Mail, ofKnownContactsIsTracked) {
  track(MailFilter::known_contacts);
  organisation.add(RecordKind::contact, {{"emailAddresses", {{"EmailAddress1", "Bert@Example.com"}}}});
  server.add("inbox", message("1"));
  server.add("inbox", message("2", {{"from", {{"emailAddress", "carl@example.com"}}}}));
  organisation.must_run();
  const model::Record record = organisation.only_record(RecordKind::email);
  EXPECT_EQ(record.fields.at("internetMessageId"), "<1@x>");
  EXPECT_TRUE(record.fields.at("parties").as_object().contains("bert@example.com"));
}

TEST_F(Mail, invariant14TheCopiesOfOneMessageAreOneRecord) {
  server.add("inbox", message("1"));
  server.add("inbox", message("1"));
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(1));
  EXPECT_THAT(organisation.journal("linked"), ElementsAre("same-message"));
}

TEST_F(Mail, invariant14ASenderChoosesMessageIdsSoAnotherTextIsAnotherMessage) {
  server.add("inbox", message("1"));
  server.add("inbox", message("1", {{"body", {{"type", "text"}, {"value", "quite another text"}}}}));
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(2));
}

TEST_F(Mail, r27MessagesWithoutMessageIdAreNotMerged) {
  model::Fields first = message("1");
  model::Fields second = message("2");
  first.erase("internetMessageId");
  second.erase("internetMessageId");
  server.add("inbox", first);
  server.add("inbox", second);
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(2));
}

TEST_F(Mail, invariant15OnFirstContactOnlyWhatCameSinceTheStartDateIsRead) {
  for (int i = 0; i < 12; ++i)
    server.add("inbox", message("old" + std::to_string(i), {{"dateTimeReceived", "2026-01-05T08:00:00Z"}}));
  clock.advance(std::chrono::hours(48));
  for (int i = 0; i < 3; ++i)
    server.add("inbox", message("new" + std::to_string(i), {{"dateTimeReceived", "2026-01-07T08:00:00Z"}}));
  organisation.settings.policies.mail.process_from = clock.now() - std::chrono::hours(1);
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(3));
  EXPECT_THAT(organisation.journal("not-tracked"), IsEmpty()) << "old mail is not even looked at";
  server.add("inbox", message("next", {{"dateTimeReceived", "2026-01-07T09:00:00Z"}}));
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(4));
}

TEST_F(Mail, repliesWrittenInOutlookToTrackedThreadsAreTrackedFromSentItems) {
  track(MailFilter::all);
  server.add("inbox", message("1"));
  organisation.must_run();
  server.add("sent", message("2", {{"inReplyTo", "<1@x>"}}));
  server.add("sent", message("3"));
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(2));
  EXPECT_THAT(organisation.journal("not-tracked"), ElementsAre("no-correlation"));
}

TEST_F(Mail, r04AnUnknownClassIsCountedAndLeftAlone) {
  server.add("inbox", message("1")).opaque = true;
  server.add("inbox", message("2"));
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(1));
  EXPECT_THAT(organisation.journal("not-tracked"), ElementsAre("unknown-class"));
}

TEST_F(Mail, aReportOnDeliverySetsTheRecipientsState) {
  organisation.add(
      RecordKind::email,
      {{"direction", "outgoing"},
       {"statusCode", "pendingSend"},
       {"subject", "Offer"},
       {"toRecipients", {{{"emailAddress", "nobody@example.com"}}, {{"emailAddress", "carl@example.com"}}}}});
  organisation.must_run();
  const std::string id(server.sent().front().fields.at("internetMessageId").as_string());
  MemoryItem& report = server.add("inbox", message("report"));
  report.item_class = "REPORT.IPM.Note.NDR";
  report.mime =
      "Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
      "Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822;\r\n Nobody@example.com\r\nAction: "
      "failed\r\nStatus: 5.1.1\r\n"
      "\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: " +
      id + "\r\n\r\n--b--\r\n";
  organisation.must_run();
  for (const model::Record& record : organisation.records(RecordKind::email))
    if (record.fields.at("direction") == "outgoing") {
      EXPECT_EQ(record.fields.at("recipientStates").at("nobody@example.com"), "failed 5.1.1");
      EXPECT_EQ(record.fields.at("recipientStates").at("carl@example.com"), "accepted");
    }
  EXPECT_THAT(organisation.journal("delivery-report"), SizeIs(1));
}

TEST_F(Mail, ofAQueueIsDeletedOnceItIsProcessedIfThePolicySaysSo) {
  organisation.settings.kind = MailboxKind::queue;
  organisation.settings.policies.mail.delete_after_processing = true;
  organisation.settings.appointments_contacts_tasks = false;
  server.add("inbox", message("1")).mime = "Subject: 1\r\n\r\n";
  organisation.must_run();
  EXPECT_THAT(server.in("inbox"), IsEmpty());
  EXPECT_THAT(server.in("deleted"), SizeIs(1));
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(1));
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(1));
}

TEST_F(Mail, ofAForwardMailboxIsWhatWasAttached) {
  organisation.settings.kind = MailboxKind::forward;
  organisation.settings.appointments_contacts_tasks = organisation.settings.mail_out = false;
  server.add("inbox", message("wrapping", {{"subject", "FW: Offer"}})).attached =
      message("inner", {{"subject", "Offer"}, {"from", {{"emailAddress", "marta@nordwind.example"}}}});
  server.add("inbox", message("plain"));
  organisation.must_run();
  organisation.must_run();
  const model::Record record = organisation.only_record(RecordKind::email);
  EXPECT_EQ(record.fields.at("subject"), "Offer");
  EXPECT_EQ(record.fields.at("internetMessageId"), "<inner@x>");
  EXPECT_EQ(record.fields.at("mime").at("size").to_number<int>(), 21);
  EXPECT_THAT(organisation.journal("not-tracked"), ElementsAre("nothing-forwarded"));
}

TEST_F(Mail, deletedInExchangeKeepsItsRecord) {
  const std::string id = server.add("inbox", message("1")).id;
  server.add("inbox", message("2"));
  organisation.must_run();
  server.remove(id);
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(2));
}

}  // namespace
}  // namespace syncline::sync::testing
