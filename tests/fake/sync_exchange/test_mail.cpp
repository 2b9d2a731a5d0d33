// SPDX-License-Identifier: GPL-3.0-or-later
// Mail in and out through the whole engine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exchange_organisation.hpp"

namespace syncline::sync::testing {
namespace {

using model::RecordKind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr std::string_view multipart =
    "From: Bert <bert@example.org>\r\nTo: anna@example.com\r\nCc: \"Carla C.\" <carla@example.org>\r\n"
    "Subject: =?utf-8?q?Angebot_f=C3=BCr_Nordwind?=\r\nMessage-ID: <offer@example.org>\r\n"
    "Date: Mon, 05 Jan 2026 07:30:00 +0000\r\nImportance: high\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=xx\r\n\r\n"
    "--xx\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nhere it is\r\n"
    "--xx\r\nContent-Type: text/plain; name=\"notes.txt\"\r\n"
    "Content-Disposition: attachment; filename=\"notes.txt\"\r\n\r\nthe notes\r\n--xx--\r\n";

class Mail : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_THAT(server.exchange.schema_violations(), IsEmpty()); }

  ExchangeWorld server{{.schema_folder = SYNCLINE_SOURCE_DIR "/wsdl"}};
  ExchangeOrganisation organisation{server, anna};

  model::Record outgoing(const std::string& subject, model::Fields more = {}) {
    model::Fields fields{{"direction", "outgoing"},
                         {"statusCode", "pendingSend"},
                         {"subject", subject},
                         {"body", {{"type", "text"}, {"value", "hello"}}},
                         {"toRecipients", {{{"emailAddress", bert}}}}};
    for (auto& [name, value] : more) fields[name] = value;
    return organisation.add(RecordKind::email, std::move(fields));
  }
};

TEST_F(Mail, AReceivedMessageBecomesARecordWithItsOctetsAndAttachments) {
  const std::string id = server.deliver(anna, multipart);
  organisation.must_run();
  const model::Record record = organisation.only_record(RecordKind::email);
  EXPECT_EQ(field_text(record.fields, "subject"), "\"Angebot für Nordwind\"");
  EXPECT_EQ(field_text(record.fields, "from"), R"({"emailAddress":"bert@example.org","name":"Bert"})");
  EXPECT_EQ(field_text(record.fields, "ccRecipients"),
            R"([{"emailAddress":"carla@example.org","name":"Carla C."}])");
  EXPECT_EQ(field_text(record.fields, "importance"), "\"High\"");
  EXPECT_EQ(field_text(record.fields, "direction"), "\"incoming\"");
  ASSERT_TRUE(record.fields.contains("mime"));
  EXPECT_EQ(organisation.content_of(record.fields.at("mime").at("sha256").as_string()),
            server.service().mime(anna, id).value());
  ASSERT_THAT(record.fields.at("attachments").as_array(), SizeIs(1));
  EXPECT_EQ(record.fields.at("attachments").at(0).at("name"), "notes.txt");
  organisation.expect_quiet();
}

TEST_F(Mail, Invariant18_OurOwnAutomaticMailIsNeverTracked) {
  server.add(anna, "inbox",
             R"(<t:Message><t:Subject>alert</t:Subject><t:ExtendedProperty><t:ExtendedFieldURI )"
             R"(DistinguishedPropertySetId="InternetHeaders" PropertyName="x-syncline-automatic" )"
             R"(PropertyType="String"/><t:Value>alert</t:Value></t:ExtendedProperty></t:Message>)");
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), IsEmpty());
  EXPECT_THAT(organisation.journal("not-tracked"), ElementsAre("own-automatic-mail"));
  organisation.expect_quiet();
}

TEST_F(Mail, AMessageWhoseAttachmentIsNotKeptHereIsNotSent) {
  const model::Record record = outgoing("with a hole");
  model::Fields changes;
  changes["attachments"] = boost::json::array{boost::json::object{{"name", "offer.pdf"}, {"id", "AAA="}}};
  organisation.edit(record.id, changes);
  organisation.must_run();
  EXPECT_EQ(field_text(organisation.record(record.id).fields, "statusCode"), "\"failed\"");
  EXPECT_THAT(organisation.journal("refused"), ElementsAre("attachment-missing"));
  EXPECT_THAT(server.mails(), IsEmpty());
}

