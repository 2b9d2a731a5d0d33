// SPDX-License-Identifier: GPL-3.0-or-later
// Watching a folder: no message waits because nobody was listening when it came.
#include "routing/imap/driver/watch.hpp"
#include "tests/fake/imap/driver_fixture.hpp"

namespace syncline::imap {
namespace {

using namespace std::chrono_literals;

class WatchedFolder : public testing::DriverTest {
 protected:
  /// `at_idle` is told of the n-th IDLE and says what the server tells in it.
  void start_with(std::function<std::string(int nth)> at_idle) {
    server_.instead = [this, at_idle](const std::string& tag,
                                      const std::string& command) -> std::optional<std::string> {
      if (command == "IDLE") {
        idle_tag_ = tag;
        return "+ idling\r\n" + at_idle(++idles_);
      }
      if (tag == "DONE") return idle_tag_ + " OK done\r\n";
      if (more_) return more_(tag, command);
      return std::nullopt;
    };
    start();
  }
  Watch& watch(WatchSettings settings = {}) {
    const auto look = [this]() -> Async<void> {
      for (;;) {
        auto page = co_await driver_->pull(folder(), cursor_);
        if (!page) co_return fail(std::move(page.error()));
        cursor_ = page->cursor;
        for (const sync::FeedEntry& entry : page->entries)
          if (entry.what == sync::FeedEntry::What::changed) seen_.push_back(entry.item.id);
        if (page->last) co_return Result<void>{};
      }
    };
    watch_ = std::make_unique<Watch>(world_.environment(), *driver_, folder(), look, settings);
    world_.spawn(run_watch());
    return *watch_;
  }
  net::asio::awaitable<void> run_watch() { outcome_.emplace(co_await watch_->run()); }
  std::string told_exists() { return "* " + std::to_string(inbox().messages.size()) + " EXISTS\r\n"; }
  void TearDown() override {
    if (!watch_) return;
    watch_->stop();
    world_.run_for(1h);
    EXPECT_TRUE(outcome_) << "it does not end";
  }

