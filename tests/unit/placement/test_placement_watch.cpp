// SPDX-License-Identifier: GPL-3.0-or-later
// When a daemon looks where its mailboxes live, in virtual time; what a look finds is the test's.
#include "service/placement/placement_watch.hpp"

#include <map>
#include <set>

#include "placement_fixture.hpp"

namespace syncline::service {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::Ge;
using ::testing::IsEmpty;
using ::testing::Le;
using testing::mailboxes;
using ::testing::SizeIs;

class PlacementWatchTest : public testing::PlacementFixture {
 protected:
  void TearDown() override {
    stop();
    watch.reset();
    PlacementFixture::TearDown();
  }

  void keep_found(const std::string& one, bool is_parked) {
    store::Placement placement{.mailbox = id_of(one), .looked_at = world.now()};
    if (is_parked) placement.parked_at = world.now();
    keep(placement);
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
            keep_found(one, parked.contains(one));
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
  keep_found(address(0), true);
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
