// SPDX-License-Identifier: GPL-3.0-or-later
// When a daemon looks where its mailboxes live, in virtual time; what a look finds is the test's.
#include "service/placement/placement_watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "base/log.hpp"
#include "net/testing/virtual_world.hpp"
#include "service/organisation/apply.hpp"
#include "service/organisation/apply_file.hpp"
#include "service/organisation/mailbox_administration.hpp"
#include "service/organisation/organisation.hpp"
#include "store/placements.hpp"

namespace syncline::service {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::Ge;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::SizeIs;

constexpr int mailboxes = 24;

class PlacementWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    log::set_level(log::Level::off);
    fs::create_directories(folder);
    auto created =
        Organisation::create({.folder = (folder / "contoso").string(), .key = (folder / "key").string()},
                             "Contoso", world.environment().clock, world.environment().random);
    ASSERT_TRUE(created) << created.error().describe();
    organisation = std::move(created->organisation);
    configure("autodiscover = true\n");
    const std::string password("x");
    ASSERT_TRUE(organisation->secrets().put("profile/Basement/password", Secret(password)));
    for (const MailboxAct act : {MailboxAct::approve, MailboxAct::enable}) administer_all(act, all());
  }
  void TearDown() override {
    stop();
    watch.reset();
    organisation.reset();
    fs::remove_all(folder);
  }

  static std::string address(int number) { return "m" + std::to_string(number) + "@contoso.example"; }
  static std::vector<std::string> all() {
    std::vector<std::string> addresses;
    for (int i = 0; i < mailboxes; ++i) addresses.push_back(address(i));
    return addresses;
  }
  void configure(const std::string& more) {
    std::string text =
        "[[profile]]\nname = \"Basement\"\ntype = \"exchange_hybrid\"\nuser_name = "
        "\"service@contoso.example\"\nin_host = \"https://mail.contoso.example/EWS/Exchange.asmx\"\n"
        "out_host = \"https://mail.contoso.example/EWS/Exchange.asmx\"\n" +
        more;
    for (const std::string& one : all())
      text += "[[mailbox]]\naddress = \"" + one + "\"\nprofile = \"Basement\"\nexchange_version = \"2019\"\n";
    std::istringstream input(text);
    auto wanted = read_apply_file(input);
    ASSERT_TRUE(wanted);
    auto outcome = apply(*organisation, *wanted, false, {"test"});
    ASSERT_TRUE(outcome && outcome->applied);
  }
  void administer_all(MailboxAct act, const std::vector<std::string>& addresses) {
    auto outcomes = administer(*organisation, act, addresses, {"test"});
    ASSERT_TRUE(outcomes);
    for (const auto& one : *outcomes) ASSERT_FALSE(one.obstacle) << one.obstacle->message;
  }
  store::MailboxId id_of(const std::string& one) { return organisation->load()->mailboxes.at(one).id; }
  void keep(const std::string& one, bool parked) {
    store::Placement placement{.mailbox = id_of(one), .looked_at = world.now()};
    if (parked) placement.parked_at = world.now();
    ASSERT_TRUE(organisation->store().write<void>(
        [&](store::Transaction& transaction) { return store::put_placement(transaction, placement); }));
  }

  void start(PlacementWatchSettings settings = {}) {
    watch = std::make_unique<PlacementWatch>(
        world.environment(), *organisation, settings,
        [this](std::vector<std::string> addresses) -> Async<std::vector<PlacementResult>> {
          most_at_once = std::max(most_at_once, addresses.size());
          auto slept = co_await world.sleep(2s);
          if (!slept) co_return fail(std::move(slept.error()));
          std::vector<PlacementResult> results;
          for (const std::string& one : addresses) {
            looks[one].push_back(world.now());
            if (fails) continue;
            keep(one, parked.contains(one));
            results.push_back({.address = one});
          }
          if (fails) co_return fail(ErrorDomain::local, "disk", "the disk is full");
          co_return results;
        });
    has_ended = false;
    world.spawn([](PlacementWatchTest& self) -> net::asio::awaitable<void> {
      static_cast<void>(co_await self.watch->run());
      self.has_ended = true;
    }(*this));
  }
  void stop() {
    if (has_ended) return;
    watch->stop();
    world.run_for(10s);
    EXPECT_TRUE(has_ended);
  }
  /// Between two looks for one mailbox.
  std::vector<std::chrono::milliseconds> pauses() {
    std::vector<std::chrono::milliseconds> found;
    for (const auto& [_, times] : looks)
      for (std::size_t i = 1; i < times.size(); ++i) found.push_back(times[i] - times[i - 1]);
    return found;
  }

  fs::path folder = fs::path(::testing::TempDir()) / ("placement-" + system_random().uuid());
  net::testing::VirtualWorld world;
  std::unique_ptr<Organisation> organisation;
  std::unique_ptr<PlacementWatch> watch;
  std::map<std::string, std::vector<SystemTime>> looks;
  std::set<std::string> parked;
  std::size_t most_at_once = 0;
  bool fails = false;
  bool has_ended = true;
};

