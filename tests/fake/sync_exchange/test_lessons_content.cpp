// SPDX-License-Identifier: GPL-3.0-or-later
// Faults that others have met in content, through the whole engine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "exchange_organisation.hpp"

namespace syncline::sync::testing {
namespace {

using model::RecordKind;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ContentLessons : public ::testing::Test {
 protected:
  ExchangeWorld server;
  ExchangeOrganisation organisation{server, anna};

  static std::string with_attachment(const std::string& name) {
    return "From: b@example.org\r\nTo: anna@example.com\r\nSubject: s\r\nMessage-ID: <" +
           std::to_string(std::hash<std::string>()(name)) +
           "@x>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=xx\r\n\r\n--xx\r\n"
           "Content-Type: text/plain\r\n\r\nbody\r\n--xx\r\nContent-Type: application/octet-stream\r\n"
           "Content-Disposition: attachment; filename*=utf-8''" +
           name + "\r\n\r\nevil\r\n--xx--\r\n";
  }
};

TEST_F(ContentLessons, R22_AMessageWithoutMimeStillComesAndOneThatCannotBeReadIsQuarantined) {
  const std::string no_mime = server.deliver(anna, mail_from(bert, "no mime", "<a@x>"));
  const std::string bad = server.deliver(anna, mail_from(bert, "bad", "<b@x>"));
  server.deliver(anna, mail_from(bert, "good", "<c@x>"));
  ASSERT_TRUE(server.service().set_unreadable(anna, no_mime, "ErrorMimeContentConversionFailed", true));
  ASSERT_TRUE(server.service().set_unreadable(anna, bad, "ErrorCorruptData", false));
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(2));
  EXPECT_THAT(organisation.journal("quarantined"), SizeIs(1));
  organisation.expect_quiet();
  // Weekly it is tried again.
  ASSERT_TRUE(server.service().set_unreadable(anna, bad, "", false));
  server.pass(std::chrono::hours(24 * 8));
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(3));
}

TEST_F(ContentLessons, R22_AMessageWithoutMimeComesWithItsAttachments) {
  const std::string id = server.deliver(anna, with_attachment("offer.txt"));
  ASSERT_TRUE(server.service().set_unreadable(anna, id, "ErrorMimeContentConversionFailed", true));
  organisation.must_run();
  const model::Record record = organisation.only_record(RecordKind::email);
  EXPECT_FALSE(record.fields.contains("mime"));
  const auto& attachments = record.fields.at("attachments").as_array();
  ASSERT_THAT(attachments, SizeIs(1));
  const std::string_view sha256 = model::text_of(attachments.at(0).as_object(), "sha256");
  ASSERT_FALSE(sha256.empty()) << field_text(record.fields, "attachments");
  EXPECT_FALSE(organisation.content_of(sha256).empty());
  organisation.expect_quiet();
}

TEST_F(ContentLessons, R23_NamesOfAttachmentsAreDataNeverPaths) {
  organisation.settings.policies.mail.keep_mime = false;
  const std::vector<std::string> names = {"..%2F..%2Fetc%2Fpasswd", "CON", "%E2%80%AEfdp.exe", "a%00b",
                                          std::string(300, 'n')};
  for (const std::string& name : names) server.deliver(anna, with_attachment(name));
  organisation.must_run();
  const auto records = organisation.records(RecordKind::email);
  ASSERT_THAT(records, SizeIs(names.size()));
  for (const model::Record& record : records) {
    ASSERT_THAT(record.fields.at("attachments").as_array(), SizeIs(1));
    const auto& attachment = record.fields.at("attachments").at(0).as_object();
    ASSERT_TRUE(attachment.contains("sha256"));
    EXPECT_THAT(organisation.content_of(attachment.at("sha256").as_string()), ::testing::StartsWith("evil"));
  }
  for (const auto& file : std::filesystem::recursive_directory_iterator(organisation.path()))
    if (file.is_regular_file() && file.path().string().find("/content/") != std::string::npos) {
      EXPECT_EQ(file.path().filename().string().size(), 62u) << file.path();
    }
  organisation.expect_quiet();
}

