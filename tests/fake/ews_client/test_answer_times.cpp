// SPDX-License-Identifier: GPL-3.0-or-later
// How long the server took, as metrics tell it.
#include "scripted_exchange.hpp"

namespace syncline::ews {
namespace {

using namespace std::chrono_literals;
using testing::error_message;
using testing::item_message;
using testing::reply_of;
using testing::ScriptedReply;

std::uint64_t all(const RequestTimes& times) {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : times.counts()) sum += count;
  return sum;
}

class AnswerTimesTest : public testing::ScriptedExchange {
 protected:
  std::shared_ptr<AnswerTimes> times = std::make_shared<AnswerTimes>();
  EwsClient timed = make_client({.url = {}, .authenticator = nullptr, .answer_times = times});
};

TEST_F(AnswerTimesTest, AnAnswerIsCountedByWhatItsRequestDoesToTheServer) {
  delay_ = 300ms;
  answer_ = [](const std::string& request) {
    if (request.find("DeleteItem") != std::string::npos)
      return ScriptedReply{.body = reply_of("DeleteItem", error_message("DeleteItem", "ErrorItemNotFound"))};
    return ScriptedReply{.body = reply_of("GetItem", item_message("one"))};
  };
  const GetItemRequest read{.ids = {ItemId{.id = "one"}}};
  ASSERT_TRUE(world_.run(timed.call(GetItemRequest(read))));
  ASSERT_TRUE(world_.run(timed.call(GetItemRequest(read))));
  ASSERT_TRUE(world_.run(timed.call(DeleteItemRequest{.ids = {ItemId{.id = "one"}}})));
  EXPECT_EQ(all(times->read), 2U);
  EXPECT_EQ(all(times->write), 1U) << "an answer that says no is one";
  EXPECT_EQ(all(times->sync), 0U);
  EXPECT_GE(times->read.sum(), 600ms);
  EXPECT_LT(times->read.sum(), 1s);
}

TEST_F(AnswerTimesTest, WhatWaitsForItsTurnHasNotBeenAsked) {
  bool busy = true;
  answer_ = [&](const std::string&) {
    if (std::exchange(busy, false))
      return ScriptedReply{
          .status = 503, .body = "busy", .content_type = "text/plain", .headers = {{"Retry-After", "90"}}};
    return ScriptedReply{.body = reply_of("GetItem", item_message("one"))};
  };
  const GetItemRequest read{.ids = {ItemId{.id = "one"}}};
  ASSERT_FALSE(world_.run(timed.call(GetItemRequest(read))));
  ASSERT_TRUE(world_.run(timed.call(GetItemRequest(read))));
  EXPECT_GE(world_.elapsed(), 90s);
  EXPECT_EQ(all(times->read), 2U);
  EXPECT_LT(times->read.sum(), 1s);
}

TEST_F(AnswerTimesTest, WhatIsNotAnsweredIsNotCounted) {
  delay_ = 10min;
  answer_ = [](const std::string&) { return ScriptedReply{}; };
  ASSERT_FALSE(world_.run(timed.call(GetItemRequest{.ids = {ItemId{.id = "one"}}})));
  EXPECT_EQ(all(times->read), 0U);
}

}  // namespace
}  // namespace syncline::ews
