// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "net/budget.hpp"
#include "net/testing/virtual_world.hpp"

namespace syncline::net::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Worker {
  BudgetKind kind;
  milliseconds start;
  milliseconds work;
};

asio::awaitable<void> work(VirtualWorld& world, Budget& budget, Worker worker, std::vector<int>* order,
                           int number, std::function<void(const Budget::Metrics&)> check) {
  static_cast<void>(co_await world.sleep(worker.start));
  auto token = co_await budget.acquire(worker.kind);
  if (!token) co_return;
  if (order) order->push_back(number);
  check(budget.metrics());
  static_cast<void>(co_await world.sleep(worker.work));
}

TEST(Budget, TokensGoInTheOrderOfAskingAndNeverOverTheLimit) {
  VirtualWorld world;
  Budget budget(world.environment(), {.requests = 2, .sync_calls = 1, .hanging = 1});
  std::vector<int> order;
  for (int i = 0; i < 10; ++i) {
    world.spawn(work(world, budget, {BudgetKind::request, milliseconds(i), milliseconds(100)}, &order, i,
                     [](const Budget::Metrics& metrics) { EXPECT_LE(metrics.requests, 2u); }));
  }
  EXPECT_TRUE(world.run_until_quiet());
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(budget.metrics().requests, 0u);
  EXPECT_EQ(budget.metrics().waiting, 0u);
}

TEST(Budget, Invariant27AHintStopsAllWaitersAndNothingLeavesInTheWindow) {
  VirtualWorld world;
  Budget budget(world.environment(), {.requests = 3});
  int inside = 0;
  int after = 0;
  for (int i = 0; i < 40; ++i) {
    world.spawn(work(world, budget, {BudgetKind::request, milliseconds(10 * i), milliseconds(50)}, nullptr, i,
                     [&](const Budget::Metrics&) {
                       const auto now = world.elapsed();
                       if (now >= seconds(0) + milliseconds(105) && now < seconds(300)) ++inside;
                       if (now >= seconds(300)) ++after;
                     }));
  }
  world.run_for(milliseconds(105));
  budget.pause_until(world.environment().clock.steady_now() + seconds(60));
  world.run_for(seconds(10));
  EXPECT_GT(budget.metrics().waiting, 20u);
  budget.pause_for(seconds(300));  // longer
  budget.pause_for(seconds(1));    // a shorter hint changes nothing
  ASSERT_TRUE(budget.metrics().paused_until);
  EXPECT_TRUE(world.run_until_quiet());
  EXPECT_EQ(inside, 0);
  EXPECT_GT(after, 20);
  EXPECT_EQ(budget.metrics().throttled_total, seconds(310));
  EXPECT_EQ(budget.metrics().pauses, 2u);
  EXPECT_FALSE(budget.metrics().paused_until);
}

TEST(Budget, ATokenGrantedAsThePauseBeginsWaitsItOut) {
  VirtualWorld world;
  Budget budget(world.environment(), {.requests = 1});
  auto test = [&]() -> Async<void> {
    auto first = co_await budget.acquire(BudgetKind::request);
    bool second_went = false;
    auto second = [](VirtualWorld& w, Budget& b, bool& went) -> asio::awaitable<void> {
      auto token = co_await b.acquire(BudgetKind::request);
      went = true;
      EXPECT_GE(w.elapsed(), seconds(30));
    };
    world.spawn(second(world, budget, second_went));
    static_cast<void>(co_await world.sleep(milliseconds(1)));
    first->release();               // grants, the waiter is not resumed yet
    budget.pause_for(seconds(30));  // and here comes the hint
    static_cast<void>(co_await world.sleep(seconds(60)));
    EXPECT_TRUE(second_went);
    co_return Result<void>{};
  };
  EXPECT_TRUE(world.run(test()));
}

TEST(Budget, RandomUseWithCancellationsLosesNoTokenAndWakesEverybody) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    VirtualWorld world(seed);
    SeededRandom random(seed);
    const BudgetLimits limits{1 + random.below(3), 1 + random.below(2), 1 + random.below(2)};
    Budget budget(world.environment(), limits);
    int ended = 0;
    constexpr int workers = 40;
    std::vector<std::unique_ptr<asio::cancellation_signal>> signals;
    const auto check = [&](const Budget::Metrics& metrics) {
      EXPECT_LE(metrics.requests, limits.requests);
      EXPECT_LE(metrics.sync_calls, limits.sync_calls);
      EXPECT_LE(metrics.hanging, limits.hanging);
    };
    for (int i = 0; i < workers; ++i) {
      signals.push_back(std::make_unique<asio::cancellation_signal>());
      auto one = [](VirtualWorld& w, Budget& b, Worker how, auto checked,
                    bool nested) -> asio::awaitable<void> {
        auto slept = co_await w.sleep(how.start);
        if (!slept) co_return;
        auto token = co_await b.acquire(how.kind);
        if (!token) co_return;
        checked(b.metrics());
        slept = co_await w.sleep(how.work);
        if (!slept) co_return;
        // whoever holds a hanging connection may issue requests.
        if (nested && how.kind == BudgetKind::hanging) {
          auto inner = co_await b.acquire(BudgetKind::sync_call);
          if (!inner) co_return;
          checked(b.metrics());
          static_cast<void>(co_await w.sleep(how.work));
        }
      };
      const Worker how{static_cast<BudgetKind>(random.below(3)), milliseconds(random.below(500)),
                       milliseconds(random.below(300))};
      asio::co_spawn(
          world.executor(), one(world, budget, how, check, random.below(2) == 0),
          asio::bind_cancellation_slot(signals.back()->slot(), [&ended](std::exception_ptr) { ++ended; }));
    }
    for (int step = 0; step < 60; ++step) {
      world.run_for(milliseconds(random.below(40)));
      if (random.below(3) == 0) signals[random.below(workers)]->emit(asio::cancellation_type::all);
      if (random.below(10) == 0) budget.pause_for(milliseconds(random.below(400)));
    }
    EXPECT_TRUE(world.run_until_quiet());
    EXPECT_EQ(ended, workers) << "seed " << seed;
    const auto metrics = budget.metrics();
    EXPECT_EQ(metrics.requests + metrics.sync_calls + metrics.hanging + metrics.waiting, 0u)
        << "seed " << seed;
  }
}

}  // namespace
}  // namespace syncline::net::testing
