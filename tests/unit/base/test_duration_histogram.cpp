// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/duration_histogram.hpp"

#include <gtest/gtest.h>

namespace syncline {
namespace {

using namespace std::chrono_literals;

TEST(DurationHistogram, CountsEachSpanOnceAtTheFirstBoundThatItDoesNotExceed) {
  DurationHistogram<10, 100, 1'000> times;
  for (const auto took : {0ms, 10ms, 11ms, 100ms, 1'000ms, 1'001ms, 90'000ms}) times.add(took);
  EXPECT_EQ(times.counts(), (std::array<std::uint64_t, 4>{2, 2, 1, 2}));
  EXPECT_DOUBLE_EQ(times.sum().count(), 92.122);
}

TEST(DurationHistogram, TakesASpanBelowZeroForNone) {
  DurationHistogram<10> times;
  times.add(-5s);
  EXPECT_EQ(times.counts()[0], 1U);
  EXPECT_DOUBLE_EQ(times.sum().count(), 0);
}

}  // namespace
}  // namespace syncline
