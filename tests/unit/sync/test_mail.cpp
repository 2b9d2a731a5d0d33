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

TEST_F(Mail, r27CopiesWithoutMessageIdAreOneRecordOnlyIfAllTheirOctetsAreEqual) {
  model::Fields without = message("1");
  without.erase("internetMessageId");
  server.add("inbox", without).mime = "Subject: alarm\r\n\r\nfirst\r\n";
  server.add("inbox", without).mime = "Subject: alarm\r\n\r\nother\r\n";
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(2));
  server.add("inbox", without).mime = "Subject: alarm\r\n\r\nfirst\r\n";
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(2));
  EXPECT_THAT(organisation.journal("linked"), ElementsAre("same-message"));
  // A message with an id of its own is another one, whatever its octets.
  server.add("inbox", message("1")).mime = "Subject: alarm\r\n\r\nfirst\r\n";
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(3));
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

TEST_F(Mail, aReportThatWritesTheAddressInAnotherCaseIsOfTheSameRecipient) {
  organisation.add(RecordKind::email, {{"direction", "outgoing"},
                                       {"statusCode", "pendingSend"},
                                       {"subject", "Offer"},
                                       {"toRecipients", {{{"emailAddress", "No.Body@Example.com"}}}}});
  organisation.must_run();
  const std::string id(server.sent().front().fields.at("internetMessageId").as_string());
  MemoryItem& report = server.add("inbox", message("report"));
  report.item_class = "REPORT.IPM.Note.NDR";
  report.mime =
      "Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
      "Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; no.body@example.com\r\nAction: failed\r\n"
      "Status: 5.1.1\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: " +
      id + "\r\n\r\n--b--\r\n";
  organisation.must_run();
  for (const model::Record& record : organisation.records(RecordKind::email)) {
    if (record.fields.at("direction") != "outgoing") continue;
    EXPECT_EQ(field_text(record.fields, "recipientStates"), R"({"No.Body@Example.com":"failed 5.1.1"})");
  }
}

TEST_F(Mail, thatTheServerCannotGiveWholeComesWithItsAttachments) {
  MemoryItem& item =
      server.add("inbox", message("1", {{"attachments", {{{"id", "a1"}, {"name", "offer.pdf"}}}}}));
  item.attachments = {{"a1", "octets of the offer"}};
  organisation.must_run();
  const model::Record record = organisation.only_record(RecordKind::email);
  EXPECT_FALSE(record.fields.contains("mime"));
  const auto& attachment = record.fields.at("attachments").at(0).as_object();
  ASSERT_TRUE(attachment.contains("sha256")) << field_text(record.fields, "attachments");
  EXPECT_EQ(organisation.content_of(attachment.at("sha256").as_string()), "octets of the offer");
}

TEST_F(Mail, isRelatedByInReplyToThenReferencesThenTokenThenConversation) {
  const std::string conversation = "AdkAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  server.add("inbox", message("a"));
  server.add("inbox", message("b"));
  server.add("inbox", message("d", {{"conversationIndex", conversation}}));
  const model::RecordId by_token =
      organisation
          .add(RecordKind::email, {{"direction", "outgoing"},
                                   {"statusCode", "pendingSend"},
                                   {"subject", "Offer"},
                                   {"toRecipients", {{{"emailAddress", "bert@example.com"}}}}})
          .id;
  organisation.must_run();
  const std::string subject(server.sent().front().fields.at("subject").as_string());
  const auto id_of = [&](const std::string& message_id) {
    for (const model::Record& record : organisation.records(RecordKind::email))
      if (const auto* id = record.fields.if_contains("internetMessageId");
          id != nullptr && *id == boost::json::value("<" + message_id + "@x>"))
        return record.id;
    return model::RecordId{0};
  };
  // The weakest first: what is tracked belongs to the conversation from then on.
  model::Fields evidence{{"conversationIndex", conversation}};
  std::vector<model::RecordId> expected{id_of("d")};
  server.add("inbox", message("1", evidence));
  organisation.must_run();
  evidence["subject"] = "Re: " + subject;
  expected.push_back(by_token);
  server.add("inbox", message("2", evidence));
  organisation.must_run();
  evidence["references"] = "<b@x>";
  expected.push_back(id_of("b"));
  server.add("inbox", message("3", evidence));
  organisation.must_run();
  evidence["inReplyTo"] = "<a@x>";
  expected.push_back(id_of("a"));
  server.add("inbox", message("4", evidence));
  organisation.must_run();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const model::Record record = organisation.record(id_of(std::to_string(i + 1)));
    EXPECT_EQ(model::text_of(record.fields, "regarding"), std::to_string(expected[i])) << "message " << i + 1;
  }
}

