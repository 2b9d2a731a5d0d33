// SPDX-License-Identifier: GPL-3.0-or-later
// IMAP mailboxes between their runs: no message waits because nobody was listening when it came, and
// no server is bothered by our listening.
#include "mail_engine_world.hpp"

namespace syncline::service::testing {
namespace {

using namespace std::chrono_literals;

class Watched : public MailEngine {
 protected:
  /// What is told in the n-th IDLE, from 1.
  void tell(std::function<std::string(int nth)> what) {
    imap_.in_idle = [this, what = std::move(what)] { return what(++idles_); };
  }
  std::string told_exists() { return "* " + std::to_string(inbox().messages.size()) + " EXISTS\r\n"; }
  std::string next_message() { return message(static_cast<int>(inbox().uid_next)); }
  /// As the daemon does: runs whenever it is told of something.
  int run_as_told(std::chrono::milliseconds span) {
    int runs = 0;
    const auto end = world_.elapsed() + span;
    while (world_.elapsed() < end) {
      world_.run_for(500ms);
      if (changed_.empty()) continue;
      changed_.clear();
      EXPECT_EQ(run(box(0)), "");
      ++runs;
    }
    return runs;
  }
  int idles_ = 0;
};

TEST_F(Watched, WhatIsToldInIdleWakesTheMailboxWhoseRunGoesOnWithTheConnection) {
  tell([&](int nth) -> std::string {
    if (nth != 1) return "";
    inbox().add(next_message());
    return told_exists();
  });
  start(1);
  EXPECT_EQ(run(box(0)), "");
  EXPECT_TRUE(is_watched(box(0)));
  world_.run_for(1s);
  EXPECT_EQ(changed_, std::vector<std::string>{box(0)});
  EXPECT_EQ(run_as_told(1s), 1);
  EXPECT_EQ(idles_, 2);
  // And then nothing is asked.
  EXPECT_EQ(run_as_told(8min), 0);
  EXPECT_EQ(imap_.connections, 1U);
  EXPECT_TRUE(is_watched(box(0)));
}

TEST_F(Watched, WhatWasToldBeforeItListenedIsNotWaitedFor) {
  start(1);
  bool came = false;
  imap_.instead = [&](const std::string& tag, const std::string& command) -> std::optional<std::string> {
    // After the last page of the Inbox, in a folder that is not watched.
    if (came || !command.starts_with("SELECT \"Sent\"")) return std::nullopt;
    came = true;
    inbox().add(next_message());
    static_cast<void>(tag);
    return std::nullopt;
  };
  EXPECT_EQ(run(box(0)), "");
  world_.run_for(1s);
  EXPECT_TRUE(came);
  EXPECT_EQ(changed_, std::vector<std::string>{box(0)});
}

TEST_F(Watched, ARunTakesTheConnectionThatWaits) {
  start(1);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(run(box(0)), "");
    world_.run_for(3min);
  }
  EXPECT_EQ(imap_.connections, 1U);
  EXPECT_EQ(imap_.count("LIST"), 4U) << "a run each, and one to know the Inbox by";
  EXPECT_TRUE(changed_.empty());
}

TEST_F(Watched, AConnectionThatEndsInTheNightWakesTheMailboxAndOneThatEndsAtOnceDoesNot) {
  tell([&](int nth) {
    // The next line, the DONE of the renewal, ends the connection.
    if (nth == 1) imap_.drop_after_commands = imap_.commands.size() + 1;
    return "";
  });
  start(1);
  EXPECT_EQ(run(box(0)), "");
  world_.run_for(8min);
  EXPECT_TRUE(is_watched(box(0)));
  inbox().add(next_message());  // it forgets to tell
  world_.run_for(2min);
  // The driver connects again by itself, and finds that the folder is not as it was.
  EXPECT_EQ(changed_, std::vector<std::string>{box(0)});
  EXPECT_EQ(imap_.connections, 2U);
}

TEST_F(Watched, AServerThatIsAwayIsThePollsToFind) {
  start(1);
  EXPECT_EQ(run(box(0)), "");
  world_.run_for(5min);
  ASSERT_TRUE(is_watched(box(0)));
  world_.stop_listening("imap.example.test", imap_port);
  imap_.drop_after_commands = imap_.commands.size() + 1;
  world_.run_for(10min);
  EXPECT_FALSE(is_watched(box(0)));
  EXPECT_EQ(changed_, std::vector<std::string>{box(0)}) << "once: what fails from now on is the schedule's";
  changed_.clear();
  EXPECT_NE(run(box(0)), "");
  world_.run_for(1h);
  EXPECT_TRUE(changed_.empty());
  EXPECT_FALSE(is_watched(box(0)));
  listen();
  EXPECT_EQ(run(box(0)), "");
  EXPECT_TRUE(is_watched(box(0)));
}

TEST_F(Watched, ARefusalToWaitThatComesAtOnceWakesNobody) {
  imap_.instead = [](const std::string& tag, const std::string& command) -> std::optional<std::string> {
    if (command == "IDLE") return tag + " BYE too many\r\n* BYE go away\r\n";
    return std::nullopt;
  };
  start(1);
  EXPECT_EQ(run(box(0)), "");
  world_.run_for(10min);
  EXPECT_FALSE(is_watched(box(0)));
  EXPECT_LE(changed_.size(), 1U);
}

TEST_F(Watched, AServerThatTellsOfChangesThatAreNoneIsPolledForAWhile) {
  tell([&](int) { return told_exists() + "* 0 EXISTS\r\n" + told_exists(); });
  start(1);
  inbox().add(next_message());
  EXPECT_EQ(run(box(0)), "");
  EXPECT_EQ(run_as_told(1min), 5);
  EXPECT_FALSE(is_watched(box(0)));
  EXPECT_EQ(imap_.open, 0U) << "its connection is not kept";
  // Polled meanwhile.
  world_.run_for(3min);
  EXPECT_EQ(run(box(0)), "");
  EXPECT_FALSE(is_watched(box(0)));
  world_.run_for(3min);
  EXPECT_EQ(run(box(0)), "");
  EXPECT_TRUE(is_watched(box(0)));
}

TEST_F(Watched, WhoIsConfiguredOtherwiseIsForgottenAndSaidGoodbyeTo) {
  start(2);
  EXPECT_EQ(run(box(0)), "");
  EXPECT_EQ(run(box(1)), "");
  world_.run_for(1min);
  EXPECT_EQ(imap_.open, 2U);
  engine_->configured({enabled(box(1))});
  world_.run_for(1s);
  EXPECT_FALSE(is_watched(box(0)));
  EXPECT_TRUE(is_watched(box(1)));
  EXPECT_EQ(imap_.open, 1U);
  EXPECT_EQ(imap_.count("LOGOUT"), 1U);
  // A run that was under way when it was taken out is not kept.
  EXPECT_EQ(run(box(0)), "");
  world_.run_for(1s);
  EXPECT_FALSE(is_watched(box(0)));
  EXPECT_EQ(imap_.open, 1U);
}

TEST_F(Watched, NoMoreConnectionsAreKeptThanTheProcessMayHave) {
  start(3, {}, {.most_connections = 2});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(run(box(i)), "");
  world_.run_for(1s);
  EXPECT_EQ(imap_.open, 2U);
  EXPECT_FALSE(is_watched(box(2)));
  EXPECT_EQ(engine_->kept_connections(), 2U);
}

TEST_F(Watched, AStopSaysGoodbyeToAll) {
  start(3);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(run(box(i)), "");
  world_.run_for(1min);
  ASSERT_TRUE(world_.run(engine_->stop()));
  EXPECT_EQ(imap_.count("LOGOUT"), 3U);
  EXPECT_EQ(imap_.open, 0U);
}

TEST_F(Watched, AStopDoesNotWaitForDeadPeers) {
  start(3);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(run(box(i)), "");
  world_.run_for(1min);
  imap_.instead = [](const std::string& tag, const std::string&) -> std::optional<std::string> {
    if (tag == "DONE") return "";
    return std::nullopt;
  };
  const auto began = world_.elapsed();
  ASSERT_TRUE(world_.run(engine_->stop()));
  EXPECT_GE(world_.elapsed() - began, 5s) << "they are dead";
  EXPECT_LE(world_.elapsed() - began, 11s);
}

}  // namespace
}  // namespace syncline::service::testing
