// SPDX-License-Identifier: GPL-3.0-or-later
// Mailboxes that are not just a user's own, through the whole engine: a queue that is emptied, a forward
// mailbox, a group's mailbox, and messages on another's behalf.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exchange_organisation.hpp"

namespace syncline::sync::testing {
namespace {

using model::RecordKind;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class MailboxKinds : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_THAT(server.exchange.schema_violations(), IsEmpty()); }

  std::string inner_octets =
      mail_from("carla@example.org", "Offer", "<offer@example.org>", "", "price list\r\n");

  /// As a rule "forward as attachment" of bert's mailbox sends it on.
  std::string forwarded() const {
    return "From: bert@example.com\r\nTo: anna@example.com\r\nSubject: FW: Offer\r\nMessage-ID: "
           "<fw@example.com>\r\n"
           "Date: Mon, 05 Jan 2026 07:31:00 +0000\r\nMIME-Version: 1.0\r\n"
           "Content-Type: multipart/mixed; boundary=xx\r\n\r\n--xx\r\nContent-Type: text/plain\r\n\r\n\r\n"
           "--xx\r\nContent-Type: message/rfc822\r\n\r\n" +
           inner_octets + "\r\n--xx--\r\n";
  }

  ExchangeWorld server{{.schema_folder = SYNCLINE_SOURCE_DIR "/wsdl"}};
  ExchangeOrganisation organisation{server, anna};
};

TEST_F(MailboxKinds, OfWhatComesToAForwardMailboxTheMessageInsideIsTracked) {
  organisation.settings.kind = MailboxKind::forward;
  organisation.settings.mail_out = false;
  organisation.settings.appointments_contacts_tasks = false;
  server.deliver(anna, forwarded());
  server.deliver(anna, mail_from(bert, "Nothing inside", "<plain@example.com>"));
  organisation.must_run();
  const model::Record record = organisation.only_record(RecordKind::email);
  EXPECT_EQ(field_text(record.fields, "subject"), "\"Offer\"");
  EXPECT_THAT(field_text(record.fields, "from"), HasSubstr("carla@example.org"));
  EXPECT_EQ(field_text(record.fields, "internetMessageId"), "\"<offer@example.org>\"");
  EXPECT_EQ(field_text(record.fields, "direction"), "\"incoming\"");
  ASSERT_TRUE(record.fields.contains("mime"));
  const std::string kept = organisation.content_of(record.fields.at("mime").at("sha256").as_string());
  EXPECT_THAT(kept, AllOf(HasSubstr("Subject: Offer"), HasSubstr("price list")));
  EXPECT_THAT(organisation.journal("not-tracked"), ElementsAre("nothing-forwarded"));
  organisation.expect_quiet();
  // The same message, forwarded by a second rule, is the same record.
  server.deliver(anna, forwarded());
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(1));
}

TEST_F(MailboxKinds, AnAttachedMessageThatTheServerCannotGiveStopsNoOther) {
  organisation.settings.kind = MailboxKind::forward;
  organisation.settings.mail_out = false;
  const std::string broken = server.deliver(anna, forwarded());
  ASSERT_TRUE(server.service().set_unreadable(anna, broken, "ErrorItemCorrupt", false));
  inner_octets = mail_from("carla@example.org", "Second", "<second@example.org>");
  server.deliver(anna, forwarded());
  organisation.must_run();
  EXPECT_EQ(field_text(organisation.only_record(RecordKind::email).fields, "subject"), "\"Second\"");
}

TEST_F(MailboxKinds, AQueueIsEmptiedOfWhatIsProcessed) {
  organisation.settings.kind = MailboxKind::queue;
  organisation.settings.appointments_contacts_tasks = false;
  organisation.settings.policies.mail.delete_after_processing = true;
  organisation.settings.policies.mail.track = model::MailFilter::replies;
  const model::Record asked =
      organisation.add(RecordKind::email, {{"direction", "outgoing"},
                                           {"statusCode", "pendingSend"},
                                           {"subject", "Question"},
                                           {"toRecipients", {{{"emailAddress", bert}}}}});
  organisation.must_run();
  const std::string id = server.exchange.items(bert, "inbox").at(0).properties.at("InternetMessageId");
  server.deliver(anna, mail_from(bert, "Answer", "<answer@example.com>", "In-Reply-To: " + id + "\r\n"));
  server.deliver(anna, mail_from(bert, "Spam", "<spam@example.com>"));
  organisation.settle();
  const auto left = server.list(anna, "inbox");
  ASSERT_THAT(left, SizeIs(1)) << "what is not tracked stays";
  EXPECT_EQ(left[0].subject, "Spam");
  EXPECT_EQ(server.count(anna, "sentitems"), 1u) << "what the queue sent is not a message that came";
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(2)) << "the record outlives its item";
  organisation.expect_quiet();
  EXPECT_EQ(field_text(organisation.record(asked.id).fields, "statusCode"), "\"sent\"");
  // A user's mailbox is never emptied, whatever the policy says.
  ExchangeOrganisation berts(server, bert, 2);
  berts.settings.policies.mail.delete_after_processing = true;
  berts.settings.policies.mail.track = model::MailFilter::all;
  berts.must_run();
  EXPECT_EQ(server.count(bert, "inbox"), 1u);
}