TEST_F(ContentLessons, R23_WhatIsTooLargeForTheServerIsTheMessagesErrorAndIsNotRepeated) {
  const std::string octets(50'000, 'q');
  exchange_sim::FaultRule full;
  full.action = exchange_sim::Action::insufficient_storage;
  server.exchange.fault("CreateAttachment", full);
  const model::Record large =
      organisation.add(RecordKind::email, {{"direction", "outgoing"},
                                           {"statusCode", "pendingSend"},
                                           {"subject", "large"},
                                           {"toRecipients", {{{"emailAddress", bert}}}},
                                           {"attachments",
                                            {{{"name", "l.bin"},
                                              {"contentType", "application/octet-stream"},
                                              {"size", octets.size()},
                                              {"sha256", organisation.add_content(octets)}}}}});
  const model::Record small =
      organisation.add(RecordKind::email, {{"direction", "outgoing"},
                                           {"statusCode", "pendingSend"},
                                           {"subject", "small"},
                                           {"toRecipients", {{{"emailAddress", bert}}}}});
  organisation.settle();
  EXPECT_EQ(field_text(organisation.record(large.id).fields, "statusCode"), "\"failed\"");
  EXPECT_EQ(field_text(organisation.record(small.id).fields, "statusCode"), "\"sent\"");
  EXPECT_EQ(server.exchange.requests("CreateAttachment"), 1u);
  EXPECT_THAT(server.exchange.items(anna, "drafts"), IsEmpty()) << "no half message stays";
}

TEST_F(ContentLessons, R23_AnAttachmentOverTheLimitIsLeftThereAndSaid) {
  organisation.settings.policies.mail.keep_mime = false;
  organisation.settings.policies.mail.attachment_limit_octets = 2;
  server.deliver(anna, with_attachment("four.bin"));
  organisation.must_run();
  const model::Record record = organisation.only_record(RecordKind::email);
  EXPECT_EQ(record.fields.at("attachments").at(0).at("left"), "too-large");
  organisation.expect_quiet();
}

TEST_F(ContentLessons, R27_MessagesWithoutMessageIdInOneSecondStayTwo) {
  const std::string head =
      "From: b@example.org\r\nTo: anna@example.com\r\nSubject: same\r\n"
      "Date: Mon, 05 Jan 2026 07:30:00 +0000\r\n\r\n";
  server.deliver(anna, head + "one\r\n");
  server.deliver(anna, head + "two\r\n");
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(2));
  organisation.expect_quiet();
}

TEST_F(ContentLessons, R27_NoHeaderKeepsAMessageOut) {
  server.deliver(anna, "Date: the day after\r\nSubject: =?utf-8?b?####?=\r\nFrom: <<>>, ;;\r\n\r\nx");
  server.deliver(anna, "\r\nno header at all\r\n");
  server.deliver(anna, "Subject: " + std::string(70'000, 's') + "\r\nMessage-ID: " + std::string(5000, '<') +
                           "\r\n\r\nx");
  organisation.must_run();
  const auto records = organisation.records(RecordKind::email);
  EXPECT_THAT(records, SizeIs(3));
  for (const model::Record& record : records)
    EXPECT_NE(field_text(record.fields, "dateTimeReceived"), "absent");
  organisation.expect_quiet();
}

TEST_F(ContentLessons, invariant14OneMessageIdWithAnotherTextIsItsOwnRecord) {
  server.deliver(anna, mail_from(bert, "same", "<id@x>", "", "one\r\n"));
  server.deliver(anna, mail_from(bert, "same", "<id@x>", "", "two\r\n"));
  server.deliver(anna, mail_from(bert, "same", "<id@x>", "", "one\r\n"));
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(2));
  organisation.expect_quiet();
}

}  // namespace
}  // namespace syncline::sync::testing