TEST_F(Mail, WithoutItsOctetsAMessageHasItsAttachmentsOneByOne) {
  organisation.settings.policies.mail.keep_mime = false;
  server.deliver(anna, multipart);
  organisation.must_run();
  const model::Record record = organisation.only_record(RecordKind::email);
  EXPECT_EQ(field_text(record.fields, "mime"), "absent");
  ASSERT_THAT(record.fields.at("attachments").as_array(), SizeIs(1));
  const auto& notes = record.fields.at("attachments").at(0);
  ASSERT_TRUE(notes.as_object().contains("sha256")) << notes;
  EXPECT_THAT(organisation.content_of(notes.at("sha256").as_string()), StartsWith("the notes"));
  organisation.expect_quiet();
}

TEST_F(Mail, APendingMessageIsSentOnceWithItsAttachmentsAndTheAnswerFindsItsThread) {
  const std::string octets(70'000, 'q');
  const model::Record sent = outgoing("Offer", {{"attachments",
                                                 {{{"name", "offer.bin"},
                                                   {"contentType", "application/octet-stream"},
                                                   {"size", octets.size()},
                                                   {"sha256", organisation.add_content(octets)}},
                                                  {{"name", "note.txt"},
                                                   {"contentType", "text/plain"},
                                                   {"size", 4},
                                                   {"sha256", organisation.add_content("note")}}}}});
  organisation.must_run();
  const model::Record record = organisation.record(sent.id);
  EXPECT_EQ(field_text(record.fields, "statusCode"), "\"sent\"");
  const auto received = server.exchange.items(bert, "inbox");
  ASSERT_THAT(received, SizeIs(1));
  EXPECT_EQ(received[0].attachments.at("offer.bin"), octets);
  EXPECT_EQ(received[0].attachments.at("note.txt"), "note");
  EXPECT_THAT(server.exchange.items(anna, "drafts"), IsEmpty());
  EXPECT_THAT(server.exchange.items(anna, "sentitems"), SizeIs(1));
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(1)) << "the copy in Sent Items is no new mail";
  organisation.settings.policies.mail.track = model::MailFilter::replies;
  const std::string message_id = received[0].properties.at("InternetMessageId");
  server.deliver(anna, mail_from(bert, "no token here", "<answer@x>", "In-Reply-To: " + message_id + "\r\n"));
  server.deliver(anna, mail_from(bert, "spam", "<spam@x>"));
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(2));
  EXPECT_THAT(organisation.journal("not-tracked"), SizeIs(1));
  organisation.expect_quiet();
}

TEST_F(Mail, ReadFlagsGoBothWaysWithoutReading) {
  const std::string id = server.deliver(anna, multipart);
  organisation.must_run();
  server.exchange.forget_requests();
  ASSERT_TRUE(server.service().set_read(anna, id, true));
  organisation.must_run();
  EXPECT_EQ(server.exchange.requests("GetItem"), 0u);
  const model::Record record = organisation.only_record(RecordKind::email);
  EXPECT_EQ(field_text(record.fields, "isRead"), "true");
  organisation.expect_quiet();
}

TEST_F(Mail, OfTheOrganisationsTwoMailboxesTheMessageIsOneRecord) {
  outgoing("Offer", {{"toRecipients", {{{"emailAddress", bert}}}}});
  organisation.must_run();
  ExchangeOrganisation berts(server, bert);
  berts.must_run();
  EXPECT_THAT(berts.records(RecordKind::email), SizeIs(1));
  EXPECT_EQ(server.mails().size(), 1u);
  berts.expect_quiet();
}

TEST_F(Mail, AWrongRecipientIsTheMessagesErrorNotTheMailboxs) {
  outgoing("Nobody", {{"toRecipients", boost::json::array()}});
  const model::Record good = outgoing("Good");
  organisation.must_run();
  EXPECT_EQ(field_text(organisation.record(good.id).fields, "statusCode"), "\"sent\"");
  EXPECT_THAT(organisation.journal("refused"), ElementsAre("no-recipients"));
}

}  // namespace
}  // namespace syncline::sync::testing
