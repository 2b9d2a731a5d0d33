// SPDX-License-Identifier: GPL-3.0-or-later
// Messages of an IMAP folder: read, kept, found again, removed.
#include "tests/fake/imap/driver_fixture.hpp"
#include "tests/support/memory_progress.hpp"

namespace syncline::imap {
namespace {

using testing::DriverTest;
using testing::StringContent;

class Items : public DriverTest {
 protected:
  static std::string with_attachments() {
    return "From: =?utf-8?Q?J=C3=B6rg?= <joerg@example.test>\r\nTo: anna@example.test, \"B, C\" "
           "<bc@example.test>\r\n"
           "Subject: =?utf-8?B?w6TDtsO8?=\r\nMessage-ID: <a1@example.test>\r\nIn-Reply-To: "
           "<m0@example.test>\r\n"
           "Date: Mon, 5 Jan 2026 09:00:00 +0100\r\nX-Syncline-Operation: op-17\r\nMIME-Version: 1.0\r\n"
           "Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: "
           "text/plain\r\n\r\nhello\r\n"
           "--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; "
           "filename=\"a.bin\"\r\n"
           "Content-Transfer-Encoding: base64\r\n\r\nAAECAwQ=\r\n"
           "--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: inner@example.test\r\nSubject: inner one\r\n"
           "Message-ID: <i1@example.test>\r\n\r\nwithin\r\n--b--\r\n";
  }
};

TEST_F(Items, AreReadIntoFields) {
  inbox().add(with_attachments(), 1'767'603'600).flags.insert("\\Seen");
  start();
  const auto items = read({id(1)}, true);
  ASSERT_TRUE(items.at(0)) << items.at(0).error().describe();
  const sync::RemoteItem& item = *items.at(0);
  EXPECT_EQ(item.ref.id, id(1));
  EXPECT_EQ(item.ref.version, "r");
  EXPECT_EQ(item.folder_id, "INBOX");
  EXPECT_EQ(item.operation_id, "op-17");
  EXPECT_EQ(item.item_class, "IPM.Note");
  EXPECT_EQ(item.fields.at("subject"), "äöü");
  EXPECT_EQ(item.fields.at("from"),
            (boost::json::object{{"name", "Jörg"}, {"emailAddress", "joerg@example.test"}}));
  EXPECT_EQ(item.fields.at("toRecipients").as_array().size(), 2U);
  EXPECT_TRUE(item.fields.at("ccRecipients").is_null());
  EXPECT_EQ(item.fields.at("dateTimeSent"), "2026-01-05T08:00:00Z");
  EXPECT_EQ(item.fields.at("dateTimeReceived"), "2026-01-05T09:00:00Z");
  EXPECT_EQ(item.fields.at("internetMessageId"), "<a1@example.test>");
  EXPECT_EQ(item.fields.at("inReplyTo"), "<m0@example.test>");
  EXPECT_EQ(item.fields.at("isRead"), true);
  EXPECT_EQ(item.fields.at("body").at("value"), "hello");
  ASSERT_EQ(item.fields.at("attachments").as_array().size(), 2U);
  const auto& attachment = item.fields.at("attachments").at(0).as_object();
  EXPECT_EQ(attachment.at("name"), "a.bin");
  EXPECT_EQ(attachment.at("size"), 5);
  StringContent content;
  const std::string attachment_id(attachment.at("id").as_string());
  ASSERT_TRUE(world_.run(driver_->fetch_attachment(attachment_id, content, 100)));
  EXPECT_EQ(content.text, std::string("\0\1\2\3\4", 5));
}

TEST_F(Items, AttachmentsThatAreKeptDecodedAreNotFetchedTwice) {
  inbox().add(with_attachments());
  settings_.keep_as_received = false;
  start();
  const auto items = read({id(1)}, true);
  ASSERT_TRUE(items.at(0));
  const std::size_t before = server_.commands.size();
  const auto& attachments = items.at(0)->fields.at("attachments").as_array();
  ASSERT_EQ(attachments.size(), 2U);
  std::vector<std::string> texts;
  for (const auto& attachment : attachments) {
    StringContent content;
    const std::string attachment_id(attachment.at("id").as_string());
    ASSERT_TRUE(world_.run(driver_->fetch_attachment(attachment_id, content, 1000)));
    EXPECT_EQ(attachment.at("size").to_number<std::size_t>(), content.text.size());
    texts.push_back(content.text);
  }
  EXPECT_EQ(texts[0], std::string("\0\1\2\3\4", 5));
  EXPECT_TRUE(texts[1].ends_with("\r\n\r\nwithin")) << texts[1];
  StringContent small;
  const std::string first(attachments[0].at("id").as_string());
  EXPECT_EQ(world_.run(driver_->fetch_attachment(first, small, 4)).error().code, "too-large");
  EXPECT_EQ(server_.commands.size(), before);
  // What is not kept is fetched.
  StringContent whole;
  ASSERT_TRUE(world_.run(driver_->fetch_mime(id(1), whole, 10'000)));
  EXPECT_EQ(whole.text, with_attachments());
  EXPECT_GT(server_.commands.size(), before);
}

TEST_F(Items, AttachmentsAreFetchedByADriverThatHasNotReadTheMessage) {
  inbox().add(with_attachments());
  start();
  const auto items = read({id(1)}, true);
  ASSERT_TRUE(items.at(0));
  const std::string attachment_id(items.at(0)->fields.at("attachments").at(0).at("id").as_string());
  restart();
  StringContent content;
  const auto fetched = world_.run(driver_->fetch_attachment(attachment_id, content, 100));
  ASSERT_TRUE(fetched) << fetched.error().describe();
  EXPECT_EQ(content.text, std::string("\0\1\2\3\4", 5));
  StringContent small;
  const auto large = world_.run(driver_->fetch_attachment(attachment_id, small, 4));
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, "too-large");
  EXPECT_EQ(server_.connections, 2U) << "a limit costs no connection";
  EXPECT_EQ(world_.run(driver_->fetch_attachment(id(1) + "\x1f" + "77", small, 100)).error().code, "gone");
  EXPECT_EQ(world_.run(driver_->fetch_attachment(id(1) + "\x1fs1] BAD:", small, 100)).error().code, "gone");
}

TEST_F(Items, TheHeaderAloneIsReadWhereTheBodyIsNotWanted) {
  fill(3);
  start();
  const auto items = read({id(1), id(2), id(3)}, false);
  for (const auto& item : items) {
    ASSERT_TRUE(item);
    EXPECT_FALSE(item->fields.contains("body"));
    EXPECT_TRUE(item->fields.at("attachments").is_null());
  }
  EXPECT_EQ(
      server_.count("UID FETCH 1:3 (UID FLAGS INTERNALDATE RFC822.SIZE BODYSTRUCTURE BODY.PEEK[HEADER])"),
      1U);
}

TEST_F(Items, AMessageThatWasReadAsAWholeIsNotFetchedTwice) {
  fill(20);
  start();
  const auto round = pulled();
  const auto items = read(round.changed, true);
  const std::size_t before = server_.commands.size();
  for (std::uint32_t uid = 1; uid <= 20; ++uid) {
    StringContent content;
    const auto fetched = world_.run(driver_->fetch_mime(id(uid), content, 100'000));
    ASSERT_TRUE(fetched);
    EXPECT_TRUE(*fetched);
    EXPECT_EQ(content.text, mail(static_cast<int>(uid)));
  }
  EXPECT_EQ(server_.commands.size(), before);
}

TEST_F(Items, OctetsComeAsTheyWereReceived) {
  inbox().add("no header at all\nonly LF\r\n\0 and NUL");
  inbox().add(std::string(3'000'000, 'y'));
  inbox().add("");
  start();
  for (std::uint32_t uid = 1; uid <= 3; ++uid) {
    StringContent content;
    const auto fetched = world_.run(driver_->fetch_mime(id(uid), content, 10'000'000));
    ASSERT_TRUE(fetched) << fetched.error().describe();
    EXPECT_EQ(content.text, inbox().find(uid)->text);
  }
  StringContent content;
  const auto large = world_.run(driver_->fetch_mime(id(2), content, 1'000'000));
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, "too-large");
  EXPECT_TRUE(content.text.empty());
  EXPECT_EQ(world_.run(driver_->fetch_mime(id(44), content, 10)).error().code, "gone");
  EXPECT_EQ(world_.run(driver_->fetch_mime("nonsense", content, 10)).error().code, "gone");
}

TEST_F(Items, AMessageThatWasCutIsNotContinuedWithItsBeginning) {
  inbox().add(mail(1, 50'000));
  start();
  StringContent first;
  server_.cut_after_octets = 20'000;
  const auto cut = world_.run(driver_->fetch_mime(id(1), first, 100'000));
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().retry, RetryClass::after) << cut.error().describe();
  EXPECT_LT(first.text.size(), 20'000U);
  StringContent second;
  ASSERT_TRUE(world_.run(driver_->fetch_mime(id(1), second, 100'000)));
  EXPECT_EQ(second.text, inbox().find(1)->text);
  // Fields can be read again from their beginning: there the driver does it by itself.
  pulled();
  server_.cut_after_octets = 20'000;
  EXPECT_TRUE(read({id(1)}, true).at(0));
}

TEST_F(Items, OneThatCannotBeReadDoesNotCostTheOthers) {
  fill(5);
  inbox().find(3)->unreadable = true;
  start();
  for (const bool with_body : {false, true}) {
    const auto items = read({id(1), id(2), id(3), id(4), id(5), id(6)}, with_body);
    for (const std::size_t i : {0U, 1U, 3U, 4U}) EXPECT_TRUE(items.at(i)) << i;
    ASSERT_FALSE(items.at(2));
    EXPECT_EQ(items.at(2).error().retry, RetryClass::quarantine) << items.at(2).error().describe();
    ASSERT_FALSE(items.at(5));
    EXPECT_EQ(items.at(5).error().code, "gone");
  }
}

TEST_F(Items, ItemsOfAFolderThatIsGoneAreGone) {
  fill(1);
  start();
  const auto items = read({id(1), ItemId{1, 1, "nowhere"}.text()});
  EXPECT_TRUE(items.at(0));
  EXPECT_EQ(items.at(1).error().code, "gone");
}

TEST_F(Items, TheFirstAttachedMessageIsRead) {
  inbox().add(with_attachments());
  inbox().add(mail(2));
  start();
  const auto attached = world_.run(driver_->attached_message(id(1)));
  ASSERT_TRUE(attached) << attached.error().describe();
  ASSERT_TRUE(*attached);
  EXPECT_EQ((*attached)->fields.at("subject"), "inner one");
  StringContent content;
  ASSERT_TRUE(world_.run(driver_->fetch_attachment((*attached)->ref.id, content, 1000)));
  EXPECT_TRUE(content.text.starts_with("From: inner@example.test\r\n")) << content.text;
  const auto none = world_.run(driver_->attached_message(id(2)));
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
}

TEST_F(Items, ReceivedSinceIsExactToTheSecondAndNewestFirst) {
  const std::int64_t noon = 1'767'614'400;
  inbox().add(mail(1), noon - 200'000);
  inbox().add(mail(2), noon + 10);
  inbox().add(mail(3), noon - 1);
  inbox().add(mail(4), noon);
  start();
  const sync::RemoteFolder from = folder();
  const auto ids = world_.run(driver_->received_since(from, SystemTime(std::chrono::seconds(noon))));
  ASSERT_TRUE(ids) << ids.error().describe();
  EXPECT_EQ(*ids, (std::vector<std::string>{id(2), id(4)}));
}

TEST_F(Items, AListHasIdsAndVersions) {
  fill(3);
  inbox().find(2)->flags.insert("\\Seen");
  start();
  const sync::RemoteFolder from = folder();
  const auto refs = world_.run(driver_->list(from));
  ASSERT_TRUE(refs);
  EXPECT_EQ(*refs, (std::vector<sync::RemoteRef>{{id(1), "u"}, {id(2), "r"}, {id(3), "u"}}));
}

TEST_F(Items, AMovedMessageIsFoundWhereverItIs) {
  server_.folders["Trash"].attributes = "\\Trash";
  server_.folders["Archive"];
  fill(3);
  inbox().add(mail(2));  // the same Message-ID and size, received at another time
  inbox().find(4)->received += 3600;
  start();
  const auto items = read({id(2)});
  const std::string key = items.at(0)->search_key;
  auto moved = *inbox().find(2);
  inbox().expunge(2);
  const auto nowhere = world_.run(driver_->find(model::RecordKind::email, key));
  ASSERT_TRUE(nowhere) << nowhere.error().describe();
  EXPECT_FALSE(*nowhere);
  moved.uid = server_.folders["Trash"].uid_next++;
  server_.folders["Trash"].messages.push_back(moved);
  auto found = world_.run(driver_->find(model::RecordKind::email, key));
  ASSERT_TRUE(found && *found);
  EXPECT_TRUE((*found)->in_deleted_items);
  moved.uid = server_.folders["Archive"].uid_next++;
  server_.folders["Archive"].messages.push_back(moved);
  found = world_.run(driver_->find(model::RecordKind::email, key));
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->folder_id, "Archive");
  EXPECT_FALSE((*found)->in_deleted_items);
  EXPECT_EQ((*found)->item.id, id(moved.uid, "Archive"));
}

TEST_F(Items, RemovingMovesToTheTrashUnlessTheMessageChanged) {
  server_.folders["Trash"].attributes = "\\Trash";
  fill(2);
  start();
  syncline::testing::MemoryProgress progress;
  sync::WriteOrder order{.what = sync::WriteOrder::What::remove, .item = {id(1), "u"}};
  inbox().flag(1, "\\Seen");
  const auto conflict = world_.run(driver_->apply(order, progress, {}));
  ASSERT_FALSE(conflict);
  EXPECT_EQ(conflict.error().code, "conflict");
  EXPECT_EQ(conflict.error().retry, RetryClass::now);
  order.item.version = "r";
  const auto removed = world_.run(driver_->apply(order, progress, {}));
  ASSERT_TRUE(removed) << removed.error().describe();
  EXPECT_EQ(removed->item.id, id(1, "Trash"));
  EXPECT_EQ(inbox().messages.size(), 1U);
  EXPECT_EQ(server_.folders["Trash"].messages.size(), 1U);
  EXPECT_EQ(world_.run(driver_->apply(order, progress, {})).error().code, "gone");
}

TEST_F(Items, WhetherAMessageWasReadCanBeWritten) {
  fill(1);
  start();
  syncline::testing::MemoryProgress progress;
  sync::WriteOrder order{.what = sync::WriteOrder::What::update, .item = {id(1)}};
  order.fields["isRead"] = true;
  const auto done = world_.run(driver_->apply(order, progress, {}));
  ASSERT_TRUE(done) << done.error().describe();
  EXPECT_EQ(done->item.version, "r");
  EXPECT_TRUE(inbox().find(1)->flags.contains("\\Seen"));
  order.fields["subject"] = "no";
  EXPECT_EQ(world_.run(driver_->apply(order, progress, {})).error().code, "not-supported");
}

TEST(ItemIds, ComeBackAsTheyWere) {
  for (const char* folder : {"INBOX", "a.b.c", "[Gmail]/Sent Mail", "&AOQ-", "x\x1fy"}) {
    const ItemId one{4294967295U, 17, folder};
    EXPECT_EQ(ItemId::parse(one.text()), one);
  }
  for (const char* text :
       {"", "1", "1.2", "1.2.", "x.2.INBOX", "0.2.INBOX", "4294967296.2.INBOX", "1.-2.INBOX"})
    EXPECT_FALSE(ItemId::parse(text)) << text;
}

}  // namespace
}  // namespace syncline::imap