  std::function<std::optional<std::string>(const std::string& tag, const std::string& command)> more_;
  std::unique_ptr<Watch> watch_;
  std::optional<Result<void>> outcome_;
  std::vector<std::string> seen_;
  std::string cursor_;
  std::string idle_tag_;
  int idles_ = 0;
};

TEST_F(WatchedFolder, WhatIsToldInIdleIsLookedAtWithinASecond) {
  start_with([&](int nth) -> std::string {
    if (nth > 3) return "";
    fill(1);
    return told_exists();
  });
  fill(2);
  watch();
  world_.run_for(2s);
  EXPECT_EQ(seen_.size(), 5U);
  EXPECT_EQ(idles_, 4);
  world_.run_for(8min);
  EXPECT_EQ(watch_->looks(), 4U) << "and then nothing is asked";
}

TEST_F(WatchedFolder, WhatWasToldWithAnotherReplyIsNotWaitedFor) {
  start_with([](int) { return ""; });
  fill(1);
  bool came = false;
  more_ = [&](const std::string& tag, const std::string& command) -> std::optional<std::string> {
    if (came || !command.starts_with("UID SEARCH")) return std::nullopt;
    came = true;
    fill(1);
    return "* SEARCH 1\r\n" + told_exists() + tag + " OK\r\n";
  };
  watch();
  world_.run_for(1s);
  EXPECT_TRUE(came);
  EXPECT_EQ(seen_, (std::vector<std::string>{id(1), id(2)}));
  EXPECT_EQ(idles_, 1) << "not before it was pulled";
}

TEST_F(WatchedFolder, WhatCameWhileTheConnectionWasGoneIsLookedAt) {
  start_with([&](int nth) {
    // The next line, the DONE of the renewal, ends the connection.
    if (nth == 1) server_.drop_after_commands = server_.commands.size() + 1;
    return "";
  });
  watch();
  world_.run_for(1min);
  EXPECT_EQ(idles_, 1);
  fill(1);  // the server forgets to tell
  world_.run_for(9min);
  EXPECT_EQ(seen_, std::vector<std::string>{id(1)});
  EXPECT_EQ(server_.connections, 2U);
  EXPECT_EQ(idles_, 2);
}

TEST_F(WatchedFolder, AConnectionThatWasMadeAnewIsNotLookedAtForNothing) {
  start_with([&](int nth) {
    if (nth == 1) server_.drop_after_commands = server_.commands.size() + 1;
    return "";
  });
  fill(3);
  watch();
  world_.run_for(14min);
  EXPECT_EQ(server_.connections, 2U);
  EXPECT_EQ(watch_->looks(), 1U);
}

TEST_F(WatchedFolder, AServerThatTellsNothingIsLookedAtNowAndThen) {
  start_with([](int) { return ""; });
  watch();
  world_.run_for(1min);
  fill(1);
  world_.run_for(58min);
  EXPECT_EQ(seen_, std::vector<std::string>{id(1)});
  EXPECT_EQ(watch_->looks(), 4U);
  EXPECT_EQ(server_.connections, 1U);
}

TEST_F(WatchedFolder, AServerThatTellsWithoutAnEndIsNotLookedAtWithoutAPause) {
  start_with([&](int) { return told_exists(); });
  watch();
  world_.run_for(10s);
  EXPECT_LE(watch_->looks(), 21U);
  EXPECT_GE(watch_->looks(), 15U);
}

TEST_F(WatchedFolder, AServerThatIsAwayIsAskedLessAndLessOften) {
  start_with([](int) { return ""; });
  watch();
  world_.run_for(1min);
  world_.stop_listening("imap.example.test", 143);
  server_.drop_after_commands = server_.commands.size() + 1;
  world_.run_for(60min);
  EXPECT_GE(watch_->failures(), 12U);
  EXPECT_LE(watch_->failures(), 40U);
  fill(1);
  server_.listen(world_);
  world_.run_for(5min);
  EXPECT_EQ(seen_, std::vector<std::string>{id(1)});
  EXPECT_FALSE(outcome_);
}

TEST_F(WatchedFolder, AWrongPasswordEndsIt) {
  start_with([](int) { return ""; });
  more_ = [](const std::string& tag, const std::string& command) -> std::optional<std::string> {
    if (!command.starts_with("LOGIN") && !command.starts_with("AUTHENTICATE")) return std::nullopt;
    return tag + " NO [AUTHENTICATIONFAILED] no\r\n";
  };
  watch();
  world_.run_for(1h);
  ASSERT_TRUE(outcome_);
  ASSERT_FALSE(*outcome_);
  EXPECT_EQ(outcome_->error().retry, RetryClass::reauthenticate) << outcome_->error().describe();
  EXPECT_EQ(server_.connections, 1U) << "each try counts towards a lock-out";
}

TEST_F(WatchedFolder, StopEndsItInIdleAndInAPause) {
  start_with([](int) { return ""; });
  watch().stop();
  world_.run_for(1s);
  ASSERT_TRUE(outcome_);
  EXPECT_TRUE(*outcome_);
  outcome_.reset();
  watch();
  world_.run_for(1min);
  EXPECT_FALSE(outcome_);
  watch_->stop();
  world_.run_for(1s);
  ASSERT_TRUE(outcome_);
  EXPECT_TRUE(*outcome_) << outcome_->error().describe();
  outcome_.reset();
  world_.stop_listening("imap.example.test", 143);
  restart();
  watch();
  world_.run_for(3min);
  EXPECT_FALSE(outcome_);
  watch_->stop();
  world_.run_for(1s);
  ASSERT_TRUE(outcome_);
  EXPECT_TRUE(*outcome_) << outcome_->error().describe();
}

}  // namespace
}  // namespace syncline::imap
