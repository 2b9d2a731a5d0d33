// SPDX-License-Identifier: GPL-3.0-or-later
// How many connections there are to a mail host (invariant 27), and what a profile says of them.
#include "mail_engine_world.hpp"
#include "service/engine/connection_places.hpp"

namespace syncline::service::testing {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using Place = ConnectionPlaces::Place;

struct Row : ::testing::Test {
  /// Whoever still waits is served while there is something to be noted in.
  ~Row() override {
    while (!held.empty()) {
      held.pop_front();
      world.run_for(1s);
    }
  }
  net::asio::awaitable<void> want(int who, std::size_t most) {
    auto place = co_await places->take(most);
    EXPECT_TRUE(place);
    in_order.push_back(who);
    held.push_back(std::move(*place));
  }
  net::testing::VirtualWorld world;
  std::shared_ptr<ConnectionPlaces> places = std::make_shared<ConnectionPlaces>(world.executor());
  std::vector<int> in_order;
  std::list<Place> held;
};

TEST_F(Row, WhoeverIsOneTooManyWaitsAndThoseWhoWaitComeInTheirOrder) {
  for (int who = 0; who < 5; ++who) world.spawn(want(who, 2));
  world.run_for(1s);
  EXPECT_EQ(in_order, (std::vector<int>{0, 1}));
  EXPECT_EQ(places->waiting(), 3U);
  EXPECT_FALSE(places->try_take(3)) << "others came before";
  for (int i = 0; i < 3; ++i) {
    held.pop_front();
    world.run_for(1s);
    EXPECT_EQ(places->taken(), 2U);
  }
  EXPECT_EQ(in_order, (std::vector<int>{0, 1, 2, 3, 4}));
  held.clear();
  EXPECT_EQ(places->taken(), 0U);
  EXPECT_TRUE(places->try_take(1));
}

TEST_F(Row, WhoHoldsAPlaceForNothingIsToldOnce) {
  auto idle = places->try_take(1);
  ASSERT_TRUE(idle);
  int told = 0;
  idle->when_wanted([&] { ++told; });
  EXPECT_FALSE(idle->is_wanted());
  world.spawn(want(0, 1));
  world.spawn(want(1, 1));
  world.run_for(1s);
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(idle->is_wanted());
  idle.reset();
  world.run_for(1s);
  EXPECT_EQ(in_order, std::vector<int>{0});
}

class Counted : public MailEngine {
 protected:
  /// Runs of all mailboxes at once. Each takes a while.
  void run_all(int count) {
    imap_.instead = [this](const std::string&, const std::string& command) -> std::optional<std::string> {
      if (command.starts_with("LIST")) most_at_once_ = std::max(most_at_once_, imap_.open);
      return std::nullopt;
    };
    codes_.resize(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) world_.spawn(noted_run(box(i), codes_[static_cast<std::size_t>(i)]));
    world_.run_for(1min);
    for (const auto& code : codes_) EXPECT_EQ(code, "");
  }
  std::uint64_t most_at_once_ = 0;
  std::vector<std::optional<std::string>> codes_;
};

TEST_F(Counted, AProfileThatHoldsTheCredentialsHasNoMoreConnectionsThanItSays) {
  start(6, "auth_in = \"profile_credentials\"\nuser_name = \"svc@example.test\"\nmax_conn = 2\n");
  inbox().add(message(1));
  run_all(6);
  EXPECT_EQ(imap_.connections, 6U);
  EXPECT_EQ(imap_.most_open, 2U);
  EXPECT_EQ(imap_.open, 0U) << "none of them is kept for IDLE";
}

TEST_F(Counted, WithoutAWordItIsTen) {
  start(12, "auth_in = \"profile_credentials\"\nuser_name = \"svc@example.test\"\n");
  run_all(12);
  EXPECT_LE(imap_.most_open, 10U);
  EXPECT_GE(imap_.most_open, 3U) << "they do run at once";
}

TEST_F(Counted, MailboxesWithCredentialsOfTheirOwnAreCountedEachForItself) {
  start(4, "max_conn = 1\n");
  run_all(4);
  EXPECT_EQ(imap_.open, 4U) << "kept for IDLE";
}

TEST_F(Counted, ATestBesideTheRunsWaitsForOneToEnd) {
  start(1, "auth_in = \"profile_credentials\"\nuser_name = \"svc@example.test\"\nmax_conn = 1\n");
  std::optional<std::string> tested;
  imap_.instead = [&](const std::string&, const std::string& command) -> std::optional<std::string> {
    // In the midst of the run.
    if (command.starts_with("SELECT") && !tested) {
      tested = "waits";
      world_.spawn([](Counted& self, std::optional<std::string>& noted) -> net::asio::awaitable<void> {
        auto connection = co_await self.connect_for_test(box(0));
        EXPECT_TRUE(connection) << connection.error().describe();
        auto folders = co_await (*connection)->driver().folders();
        noted = folders ? "" : folders.error().code;
        static_cast<void>(co_await (*connection)->close());
      }(*this, tested));
    }
    return std::nullopt;
  };
  EXPECT_EQ(run(box(0)), "");
  world_.run_for(1min);
  EXPECT_EQ(tested, "");
  EXPECT_EQ(imap_.connections, 2U);
  EXPECT_EQ(imap_.most_open, 1U);
}

TEST_F(Counted, AConnectionThatOnlyWaitsForMailMakesRoomForATest) {
  start(1, "max_conn = 1\n");
  EXPECT_EQ(run(box(0)), "");
  world_.run_for(1min);
  ASSERT_TRUE(is_watched(box(0)));
  {
    auto connection = world_.run(connect_for_test(box(0)));
    ASSERT_TRUE(connection) << connection.error().describe();
    ASSERT_TRUE(world_.run((*connection)->driver().folders()));
    EXPECT_FALSE(is_watched(box(0)));
    // The mailbox's next run waits for the test.
    std::optional<std::string> code;
    world_.spawn(noted_run(box(0), code));
    world_.run_for(1min);
    EXPECT_EQ(code, std::nullopt);
    ASSERT_TRUE(world_.run((*connection)->close()));
    connection->reset();
    world_.run_for(1min);
    EXPECT_EQ(code, "");
  }
  EXPECT_EQ(imap_.most_open, 1U);
  EXPECT_TRUE(is_watched(box(0))) << "and is watched again";
}

TEST_F(Counted, SendersOfOneCredentialTakeTurnsAndEachHasItsSession) {
  start(2,
        "auth_in = \"profile_credentials\"\nuser_name = \"svc@example.test\"\nmax_conn = 1\n"
        "auth_out = \"mailbox_credentials\"\nsame_settings_for_outgoing = false\n");
  auto first = world_.run(connect_for_test(box(0)));
  ASSERT_TRUE(first) << first.error().describe();
  std::size_t done = 0;
  for (int i = 0; i < 2; ++i)
    world_.spawn([](Counted& self, MailboxConnection& by, std::string id,
                    std::size_t& ended) -> net::asio::awaitable<void> {
      auto sent = co_await self.send(by, std::move(id));
      EXPECT_TRUE(sent) << sent.error().describe();
      ++ended;
    }(*this, **first, "op-" + std::to_string(i), done));
  world_.run_for(5min);
  EXPECT_EQ(done, 2U);
  EXPECT_EQ(smtp_.taken.size(), 2U);
  EXPECT_EQ(smtp_.connections, 1U) << "the second one waits for the first one's session";
}

TEST_F(Counted, TestsAndWhatComesAfterAChangeCountOnTheSameBudgets) {
  start(1);
  const std::shared_ptr<Connections>& now = engine_->connections();
  const auto places = now->places_of("imap://imap.example.test:143", "anna");
  EXPECT_EQ(now->successor()->places_of("imap://imap.example.test:143", "anna"), places);
  const auto apart = now->apart([](std::unique_ptr<net::SystemEnvironment> inner) { return inner; });
  EXPECT_EQ(apart->places_of("imap://imap.example.test:143", "anna"), places);
  EXPECT_NE(apart->places_of("imap://imap.example.test:143", "ben"), places);
  const model::Profile& profile = enabled(box(0))->profile();
  auto network = now->network_of(profile);
  ASSERT_TRUE(network);
  auto other = apart->network_of(profile);
  ASSERT_TRUE(other);
  EXPECT_NE(*network, *other);
  const Connections::Counted anna{.account = "anna@mail.example.test", .impersonated = {}};
  const Connections::Counted ben{.account = "ben@mail.example.test", .impersonated = {}};
  EXPECT_EQ(now->budgets_of(anna, **network, profile), apart->budgets_of(anna, **other, profile));
  // Also where the test was first.
  EXPECT_EQ(apart->budgets_of(ben, **other, profile), now->budgets_of(ben, **network, profile));
}

/// Exchange counts each mailbox for itself; the profile's maximum holds for its account.
TEST_F(Counted, MailboxesThatOneAccountImpersonatesTogetherMakeNoMoreRequestsThanTheProfileAllows) {
  start(1, "max_conn = 2\n");
  const std::shared_ptr<Connections>& before = engine_->connections();
  const std::shared_ptr<Connections> now = before->successor();
  const model::Profile& profile = enabled(box(0))->profile();
  std::vector<ews::CredentialBudgets::Permit> held;
  std::vector<std::string> asked;
  const auto ask = [&](const std::shared_ptr<Connections>& by, std::string address,
                       ews::OperationKind kind) -> net::asio::awaitable<void> {
    auto network = by->network_of(profile);
    const auto budgets =
        by->budgets_of({.account = "svc@mail.example.test", .impersonated = address}, **network, profile);
    auto permit = co_await budgets->acquire(kind);
    EXPECT_TRUE(permit);
    asked.push_back(address);
    held.push_back(std::move(*permit));
  };
  world_.spawn(ask(before, "a", ews::OperationKind::read));
  world_.spawn(ask(now, "b", ews::OperationKind::sync));
  world_.spawn(ask(now, "c", ews::OperationKind::write));
  world_.spawn(ask(before, "d", ews::OperationKind::hanging));
  world_.run_for(1min);
  EXPECT_EQ(asked, (std::vector<std::string>{"a", "b", "d"}));
  EXPECT_EQ(now->use().waiting, 1U);

  // Whoever is told to wait leaves its place to the others.
  Error busy{.domain = ErrorDomain::ews, .code = "ErrorServerBusy", .retry = RetryClass::after};
  busy.retry_after = 5min;
  auto network = now->network_of(profile);
  now->budgets_of({.account = "svc@mail.example.test", .impersonated = "c"}, **network, profile)
      ->busy(busy, ews::OperationKind::write);
  world_.spawn(ask(now, "e", ews::OperationKind::read));
  held.clear();
  world_.run_for(1min);
  EXPECT_EQ(asked.back(), "e");
  held.clear();
  world_.run_for(5min);
  EXPECT_EQ(asked, (std::vector<std::string>{"a", "b", "d", "e", "c"}));
}

// --- what else a profile says ---

TEST_F(Counted, AMailHostIsAskedToCompressWhereTheProfileSaysSo) {
  imap_.more_capabilities = " COMPRESS=DEFLATE";
  imap_.instead = [](const std::string& tag, const std::string& command) -> std::optional<std::string> {
    if (command.starts_with("COMPRESS")) return tag + " NO not now\r\n";
    return std::nullopt;
  };
  start(1, "compress = true\n");
  EXPECT_EQ(run(box(0)), "");
  EXPECT_EQ(imap_.count("COMPRESS DEFLATE"), 1U);
}

TEST_F(Counted, WithoutAWordItIsNotAskedToCompress) {
  imap_.more_capabilities = " COMPRESS=DEFLATE";
  start(1);
  EXPECT_EQ(run(box(0)), "");
  EXPECT_EQ(imap_.count("COMPRESS"), 0U);
}

class Patience : public MailEngine {
 protected:
  /// How long it takes until a message to a submission server that says nothing more has failed.
  milliseconds until_sending_fails() {
    auto connection = world_.run(connect_for_test(box(0)));
    if (!connection) ADD_FAILURE() << connection.error().describe();
    const milliseconds began = world_.elapsed();
    auto sent = world_.run(send(**connection));
    EXPECT_FALSE(sent);
    return world_.elapsed() - began;
  }
};

TEST_F(Patience, OfSubmissionServersThatDoNotGreetIsTheProfiles) {
  smtp_.greeting = "";
  start(1, "timeout_ms = 2000\n");
  EXPECT_EQ(until_sending_fails(), 2000ms);
}

TEST_F(Patience, OfSubmissionServersThatDoNotAnswerACommandIsTheProfiles) {
  smtp_.instead = [](const std::string& line, std::size_t) -> std::optional<std::string> {
    if (line.starts_with("EHLO")) return "";
    return std::nullopt;
  };
  start(1, "timeout_ms = 2000\n");
  EXPECT_EQ(until_sending_fails(), 2000ms);
}

TEST_F(Patience, OfHostsThatCannotBeReachedIsTheProfiles) {
  net::testing::VirtualEndpoint nowhere;
  nowhere.hangs = true;
  world_.listen("mail.example.test", smtp_port, nowhere, [](net::StreamPtr, const std::string&) {});
  world_.listen("imap.example.test", imap_port, nowhere, [](net::StreamPtr, const std::string&) {});
  start(1, "timeout_ms = 2000\n");
  EXPECT_EQ(until_sending_fails(), 2000ms);
  const milliseconds began = world_.elapsed();
  EXPECT_NE(run(box(0)), "");
  EXPECT_EQ(world_.elapsed() - began, 2000ms);
}

TEST_F(Patience, ZeroIsNoWordOfTheProfile) {
  smtp_.greeting = "";
  start(1, "timeout_ms = 0\n");
  EXPECT_EQ(until_sending_fails(), 2min);
}

}  // namespace
}  // namespace syncline::service::testing
