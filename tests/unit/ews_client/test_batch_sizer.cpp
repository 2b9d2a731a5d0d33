// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "ews/client/batch_sizer.hpp"

namespace syncline::ews {
namespace {

using namespace std::chrono_literals;

TEST(BatchSizer, StartsWithMicrosoftsAdvice) {
  EXPECT_EQ(BatchSizer().size(), 10u);
}

TEST(BatchSizer, SettlesBetweenFiveAndTenSecondsForAnyPace) {
  for (const auto per_item : {20ms, 50ms, 150ms, 500ms, 2000ms}) {
    BatchSizer sizer;
    for (int i = 0; i < 40; ++i) {
      ASSERT_LT(per_item * sizer.size(), 60s) << per_item.count() << " ms an item";
      sizer.succeeded(sizer.size(), per_item * sizer.size());
    }
    EXPECT_GE(per_item * (sizer.size() + 1), 5s) << per_item.count() << " ms an item";
    EXPECT_LE(per_item * sizer.size(), 10s) << per_item.count() << " ms an item";
  }
}

TEST(BatchSizer, QuickServerGetsTheLargestBatch) {
  BatchSizer sizer;
  for (int i = 0; i < 10; ++i) sizer.succeeded(sizer.size(), 1ms);
  EXPECT_EQ(sizer.size(), 500u);
}

TEST(BatchSizer, NeverMoreThanDoublesAtOnce) {
  BatchSizer sizer;
  std::size_t before = sizer.size();
  for (int i = 0; i < 8; ++i) {
    sizer.succeeded(sizer.size(), 1us);
    EXPECT_LE(sizer.size(), before * 2);
    before = sizer.size();
  }
}

TEST(BatchSizer, OneSlowAnswerShrinksAtOnce) {
  BatchSizer sizer;
  for (int i = 0; i < 10; ++i) sizer.succeeded(sizer.size(), 5ms * sizer.size());
  ASSERT_GT(sizer.size(), 100u);
  sizer.succeeded(sizer.size(), 500ms * sizer.size());
  EXPECT_LE(sizer.size() * 500ms, 10s);
}

TEST(BatchSizer, TimeoutHalvesDownToOneAndIsNotForgotten) {
  BatchSizer sizer;
  sizer.too_slow();
  EXPECT_EQ(sizer.size(), 5u);
  for (int i = 0; i < 5; ++i) sizer.too_slow();
  EXPECT_EQ(sizer.size(), 1u);
  sizer.succeeded(1, 1ms);
  EXPECT_EQ(sizer.size(), 2u);
}

}  // namespace
}  // namespace syncline::ews
