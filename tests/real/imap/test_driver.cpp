// SPDX-License-Identifier: GPL-3.0-or-later
// The driver against a real server: what the heart asks of it.
#include <algorithm>
#include <cstring>
#include <set>

#include "routing/imap/driver/imap_driver.hpp"
#include "tests/real/imap/imap_lab.hpp"
#include "tests/support/memory_progress.hpp"

namespace syncline::imap {
namespace {

using testing::MailLab;

class Content final : public sync::ContentSink {
 public:
  Result<void> write(std::span<const std::byte> octets) override {
    text.append(reinterpret_cast<const char*>(octets.data()), octets.size());
    return {};
  }
  std::string text;
};

class TextSource final : public sync::ContentSource {
 public:
  explicit TextSource(std::string text) : text_(std::move(text)) {}
  std::uint64_t size() const override { return text_.size(); }
  Result<std::size_t> read(std::span<std::byte> buffer) override {
    const std::size_t count = std::min(buffer.size(), text_.size() - at_);
    std::memcpy(buffer.data(), text_.data() + at_, count);
    at_ += count;
    return count;
  }
  Result<void> rewind() override {
    at_ = 0;
    return {};
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

class ImapDriverAtAServer : public testing::ImapLab {
 protected:
  std::unique_ptr<ImapDriver> driver(std::string_view user) {
    DriverSettings made;
    made.endpoint = endpoint();
    made.connect = settings(user);
    return std::make_unique<ImapDriver>(system_->get(), made);
  }
  /// All pages of a round.
  std::vector<sync::FeedEntry> pull(ImapDriver& driver, const sync::RemoteFolder& folder,
                                    std::string& cursor) {
    std::vector<sync::FeedEntry> entries;
    for (;;) {
      auto page = run(driver.pull(folder, cursor));
      EXPECT_TRUE(page) << page.error().describe();
      if (!page) return entries;
      cursor = page->cursor;
      entries.insert(entries.end(), page->entries.begin(), page->entries.end());
      if (page->last) return entries;
    }
  }
  void append(Client& client, const std::string& folder, std::string message) {
    auto text = std::make_shared<TextSource>(std::move(message));
    ReadOctets read = [text](std::span<std::byte> room) { return text->read(room); };
    const auto appended = run(client.append(folder, {}, std::nullopt, text->size(), std::move(read)));
    ASSERT_TRUE(appended) << appended.error().describe();
  }
  sync::RemoteFolder fresh_folder(Client& client, const std::string& name, int messages) {
    EXPECT_TRUE(run(client.create(name)));
    for (int i = 0; i < messages; ++i) append(client, name, mail(name + std::to_string(i)));
    return {.id = name, .name = name};
  }
  static sync::RemoteFolder inbox() {
    return {.id = "INBOX", .name = "INBOX", .role = sync::FolderRole::inbox};
  }
  static std::string mail(const std::string& name) {
    return "From: bob@lab.test\r\nTo: alice@lab.test\r\nSubject: " + name + "\r\nMessage-ID: <" + name +
           "@lab.test>\r\nDate: Mon, 5 Jan 2026 08:00:00 +0000\r\n\r\nhello\r\n";
  }
};

TEST_F(ImapDriverAtAServer, ReadsAThousandMessagesWholeAndThenOnlyWhatChanges) {
  const auto sent = server().generate("dave", 1000, 3, 8);
  ASSERT_TRUE(sent) << sent.error().describe();
  auto one = driver("dave");
  std::string cursor;
  const auto entries = pull(*one, inbox(), cursor);
  ASSERT_EQ(entries.size(), sent->size());
  std::vector<std::string> ids;
  for (const auto& entry : entries) ids.push_back(entry.item.id);
  std::multiset<std::string> got;
  for (std::size_t at = 0; at < ids.size(); at += 250) {
    const std::vector<std::string> some(
        ids.begin() + static_cast<std::ptrdiff_t>(at),
        ids.begin() + static_cast<std::ptrdiff_t>(std::min(at + 250, ids.size())));
    const auto items = run(one->read(model::RecordKind::email, some, true));
    ASSERT_TRUE(items) << items.error().describe();
    for (std::size_t i = 0; i < items->size(); ++i) {
      ASSERT_TRUE((*items)[i]) << some[i] << (*items)[i].error().describe();
      EXPECT_EQ((*items)[i]->ref.id, some[i]);
      EXPECT_FALSE((*items)[i]->fields.at("internetMessageId").is_null());
      Content content;
      const auto fetched = run(one->fetch_mime(some[i], content, 1'000'000));
      ASSERT_TRUE(fetched) << fetched.error().describe();
      got.insert(std::move(content.text));
    }
  }
  EXPECT_TRUE(got == std::multiset<std::string>(sent->begin(), sent->end()))
      << "every octet of every message";

  // Nothing new, with a driver that knows the cursor alone.
  auto two = driver("dave");
  const std::string before = cursor;
  EXPECT_TRUE(pull(*two, inbox(), cursor).empty());
  EXPECT_EQ(cursor, before);
  ASSERT_TRUE(server().deliver("dave", mail("fresh")));
  const auto fresh = pull(*two, inbox(), cursor);
  ASSERT_EQ(fresh.size(), 1U);
  EXPECT_EQ(fresh[0].what, sync::FeedEntry::What::changed);
}

TEST_F(ImapDriverAtAServer, TellsFoldersAndFollowsAMessageThroughThem) {
  ASSERT_TRUE(server().deliver("carol", mail("walker")));
  auto one = driver("carol");
  const auto folders = run(one->folders());
  ASSERT_TRUE(folders) << folders.error().describe();
  std::map<std::string, sync::FolderRole> roles;
  for (const auto& folder : *folders) roles[folder.id] = folder.role;
  EXPECT_EQ(roles["INBOX"], sync::FolderRole::inbox);
  EXPECT_EQ(roles["Sent"], sync::FolderRole::sent);
  EXPECT_EQ(roles["Trash"], sync::FolderRole::deleted);
  EXPECT_EQ(roles["Drafts"], sync::FolderRole::drafts);
  std::string cursor;
  const auto entries = pull(*one, inbox(), cursor);
  ASSERT_FALSE(entries.empty());
  const std::string id = entries[0].item.id;
  const auto items = run(one->read(model::RecordKind::email, {id}, false));
  ASSERT_TRUE(items && items->at(0)) << items->at(0).error().describe();
  const sync::RemoteItem item = *items->at(0);
  EXPECT_EQ(item.fields.at("subject"), "walker");
  EXPECT_EQ(item.fields.at("isRead"), false);

  // Read by its owner.
  syncline::testing::MemoryProgress progress;
  sync::WriteOrder order{.what = sync::WriteOrder::What::update, .item = {id}};
  order.fields["isRead"] = true;
  const auto written = run(one->apply(order, progress, {}));
  ASSERT_TRUE(written) << written.error().describe();
  const auto flags = pull(*one, inbox(), cursor);
  ASSERT_EQ(flags.size(), 1U);
  EXPECT_EQ(flags[0].what, sync::FeedEntry::What::read_flag);
  EXPECT_TRUE(flags[0].is_read);

  // Removed, and found in the trash by its key.
  sync::WriteOrder removal{.what = sync::WriteOrder::What::remove, .item = {id, "r"}};
  const auto removed = run(one->apply(removal, progress, {}));
  ASSERT_TRUE(removed) << removed.error().describe();
  const auto gone = pull(*one, inbox(), cursor);
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(gone[0].what, sync::FeedEntry::What::deleted);
  EXPECT_EQ(gone[0].item.id, id);
  const auto found = run(one->find(model::RecordKind::email, item.search_key));
  ASSERT_TRUE(found) << found.error().describe();
  ASSERT_TRUE(*found);
  EXPECT_TRUE((*found)->in_deleted_items);
  EXPECT_EQ((*found)->item.id, removed->item.id);
  const auto there = run(one->read(model::RecordKind::email, {id, removed->item.id}, false));
  ASSERT_TRUE(there);
  EXPECT_EQ(there->at(0).error().code, "gone");
  ASSERT_TRUE(there->at(1));
  EXPECT_EQ(there->at(1)->search_key, item.search_key);
}

TEST_F(ImapDriverAtAServer, KeepsASentCopyAndFindsIt) {
  auto one = driver("bob");
  const auto none = run(one->find_sent("<copy@lab.test>", "op-1"));
  ASSERT_TRUE(none) << none.error().describe();
  EXPECT_FALSE(*none);
  TextSource source("X-Syncline-Operation: op-1\r\n" + mail("copy"));
  const auto kept = run(one->append_sent(source, "<copy@lab.test>"));
  ASSERT_TRUE(kept) << kept.error().describe();
  for (const auto& [message_id, operation] : {std::pair("<copy@lab.test>", ""), std::pair("", "op-1")}) {
    const auto found = run(one->find_sent(message_id, operation));
    ASSERT_TRUE(found) << found.error().describe();
    ASSERT_TRUE(*found);
    EXPECT_EQ((*found)->id, kept->id);
  }
  const auto items = run(one->read(model::RecordKind::email, {kept->id}, true));
  ASSERT_TRUE(items && items->at(0));
  EXPECT_EQ(items->at(0)->operation_id, "op-1");
  EXPECT_EQ(items->at(0)->fields.at("isRead"), true);
}

TEST_F(ImapDriverAtAServer, ReceivedSinceAndListAgree) {
  ASSERT_TRUE(server().deliver("alice", mail("l1")));
  ASSERT_TRUE(server().deliver("alice", mail("l2")));
  auto one = driver("alice");
  const auto since = run(one->received_since(inbox(), SystemTime{}));
  ASSERT_TRUE(since) << since.error().describe();
  const auto refs = run(one->list(inbox()));
  ASSERT_TRUE(refs) << refs.error().describe();
  EXPECT_EQ(since->size(), refs->size());
  EXPECT_GE(refs->size(), 2U);
  EXPECT_TRUE(run(one->close()));
  EXPECT_TRUE(run(one->list(inbox()))) << "the next call connects again";
}

TEST_F(ImapDriverAtAServer, WhatHappenedWhileAwayComesInOneRound) {
  auto hand = connected("alice");
  ASSERT_TRUE(hand);
  const sync::RemoteFolder folder = fresh_folder(*hand, "away", 12);
  auto one = driver("alice");
  std::string cursor;
  const auto first = pull(*one, folder, cursor);
  ASSERT_EQ(first.size(), 12U);
  EXPECT_TRUE(run(one->close()));

  // 2 to 4 go, 6 is read, 7 is flagged, one comes.
  ASSERT_TRUE(run(hand->select("away")));
  ASSERT_TRUE(run(hand->store(UidSet::range(2, 4), "+FLAGS", {"\\Deleted"})));
  ASSERT_TRUE(run(hand->expunge(UidSet::range(2, 4))));
  ASSERT_TRUE(run(hand->store(UidSet::range(6, 6), "+FLAGS", {"\\Seen"})));
  ASSERT_TRUE(run(hand->store(UidSet::range(7, 7), "+FLAGS", {"\\Flagged"})));
  append(*hand, "away", mail("away-fresh"));

  auto two = driver("alice");
  std::map<std::string, sync::FeedEntry> told;
  for (const auto& entry : pull(*two, folder, cursor)) {
    EXPECT_FALSE(told.contains(entry.item.id)) << entry.item.id;
    told[entry.item.id] = entry;
  }
  const auto id = [&](Uid uid) { return ItemId{uid, hand->selected()->uid_validity, "away"}.text(); };
  for (const Uid uid : {2U, 3U, 4U}) {
    ASSERT_TRUE(told.contains(id(uid))) << uid;
    EXPECT_EQ(told[id(uid)].what, sync::FeedEntry::What::deleted);
  }
  ASSERT_TRUE(told.contains(id(6)) && told.contains(id(13)));
  EXPECT_EQ(told[id(6)].what, sync::FeedEntry::What::read_flag);
  EXPECT_TRUE(told[id(6)].is_read);
  EXPECT_EQ(told[id(13)].what, sync::FeedEntry::What::changed);
  // The other flag may be told of; nothing else is.
  if (told.contains(id(7))) {
    EXPECT_EQ(told[id(7)].what, sync::FeedEntry::What::read_flag);
    EXPECT_FALSE(told[id(7)].is_read);
    told.erase(id(7));
  }
  EXPECT_EQ(told.size(), 5U);
  EXPECT_TRUE(pull(*two, folder, cursor).empty());
  const auto refs = run(two->list(folder));
  ASSERT_TRUE(refs) << refs.error().describe();
  EXPECT_EQ(refs->size(), 10U);
}

TEST_F(ImapDriverAtAServer, AFolderThatWasMadeAnewIsReadAnew) {
  auto hand = connected("bob");
  ASSERT_TRUE(hand);
  const sync::RemoteFolder folder = fresh_folder(*hand, "anew", 3);
  auto one = driver("bob");
  std::string cursor;
  const auto before = pull(*one, folder, cursor);
  ASSERT_EQ(before.size(), 3U);
  const auto items = run(one->read(model::RecordKind::email, {before[0].item.id}, false));
  ASSERT_TRUE(items && items->at(0));
  EXPECT_TRUE(run(one->close()));

  Command removal("DELETE");
  removal.string("anew");
  ASSERT_TRUE(run(hand->session().run(std::move(removal), Asked::mailbox)));
  // Some servers make UIDVALIDITY of the second's number.
  auto paused = run(
      system_->get().timers.sleep_until(system_->get().clock.steady_now() + std::chrono::milliseconds(1100)));
  ASSERT_TRUE(paused);
  fresh_folder(*hand, "anew", 4);
  const auto refused = run(one->pull(folder, cursor));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().retry, RetryClass::resync) << refused.error().describe();
  std::string again;
  const auto after = pull(*one, folder, again);
  ASSERT_EQ(after.size(), 4U);
  // An id of the old numbering is nobody's now.
  const auto old = run(one->read(model::RecordKind::email, {before[0].item.id}, false));
  ASSERT_TRUE(old);
  ASSERT_FALSE(old->at(0));
  EXPECT_EQ(old->at(0).error().code, "gone");
}

TEST_F(ImapDriverAtAServer, WaitsUntilADeliveryAndPullsIt) {
  auto one = driver("carol");
  std::string cursor;
  pull(*one, inbox(), cursor);
  const SteadyTime until = system_->get().clock.steady_now() + std::chrono::seconds(60);
  std::optional<Result<bool>> outcome;
  const auto wait = [&]() -> net::asio::awaitable<void> {
    outcome.emplace(co_await one->wait_for_change(inbox(), until));
  };
  net::asio::co_spawn(context_, wait(), net::asio::detached);
  context_.restart();
  // It comes whenever it comes: before IDLE has begun, or in it.
  for (int i = 0; i < 20; ++i) context_.poll_one();
  ASSERT_TRUE(server().deliver("carol", mail("delivered")));
  while (!outcome) context_.run_one();
  ASSERT_TRUE(*outcome) << outcome->error().describe();
  EXPECT_TRUE(**outcome);
  const auto entries = pull(*one, inbox(), cursor);
  ASSERT_EQ(entries.size(), 1U);
  const auto items = run(one->read(model::RecordKind::email, {entries[0].item.id}, true));
  ASSERT_TRUE(items && items->at(0));
  EXPECT_EQ(items->at(0)->fields.at("subject"), "delivered");
}

}  // namespace
}  // namespace syncline::imap
