// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>

#include "harness.hpp"

namespace exchange_sim::testing {
namespace {

using ::testing::HasSubstr;

class ThrottlingTest : public FrontTest {
 protected:
  /// So many requests at once, each on its own connection; the answers by code ("" is success).
  std::map<std::string, int> at_once(int count, const std::string& body) {
    std::map<std::string, int> out;
    std::vector<std::unique_ptr<Wire>> wires;
    for (int i = 0; i < count; ++i) {
      wires.push_back(std::make_unique<Wire>(world, "mail.example.test", true));
      world.spawn(one(*wires.back(), body, out));
    }
    world.run_for(std::chrono::seconds(30));
    return out;
  }
  static net::asio::awaitable<void> one(Wire& wire, std::string body, std::map<std::string, int>& out) {
    auto answer = co_await wire.post_async(basic("anna@example.test", "secret"), body);
    std::string code = "no answer";
    if (answer) {
      code = "";
      for (const char* known : {"ErrorExceededConnectionCount", "ErrorServerBusy"}) {
        if (answer->body.find(known) != std::string::npos) code = known;
      }
    }
    ++out[code];
  }
  static Config slow_site() {
    auto config = two_sites();
    config.sites[0].limits.service_time = std::chrono::seconds(1);
    return config;
  }
};

const std::string sync_items =
    "<m:SyncFolderItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape><m:SyncFolderId>"
    "<t:DistinguishedFolderId Id=\"inbox\"/></m:SyncFolderId><m:MaxChangesReturned>512</m:MaxChangesReturned>"
    "</m:SyncFolderItems>";

TEST_F(ThrottlingTest, the_28th_request_at_once_exceeds_the_connections) {
  start(slow_site());
  const auto answers = at_once(30, soap(get_item()));
  EXPECT_EQ(answers.at(""), 27);
  EXPECT_EQ(answers.at("ErrorExceededConnectionCount"), 3);
  EXPECT_EQ(at_once(27, soap(get_item())).at(""), 27) << "the places are free again";
}

TEST_F(ThrottlingTest, the_sixth_sync_call_at_once_finds_the_server_busy_and_opens_a_back_off_window) {
  auto config = slow_site();
  config.sites[0].limits.back_off = std::chrono::seconds(60);
  start(config);
  const auto answers = at_once(6, soap(sync_items));
  EXPECT_EQ(answers.at(""), 5);
  EXPECT_EQ(answers.at("ErrorServerBusy"), 1);
  // 30 s have gone by: still inside the window.
  const auto inside = ews(soap(get_item()));
  EXPECT_THAT(inside.body, HasSubstr("<t:Value Name=\"BackOffMilliseconds\">"));
  EXPECT_EQ(sim->counters().get("during-back-off"), 1u);
  EXPECT_TRUE(last().during_back_off);
  world.run_for(std::chrono::seconds(31));
  EXPECT_EQ(ews(soap(get_item())).status, 200);
  EXPECT_EQ(sim->counters().get("during-back-off"), 1u);
}

TEST_F(ThrottlingTest, budgets_are_of_the_mailbox_that_is_acted_on) {
  auto config = slow_site();
  config.sites[0].limits.connections = 1;
  start(config);
  Wire first(world, "mail.example.test", true);
  Wire second(world, "mail.example.test", true);
  std::map<std::string, int> out;
  const auto other = soap(get_item(), impersonating("SmtpAddress", "bert@example.test"));
  world.spawn(
      [](Wire& wire, std::string body, std::map<std::string, int>& answers) -> net::asio::awaitable<void> {
        auto answer = co_await wire.post_async(basic("robot", "robot"), body);
        ++answers[answer && answer->status == 200 ? "" : "refused"];
      }(first, other, out));
  world.spawn(one(second, soap(get_item()), out));
  world.run_for(std::chrono::seconds(5));
  EXPECT_EQ(out[""], 2);
}

TEST_F(ThrottlingTest, a_rate_limit_counts_the_last_minute) {
  auto config = two_sites();
  config.sites[0].limits.requests_per_minute = 3;
  config.sites[0].limits.back_off = std::chrono::seconds(10);
  start(config);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ews(soap(get_item())).status, 200);
  EXPECT_THAT(ews(soap(get_item())).body, HasSubstr("BackOffMilliseconds\">10000<"));
  world.run_for(std::chrono::seconds(61));
  EXPECT_EQ(ews(soap(get_item())).status, 200);
}

TEST_F(ThrottlingTest, all_four_places_of_a_busy_answer_carry_the_same_wait_and_count_who_comes_early) {
  start(two_sites());
  struct Case {
    BusyPlace place;
    int status;
    std::string hint;
  };
  for (const auto& one :
       {Case{BusyPlace::fault, 500, "<t:Value Name=\"BackOffMilliseconds\">300000</t:Value>"},
        Case{BusyPlace::message, 200, "<t:Value Name=\"BackOffMilliseconds\">300000</t:Value>"},
        Case{BusyPlace::inner_code, 200, "Name=\"InnerErrorResponseCode\">ErrorServerBusy<"},
        Case{BusyPlace::http, 503, "Retry-After: 300"}}) {
    FaultRule rule;
    rule.action = Action::busy;
    rule.place = one.place;
    rule.wait = std::chrono::seconds(300);
    rule.times = 1;
    sim->faults().add(rule);
    const auto early = sim->counters().get("during-back-off");
    const auto busy = ews(soap(get_item()));
    EXPECT_EQ(busy.status, one.status);
    EXPECT_THAT(busy.head + busy.body, HasSubstr(one.hint));
    EXPECT_EQ(sim->counters().get("during-back-off"), early);
    world.run_for(std::chrono::seconds(299));
    EXPECT_NE(ews(soap(get_item())).body.find("ErrorServerBusy"), std::string::npos);
    EXPECT_EQ(sim->counters().get("during-back-off"), early + 1);
    world.run_for(std::chrono::seconds(2));
    EXPECT_EQ(ews(soap(get_item())).status, 200);
  }
  EXPECT_EQ(service.callers.size(), 4u);
}

TEST_F(ThrottlingTest, a_busy_message_answers_every_item_of_the_batch) {
  start(two_sites());
  FaultRule rule;
  rule.action = Action::busy;
  rule.place = BusyPlace::message;
  rule.wait = std::chrono::milliseconds(1);
  sim->faults().add(rule);
  const auto body = ews(soap(get_item())).body;
  const auto first = body.find("<m:GetItemResponseMessage ");
  EXPECT_NE(body.find("<m:GetItemResponseMessage ", first + 1), std::string::npos);
}

}  // namespace
}  // namespace exchange_sim::testing
