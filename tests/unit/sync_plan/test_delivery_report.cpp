// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "sync/plan/delivery_report.hpp"

namespace syncline::sync::plan {
namespace {

TEST(RecipientState, IsFoundInAnyCaseAndKeepsItsKey) {
  boost::json::object states{{"No.Body@Example.com", "accepted"}};
  recipient_state(states, "no.body@example.com") = "failed 5.1.1";
  EXPECT_EQ(states, (boost::json::object{{"No.Body@Example.com", "failed 5.1.1"}}));
  recipient_state(states, "carl@example.com") = "delayed";
  EXPECT_EQ(states.size(), 2u);
}

}  // namespace
}  // namespace syncline::sync::plan
