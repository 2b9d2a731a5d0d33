// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/daemon/held_back.hpp"

#include <gtest/gtest.h>

namespace syncline::service {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class HeldBackTest : public ::testing::Test {
 protected:
  SteadyTime at(int second) const { return start + seconds(second); }
  HeldBack held;
  SteadyTime start{std::chrono::hours(1)};
};

TEST_F(HeldBackTest, APauseOfRunsCountsUntilTheNextRunBegins) {
  held.runs("a", at(0), at(300));
  EXPECT_EQ(held.total(at(100)), seconds(100));
  held.begins("a", at(120));
  EXPECT_EQ(held.total(at(200)), seconds(120)) << "somebody demanded it";
  held.runs("a", at(200), at(260));
  held.begins("a", at(400));
  EXPECT_EQ(held.total(at(1000)), seconds(180)) << "it was due at 260; what came then is not the host's";
  held.begins("b", at(1000));
  EXPECT_EQ(held.total(at(1000)), seconds(180));
}

TEST_F(HeldBackTest, WritesWaitWhateverTheRunsDo) {
  held.writes("a", at(0), at(300));
  held.begins("a", at(60));
  EXPECT_EQ(held.total(at(60)), seconds(60));
  EXPECT_EQ(held.total(at(900)), seconds(300));
  held.begins("a", at(900));
  EXPECT_EQ(held.total(at(900)), seconds(300));
}

TEST_F(HeldBackTest, TwoPausesOfAMailboxAtOnceAreOneAndThoseOfTwoAreTwo) {
  held.writes("a", at(0), at(300));
  held.runs("a", at(100), at(200));
  held.begins("a", at(200));
  held.writes("a", at(210), at(250));
  EXPECT_EQ(held.total(at(900)), seconds(300));
  held.writes("b", at(0), at(300));
  EXPECT_EQ(held.total(at(900)), seconds(600));
  held.runs("b", at(900), at(960));
  EXPECT_EQ(held.total(at(900)), seconds(600)) << "the pause that is over counts as it was";
  EXPECT_EQ(held.total(at(930)), seconds(630));
}

}  // namespace
}  // namespace syncline::service
