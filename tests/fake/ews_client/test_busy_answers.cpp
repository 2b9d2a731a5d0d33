// SPDX-License-Identifier: GPL-3.0-or-later
// R-12: whichever of the four places a back-off hint stands in, nothing leaves before it has passed.
#include <gmock/gmock.h>

#include "scripted_exchange.hpp"

namespace syncline::ews {
namespace {

using namespace std::chrono_literals;
using testing::envelope;
using testing::error_message;
using testing::item_message;
using testing::reply_of;
using testing::ScriptedReply;

constexpr auto hint = 90s;

std::string fault(const std::string& code, const std::string& xml) {
  return envelope(
      R"(<s:Fault><faultcode xmlns:a="http://schemas.microsoft.com/exchange/services/2006/types">a:)" + code +
      R"(</faultcode><faultstring xml:lang="en-US">busy</faultstring><detail><e:ResponseCode )"
      R"(xmlns:e="http://schemas.microsoft.com/exchange/services/2006/errors">)" +
      code +
      R"(</e:ResponseCode><e:Message xmlns:e="http://schemas.microsoft.com/exchange/services/2006/errors">busy)"
      R"(</e:Message><t:MessageXml>)" +
      xml + "</t:MessageXml></detail></s:Fault>");
}

const std::string value = R"(<t:Value Name="BackOffMilliseconds">90000</t:Value>)";

struct Place {
  const char* name;
  ScriptedReply reply;
};

class BusyAnswer : public testing::ScriptedExchange, public ::testing::WithParamInterface<Place> {};

TEST_P(BusyAnswer, StopsEveryWorkerOfTheBudgetUntilTheHintHasPassed) {
  bool busy = true;
  answer_ = [&](const std::string&) {
    if (std::exchange(busy, false)) return GetParam().reply;
    return ScriptedReply{.body = reply_of("GetItem", item_message("one"))};
  };
  const GetItemRequest request{.ids = {ItemId{.id = "one"}}};
  static_cast<void>(call(GetItemRequest(request)));
  const auto told = world_.elapsed();
  EXPECT_TRUE(budgets_->metrics().paused_until);

  // Many workers, and another mailbox's client of the same credential.
  EwsClient other = make_client();
  std::size_t answered = 0;
  const auto worker = [&](EwsClient& client) -> net::asio::awaitable<void> {
    auto reply = co_await client.call(GetItemRequest(request));
    answered += reply.has_value() ? 1 : 0;
  };
  for (int i = 0; i < 6; ++i) world_.spawn(worker(i % 2 ? client_ : other));
  world_.run_for(std::chrono::duration_cast<std::chrono::milliseconds>(hint) - (world_.elapsed() - told) -
                 1ms);
  EXPECT_EQ(seen_.size(), 1u) << "a request left inside the window";
  world_.run_for(10s);
  EXPECT_EQ(answered, 6u);
  for (std::size_t i = 1; i < seen_.size(); ++i) EXPECT_GE(seen_[i].at - told, hint);
}

INSTANTIATE_TEST_SUITE_P(
    FourPlaces, BusyAnswer,
    ::testing::Values(
        Place{"SoapFault", {.status = 500, .body = fault("ErrorServerBusy", value)}},
        Place{"ResponseMessage",
              {.body = reply_of("GetItem", error_message("GetItem", "ErrorServerBusy", value))}},
        Place{"InnerCode",
              {.status = 500,
               .body = fault("ErrorInternalServerError",
                             R"(<t:Value Name="InnerErrorResponseCode">ErrorServerBusy</t:Value>)" + value)}},
        Place{"Http503", {.status = 503, .content_type = "text/plain", .headers = {{"Retry-After", "90"}}}}),
    [](const auto& place) { return place.param.name; });

using BusyWithoutHint = testing::ScriptedExchange;

TEST_F(BusyWithoutHint, WaitsDoubleAndACalmAnswerResetsThem) {
  unsigned busy_left = 4;
  answer_ = [&](const std::string&) {
    if (busy_left > 0) {
      --busy_left;
      return ScriptedReply{.body = reply_of("GetItem", error_message("GetItem", "ErrorServerBusy"))};
    }
    return ScriptedReply{.body = reply_of("GetItem", item_message("one"))};
  };
  for (int i = 0; i < 6; ++i) static_cast<void>(call(GetItemRequest{.ids = {ItemId{.id = "one"}}}));
  std::vector<std::chrono::milliseconds> gaps;
  for (std::size_t i = 1; i < seen_.size(); ++i) gaps.push_back(seen_[i].at - seen_[i - 1].at);
  EXPECT_THAT(gaps, ::testing::ElementsAre(::testing::Ge(1s), ::testing::Ge(2s), ::testing::Ge(4s),
                                           ::testing::Ge(8s), ::testing::Lt(1s)));
}

}  // namespace
}  // namespace syncline::ews