TEST_F(PlacementWatchTest, LooksForEachMailboxOnceADayAndNeverForAllAtOnce) {
  start();
  world.run_for(6h + 10min);
  EXPECT_THAT(looks, SizeIs(mailboxes)) << "all within the first hours";
  world.run_for(72h - 6h);
  EXPECT_THAT(pauses(), Each(AllOf(Ge(21h), Le(27h))));
  for (const auto& [_, times] : looks) EXPECT_THAT(times.size(), AllOf(Ge(3u), Le(4u)));
  EXPECT_LE(most_at_once, 6u);
}

TEST_F(PlacementWatchTest, ARestartRepeatsNothingAndAfterALongRestThereIsNoBurst) {
  start();
  for (int i = 0; i < 10; ++i) {
    world.run_for(5h);
    stop();
    start();
  }
  EXPECT_THAT(pauses(), Each(Ge(21h)));
  stop();
  world.run_for(240h);
  most_at_once = 0;
  start();
  world.run_for(6h + 10min);
  EXPECT_LE(most_at_once, 6u);
  for (const auto& [one, times] : looks) EXPECT_GE(times.back(), world.now() - 7h) << one;
}

TEST_F(PlacementWatchTest, WhoIsParkedIsLookedForHourlyAndWhoAPersonDisabledIsNot) {
  administer_all(MailboxAct::disable, {address(0), address(1)});
  parked.insert(address(0));
  keep(address(0), true);
  start();
  world.run_for(12h);
  EXPECT_THAT(looks[address(0)].size(), AllOf(Ge(10u), Le(13u)));
  EXPECT_THAT(looks[address(1)], IsEmpty());
  // Somebody gave it another profile: it goes on, and is one of many again.
  parked.clear();
  administer_all(MailboxAct::enable, {address(0)});
  world.run_for(2h);
  looks.clear();
  world.run_for(20h);
  EXPECT_LE(looks[address(0)].size(), 1u);
}

TEST_F(PlacementWatchTest, NobodyIsLookedForWithoutAutodiscoverOrWithoutAnInterval) {
  start({.every = 0ms});
  world.run_for(48h);
  EXPECT_TRUE(has_ended);
  configure("autodiscover = false\n");
  start();
  world.run_for(48h);
  EXPECT_THAT(looks, IsEmpty());
}

TEST_F(PlacementWatchTest, WhatCouldNotBeAskedIsAskedAgainAfterAnHour) {
  fails = true;
  start();
  world.run_for(12h);
  fails = false;
  EXPECT_THAT(looks, SizeIs(mailboxes));
  EXPECT_THAT(pauses(), Each(AllOf(Ge(59min), Le(70min))));
  looks.clear();
  world.run_for(2h);
  EXPECT_THAT(looks, SizeIs(mailboxes));
}

TEST_F(PlacementWatchTest, ShorterIntervalsAreSpreadInProportion) {
  const auto settings = PlacementWatchSettings::of_interval(2h);
  EXPECT_EQ(settings.first_within, 30min);
  EXPECT_EQ(settings.again_after, 1h);
  start(settings);
  world.run_for(40min);
  EXPECT_THAT(looks, SizeIs(mailboxes));
}

}  // namespace
}  // namespace syncline::service
