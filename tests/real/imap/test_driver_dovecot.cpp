// SPDX-License-Identifier: GPL-3.0-or-later
// The driver against Dovecot: what the heart asks of it.
#include <cstring>

#include "routing/imap/driver/imap_driver.hpp"
#include "tests/real/imap/imap_lab.hpp"

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

class NoProgress final : public sync::Progress {
 public:
  std::string_view text() const override { return {}; }
  Result<void> save(std::string) override { return {}; }
  SystemTime settled_after() const override { return {}; }
};

class ImapDriverAtDovecot : public testing::ImapLab {
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
  static sync::RemoteFolder inbox() {
    return {.id = "INBOX", .name = "INBOX", .role = sync::FolderRole::inbox};
  }
  static std::string mail(const std::string& name) {
    return "From: bob@lab.test\r\nTo: alice@lab.test\r\nSubject: " + name + "\r\nMessage-ID: <" + name +
           "@lab.test>\r\nDate: Mon, 5 Jan 2026 08:00:00 +0000\r\n\r\nhello\r\n";
  }
};

TEST_F(ImapDriverAtDovecot, ReadsAThousandMessagesWholeAndThenOnlyWhatChanges) {
  ASSERT_TRUE(lab().generate("dave", 1000, 3, 8));
  auto one = driver("dave");
  std::string cursor;
  const auto entries = pull(*one, inbox(), cursor);
  ASSERT_EQ(entries.size(), 1000U);
  std::vector<std::string> ids;
  for (const auto& entry : entries) ids.push_back(entry.item.id);
  std::size_t octets = 0;
  for (std::size_t at = 0; at < ids.size(); at += 250) {
    const std::vector<std::string> some(ids.begin() + static_cast<std::ptrdiff_t>(at),
                                        ids.begin() + static_cast<std::ptrdiff_t>(at) + 250);
    const auto items = run(one->read(model::RecordKind::email, some, true));
    ASSERT_TRUE(items) << items.error().describe();
    for (std::size_t i = 0; i < items->size(); ++i) {
      ASSERT_TRUE((*items)[i]) << some[i] << (*items)[i].error().describe();
      EXPECT_EQ((*items)[i]->ref.id, some[i]);
      EXPECT_FALSE((*items)[i]->fields.at("internetMessageId").is_null());
      Content content;
      const auto fetched = run(one->fetch_mime(some[i], content, 1'000'000));
      ASSERT_TRUE(fetched) << fetched.error().describe();
      octets += content.text.size();
    }
  }
  std::size_t expected = 0;
  for (const auto& file : lab().files_of("dave")) {
    const std::string name = file.filename().string();
    if (const std::size_t w = name.find(",W="); w != std::string::npos)
      expected += std::stoul(name.substr(w + 3));
  }
  EXPECT_EQ(octets, expected) << "every octet of every message";

  // Nothing new, with a driver that knows the cursor alone.
  auto two = driver("dave");
  const std::string before = cursor;
  EXPECT_TRUE(pull(*two, inbox(), cursor).empty());
  EXPECT_EQ(cursor, before);
  ASSERT_TRUE(lab().deliver("dave", mail("fresh")));
  const auto fresh = pull(*two, inbox(), cursor);
  ASSERT_EQ(fresh.size(), 1U);
  EXPECT_EQ(fresh[0].what, sync::FeedEntry::What::changed);
}

TEST_F(ImapDriverAtDovecot, TellsFoldersAndFollowsAMessageThroughThem) {
  ASSERT_TRUE(lab().deliver("carol", mail("walker")));
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
  NoProgress progress;
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

TEST_F(ImapDriverAtDovecot, KeepsASentCopyAndFindsIt) {
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

TEST_F(ImapDriverAtDovecot, ReceivedSinceAndListAgree) {
  ASSERT_TRUE(lab().deliver("alice", mail("l1")));
  ASSERT_TRUE(lab().deliver("alice", mail("l2")));
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

}  // namespace
}  // namespace syncline::imap
