// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <set>

#include "routing/pop3/driver/pop3_driver.hpp"
#include "tests/fake/pop3/pop3_peer.hpp"
#include "tests/support/memory_progress.hpp"

namespace syncline::pop3 {
namespace {

using net::testing::VirtualWorld;
using testing::Pop3Peer;

/// Subject, and the time of the topmost Received field; what MIME really needs is src/mime's.
class SimpleReader final : public MessageReader {
 public:
  Result<ReadMail> read(sync::ContentSource& message, ReadWish wish) override {
    const std::string text = whole(message);
    ReadMail mail;
    mail.fields["subject"] = field(text, "Subject: ");
    mail.fields["dateTimeReceived"] = field(text, "Received: ").find("6 Jan") != std::string::npos
                                          ? "2026-01-06T08:00:00Z"
                                          : "2026-01-05T08:00:00Z";
    if (wish.with_body) mail.fields["body"] = text.substr(text.find("\r\n\r\n") + 4);
    return mail;
  }
  Result<void> read_part(sync::ContentSource&, std::string_view, sync::ContentSink&, std::uint64_t) override {
    return fail(ErrorDomain::mail, "gone", "no parts");
  }
  Result<std::optional<AttachedMail>> attached_message(sync::ContentSource&) override { return std::nullopt; }

 private:
  static std::string whole(sync::ContentSource& message) {
    std::string text;
    std::byte buffer[4096];
    for (;;) {
      auto count = message.read(buffer);
      if (!count || *count == 0) return text;
      text.append(reinterpret_cast<const char*>(buffer), *count);
    }
  }
  static std::string field(const std::string& text, const std::string& name) {
    const std::size_t at = text.find(name);
    if (at == std::string::npos) return {};
    return text.substr(at + name.size(), text.find("\r\n", at) - at - name.size());
  }
};

class TextSink final : public sync::ContentSink {
 public:
  Result<void> write(std::span<const std::byte> octets) override {
    text.append(reinterpret_cast<const char*>(octets.data()), octets.size());
    return {};
  }
  std::string text;
};

struct Pop3DriverTest : ::testing::Test {
  Pop3DriverTest() { peer.listen(world); }

  void restart() {
    settings.mailbox.session.endpoint = {.host = "pop.example.test", .port = 110, .tls = mail::TlsMode::none};
    settings.mailbox.login.user = "alice";
    settings.mailbox.login.password = Secret(std::string("secret"));
    settings.mailbox.login.clear_text_without_tls = true;
    if (driver != nullptr) static_cast<void>(world.run(driver->close()));
    driver = std::make_unique<Pop3Driver>(world.environment(), settings, std::make_unique<SimpleReader>());
  }

  /// One whole run over the mailbox: what is new (newest first), what is gone; `cursor` moves on.
  struct Run {
    std::vector<std::string> fresh;
    std::vector<std::string> gone;
    std::size_t pages = 0;
  };
  Run run(std::size_t most = 512) {
    if (driver == nullptr) restart();
    Run result;
    for (bool last = false; !last;) {
      auto page = world.run(driver->pull(folder, cursor, most));
      EXPECT_TRUE(page) << page.error().describe();
      if (!page) return result;
      ++result.pages;
      for (const sync::FeedEntry& entry : page->entries)
        (entry.what == sync::FeedEntry::What::deleted ? result.gone : result.fresh).push_back(entry.item.id);
      cursor = page->cursor;
      last = page->last;
      EXPECT_LT(result.pages, 1000u);
      if (result.pages >= 1000) break;
    }
    return result;
  }
  std::vector<std::string> subjects(const std::vector<std::string>& ids, bool with_body = true) {
    auto items = world.run(driver->read(model::RecordKind::email, ids, with_body));
    EXPECT_TRUE(items) << items.error().describe();
    std::vector<std::string> names;
    if (items)
      for (const auto& item : *items)
        names.emplace_back(item ? std::string(model::text_of(item->fields, "subject")) : item.error().code);
    return names;
  }
  void fill(int count) {
    for (int i = 0; i < count; ++i)
      peer.mailbox.push_back(testing::mail("uid" + std::to_string(i), "s" + std::to_string(i)));
  }
  static std::set<std::string> set_of(const std::vector<std::string>& list) {
    return {list.begin(), list.end()};
  }

