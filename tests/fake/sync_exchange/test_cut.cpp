// SPDX-License-Identifier: GPL-3.0-or-later
// the replies to everything that writes, cut at every octet. The engine goes on, and all ends as if
// nothing had happened: one item, one mail, one invitation. Samples here; every octet with SYNCLINE_FULL=1.
#include <gtest/gtest.h>

#include <set>

#include "scenarios.hpp"

namespace syncline::sync::testing {
namespace {

constexpr std::uint64_t samples = 10;

struct Cut {
  const char* operation;
  std::size_t scenario;
  std::size_t step;
  std::uint64_t skip;  ///< so many of the operation's requests of that run pass
};
void PrintTo(const Cut& cut, std::ostream* out) {
  *out << cut.operation << " of \"" << scenarios()[cut.scenario].name << "\", step " << cut.step;
}

const Cut cuts[] = {
    {"CreateItem", 2, 0, 1},        // a contact
    {"CreateItem", 3, 0, 1},        // a meeting
    {"UpdateItem", 2, 1, 0},        // a contact
    {"UpdateItem", 3, 0, 0},        // the invitation
    {"UpdateItem", 3, 1, 1},        // the update that mails
    {"DeleteItem", 2, 2, 0},        // a contact
    {"DeleteItem", 3, 2, 0},        // the cancellation
    {"SendItem", 1, 0, 0},          //
    {"CreateAttachment", 1, 0, 0},  // of a draft
    {"CreateAttachment", 2, 0, 0},  // a photo
};

class CutReply : public ::testing::TestWithParam<Cut> {};

TEST_P(CutReply, R16WhereverAReplyIsCutTheWriteIsDoneOnce) {
  const Cut& cut = GetParam();
  const Scenario& scenario = scenarios()[cut.scenario];
  const auto faulty = [&](std::uint64_t octets, bool* was_cut) {
    return play(scenario, {.step = cut.step,
                           .before =
                               [&](ExchangeWorld& server, ExchangeOrganisation&) {
                                 exchange_sim::FaultRule rule;
                                 rule.action = exchange_sim::Action::cut;
                                 rule.offset = octets;
                                 rule.skip = cut.skip;
                                 rule.times = 1;
                                 server.exchange.forget_requests();
                                 server.exchange.fault(cut.operation, rule);
                               },
                           .after =
                               [&](ExchangeWorld& server, ExchangeOrganisation&) {
                                 *was_cut = false;
                                 for (const auto& entry : server.exchange.sim().log().entries())
                                   *was_cut = *was_cut || (entry.operation == cut.operation && entry.is_cut);
                               }});
  };
  std::uint64_t length = 0;
  const Outcome unbroken =
      play(scenario,
           {.step = cut.step,
            .before = [](ExchangeWorld& server, ExchangeOrganisation&) { server.exchange.forget_requests(); },
            .after =
                [&](ExchangeWorld& server, ExchangeOrganisation&) {
                  std::uint64_t nth = 0;
                  for (const auto& entry : server.exchange.sim().log().entries())
                    if (entry.operation == cut.operation && entry.handled && nth++ == cut.skip)
                      length = entry.response_octets;
                }});
  ASSERT_FALSE(unbroken.items.empty());
  ASSERT_GT(length, 100u) << "there is no such request in this run";
  bool was_cut = false;
  std::set<std::uint64_t> offsets;
  SeededRandom random(7);
  if (is_full())
    for (std::uint64_t octets = 0; octets < length; ++octets) offsets.insert(octets);
  else
    for (std::uint64_t i = 0; i < samples; ++i)
      offsets.insert(i < 3 ? i : i < 6 ? length - (i - 2) : random.below(length));
  for (const std::uint64_t octets : offsets) {
    expect_same(unbroken, faulty(octets, &was_cut));
    EXPECT_TRUE(was_cut);
    if (HasFailure()) FAIL() << "cut after " << octets << " of " << length << " octets";
  }
}

INSTANTIATE_TEST_SUITE_P(Operations, CutReply, ::testing::ValuesIn(cuts), [](const auto& parameter) {
  return std::string(parameter.param.operation) + "_" + std::to_string(parameter.index);
});

}  // namespace
}  // namespace syncline::sync::testing
