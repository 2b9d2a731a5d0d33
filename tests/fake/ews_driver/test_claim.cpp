// SPDX-License-Identifier: GPL-3.0-or-later
// Invariant 22: one organisation at a time.
#include "tests/fake/ews_driver/driver_fixture.hpp"

namespace syncline::ews {
namespace {

using exchange_sim::Action;
using exchange_sim::FaultRule;
using testing::anna;

class DriverClaim : public testing::DriverFixture {
 protected:
  sync::Claim claim(EwsDriver& driver, const std::string& id, bool take_over = false) {
    auto claimed = run(driver.claim(id, "Name of " + id, take_over));
    EXPECT_TRUE(claimed) << claimed.error().describe();
    return claimed ? *claimed : sync::Claim{};
  }
  EwsDriver other_{client_, {.mailbox = anna}};
};

TEST_F(DriverClaim, Invariant22_TheFirstOrganisationHasItAndTheSecondIsToldWhose) {
  const auto first = claim(driver_, "org-a");
  EXPECT_TRUE(first.ours);
  ASSERT_TRUE(first.since);
  const auto second = claim(other_, "org-b");
  EXPECT_FALSE(second.ours);
  EXPECT_EQ(second.owner_id, "org-a");
  EXPECT_EQ(second.owner_name, "Name of org-a");
  EXPECT_EQ(second.since, first.since);
  EXPECT_TRUE(claim(driver_, "org-a").ours);
}

TEST_F(DriverClaim, OfTwoAtTheSameTimeOneWins) {
  std::optional<Result<sync::Claim>> a;
  std::optional<Result<sync::Claim>> b;
  const auto ask = [](EwsDriver& driver, std::string id,
                      std::optional<Result<sync::Claim>>& answer) -> boost::asio::awaitable<void> {
    answer = co_await driver.claim(id, id, false);
  };
  world_.spawn(ask(driver_, "org-a", a));
  world_.spawn(ask(other_, "org-b", b));
  ASSERT_TRUE(world_.run_until_quiet());
  ASSERT_TRUE(a && b && *a && *b);
  EXPECT_NE((*a)->ours, (*b)->ours);
  EXPECT_EQ((*a)->owner_id, (*b)->owner_id);
}

TEST_F(DriverClaim, ASteadyClaimCostsTwoRequestsAndWritesNothing) {
  claim(driver_, "org-a");
  const auto before = driver_.requests();
  claim(driver_, "org-a");
  EXPECT_EQ(driver_.requests() - before, 2u);
  EXPECT_EQ(requests("UpdateItem"), 0u);
}

TEST_F(DriverClaim, ALeaseThatIsRenewedLastsAndOneThatIsNotRunsOut) {
  const auto first = claim(driver_, "org-a");
  for (int i = 0; i < 6; ++i) {
    world_.run_for(std::chrono::hours(8));
    const auto renewed = claim(driver_, "org-a");
    EXPECT_TRUE(renewed.ours);
    EXPECT_EQ(renewed.since, first.since);
  }
  EXPECT_FALSE(claim(other_, "org-b").ours);
  world_.run_for(std::chrono::hours(25));
  EXPECT_TRUE(claim(other_, "org-b").ours);
  EXPECT_FALSE(claim(driver_, "org-a").ours);
}

TEST_F(DriverClaim, TakingOverIsPossibleOnRequest) {
  claim(driver_, "org-a");
  EXPECT_TRUE(claim(other_, "org-b", true).ours);
  const auto lost = claim(driver_, "org-a");
  EXPECT_FALSE(lost.ours);
  EXPECT_EQ(lost.owner_id, "org-b");
}

TEST_F(DriverClaim, WhateverAnswerIsLostTheNextCallFinishesIt) {
  for (const std::string operation : {"FindFolder", "CreateFolder", "FindItem", "CreateItem"}) {
    exchange_.lose_reply(operation, 5);
    auto claimed = run(driver_.claim("org-a", "A", false));
    exchange_.heal();
    if (!claimed) claimed = run(driver_.claim("org-a", "A", false));
    ASSERT_TRUE(claimed) << operation << ": " << claimed.error().describe();
    EXPECT_TRUE(claimed->ours) << operation;
    const auto other = run(other_.claim("org-b", "B", false));
    ASSERT_TRUE(other);
    EXPECT_FALSE(other->ours) << operation;
  }
}

TEST_F(DriverClaim, AFolderWhoseMakerDiedBelongsToItsMakerUntilTheLeaseEnds) {
  exchange_.lose_request("CreateItem", 100);
  ASSERT_FALSE(run(driver_.claim("org-a", "A", false)));
  exchange_.heal();
  const auto other = claim(other_, "org-b");
  EXPECT_FALSE(other.ours);
  EXPECT_EQ(other.owner_id, "org-a");
  world_.run_for(std::chrono::hours(25));
  EXPECT_TRUE(claim(other_, "org-b").ours);
}

TEST_F(DriverClaim, TheClaimIsNoFolderOfTheMailbox) {
  claim(driver_, "org-a");
  const auto folders = run(driver_.folders());
  ASSERT_TRUE(folders);
  for (const sync::RemoteFolder& one : *folders) EXPECT_NE(one.name, "Syncline Claim");
}

}  // namespace
}  // namespace syncline::ews