TEST_F(MailboxKinds, AQueuesMessageIsNotDeletedBeforeItIsARecordWhereverItIsKilled) {
  std::uint64_t writes = 0;
  for (bool stopped = true; stopped; ++writes) {
    ExchangeWorld world;
    ExchangeOrganisation queue(world, anna);
    queue.settings.kind = MailboxKind::queue;
    queue.settings.policies.mail.delete_after_processing = true;
    queue.settings.claim = false;
    world.deliver(anna, mail_from(bert, "Order", "<order@example.com>"));
    StopAt stop(writes, StopAt::Moment::after);
    queue.reopen(&stop);
    static_cast<void>(queue.run());
    stopped = stop.stopped();
    queue.reopen();
    if (world.count(anna, "inbox") == 0) {
      EXPECT_THAT(queue.records(RecordKind::email), SizeIs(1)) << "killed after write " << writes;
    }
    queue.settle();
    EXPECT_EQ(world.count(anna, "inbox"), 0u) << "killed after write " << writes;
    EXPECT_THAT(queue.records(RecordKind::email), SizeIs(1)) << "killed after write " << writes;
  }
  EXPECT_GE(writes, 3u);
}

TEST_F(MailboxKinds, AMessageFromAnotherIsSentOnTheirBehalfIfTheyGrantedIt) {
  const auto from_bert = [&](const char* subject) {
    return organisation.add(RecordKind::email, {{"direction", "outgoing"},
                                                {"statusCode", "pendingSend"},
                                                {"subject", subject},
                                                {"from", {{"emailAddress", "Bert@example.com"}}},
                                                {"toRecipients", {{{"emailAddress", "carla@example.org"}}}}});
  };
  const model::Record denied = from_bert("Denied");
  organisation.must_run();
  EXPECT_EQ(field_text(organisation.record(denied.id).fields, "statusCode"), "\"failed\"");
  EXPECT_THAT(organisation.journal("refused"), ElementsAre("ErrorSendAsDenied"));
  EXPECT_THAT(server.service().sent_mail(), IsEmpty());
  EXPECT_EQ(server.count(anna, "drafts"), 0u) << "no draft is left behind";

  ASSERT_TRUE(server.service().grant_send_on_behalf(bert, anna));
  const model::Record granted = from_bert("Granted");
  organisation.must_run();
  EXPECT_EQ(field_text(organisation.record(granted.id).fields, "statusCode"), "\"sent\"");
  const auto mails = server.service().sent_mail();
  ASSERT_THAT(mails, SizeIs(1));
  EXPECT_EQ(mails[0].from, anna) << "it leaves the mailbox that sends it";
  const auto copies = server.exchange.items(anna, "sentitems");
  ASSERT_THAT(copies, SizeIs(1));
  EXPECT_EQ(copies[0].properties.at("From/Mailbox/EmailAddress"), "Bert@example.com");
  EXPECT_EQ(copies[0].properties.at("Sender/Mailbox/EmailAddress"), anna);
  organisation.expect_quiet();
}

TEST_F(MailboxKinds, R09_AGroupsMailboxIsReadByTheTimesOfItsChangesAndItsDeletesByTheAudit) {
  organisation.store_kind = ews::StoreKind::group_mailbox;
  organisation.settings.policies.mail.keep_mime = false;
  std::vector<std::string> ids;
  const auto add = [&](int n) {
    auto id = server.service().add_mime(
        anna, "inbox", mail_from(bert, "m" + std::to_string(n), "<" + std::to_string(n) + "@x>"), false);
    ASSERT_TRUE(id);
    ids.push_back(*id);
  };
  // More than a page, and many in one second.
  for (int n = 0; n < 300; ++n) add(n);
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(300));
  organisation.expect_quiet();
  server.pass(std::chrono::minutes(5));
  add(300);
  server.edit(anna, ids[3], "item:Categories", "<t:String>Red</t:String>");
  ASSERT_TRUE(server.service().delete_item(anna, ids[5], true));
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(301));
  std::size_t red = 0;
  for (const model::Record& record : organisation.records(RecordKind::email))
    red += field_text(record.fields, "categories") == R"(["Red"])" ? 1 : 0;
  EXPECT_EQ(red, 1u);
  EXPECT_THAT(organisation.journal("unlinked"), IsEmpty());
  server.pass(organisation.settings.policies.sync.audit_every + std::chrono::hours(1));
  organisation.must_run();
  EXPECT_THAT(organisation.journal("unlinked"), SizeIs(1));
  organisation.expect_quiet();
  EXPECT_EQ(server.exchange.requests("SyncFolderItems"), 0u) << "by the kind of store, not by an error";
  EXPECT_EQ(server.exchange.requests("SyncFolderHierarchy"), 0u);
}

}  // namespace
}  // namespace syncline::sync::testing
