// SPDX-License-Identifier: GPL-3.0-or-later
// The kill test over IMAP, POP3 and SMTP: the engine stops before and after durable writes, starts again, and
// everything is as if it had never stopped. Samples here; every write with SYNCLINE_FULL=1.
#include <gtest/gtest.h>

#include <cstdio>

#include "scenarios.hpp"

namespace syncline::sync::testing {
namespace {

/// Of the durable writes of one run, so many are tried in CI.
constexpr std::uint64_t samples = 2;

class Kill : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Kill, invariants1And6OverMailHostsStoppedAtAnyDurableWriteItEndsAsIfItHadNot) {
  const Scenario& scenario = scenarios()[GetParam()];
  const Outcome unbroken = play(scenario);
  ASSERT_FALSE(unbroken.records.empty());
  SeededRandom random(GetParam() + 1);
  std::size_t stops = 0;
  for (std::size_t step = 0; step < scenario.steps.size(); ++step) {
    // How many durable writes there are to stop at.
    StopAt counter(~std::uint64_t{0}, StopAt::Moment::after);
    play(scenario, {.step = step, .before = [&](MailWorld&, MailOrganisation& organisation) {
                      organisation.reopen(&counter);
                    }});
    const std::uint64_t writes = counter.seen();
    ASSERT_GT(writes, 0u);
    for (const StopAt::Moment moment : {StopAt::Moment::before, StopAt::Moment::after})
      for (std::uint64_t n = 0; n < (is_full() ? writes : std::min(samples, writes)); ++n) {
        const std::uint64_t nth = is_full() || writes <= samples ? n : random.below(writes);
        SCOPED_TRACE(std::string(scenario.name) + ", step " + std::to_string(step) + ", write " +
                     std::to_string(nth) + " of " + std::to_string(writes) +
                     (moment == StopAt::Moment::before ? ", before" : ", after"));
        StopAt stop(nth, moment);
        const Outcome broken =
            play(scenario,
                 {.step = step,
                  .before = [&](MailWorld&, MailOrganisation& organisation) { organisation.reopen(&stop); },
                  .after = [&](MailWorld&, MailOrganisation&) { stops += stop.stopped(); }});
        expect_same(scenario, unbroken, broken);
        if (HasFailure()) return;
      }
  }
  EXPECT_GE(stops, 3 * scenario.steps.size());
  if (is_full()) std::printf("%s: stopped %zu times\n", scenario.name, stops);
}

INSTANTIATE_TEST_SUITE_P(Scenarios, Kill, ::testing::Range(std::size_t{0}, scenarios().size()),
                         [](const auto& parameter) { return test_name(scenarios()[parameter.param]); });

}  // namespace
}  // namespace syncline::sync::testing
