// SPDX-License-Identifier: GPL-3.0-or-later
// a-10, R-08 (keys), R-23 (sizes and names): octets through the client, both ways.
#include "ews/client/bulk.hpp"
#include "ews/client/operation_mark.hpp"
#include "exchange_fixture.hpp"

namespace syncline::ews {
namespace {

using testing::anna;

std::string octets_of(std::size_t count) {
  std::string octets(count, '\0');
  SeededRandom random(11);
  random.fill(std::as_writable_bytes(std::span(octets)));
  return octets;
}

class Bulk : public testing::ExchangeFixture {
 protected:
  ItemId draft() {
    Item item{.kind = ItemKind::message, .subject = "with attachments"};
    CreateItemRequest request{.items = {item}};
    request.message_disposition = MessageDisposition::save_only;
    request.saved_item_folder = DistinguishedFolderId{.name = "drafts"};
    return *run(client_.call(std::move(request)))->messages.front().value.front().item_id;
  }
};

TEST_F(Bulk, AttachmentComesBackOctetForOctetWhateverItsLength) {
  ItemId item = draft();
  for (const std::size_t size : {0u, 1u, 2u, 3u, 48u * 1024, 48u * 1024 + 1, 3'000'001u}) {
    const std::string octets = octets_of(size);
    Attachment attachment{.name = "../ä\xE2\x80\xAE.bin", .content_type = "application/octet-stream"};
    auto uploaded = run(
        upload_attachment(client_, item, std::move(attachment), std::make_shared<net::StringSource>(octets)));
    ASSERT_TRUE(uploaded) << size << ": " << uploaded.error().describe();
    // the item has a new key, and it was returned.
    EXPECT_FALSE(uploaded->item_change_key.empty());
    EXPECT_NE(uploaded->item_change_key, item.change_key);
    item.change_key = uploaded->item_change_key;
    net::StringSink sink(std::uint64_t{1} << 30);
    auto downloaded = run(download_attachment(client_, uploaded->id.id, sink, std::uint64_t{1} << 30));
    ASSERT_TRUE(downloaded) << size << ": " << downloaded.error().describe();
    EXPECT_EQ(downloaded->octets, size);
    EXPECT_EQ(downloaded->value.name, "../ä\xE2\x80\xAE.bin");
    EXPECT_TRUE(sink.take() == octets) << size;
  }
}

TEST_F(Bulk, R23_NamesOfAttachmentsAreDataAndComeBackAsTheyWere) {
  ItemId item = draft();
  for (const std::string& name : {std::string("../../etc/passwd"), std::string("C:\\CON"), std::string("NUL"),
                                  std::string("a/b\\c"), std::string(300, 'n'),
                                  std::string("txt.\xE2\x80\xAE"
                                              "exe"),
                                  std::string("a\tb\nc"), std::string("<&\"'>")}) {
    auto uploaded = run(upload_attachment(client_, item, Attachment{.name = name},
                                          std::make_shared<net::StringSource>("content")));
    ASSERT_TRUE(uploaded) << uploaded.error().describe();
    item.change_key = uploaded->item_change_key;
    net::StringSink sink(1 << 20);
    auto downloaded = run(download_attachment(client_, uploaded->id.id, sink, 1 << 20));
    ASSERT_TRUE(downloaded) << downloaded.error().describe();
    EXPECT_EQ(downloaded->value.name, name);
  }
  // What XML cannot say is replaced, and the content is untouched.
  auto uploaded = run(upload_attachment(client_, item, Attachment{.name = std::string("a\0b\x01", 4)},
                                        std::make_shared<net::StringSource>("content")));
  ASSERT_TRUE(uploaded) << uploaded.error().describe();
  net::StringSink sink(1 << 20);
  auto downloaded = run(download_attachment(client_, uploaded->id.id, sink, 1 << 20));
  ASSERT_TRUE(downloaded);
  EXPECT_EQ(downloaded->value.name,
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD");
  EXPECT_EQ(sink.take(), "content");
}

TEST_F(Bulk, MimeComesByteForByteWithItsProperties) {
  std::string mime =
      "From: x@example.org\r\nSubject: raw\r\n\r\n" + std::string(200'000, 'x') + "\r\n.\r\n\x80\xff";
  const std::string id = service_.add_mime(anna, "inbox", mime).value();
  net::StringSink sink(1 << 20);
  const ItemShape shape{.base = BaseShape::id_only, .additional = {FieldUri{"item:Subject"}}};
  auto downloaded = run(download_mime(client_, ItemId{.id = id}, shape, sink, 1 << 20));
  ASSERT_TRUE(downloaded) << downloaded.error().describe();
  EXPECT_EQ(downloaded->value.subject, "raw");
  EXPECT_EQ(downloaded->value.item_id->id, id);
  EXPECT_EQ(sink.take(), mime);
}

TEST_F(Bulk, MimeIsCreatedFromASource) {
  const std::string mime =
      "From: a@example.com\r\nTo: x@example.org\r\nSubject: made\r\n\r\n" + std::string(100'000, 'y');
  Item item{.kind = ItemKind::message};
  set_operation_id(item, "op-1");
  auto created = run(create_from_mime(client_, DistinguishedFolderId{.name = "drafts"}, std::move(item),
                                      std::make_shared<net::StringSource>(mime)));
  ASSERT_TRUE(created) << created.error().describe();
  EXPECT_EQ(service_.mime(anna, created->id).value(), mime);
}

TEST_F(Bulk, OverTheServersCapIsRefusedBeforeTheTransfer) {
  ClientSettings settings = settings_of(anna);
  settings.request_octets = 10'000;
  EwsClient small(world_.environment(), *http_, std::make_shared<CredentialBudgets>(world_.environment()),
                  settings);
  const ItemId item = draft();
  auto uploaded = run(upload_attachment(small, item, Attachment{.name = "big"},
                                        std::make_shared<net::StringSource>(octets_of(9'000))));
  ASSERT_FALSE(uploaded);
  EXPECT_EQ(uploaded.error().code, "ErrorMessageSizeExceeded");
  EXPECT_EQ(sim_->log().count_of("CreateAttachment"), 0u);
}

TEST_F(Bulk, ContentOverTheLimitIsAnErrorOfThatContent) {
  const ItemId item = draft();
  auto uploaded = run(upload_attachment(client_, item, Attachment{.name = "big"},
                                        std::make_shared<net::StringSource>(octets_of(50'000))));
  net::StringSink sink(1 << 20);
  auto downloaded = run(download_attachment(client_, uploaded->id.id, sink, 40'000));
  ASSERT_FALSE(downloaded);
  EXPECT_EQ(downloaded.error().code, "too-large");
}

TEST_F(Bulk, MissingAttachmentIsTheServersError) {
  net::StringSink sink(1 << 20);
  const auto downloaded = run(download_attachment(client_, "AAAA", sink, 1 << 20));
  ASSERT_FALSE(downloaded);
  EXPECT_EQ(downloaded.error().domain, ErrorDomain::ews) << downloaded.error().describe();
}

}  // namespace
}  // namespace syncline::ews
