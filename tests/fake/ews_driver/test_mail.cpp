// SPDX-License-Identifier: GPL-3.0-or-later
// Mail as records' fields; content; errors of single messages.
#include "ews/client/operation_mark.hpp"
#include "tests/fake/ews_driver/driver_fixture.hpp"

namespace syncline::ews {
namespace {

using model::RecordKind;
using testing::anna;
using testing::as_json;
using testing::at;

constexpr std::string_view letter =
    "From: Carla <carla@partner.example>\r\n"
    "To: Anna <anna@example.com>, bert@example.com, ANNA@example.com\r\n"
    "Cc: Dora <dora@partner.example>\r\n"
    "Reply-To: desk@partner.example\r\n"
    "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
    "Date: Mon, 5 Jan 2026 09:30:15 +0100\r\n"
    "Message-ID: <m1@partner.example>\r\n"
    "In-Reply-To: <m0@example.com>\r\n"
    "References: <a@example.com> <m0@example.com>\r\n"
    "Importance: high\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=x\r\n"
    "\r\n"
    "--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nfirst line\r\nsecond line\r\n"
    "--x\r\nContent-Type: application/pdf; name=\"../plan.pdf\"\r\nContent-Disposition: attachment; "
    "filename=\"../plan.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nUERGMTIz\r\n--x--\r\n";

class DriverMail : public testing::DriverFixture {};

TEST_F(DriverMail, HeaderFieldsComeWithoutTheBody) {
  const std::string id = service_.deliver(anna, letter).value();
  const auto item = read(RecordKind::email, id, false);
  EXPECT_EQ(item.ref.id, id);
  EXPECT_FALSE(item.ref.version.empty());
  EXPECT_EQ(item.folder_id, folder("inbox").id);
  EXPECT_EQ(item.item_class, "IPM.Note");
  EXPECT_FALSE(item.opaque);
  EXPECT_FALSE(item.search_key.empty());
  EXPECT_EQ(item.operation_id, std::nullopt);
  ASSERT_TRUE(item.last_modified);
  const model::Fields& fields = item.fields;
  EXPECT_EQ(at(fields, "subject"), "\"Grüße\"");
  EXPECT_EQ(at(fields, "from"), as_json(R"({"name":"Carla","emailAddress":"carla@partner.example"})"));
  EXPECT_EQ(fields.at("toRecipients").as_array().size(), 2u) << "a set, whatever the case of addresses";
  EXPECT_EQ(at(fields, "ccRecipients"),
            as_json(R"([{"name":"Dora","emailAddress":"dora@partner.example"}])"));
  EXPECT_EQ(at(fields, "bccRecipients"), "null");
  EXPECT_EQ(at(fields, "internetMessageId"), "\"<m1@partner.example>\"");
  EXPECT_EQ(at(fields, "inReplyTo"), "\"<m0@example.com>\"");
  EXPECT_EQ(at(fields, "references"), "\"<a@example.com> <m0@example.com>\"");
  EXPECT_EQ(at(fields, "dateTimeSent"), "\"2026-01-05T08:30:15Z\"");
  EXPECT_EQ(at(fields, "dateTimeReceived"), "\"2026-01-05T08:00:00Z\"");
  EXPECT_EQ(at(fields, "importance"), "\"High\"");
  EXPECT_EQ(at(fields, "isRead"), "false");
  EXPECT_EQ(at(fields, "isEncrypted"), "false");
  EXPECT_EQ(at(fields, "body"), "absent");
}

TEST_F(DriverMail, TheBodyComesWithLineFeedsWhenAskedFor) {
  const std::string id = service_.deliver(anna, letter).value();
  const auto item = read(RecordKind::email, id, true);
  EXPECT_EQ(item.fields.at("body").at("type"), "text");
  const std::string value(item.fields.at("body").at("value").as_string());
  EXPECT_EQ(value.substr(0, 22), "first line\nsecond line");
}

TEST_F(DriverMail, AttachmentsAreListedWithTheirNamesAsDataAndFetchedById) {
  const std::string id = service_.deliver(anna, letter).value();
  const auto item = read(RecordKind::email, id, false);
  const auto& attachments = item.fields.at("attachments").as_array();
  ASSERT_EQ(attachments.size(), 1u);
  EXPECT_EQ(attachments[0].at("name"), "../plan.pdf");
  EXPECT_EQ(attachments[0].at("contentType"), "application/pdf");
  EXPECT_EQ(attachments[0].at("isInline"), false);
  testing::MemorySink sink;
  const std::string attachment_id(attachments[0].at("id").as_string());
  const auto fetched = run(driver_.fetch_attachment(attachment_id, sink, 1000));
  ASSERT_TRUE(fetched) << fetched.error().describe();
  EXPECT_EQ(sink.text, "PDF123");
}

TEST_F(DriverMail, AnAttachedMessageIsFetchedAsItsMime) {
  const std::string outer =
      "From: c@partner.example\r\nTo: anna@example.com\r\nSubject: fwd\r\nMIME-Version: 1.0\r\n"
      "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: text/plain\r\n\r\nsee\r\n"
      "--o\r\nContent-Type: message/rfc822\r\n\r\nSubject: within\r\nFrom: "
      "d@partner.example\r\n\r\ninner\r\n--o--\r\n";
  const std::string id = service_.deliver(anna, outer).value();
  const auto item = read(RecordKind::email, id, false);
  const auto& attachments = item.fields.at("attachments").as_array();
  ASSERT_EQ(attachments.size(), 1u);
  EXPECT_EQ(attachments[0].at("contentType"), "message/rfc822");
  testing::MemorySink sink;
  const std::string attachment_id(attachments[0].at("id").as_string());
  const auto fetched = run(driver_.fetch_attachment(attachment_id, sink, 100'000));
  ASSERT_TRUE(fetched) << fetched.error().describe();
  EXPECT_THAT(sink.text, ::testing::HasSubstr("Subject: within"));
}

TEST_F(DriverMail, MimeComesOctetForOctet) {
  const std::string id = service_.deliver(anna, letter).value();
  testing::MemorySink sink;
  const auto fetched = run(driver_.fetch_mime(id, sink, 100'000));
  ASSERT_TRUE(fetched) << fetched.error().describe();
  EXPECT_TRUE(*fetched);
  EXPECT_EQ(sink.text, letter);
}

TEST_F(DriverMail, R22_WithoutMimeTheAnswerIsFalseAndTheSinkEmpty) {
  const std::string id = service_.deliver(anna, letter).value();
  ASSERT_TRUE(service_.set_unreadable(anna, id, "ErrorMimeContentConversionFailed", true));
  testing::MemorySink sink;
  const auto fetched = run(driver_.fetch_mime(id, sink, 100'000));
  ASSERT_TRUE(fetched) << fetched.error().describe();
  EXPECT_FALSE(*fetched);
  EXPECT_EQ(sink.text, "");
  EXPECT_EQ(at(read(RecordKind::email, id).fields, "subject"), "\"Grüße\"");
}

TEST_F(DriverMail, ContentIsAskedForAgainOnlyWhileNothingOfItCame) {
  const std::string id = service_.deliver(anna, letter).value();
  exchange_.lose_reply("GetItem", 2);
  testing::MemorySink sink;
  const auto fetched = run(driver_.fetch_mime(id, sink, 100'000));
  ASSERT_TRUE(fetched) << fetched.error().describe();
  EXPECT_TRUE(*fetched);
  EXPECT_EQ(sink.text, letter) << "once, whatever was lost before it";
}

TEST_F(DriverMail, ContentOverTheLimitIsRefused) {
  const std::string id = service_.deliver(anna, letter).value();
  testing::MemorySink sink;
  const auto fetched = run(driver_.fetch_mime(id, sink, 100));
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().code, "too-large");
}

TEST_F(DriverMail, SmimeStaysOpaque) {
  const std::string id =
      add("inbox",
          "<t:Message><t:ItemClass>IPM.Note.SMIME.MultipartSigned</t:ItemClass><t:Subject>signed</t:Subject>"
          "<t:Body BodyType=\"Text\">what it says</t:Body></t:Message>");
  const auto item = read(RecordKind::email, id, true);
  EXPECT_EQ(at(item.fields, "isEncrypted"), "true");
  EXPECT_EQ(at(item.fields, "body"), "absent");
  EXPECT_EQ(at(item.fields, "itemClass"), "\"IPM.Note.SMIME.MultipartSigned\"");
}

TEST_F(DriverMail, ProtectedMailThatTheServerOpensStaysOpaqueToo) {
  const std::string id =
      add("inbox",
          "<t:Message><t:Subject>protected</t:Subject><t:Body "
          "BodyType=\"Text\">secret</t:Body><t:ExtendedProperty>"
          "<t:ExtendedFieldURI DistinguishedPropertySetId=\"InternetHeaders\" PropertyName=\"content-class\" "
          "PropertyType=\"String\"/><t:Value>rpmsg.message</t:Value></t:ExtendedProperty></t:Message>");
  const auto item = read(RecordKind::email, id, true);
  EXPECT_EQ(at(item.fields, "isEncrypted"), "true");
  EXPECT_EQ(at(item.fields, "body"), "absent");
}

TEST_F(DriverMail, R04_ItemsOfOtherClassesAreOpaqueAndStopNothing) {
  const std::string post =
      add("inbox", "<t:PostItem><t:ItemClass>IPM.Post</t:ItemClass><t:Subject>p</t:Subject></t:PostItem>");
  const std::string mail = service_.deliver(anna, letter).value();
  std::vector<std::string> ids{post, mail};
  const auto items = run(driver_.read(RecordKind::email, ids, false));
  ASSERT_TRUE(items) << items.error().describe();
  ASSERT_TRUE((*items)[0] && (*items)[1]);
  EXPECT_TRUE((*items)[0]->opaque);
  EXPECT_TRUE((*items)[0]->fields.empty());
  EXPECT_FALSE((*items)[0]->item_class.empty());
  EXPECT_FALSE((*items)[1]->opaque);
}

TEST_F(DriverMail, R03_ErrorsStandAtTheirPositionAndAreToldApart) {
  std::vector<std::string> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(service_.deliver(anna, letter).value());
  ASSERT_TRUE(service_.delete_item(anna, ids[1], true));
  ASSERT_TRUE(service_.set_unreadable(anna, ids[2], "ErrorCorruptData", false));
  const auto items = run(driver_.read(RecordKind::email, ids, false));
  ASSERT_TRUE(items) << items.error().describe();
  ASSERT_EQ(items->size(), 4u);
  EXPECT_TRUE((*items)[0]);
  EXPECT_EQ((*items)[0]->ref.id, ids[0]);
  ASSERT_FALSE((*items)[1]);
  EXPECT_EQ((*items)[1].error().code, "gone");
  EXPECT_EQ((*items)[1].error().retry, RetryClass::never);
  ASSERT_FALSE((*items)[2]);
  EXPECT_EQ((*items)[2].error().code, "ErrorCorruptData");
  EXPECT_EQ((*items)[2].error().retry, RetryClass::quarantine);
  EXPECT_TRUE((*items)[3]);
  EXPECT_EQ((*items)[3]->ref.id, ids[3]);
}

TEST_F(DriverMail, OurMarkIsReadBack) {
  Item item{.kind = ItemKind::message, .subject = "marked"};
  item.extended_properties.push_back({.uri = operation_mark(), .values = {"op-7"}});
  CreateItemRequest request{.items = {}};
  request.message_disposition = MessageDisposition::save_only;
  request.items.emplace_back(std::move(item));
  const auto made = run(client_.call(std::move(request)));
  ASSERT_TRUE(made && made->messages.at(0).ok());
  const auto read_back = read(RecordKind::email, made->messages[0].value.at(0).item_id->id, false);
  EXPECT_EQ(read_back.operation_id, "op-7");
}

}  // namespace
}  // namespace syncline::ews
