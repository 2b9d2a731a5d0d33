// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ews/client/event_folding.hpp"

namespace syncline::ews {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr SteadyTime start{};

TEST(EventFolding, DueAfterThreeHundredQuietMilliseconds) {
  EventFolding folding;
  folding.add("inbox", start);
  folding.add("inbox", start + 200ms);
  EXPECT_THAT(folding.take_due(start + 499ms), IsEmpty());
  EXPECT_EQ(folding.next_due(), start + 500ms);
  EXPECT_THAT(folding.take_due(start + 500ms), ElementsAre("inbox"));
  EXPECT_EQ(folding.next_due(), std::nullopt);
}

TEST(EventFolding, DueOneSecondAfterTheFirstHoweverManyFollow) {
  EventFolding folding;
  for (auto t = 0ms; t < 1000ms; t += 100ms) {
    folding.add("inbox", start + t);
    EXPECT_THAT(folding.take_due(start + t), IsEmpty());
  }
  EXPECT_THAT(folding.take_due(start + 1000ms), ElementsAre("inbox"));
}

TEST(EventFolding, KeysAreIndependentAndTheLongestWaitingComesFirst) {
  EventFolding folding;
  folding.add("b", start);
  folding.add("a", start + 10ms);
  folding.add("c", start + 250ms);
  EXPECT_THAT(folding.take_due(start + 310ms), ElementsAre("b", "a"));
  EXPECT_THAT(folding.take_due(start + 550ms), ElementsAre("c"));
}

}  // namespace
}  // namespace syncline::ews