TEST_F(Mail, r07TheAuditFindsLostArrivalsSinceTheStartDateOnly) {
  server.add("inbox", message("old", {{"dateTimeReceived", "2026-01-05T08:00:00Z"}}));
  clock.advance(std::chrono::hours(48));
  organisation.settings.policies.mail.process_from = clock.now() - std::chrono::hours(1);
  server.add("inbox", message("first", {{"dateTimeReceived", "2026-01-07T08:00:00Z"}}));
  organisation.must_run();
  server.add_unseen("inbox", message("lost", {{"dateTimeReceived", "2026-01-07T08:30:00Z"}}));
  organisation.must_run();
  ASSERT_THAT(organisation.records(RecordKind::email), SizeIs(1)) << "the feed says nothing";
  organisation.options.audit_now = true;
  organisation.must_run();
  std::vector<std::string> subjects;
  for (const model::Record& record : organisation.records(RecordKind::email))
    subjects.emplace_back(record.fields.at("subject").as_string());
  EXPECT_THAT(subjects, UnorderedElementsAre("Message first", "Message lost"));
  EXPECT_THAT(organisation.journal("not-tracked"), IsEmpty()) << "old mail is not even looked at";
}

TEST_F(Mail, ofAQueueBelongsToTheFirstListedPersonAndTheJournalSaysWhy) {
  organisation.settings.kind = MailboxKind::queue;
  organisation.settings.appointments_contacts_tasks = false;
  organisation.settings.owner_of_mailbox =
      [](store::Transaction&, std::string_view address) -> Result<std::optional<std::string>> {
    if (address == "carl@example.com" || address == "dora@example.com") return std::string(address);
    return std::nullopt;
  };
  const boost::json::array people{{{"emailAddress", "stranger@example.org"}},
                                  {{"emailAddress", "Carl@example.com"}},
                                  {{"emailAddress", "dora@example.com"}}};
  server.add("inbox", message("1", {{"ccRecipients", people}}));
  organisation.must_run();
  EXPECT_EQ(organisation.only_record(RecordKind::email).owner, "carl@example.com");
  EXPECT_THAT(organisation.journal_details("tracked"),
              ElementsAre(R"({"owner":"carl@example.com","ownerBy":"recipient"})"));
  // The sender becomes a contact of Dora's.
  model::Record contact =
      organisation.add(RecordKind::contact, {{"emailAddresses", {{"EmailAddress1", "bert@example.com"}}}});
  organisation.give_to(contact.id, "dora@example.com");
  server.add("inbox", message("2", {{"ccRecipients", people}}));
  organisation.must_run();
  EXPECT_EQ(organisation.records(RecordKind::email).back().owner, "dora@example.com");
  server.add("inbox", message("3", {{"ccRecipients", people}, {"inReplyTo", "<1@x>"}}));
  organisation.must_run();
  EXPECT_EQ(organisation.records(RecordKind::email).back().owner, "carl@example.com") << "the related one's";
}

TEST_F(Mail, invariant14InAUsersMailboxNoHeaderShowsAMessageToAnybodyElse) {
  organisation.settings.owner_of_mailbox =
      [](store::Transaction&, std::string_view address) -> Result<std::optional<std::string>> {
    return std::string(address);
  };
  server.add("inbox", message("1", {{"toRecipients", {{{"emailAddress", "carl@example.com"}}}}}));
  organisation.must_run();
  EXPECT_EQ(organisation.only_record(RecordKind::email).owner, organisation.settings.owner);
}

TEST_F(Mail, ofAnAddressThatSeveralContactsHoldMeansTheOwnOneAndTheJournalNamesTheOthersIfNoneIs) {
  const auto add_contact = [&](const std::string& owner) {
    const model::RecordId id =
        organisation.add(RecordKind::contact, {{"emailAddresses", {{"EmailAddress1", "bert@example.com"}}}})
            .id;
    organisation.give_to(id, owner);
    return std::to_string(id);
  };
  organisation.settings.policies.sync.send_contacts.clear();
  const std::string carls = add_contact("carl@example.com");
  const std::string doras = add_contact("dora@example.com");
  server.add("inbox", message("1"));
  organisation.must_run();
  EXPECT_EQ(field_text(organisation.records(RecordKind::email).back().fields, "parties"),
            R"({"bert@example.com":")" + carls + R"("})");
  EXPECT_THAT(organisation.journal_details("tracked"),
              ElementsAre(R"({"ambiguous":{"bert@example.com":[")" + carls + R"(",")" + doras + R"("]}})"));
  const std::string own = add_contact(organisation.settings.owner);
  server.add("inbox", message("2"));
  organisation.must_run();
  EXPECT_EQ(field_text(organisation.records(RecordKind::email).back().fields, "parties"),
            R"({"bert@example.com":")" + own + R"("})");
  EXPECT_THAT(organisation.journal_details("tracked").back(), IsEmpty());
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
