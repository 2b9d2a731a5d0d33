// SPDX-License-Identifier: GPL-3.0-or-later
#include "admin/api/rate_limit.hpp"

#include <gtest/gtest.h>

namespace syncline::admin::api {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(RateLimit, LetsABurstPassAndThenAsManyAsTheRateSays) {
  RateLimit limit({.per_second = 2, .at_once = 5});
  SteadyTime now{};
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(limit.take("a", now)) << i;
  const auto wait = limit.take("a", now);
  ASSERT_TRUE(wait);
  EXPECT_GT(*wait, milliseconds(400));
  EXPECT_LE(*wait, milliseconds(501));
  EXPECT_FALSE(limit.take("b", now)) << "each has its own";
  now += *wait;
  EXPECT_FALSE(limit.take("a", now));
  EXPECT_TRUE(limit.take("a", now));
  now += seconds(100);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(limit.take("a", now)) << "no more than the burst is saved up";
  EXPECT_TRUE(limit.take("a", now));
}

TEST(RateLimit, ForgetsThoseWhoDoNotAskBeforeItGrows) {
  RateLimit limit({.per_second = 1, .at_once = 1, .most_buckets = 3});
  SteadyTime now{};
  for (const char* who : {"a", "b", "c"}) EXPECT_FALSE(limit.take(who, now));
  EXPECT_TRUE(limit.take("a", now));
  now += seconds(10);
  EXPECT_FALSE(limit.take("d", now));
  EXPECT_FALSE(limit.take("a", now));
}

}  // namespace
}  // namespace syncline::admin::api
