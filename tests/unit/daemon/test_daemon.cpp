// SPDX-License-Identifier: GPL-3.0-or-later
// The daemon over a real organisation, in virtual time; what a run does is the test's.
#include "service/daemon/daemon.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "net/testing/virtual_world.hpp"
#include "service/organisation/apply.hpp"
#include "service/organisation/apply_file.hpp"
#include "service/organisation/mailbox_administration.hpp"
#include "service/organisation/organisation.hpp"
#include "store/configuration.hpp"
#include "store/journal.hpp"
#include "store/records.hpp"

namespace syncline::service {
namespace {

namespace fs = std::filesystem;
using std::chrono::minutes;
using std::chrono::seconds;

class DaemonTest : public testing::Test {
 protected:
  void SetUp() override {
    OrganisationOptions options;
    options.folder = (folder / "contoso").string();
    options.key = (folder / "key").string();
    fs::create_directories(folder);
    auto created =
        Organisation::create(options, "Contoso", world.environment().clock, world.environment().random);
    ASSERT_TRUE(created) << created.error().describe();
    organisation = std::move(created->organisation);
    add_mailboxes(4);
  }
  void TearDown() override {
    organisation.reset();
    fs::remove_all(folder);
  }

  static std::string address(int number) { return "m" + std::to_string(number) + "@contoso.example"; }

  void add_mailboxes(int count) {
    std::string text =
        "[[profile]]\nname = \"Basement\"\ntype = \"exchange_hybrid\"\nautodiscover = false\n"
        "in_host = \"https://mail.contoso.example/EWS/Exchange.asmx\"\n"
        "out_host = \"https://mail.contoso.example/EWS/Exchange.asmx\"\nuser_name = "
        "\"service@contoso.example\"\n"
        "min_poll = 5\n";
    std::vector<std::string> addresses;
    for (int i = 0; i < count; ++i) {
      addresses.push_back(address(i));
      text += "[[mailbox]]\naddress = \"" + addresses.back() +
              "\"\nprofile = \"Basement\"\nexchange_version = \"2019\"\n";
    }
    std::istringstream input(text);
    auto wanted = read_apply_file(input);
    ASSERT_TRUE(wanted);
    auto outcome = apply(*organisation, *wanted, false, {"test"});
    ASSERT_TRUE(outcome && outcome->applied);
    ASSERT_TRUE(organisation->secrets().put("profile/Basement/password", Secret(std::string_view("x"))));
    for (const MailboxAct act : {MailboxAct::approve, MailboxAct::enable}) administer_all(act, addresses);
  }
  void administer_all(MailboxAct act, const std::vector<std::string>& addresses) {
    auto outcomes = administer(*organisation, act, addresses, {"test"});
    ASSERT_TRUE(outcomes);
    for (const auto& one : *outcomes) ASSERT_FALSE(one.obstacle) << one.obstacle->message;
  }

  Daemon::Work work() {
    Daemon::Work work;
    work.run = [this](const EnabledMailbox& mailbox) -> net::Async<sync::MailboxSummary> {
      const std::string who = mailbox.address();
      ++runs[who];
      ++at_once;
      most_at_once = std::max(most_at_once, at_once);
      auto slept = co_await world.sleep(run_takes);
      --at_once;
      if (!slept) co_return fail(std::move(slept.error()));
      if (error) co_return fail(*error);
      sync::MailboxSummary done{.requests = 3};
      if (waits_for && runs[who] == 1) done.next_attempt = world.environment().clock.now() + *waits_for;
      co_return done;
    };
    work.renew = [this](const std::vector<store::AuditEntry>&) { ++renewed; };
    return work;
  }

  void start(DaemonSettings settings = {}) {
    daemon.emplace(world.environment(), *organisation, settings, work());
    world.spawn([](DaemonTest& self) -> net::asio::awaitable<void> {
      self.ended.emplace(co_await self.daemon->run());
    }(*this));
  }
  void end() {
    daemon->stop();
    world.run_for(minutes(2));
    ASSERT_TRUE(ended);
  }

