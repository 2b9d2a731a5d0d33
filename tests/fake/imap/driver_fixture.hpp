// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The IMAP driver before a server in memory, in virtual time.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "routing/imap/driver/imap_driver.hpp"
#include "tests/fake/imap/fake_imap.hpp"

namespace syncline::imap::testing {

/// What a feed said, all of its pages.
struct Round {
  std::vector<std::string> changed = {};  ///< ids, in order
  std::set<std::string> deleted = {};
  std::map<std::string, bool> read_flags = {};
  std::string cursor = {};
  std::size_t pages = 0;
};

class StringContent final : public sync::ContentSink {
 public:
  Result<void> write(std::span<const std::byte> octets) override {
    text.append(reinterpret_cast<const char*>(octets.data()), octets.size());
    return {};
  }
  std::string text;
};

class TextContent final : public sync::ContentSource {
 public:
  explicit TextContent(std::string text) : text_(std::move(text)) {}
  std::uint64_t size() const override { return text_.size(); }
  Result<std::size_t> read(std::span<std::byte> buffer) override {
    const std::size_t count = text_.copy(reinterpret_cast<char*>(buffer.data()), buffer.size(), at_);
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

class DriverTest : public ::testing::Test {
 protected:
  void start() {
    server_.folders["INBOX"];
    server_.listen(world_);
    restart();
  }
  /// A driver that knows nothing but the cursor it is given.
  void restart() {
    DriverSettings settings = settings_;
    settings.endpoint.host = "imap.example.test";
    settings.endpoint.port = 143;
    settings.endpoint.tls = mail::TlsMode::none;
    settings.connect.sign_in.identity.user = "anna";
    settings.connect.sign_in.identity.password = Secret(std::string_view("correct horse"));
    settings.connect.sign_in.policy.clear_text_without_tls = true;
    driver_ = std::make_unique<ImapDriver>(world_.environment(), settings);
  }
  static std::string mail(int number, std::size_t octets = 10) {
    const std::string n = std::to_string(number);
    return "From: bob@example.test\r\nTo: anna@example.test\r\nSubject: mail " + n + "\r\nMessage-ID: <m" +
           n + "@example.test>\r\nDate: Mon, 5 Jan 2026 08:00:00 +0000\r\n\r\n" + std::string(octets, 'x') +
           "\r\n";
  }
  FakeFolder& inbox() { return server_.folders["INBOX"]; }
  void fill(int count) {
    for (int i = 1; i <= count; ++i) inbox().add(mail(static_cast<int>(inbox().uid_next)));
  }
  static sync::RemoteFolder folder(const std::string& id = "INBOX") {
    return {.id = id, .name = id, .role = sync::FolderRole::inbox, .kind = model::RecordKind::email};
  }
  std::string id(std::uint32_t uid, const std::string& where = "INBOX") {
    return ItemId{uid, server_.folders[where].uid_validity, where}.text();
  }

  Result<Round> pull(std::string cursor = {}, std::size_t most = sync::most_feed_entries,
                     const std::string& where = "INBOX") {
    Round round;
    round.cursor = std::move(cursor);
    for (;;) {
      const sync::RemoteFolder from = folder(where);
      auto page = world_.run(driver_->pull(from, round.cursor, most));
      if (!page) return fail(std::move(page.error()));
      ++round.pages;
      round.cursor = page->cursor;
      for (const sync::FeedEntry& entry : page->entries) {
        if (entry.what == sync::FeedEntry::What::changed) round.changed.push_back(entry.item.id);
        if (entry.what == sync::FeedEntry::What::deleted) round.deleted.insert(entry.item.id);
        if (entry.what == sync::FeedEntry::What::read_flag) round.read_flags[entry.item.id] = entry.is_read;
      }
      if (page->last) return round;
      if (round.pages > 10'000) return fail(ErrorDomain::local, "endless", "the feed does not end");
    }
  }
  /// One that is expected to work.
  Round pulled(std::string cursor = {}, std::size_t most = sync::most_feed_entries) {
    auto round = pull(std::move(cursor), most);
    EXPECT_TRUE(round) << round.error().describe();
    return round ? std::move(*round) : Round{};
  }
  std::vector<Result<sync::RemoteItem>> read(std::vector<std::string> ids, bool with_body = false) {
    auto items = world_.run(driver_->read(model::RecordKind::email, std::move(ids), with_body));
    EXPECT_TRUE(items) << items.error().describe();
    return items ? std::move(*items) : std::vector<Result<sync::RemoteItem>>{};
  }

  net::testing::VirtualWorld world_;
  FakeImap server_;
  DriverSettings settings_;
  std::unique_ptr<ImapDriver> driver_;
};

}  // namespace syncline::imap::testing