  Pop3Peer peer;  // outlives the world that its script runs in
  VirtualWorld world;
  DriverSettings settings;
  std::unique_ptr<Pop3Driver> driver;
  sync::RemoteFolder folder{.id = "INBOX"};
  std::string cursor;
};

TEST_F(Pop3DriverTest, EverythingComesOnceNewestFirstAndIsFetchedOnce) {
  fill(100);
  const Run first = run(30);
  EXPECT_EQ(first.pages, 4u);
  ASSERT_EQ(first.fresh.size(), 100u);
  EXPECT_EQ(set_of(first.fresh).size(), 100u);
  EXPECT_EQ(subjects({first.fresh.front()}), (std::vector<std::string>{"s99"}));
  const Run second = run();
  EXPECT_TRUE(second.fresh.empty() && second.gone.empty());
  EXPECT_EQ(peer.connections, 2u) << "one session a run";
}

TEST_F(Pop3DriverTest, WhatAPageBroughtIsReadWithoutAnotherTransfer) {
  fill(20);
  const Run first = run();
  const std::size_t fetched = peer.count("RETR");
  EXPECT_EQ(fetched, 20u);
  const auto names = subjects(first.fresh);
  EXPECT_EQ(names.front(), "s19");
  EXPECT_EQ(names.back(), "s0");
  TextSink sink;
  auto mime = world.run(driver->fetch_mime(first.fresh.back(), sink, 1 << 20));
  ASSERT_TRUE(mime && *mime);
  EXPECT_TRUE(sink.text == peer.mailbox[0].octets);
  EXPECT_EQ(peer.count("RETR"), fetched);
  EXPECT_EQ(world.run(driver->fetch_mime(first.fresh.back(), sink, 10)).error().code, "too-large");
}

TEST_F(Pop3DriverTest, OnlyWhatIsNewComesInTheNextRunEvenAfterARestart) {
  fill(10);
  run();
  peer.mailbox.push_back(testing::mail("later", "later"));
  peer.mailbox.erase(peer.mailbox.begin() + 3);
  restart();
  const Run second = run();
  EXPECT_EQ(second.fresh.size(), 1u);
  EXPECT_EQ(second.gone.size(), 1u);
  EXPECT_EQ(subjects(second.fresh), (std::vector<std::string>{"later"}));
  EXPECT_TRUE(run().fresh.empty());
}

TEST_F(Pop3DriverTest, AfterARestartAMessageIsFoundByItsId) {
  fill(5);
  const Run first = run();
  restart();
  EXPECT_EQ(subjects({first.fresh[2]}), (std::vector<std::string>{"s2"}));
  EXPECT_EQ(subjects({"AAAAAAAAAAABBBBBBBB"}), (std::vector<std::string>{"gone"}));
}

TEST_F(Pop3DriverTest, UniqueIdsThatAllChangeBringNothingTwice) {
  fill(30);
  const Run first = run();
  for (std::size_t i = 0; i < peer.mailbox.size(); ++i) peer.mailbox[i].uid = "new" + std::to_string(i);
  peer.mailbox.push_back(testing::mail("new30", "really new"));
  restart();
  const Run second = run();
  EXPECT_TRUE(second.gone.empty());
  EXPECT_EQ(subjects(second.fresh), (std::vector<std::string>{"really new"}));
  EXPECT_GE(peer.count("TOP"), 30u) << "told by their headers";
  EXPECT_EQ(subjects({first.fresh[0]}), (std::vector<std::string>{"s29"})) << "ids stay";
  EXPECT_TRUE(run().fresh.empty());
}

TEST_F(Pop3DriverTest, AReusedUniqueIdIsAnotherMessage) {
  peer.mailbox = {testing::mail("1", "aaa"), testing::mail("2", "bbb"), testing::mail("3", "ccc")};
  run();
  // Same unique-id, same size.
  peer.mailbox[2] = testing::mail("3", "ddd");
  restart();
  const Run second = run();
  EXPECT_EQ(second.gone.size(), 0u) << "a change that the listing does not show is not looked for";
  peer.mailbox.push_back(testing::mail("4", "eee"));
  restart();
  const Run third = run();
  EXPECT_EQ(third.gone.size(), 1u);
  EXPECT_EQ(set_of(subjects(third.fresh)), (std::set<std::string>{"ddd", "eee"}));
  // Same unique-id, another size.
  peer.mailbox[0] = testing::mail("1", "fff", 4000);
  restart();
  const Run fourth = run();
  EXPECT_EQ(fourth.gone.size(), 1u);
  EXPECT_EQ(subjects(fourth.fresh), (std::vector<std::string>{"fff"}));
}

TEST_F(Pop3DriverTest, AServerWithoutUniqueIdsIsReadByHeaders) {
  peer.has_uidl = false;
  std::erase(peer.offers, "UIDL");
  fill(12);
  const Run first = run();
  EXPECT_EQ(first.fresh.size(), 12u);
  peer.mailbox.erase(peer.mailbox.begin());
  peer.mailbox.push_back(testing::mail("", "later"));
  restart();
  const Run second = run();
  EXPECT_EQ(second.gone.size(), 1u);
  EXPECT_EQ(subjects(second.fresh), (std::vector<std::string>{"later"}));
}

TEST_F(Pop3DriverTest, AUniqueIdThatTwoMessagesHaveIsNone) {
  peer.mailbox = {testing::mail("same", "aaa"), testing::mail("same", "bbb"), testing::mail("other", "ccc")};
  const Run first = run();
  EXPECT_EQ(set_of(first.fresh).size(), 3u);
  restart();
  const Run second = run();
  EXPECT_TRUE(second.fresh.empty() && second.gone.empty());
}

TEST_F(Pop3DriverTest, AnEmptiedMailboxIsSaidToBeOneMessageByMessage) {
  fill(8);
  run();
  peer.mailbox.clear();
  EXPECT_EQ(run().gone.size(), 8u);
  EXPECT_TRUE(run().gone.empty());
}

TEST_F(Pop3DriverTest, InGmailsRecentModeWhatIsOldIsNotGone) {
  Pop3Peer gmail;
  gmail.greeting = "+OK Gpop ready\r\n";
  gmail.listen(world, "pop.example.test", 110);
  for (int i = 0; i < 5; ++i)
    gmail.mailbox.push_back(testing::mail("g" + std::to_string(i), "s" + std::to_string(i)));
  EXPECT_EQ(run().fresh.size(), 5u);
  gmail.mailbox.erase(gmail.mailbox.begin(), gmail.mailbox.begin() + 3);
  EXPECT_TRUE(run().gone.empty());
  EXPECT_EQ(gmail.count("USER recent:alice"), 2u);
  driver.reset();
  world.run_for(std::chrono::seconds(1));
}

TEST_F(Pop3DriverTest, AMessageThatTheServerDoesNotGiveIsPutAside) {
  fill(3);
  peer.instead = [](const std::string& line, std::size_t) -> std::optional<std::string> {
    if (line == "RETR 2") return "-ERR message is damaged\r\n";
    return std::nullopt;
  };
  const Run first = run();
  EXPECT_EQ(first.fresh.size(), 3u);
  auto items = world.run(driver->read(model::RecordKind::email, first.fresh, true));
  ASSERT_TRUE(items);
  EXPECT_TRUE((*items)[0]);
  ASSERT_FALSE((*items)[1]);
  EXPECT_EQ((*items)[1].error().retry, RetryClass::quarantine);
  EXPECT_TRUE((*items)[2]);
  EXPECT_TRUE(run().fresh.empty());
}

TEST_F(Pop3DriverTest, AnEndlessMessageDoesNotKeepTheOthersBack) {
  settings.mailbox.most_message_octets = 100'000;
  fill(3);
  peer.mailbox[1] = testing::mail("huge", "huge", 300'000);
  const Run first = run();
  EXPECT_EQ(first.fresh.size(), 3u);
  EXPECT_EQ(subjects(first.fresh), (std::vector<std::string>{"s2", "message-too-long", "s0"}));
}

TEST_F(Pop3DriverTest, ByDateOnlyHeadersAreFetchedUntilAMessageIsWanted) {
  settings.by_date = true;
  fill(6);
  peer.mailbox[4] = testing::mail("uid4", "s4", 40, "Tue, 6 Jan 2026 08:00:00 +0000");
  run();
  EXPECT_EQ(peer.count("RETR"), 0u);
  using namespace std::chrono;
  const SystemTime from = sys_days(year(2026) / 1 / 6);
  auto since = world.run(driver->received_since(folder, from));
  ASSERT_TRUE(since);
  EXPECT_EQ(subjects(*since), (std::vector<std::string>{"s4"}));
  EXPECT_EQ(peer.count("RETR"), 1u);
  restart();
  since = world.run(driver->received_since(folder, from));
  ASSERT_TRUE(since) << since.error().describe();
  EXPECT_EQ(subjects(*since), (std::vector<std::string>{"s4"})) << "without what the run before knew";
}

TEST_F(Pop3DriverTest, AListingOfAllNamesTheSameAsTheFeed) {
  fill(7);
  const Run first = run();
  auto listed = world.run(driver->list(folder));
  ASSERT_TRUE(listed);
  std::set<std::string> ids;
  for (const sync::RemoteRef& ref : *listed) ids.insert(ref.id);
  EXPECT_EQ(ids, set_of(first.fresh));
  restart();
  listed = world.run(driver->list(folder));
  ASSERT_TRUE(listed);
  ids.clear();
  for (const sync::RemoteRef& ref : *listed) ids.insert(ref.id);
  EXPECT_EQ(ids, set_of(first.fresh));
}

TEST_F(Pop3DriverTest, ADeletionTakesTheVeryMessageAndMayBeAskedForAgain) {
  fill(4);
  const Run first = run();
  sync::WriteOrder order{.what = sync::WriteOrder::What::remove,
                         .item = {.id = first.fresh[1], .version = "1"}};
  syncline::testing::MemoryProgress progress;
  const sync::OpenContent none;
  ASSERT_TRUE(world.run(driver->apply(order, progress, none)));
  ASSERT_EQ(peer.mailbox.size(), 3u);
  for (const testing::Stored& left : peer.mailbox) EXPECT_NE(left.uid, "uid2");
  EXPECT_TRUE(world.run(driver->apply(order, progress, none))) << "gone is done";
  EXPECT_EQ(peer.mailbox.size(), 3u);
}

TEST_F(Pop3DriverTest, ALostAnswerToQuitIsSettledByLookingAgain) {
  fill(2);
  const Run first = run();
  bool lose = true;
  peer.instead = [&](const std::string& line, std::size_t) -> std::optional<std::string> {
    if (line == "QUIT" && lose && peer.count("DELE") == 1) {
      lose = false;
      return "close";
    }
    return std::nullopt;
  };
  sync::WriteOrder order{.what = sync::WriteOrder::What::remove,
                         .item = {.id = first.fresh[0], .version = "1"}};
  syncline::testing::MemoryProgress progress;
  const sync::OpenContent none;
  auto uncertain = world.run(driver->apply(order, progress, none));
  ASSERT_FALSE(uncertain);
  EXPECT_EQ(uncertain.error().code, "uncertain");
  EXPECT_EQ(uncertain.error().retry, RetryClass::after);
  EXPECT_EQ(peer.mailbox.size(), 2u);
  EXPECT_TRUE(world.run(driver->apply(order, progress, none)));
  ASSERT_EQ(peer.mailbox.size(), 1u);
  EXPECT_EQ(peer.mailbox[0].uid, "uid0");
}

TEST_F(Pop3DriverTest, AnotherMessageUnderTheUniqueIdIsNotDeleted) {
  peer.mailbox = {testing::mail("1", "aaa"), testing::mail("2", "bbb")};
  const Run first = run();
  peer.mailbox[1] = testing::mail("2", "ccc");
  restart();
  sync::WriteOrder order{.what = sync::WriteOrder::What::remove,
                         .item = {.id = first.fresh[0], .version = "1"}};
  syncline::testing::MemoryProgress progress;
  const sync::OpenContent none;
  EXPECT_TRUE(world.run(driver->apply(order, progress, none))) << "the message meant is gone";
  EXPECT_EQ(peer.mailbox.size(), 2u);
  EXPECT_EQ(peer.count("DELE"), 0u);
}

TEST_F(Pop3DriverTest, AForeignCursorIsACauseToBeginAgain) {
  cursor = "{\"uidValidity\":1}";
  restart();
  auto page = world.run(driver->pull(folder, cursor));
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().retry, RetryClass::resync);
}

TEST_F(Pop3DriverTest, AServersWishForPausesIsKept) {
  peer.offers.push_back("LOGIN-DELAY 300");
  fill(1);
  run();
  auto soon = world.run(driver->pull(folder, cursor));
  ASSERT_FALSE(soon);
  EXPECT_EQ(soon.error().code, "login-delay");
  EXPECT_EQ(soon.error().retry, RetryClass::after);
  ASSERT_TRUE(soon.error().retry_after);
  world.run_for(*soon.error().retry_after);
  EXPECT_TRUE(world.run(driver->pull(folder, cursor)));
}

TEST_F(Pop3DriverTest, WhatPop3CannotDoIsAnError) {
  restart();
  syncline::testing::MemoryProgress progress;
  const sync::OpenContent none;
  for (const auto what : {sync::WriteOrder::What::create, sync::WriteOrder::What::send}) {
    const sync::WriteOrder order{.what = what};
    auto refused = world.run(driver->apply(order, progress, none));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "not-supported");
    EXPECT_EQ(refused.error().retry, RetryClass::never);
  }
  EXPECT_EQ(peer.connections, 0u);
}

}  // namespace
}  // namespace syncline::pop3
