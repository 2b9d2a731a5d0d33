// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/daemon/schedule.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>

namespace syncline::service {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::IsEmpty;

constexpr minutes interval{5};

Error unreachable() {
  return {.domain = ErrorDomain::net, .code = "connection-refused", .retry = RetryClass::after};
}
Error wrong_password() {
  return {.domain = ErrorDomain::http,
          .code = "unauthorized",
          .retry = RetryClass::reauthenticate,
          .http_status = 401};
}

class ScheduleTest : public ::testing::Test {
 protected:
  void put(const std::string& address, const std::string& server = "mail.example") {
    schedule.put(address, {.server = server, .interval = interval}, interval, now);
  }
  /// Runs whatever is due, at each second until `end`; `outcome`: of each run.
  void live_until(SteadyTime end, const std::function<std::optional<Error>(const std::string&)>& outcome) {
    for (; now < end; now += seconds(1))
      while (const auto address = schedule.take(now)) {
        ++runs[*address];
        tries.push_back({*address, now});
        schedule.finished(*address, now, outcome(*address));
      }
  }
  MailboxTurn turn(const std::string& address) {
    for (const MailboxTurn& one : schedule.turns())
      if (one.address == address) return one;
    return {};
  }

  SeededRandom random{5};
  Schedule schedule{{}, random};
  SteadyTime now{std::chrono::hours(1)};
  std::map<std::string, int> runs;
  std::vector<std::pair<std::string, SteadyTime>> tries;
};

TEST_F(ScheduleTest, AStartIsNoStormAndNobodyIsForgotten) {
  for (int i = 0; i < 300; ++i) put("m" + std::to_string(i));
  const SteadyTime began = now;
  live_until(began + minutes(51), [](const std::string&) { return std::nullopt; });
  ASSERT_EQ(runs.size(), 300u);
  for (const auto& [address, count] : runs) {
    EXPECT_GE(count, 9) << address;
    EXPECT_LE(count, 12) << address;
  }
  // One mailbox a second on average: no second sees a crowd.
  std::map<SteadyTime, int> crowd;
  for (const auto& [_, at] : tries) ++crowd[at];
  for (const auto& [_, count] : crowd) EXPECT_LE(count, 12);
}

TEST_F(ScheduleTest, WhoHasWaitedLongestIsNext) {
  put("a");
  put("b");
  put("c");
  schedule.wake("c", now - seconds(3));
  schedule.wake("a", now - seconds(2));
  schedule.wake("b", now - seconds(1));
  EXPECT_EQ(schedule.take(now), "c");
  EXPECT_EQ(schedule.take(now), "a");
  EXPECT_EQ(schedule.take(now), "b");
  EXPECT_EQ(schedule.take(now), std::nullopt) << "one run at a time for each";
}

TEST_F(ScheduleTest, NewsThatCameWhileItRanIsFetchedAtOnce) {
  put("a");
  schedule.wake("a", now);
  ASSERT_EQ(schedule.take(now), "a");
  schedule.wake("a", now);
  EXPECT_EQ(schedule.take(now), std::nullopt);
  schedule.finished("a", now, std::nullopt);
  now += seconds(1);
  EXPECT_EQ(schedule.take(now), "a");
  schedule.finished("a", now, std::nullopt);
  EXPECT_EQ(schedule.take(now + seconds(1)), std::nullopt);
}

TEST_F(ScheduleTest, WhatWaitsForATimeIsDueThenOrSooner) {
  put("a");
  schedule.wake("a", now);
  ASSERT_EQ(schedule.take(now), "a");
  schedule.finished("a", now, std::nullopt);
  schedule.again_at("a", now + seconds(40));
  EXPECT_EQ(schedule.take(now + seconds(39)), std::nullopt);
  now += seconds(40);
  ASSERT_EQ(schedule.take(now), "a");
  schedule.finished("a", now, std::nullopt);
  const auto polled = schedule.next();
  schedule.again_at("a", now + 2 * interval);
  EXPECT_EQ(schedule.next(), polled) << "its turn comes sooner";
  schedule.again_at("a", now - seconds(5));
  EXPECT_EQ(schedule.take(now), std::nullopt) << "not twice in one second";
  EXPECT_EQ(schedule.take(now + seconds(1)), "a");
}

TEST_F(ScheduleTest, AFailingMailboxWaitsLongerEachTimeAndIsNeverGivenUp) {
  put("a");
  put("b");
  const SteadyTime began = now;
  live_until(began + std::chrono::hours(24), [](const std::string& address) -> std::optional<Error> {
    if (address == "a") return wrong_password();
    return std::nullopt;
  });
  EXPECT_GT(runs["b"], 250);
  EXPECT_LT(runs["a"], 60) << "a wrong password is no flood of sign-ins";
  EXPECT_GT(runs["a"], 40) << "it goes on for ever";
  schedule.retry("a", now);
  EXPECT_EQ(schedule.take(now), "a") << "somebody has set a new one";
}

TEST_F(ScheduleTest, WhatPassesByItselfIsTriedAsOftenAsItWouldBePolled) {
  put("a");
  live_until(now + std::chrono::hours(3), [](const std::string&) -> std::optional<Error> {
    return Error{
        .domain = ErrorDomain::ews, .code = "ErrorMailboxMoveInProgress", .retry = RetryClass::after};
  });
  tries.clear();
  runs.clear();
  live_until(now + minutes(6), [](const std::string&) { return std::nullopt; });
  EXPECT_GE(runs["a"], 1);
}

TEST_F(ScheduleTest, AHintOfTheServerIsKept) {
  put("a");
  schedule.wake("a", now);
  ASSERT_EQ(schedule.take(now), "a");
  Error busy{.domain = ErrorDomain::ews, .code = "ErrorServerBusy", .retry = RetryClass::after};
  busy.retry_after = minutes(17);
  schedule.finished("a", now, busy);
  schedule.wake("a", now);
  EXPECT_EQ(schedule.take(now + minutes(17) - seconds(1)), std::nullopt);
  EXPECT_EQ(schedule.take(now + minutes(17)), "a");
}

TEST_F(ScheduleTest, OfAServerThatDoesNotAnswerOneMailboxTriesAndAllComeBackByThemselves) {
  for (int i = 0; i < 100; ++i) put("down" + std::to_string(i), "down.example");
  for (int i = 0; i < 10; ++i) put("up" + std::to_string(i), "up.example");
  const SteadyTime began = now;
  bool is_down = true;
  const auto outcome = [&](const std::string& address) -> std::optional<Error> {
    if (is_down && address.starts_with("down")) return unreachable();
    return std::nullopt;
  };
  live_until(began + minutes(10), outcome);
  tries.clear();
  live_until(began + minutes(120), outcome);
  const auto of = [&](const std::string& prefix) {
    return std::count_if(tries.begin(), tries.end(),
                         [&](const auto& one) { return one.first.starts_with(prefix); });
  };
  EXPECT_LT(of("down"), 40) << "100 mailboxes would have tried four times each at least";
  EXPECT_GT(of("down"), 15);
  EXPECT_GT(of("up"), 200) << "an outage is no global stop";
  EXPECT_TRUE(turn("down7").waits_for_server);
  is_down = false;
  tries.clear();
  live_until(now + minutes(5) + minutes(1) + interval, outcome);
  std::map<std::string, int> back;
  for (const auto& [address, _] : tries) ++back[address];
  EXPECT_EQ(back.size(), 110u) << "everybody is back within an interval of the first probe that got through";
  for (const MailboxTurn& one : schedule.turns()) EXPECT_FALSE(one.is_failing) << one.address;
}

TEST_F(ScheduleTest, AMailboxThatWasTakenOutEndsItsRunAndIsGone) {
  put("a");
  schedule.wake("a", now);
  ASSERT_EQ(schedule.take(now), "a");
  schedule.remove("a");
  EXPECT_TRUE(schedule.contains("a"));
  schedule.finished("a", now, std::nullopt);
  EXPECT_FALSE(schedule.contains("a"));
  EXPECT_THAT(schedule.turns(), IsEmpty());
}

TEST_F(ScheduleTest, NextIsWhenTakeHasSomething) {
  put("a");
  put("b");
  for (int round = 0; round < 50; ++round) {
    const auto next = schedule.next();
    ASSERT_TRUE(next);
    EXPECT_EQ(schedule.take(*next - std::chrono::nanoseconds(1)), std::nullopt);
    const auto address = schedule.take(*next);
    ASSERT_TRUE(address);
    schedule.finished(*address, *next, round % 3 == 0 ? std::optional(unreachable()) : std::nullopt);
  }
}

TEST_F(ScheduleTest, WhoseServerTellsOfChangesIsLookedAtSeldomAndAtOnceWhenSomethingIsNew) {
  put("a");
  put("b");
  live_until(now + minutes(10), [](const std::string&) { return std::nullopt; });
  schedule.watched("a", minutes(60), now);
  EXPECT_TRUE(turn("a").is_pushed);
  EXPECT_EQ(turn("a").watched_since, now);
  runs.clear();
  live_until(now + minutes(50), [](const std::string&) { return std::nullopt; });
  EXPECT_LE(runs["a"], 1) << "one may have been due";
  EXPECT_GE(runs["b"], 8);
  const int before = runs["a"];
  schedule.wake("a", now);
  live_until(now + seconds(2), [](const std::string&) { return std::nullopt; });
  EXPECT_EQ(runs["a"], before + 1);

  schedule.watched("a", std::nullopt, now);
  EXPECT_FALSE(turn("a").is_pushed);
  live_until(now + minutes(6), [](const std::string&) { return std::nullopt; });
  EXPECT_GE(runs["a"], before + 2) << "polled again";
}

TEST_F(ScheduleTest, AServerThatAnswersSlowlyLeavesPlacesToTheOthers) {
  Schedule crowded{{.at_once = 8}, random};
  for (int i = 0; i < 20; ++i)
    crowded.put("slow" + std::to_string(i), {.server = "slow", .interval = interval}, seconds(0), now);
  std::vector<std::string> slow;
  while (slow.size() < 8) {
    const auto address = crowded.take(now);
    ASSERT_TRUE(address) << "there is no other server";
    slow.push_back(*address);
  }
  crowded.put("b", {.server = "quick", .interval = interval}, seconds(0), now);
  for (int i = 0; i < 3; ++i) crowded.finished(slow[static_cast<std::size_t>(i)], now, std::nullopt);
  EXPECT_EQ(crowded.take(now), "b");
  EXPECT_TRUE(crowded.take(now));
  EXPECT_EQ(crowded.take(now), std::nullopt) << "six of eight are slow ones";
  EXPECT_FALSE(crowded.next()) << "not before something ends";
}

TEST_F(ScheduleTest, AProxyThatCutsConnectionsIsAnOutageToo) {
  for (const char* name : {"a", "b", "c", "d"}) put(name);
  live_until(now + minutes(6), [](const std::string&) {
    return Error{.domain = ErrorDomain::http, .code = "connection-lost", .retry = RetryClass::after};
  });
  EXPECT_TRUE(turn("a").waits_for_server);
}

TEST_F(ScheduleTest, WhoIsDueKeepsItsPlaceWhenItsServerBeginsToTell) {
  put("a");
  now = *schedule.next() + seconds(20);
  for (int i = 0; i < 3; ++i) {
    schedule.watched("a", minutes(60), now);
    schedule.watched("a", std::nullopt, now);
  }
  schedule.watched("a", minutes(60), now);
  EXPECT_EQ(schedule.take(now), "a");
}

TEST_F(ScheduleTest, WhenTheSharedAccountIsTakenAgainAllComeBackWithinHalfAMinute) {
  for (int i = 0; i < 30; ++i)
    schedule.put("m" + std::to_string(i), {.server = "one", .interval = interval, .shares_account = true},
                 interval, now);
  put("own", "other");
  // An account that is locked for an hour; then nobody does anything.
  SteadyTime until = now + minutes(60);
  live_until(until, [](const std::string& address) {
    return address == "own" ? std::nullopt : std::optional(wrong_password());
  });
  EXPECT_EQ(turn("m7").failing_since.has_value(), true);
  runs.clear();
  until = now + minutes(3);
  live_until(until, [](const std::string&) { return std::nullopt; });
  EXPECT_EQ(std::count_if(runs.begin(), runs.end(), [](const auto& one) { return one.first != "own"; }), 30);
  EXPECT_FALSE(turn("m7").failing_since);
}

TEST_F(ScheduleTest, SaysSinceWhenAServerIsOutAndAMailboxFails) {
  for (const char* address : {"a", "b", "c", "d"}) put(address);
  put("else", "mail2.example");
  live_until(now + minutes(6), [](const std::string&) { return std::nullopt; });
  EXPECT_FALSE(turn("a").server_out_since);
  EXPECT_TRUE(turn("a").has_run);
  const SteadyTime began = now;
  live_until(now + minutes(20), [](const std::string& address) {
    return address == "else" ? std::nullopt : std::optional(unreachable());
  });
  ASSERT_TRUE(turn("d").server_out_since);
  EXPECT_GE(*turn("d").server_out_since, began);
  EXPECT_LE(*turn("d").server_out_since, began + minutes(6));
  EXPECT_FALSE(turn("else").server_out_since);
  const auto failing = turn("a").failing_since;
  // What an administrator does elsewhere makes no failure younger.
  schedule.retry("a", now);
  EXPECT_EQ(turn("a").failing_since, failing);
  live_until(now + minutes(7), [](const std::string&) { return std::nullopt; });
  for (const char* address : {"a", "b", "c", "d"}) {
    EXPECT_FALSE(turn(address).server_out_since) << address;
    EXPECT_FALSE(turn(address).failing_since) << address;
  }
}

TEST_F(ScheduleTest, HoweverMuchThereIsToTellAMailboxBeginsOnceASecond) {
  put("a");
  live_until(now + minutes(6), [](const std::string&) { return std::nullopt; });
  tries.clear();
  const SteadyTime end = now + seconds(10);
  for (; now < end; now += std::chrono::milliseconds(100)) {
    schedule.wake("a", now);
    while (const auto address = schedule.take(now)) {
      tries.push_back({*address, now});
      schedule.finished(*address, now, std::nullopt);
    }
  }
  EXPECT_GE(tries.size(), 9u);
  EXPECT_LE(tries.size(), 11u);
}

TEST_F(ScheduleTest, OfAProfileNoMoreRunAtOnceThanItSays) {
  for (const char* address : {"a", "b", "c", "d"})
    schedule.put(address, {.server = "narrow", .interval = interval, .at_once = 2}, minutes(1), now);
  put("other");
  now += minutes(10);
  std::vector<std::string> taken;
  while (const auto address = schedule.take(now)) taken.push_back(*address);
  EXPECT_EQ(taken.size(), 3u);
  EXPECT_EQ(std::count(taken.begin(), taken.end(), "other"), 1);
  for (const std::string& address : taken) schedule.finished(address, now, std::nullopt);
  std::vector<std::string> rest;
  while (const auto address = schedule.take(now)) rest.push_back(*address);
  EXPECT_EQ(rest.size(), 2u);
}

TEST_F(ScheduleTest, WhomSomebodyWaitsForIsNextWhateverCameBefore) {
  for (const char* address : {"a", "b", "c", "d"}) put(address);
  live_until(now + minutes(40), [](const std::string&) { return unreachable(); });
  ASSERT_TRUE(turn("b").waits_for_server);
  EXPECT_FALSE(schedule.demand("nobody", now));
  ASSERT_TRUE(schedule.demand("b", now));
  EXPECT_EQ(schedule.take(now), "b");
  // Asked for while it runs: a run that begins from now on is meant.
  ASSERT_TRUE(schedule.demand("b", now));
  schedule.finished("b", now, unreachable());
  EXPECT_EQ(schedule.take(now), "b");
  schedule.finished("b", now, std::nullopt);
  EXPECT_FALSE(turn("b").waits_for_server);
}

TEST_F(ScheduleTest, AProbeThatMovesToAnotherProfileLeavesNobodyWaitingForEver) {
  for (const char* address : {"a", "b", "c"}) put(address);
  live_until(now + minutes(20), [](const std::string&) { return unreachable(); });
  std::optional<std::string> prober;
  for (; !prober; now += seconds(1)) prober = schedule.take(now);
  put(*prober, "elsewhere");
  schedule.finished(*prober, now, std::nullopt);
  runs.clear();
  live_until(now + minutes(20), [](const std::string&) { return std::nullopt; });
  for (const char* address : {"a", "b", "c"}) EXPECT_GE(runs[address], 2) << address;
}

}  // namespace
}  // namespace syncline::service