  net::testing::VirtualWorld world;
  fs::path folder = fs::path(testing::TempDir()) / ("daemon-" + system_random().uuid());
  std::unique_ptr<Organisation> organisation;
  std::optional<Daemon> daemon;
  std::optional<Result<void>> ended;
  std::map<std::string, int> runs;
  std::optional<Error> error;
  std::optional<std::chrono::milliseconds> waits_for;  ///< what the first run of each leaves to do
  std::chrono::milliseconds run_takes = seconds(2);
  int at_once = 0;
  int most_at_once = 0;
  int renewed = 0;
};

TEST_F(DaemonTest, EveryEnabledMailboxRunsAtItsInterval) {
  start();
  world.run_for(minutes(61));
  EXPECT_TRUE(daemon->is_ready());
  ASSERT_EQ(runs.size(), 4u);
  for (const auto& [who, count] : runs) {
    EXPECT_GE(count, 10) << who;
    EXPECT_LE(count, 14) << who;
  }
  EXPECT_EQ(daemon->totals().failed_runs, 0u);
  EXPECT_EQ(daemon->totals().requests, 3 * daemon->totals().runs);
  end();
  EXPECT_TRUE(*ended) << ended->error().describe();
}

TEST_F(DaemonTest, WhatARunLeftToDoIsDoneWhenItMayBe) {
  waits_for = seconds(60);
  start();
  world.run_for(minutes(3));
  for (const auto& [who, count] : runs) EXPECT_EQ(count, 2) << who << ": polled every five minutes only";
  end();
}

TEST_F(DaemonTest, WhatMailHostsPutOffIsCountedAsTheTimeTheyHoldUsBack) {
  error = Error{.domain = ErrorDomain::mail, .code = "temporary", .retry = RetryClass::after};
  start();
  world.run_for(minutes(30));
  EXPECT_EQ(daemon->held_back(), std::chrono::milliseconds(0)) << "out of order, which asks for nothing";
  error->code = "THROTTLED";
  error->retry_after = minutes(10);
  world.run_for(minutes(60));
  const std::chrono::milliseconds held = daemon->held_back();
  EXPECT_GT(held, 4 * minutes(50));
  EXPECT_LT(held, 4 * minutes(60)) << "the runs between the pauses are no pause";
  error.reset();
  world.run_for(minutes(20));
  const std::chrono::milliseconds after = daemon->held_back();
  EXPECT_LT(after, held + 4 * minutes(10));
  world.run_for(minutes(60));
  EXPECT_EQ(daemon->held_back(), after);
  end();
}

TEST_F(DaemonTest, ARecordThatChangesGoesOutWithinSeconds) {
  start();
  world.run_for(minutes(30));
  const int before = runs[address(2)];
  const int others = runs[address(1)];
  auto added = organisation->store().write<model::Record>([](store::Transaction& transaction) {
    return store::insert_record(transaction, {.kind = model::RecordKind::contact,
                                              .owner = "m2@contoso.example",
                                              .fields = {{"givenName", "Ana"}}});
  });
  ASSERT_TRUE(added);
  // An own run of the interval may fall into these seconds, too.
  world.run_for(seconds(4));
  EXPECT_GE(runs[address(2)], before + 1);
  EXPECT_LE(runs[address(1)], others + 1);
  end();
}

TEST_F(DaemonTest, WhatAnAdministratorDoesHoldsAtOnce) {
  start();
  world.run_for(minutes(10));
  administer_all(MailboxAct::disable, {address(0)});
  world.run_for(seconds(5));
  const int before = runs[address(0)];
  world.run_for(minutes(30));
  EXPECT_EQ(runs[address(0)], before);
  EXPECT_EQ(daemon->turns().size(), 3u);
  EXPECT_GE(renewed, 1);
  administer_all(MailboxAct::enable, {address(0)});
  world.run_for(minutes(7));
  EXPECT_GT(runs[address(0)], before);
  end();
}

TEST_F(DaemonTest, ANewPasswordIsTriedAtOnce) {
  error = Error{.domain = ErrorDomain::http, .code = "unauthorized", .retry = RetryClass::reauthenticate};
  start();
  world.run_for(std::chrono::hours(5));
  EXPECT_EQ(daemon->totals().failed_runs, daemon->totals().runs);
  error.reset();
  const auto before = daemon->totals().runs;
  // Setting a secret is an act that the audit keeps.
  auto acted = organisation->store().write<void>([](store::Transaction& transaction) {
    return store::append_audit(transaction,
                               {.who = "test", .act = "set-secret", .object = "profile Basement"});
  });
  ASSERT_TRUE(acted);
  world.run_for(seconds(10));
  EXPECT_EQ(daemon->totals().runs, before + 4);
  for (const MailboxTurn& turn : daemon->turns()) EXPECT_FALSE(turn.is_failing) << turn.address;
  end();
}

TEST_F(DaemonTest, NoMoreRunAtOnceThanTheSettingSays) {
  run_takes = minutes(3);
  start({.mailboxes_at_once = 2});
  world.run_for(minutes(60));
  EXPECT_EQ(most_at_once, 2);
  for (int i = 0; i < 4; ++i) EXPECT_GE(runs[address(i)], 5) << "fairness";
  end();
}

TEST_F(DaemonTest, AStopWaitsForWhatIsAtWorkAndThenCutsItOff) {
  run_takes = seconds(10);
  start();
  world.run_for(minutes(20));
  while (daemon->running() == 0) world.run_for(seconds(1));
  daemon->stop();
  EXPECT_FALSE(daemon->is_ready());
  world.run_for(seconds(12));
  ASSERT_TRUE(ended) << "it had only to wait";
  EXPECT_EQ(daemon->totals().failed_runs, 0u);

  ended.reset();
  run_takes = std::chrono::hours(2);
  start();
  world.run_for(minutes(20));
  ASSERT_EQ(daemon->running(), 4u);
  daemon->stop();
  world.run_for(seconds(10));
  EXPECT_FALSE(ended);
  world.run_for(seconds(15));
  ASSERT_TRUE(ended) << "its patience is twenty seconds";
  EXPECT_EQ(at_once, 0);
}

TEST_F(DaemonTest, AfterARestartAMailboxIsAsFarBehindAsItWasBefore) {
  auto stored = organisation->load();
  ASSERT_TRUE(stored);
  const auto at = (world.now() - std::chrono::hours(7)).time_since_epoch();
  const std::string since = std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(at).count());
  auto put = organisation->store().write<void>([&](store::Transaction& transaction) -> Result<void> {
    for (const auto& [who, state] :
         {std::pair(address(0), R"({"outcome":"failed","succeededAt":)" + since + "}"),
          std::pair(address(1), std::string(R"({"succeededAt":"yesterday"})")),
          std::pair(address(2), std::string("["))})
      if (auto done = store::put_mailbox_state(transaction, stored->mailboxes.at(who).id, state); !done)
        return done;
    return {};
  });
  ASSERT_TRUE(put);
  error = Error{.domain = ErrorDomain::net, .code = "connection-refused", .retry = RetryClass::after};
  start();
  world.run_for(minutes(6));
  for (const MailboxTurn& turn : daemon->turns()) {
    EXPECT_TRUE(turn.has_run || turn.waits_for_server) << turn.address;
    ASSERT_EQ(turn.last_success.has_value(), turn.address == address(0)) << turn.address;
    if (turn.last_success) {
      EXPECT_EQ(world.environment().clock.steady_now() - *turn.last_success,
                std::chrono::hours(7) + minutes(6));
    }
  }
  end();
}

TEST_F(DaemonTest, WhatARunHadDoneBeforeItFailedIsCounted) {
  error = Error{.domain = ErrorDomain::ews, .code = "ErrorServerBusy", .retry = RetryClass::after};
  start();
  sync::MailboxSummary done{.requests = 7};
  done.of(model::RecordKind::email).came = 128;
  daemon->count_work(done);
  EXPECT_EQ(daemon->totals().requests, 7u);
  EXPECT_EQ(daemon->totals().kinds[static_cast<std::size_t>(model::RecordKind::email)].came, 128u);
  end();
}

TEST_F(DaemonTest, AStoreThatIsDamagedEndsItWithThatError) {
  start();
  error = Error{.domain = ErrorDomain::local, .code = "store-damaged", .retry = RetryClass::never};
  world.run_for(minutes(10));
  ASSERT_TRUE(ended);
  ASSERT_FALSE(*ended);
  EXPECT_EQ(ended->error().code, "store-damaged");
}

TEST_F(DaemonTest, AFullDiskPasses) {
  start();
  error = Error{.domain = ErrorDomain::local, .code = "disk-full", .retry = RetryClass::after};
  world.run_for(minutes(60));
  EXPECT_FALSE(ended);
  error.reset();
  world.run_for(minutes(35));
  for (const MailboxTurn& turn : daemon->turns()) EXPECT_FALSE(turn.is_failing) << turn.address;
  end();
}

}  // namespace
}  // namespace syncline::service
