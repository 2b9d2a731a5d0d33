// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "ews/client/busy.hpp"
#include "ews/types/response_code.hpp"

namespace syncline::ews {
namespace {

using namespace std::chrono_literals;

// 2026-11-22 08:00:00 UTC.
constexpr SystemTime now = std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + 8h;

TEST(RetryAfter, ReadsSecondsAndDates) {
  EXPECT_EQ(retry_after_of("120", now), 120s);
  EXPECT_EQ(retry_after_of(" 0 ", now), 0s);
  EXPECT_EQ(retry_after_of("Sun, 22 Nov 2026 08:05:00 GMT", now), 5min);
}

TEST(RetryAfter, APastDateIsNow) {
  EXPECT_EQ(retry_after_of("Sun, 22 Nov 2026 07:00:00 GMT", now), 0s);
}

TEST(RetryAfter, NoHintIsBelievedForMoreThanAnHour) {
  EXPECT_EQ(retry_after_of("99999999999", now), longest_back_off);
  EXPECT_EQ(retry_after_of("Tue, 22 Dec 2026 08:05:00 GMT", now), longest_back_off);
}

TEST(RetryAfter, WhatCannotBeReadIsNoHint) {
  for (const char* value :
       {"", "soon", "-5", "1.5", "Sun, 22 Nov 2026 08:05:00", "Sun, 31 Feb 2026 08:05:00 GMT",
        "Sun, 22 Nov 2026 25:05:00 GMT", "Sun, 22 Foo 2026 08:05:00 GMT", "99999999999999999999"})
    EXPECT_EQ(retry_after_of(value, now), std::nullopt) << value;
}

TEST(DefaultBackOff, DoublesToFiveMinutes) {
  EXPECT_EQ(default_back_off(1), 1s);
  EXPECT_EQ(default_back_off(2), 2s);
  EXPECT_EQ(default_back_off(5), 16s);
  EXPECT_EQ(default_back_off(10), 5min);
  EXPECT_EQ(default_back_off(4'000'000'000u), 5min);
}

TEST(BusyCode, EveryBusyCodeMayBeTriedAgainLater) {
  for (const ResponseCodeEntry& entry : response_codes()) {
    if (is_busy_code(entry.code)) {
      EXPECT_EQ(entry.retry, RetryClass::after) << entry.code;
    }
  }
  EXPECT_TRUE(is_busy_code("ErrorServerBusy"));
  EXPECT_FALSE(is_busy_code("ErrorItemNotFound"));
}

}  // namespace
}  // namespace syncline::ews
