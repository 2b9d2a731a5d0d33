// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>

#include "harness.hpp"

namespace exchange_sim::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ControlTest : public FrontTest {
 protected:
  void SetUp() override { start(two_sites()); }
  HttpAnswer control(const std::string& method, const std::string& path, const std::string& body = {}) {
    return Wire(world, "control.test", false).ask(method, path, {{"X-Control-Token", "control"}}, body);
  }
};

TEST_F(ControlTest, nothing_works_without_the_token) {
  Wire wire(world, "control.test", false);
  EXPECT_EQ(wire.ask("GET", "/control/log").status, 401);
  EXPECT_EQ(
      wire.ask("POST", "/control/faults", {{"X-Control-Token", "contro"}}, R"({"action":"delay"})").status,
      401);
  EXPECT_EQ(wire.ask("GET", "/control/log", {{"Authorization", "Bearer control"}}).status, 200);
  EXPECT_THAT(sim->faults().rules(), IsEmpty());
}

TEST_F(ControlTest, fault_rules_are_added_listed_and_taken_away) {
  EXPECT_EQ(
      control("POST", "/control/faults", R"([{"action":"abort-before"},{"action":"cut","offset":9}])").body,
      R"({"ids":[1,2]})");
  EXPECT_THAT(control("GET", "/control/faults").body, HasSubstr(R"("action":"cut")"));
  EXPECT_EQ(control("DELETE", "/control/faults/1").status, 200);
  EXPECT_THAT(sim->faults().rules(), SizeIs(1));
  EXPECT_EQ(control("DELETE", "/control/faults/1").status, 404);
  EXPECT_EQ(control("DELETE", "/control/faults").status, 200);
  EXPECT_THAT(sim->faults().rules(), IsEmpty());
  const auto bad = control("POST", "/control/faults", R"({"action":"explode"})");
  EXPECT_EQ(bad.status, 400);
  EXPECT_THAT(bad.body, HasSubstr("explode"));
}

TEST_F(ControlTest, the_log_and_the_counters_can_be_read_and_reset) {
  ews(soap(get_item()));
  ews(soap(get_item()));
  const auto log = control("GET", "/control/log").body;
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 2);
  EXPECT_THAT(log, HasSubstr(R"("operation":"GetItem")"));
  EXPECT_THAT(log, ::testing::Not(HasSubstr("secret")));
  const auto later = control("GET", "/control/log?after=1").body;
  EXPECT_EQ(std::count(later.begin(), later.end(), '\n'), 1);
  EXPECT_THAT(control("GET", "/control/counters").body, HasSubstr(R"("requests.GetItem":2)"));
  EXPECT_EQ(control("POST", "/control/reset").status, 200);
  EXPECT_EQ(control("GET", "/control/log").body, "");
}

TEST_F(ControlTest, sites_are_switched_and_mailboxes_moved) {
  EXPECT_EQ(control("POST", "/control/sites/onprem", R"({"ews":"off-html"})").status, 200);
  EXPECT_EQ(ews(soap(get_item())).status, 403);
  EXPECT_EQ(control("POST", "/control/sites/onprem",
                    R"({"ews":"on","move":{"address":"anna@example.test","redirectAddress":"a@b"}})")
                .status,
            200);
  EXPECT_THAT(ews(soap(get_item())).body, HasSubstr("ErrorNonExistentMailbox"));
  EXPECT_EQ(control("POST", "/control/sites/onprem", R"({"ews":"perhaps"})").status, 400);
  EXPECT_EQ(control("POST", "/control/sites/nowhere", R"({"ews":"on"})").status, 404);
  const auto token = control("POST", "/control/sites/online",
                             R"({"issueToken":{"clientId":"app-1","address":"cora@example.test"}})")
                         .body;
  EXPECT_THAT(token, HasSubstr("accessToken"));
}

TEST_F(ControlTest, commands_go_to_the_mailboxes) {
  EXPECT_EQ(control("POST", "/control/do", "{}").status, 501);
  sim->set_command_handler([](std::string_view json) -> Result<std::string> {
    if (json == "bad") return syncline::fail(syncline::ErrorDomain::input, "bad-command", "no");
    return std::string(R"({"id":"X"})");
  });
  EXPECT_EQ(control("POST", "/control/do", R"({"do":"deliver"})").body, R"({"id":"X"})");
  EXPECT_EQ(control("POST", "/control/do", "bad").status, 400);
}

TEST_F(ControlTest, the_calendar_moves_but_not_the_timers) {
  const auto before = sim->clock().now();
  const auto steady = sim->clock().steady_now();
  EXPECT_EQ(control("POST", "/control/time", R"({"advanceMs":86400000})").status, 200);
  EXPECT_EQ(sim->clock().now() - before, std::chrono::hours(24));
  EXPECT_EQ(sim->clock().steady_now(), steady);
  EXPECT_EQ(control("POST", "/control/time", R"({"advanceMs":-1})").status, 400);
}

TEST_F(ControlTest, other_paths_and_methods_are_refused) {
  EXPECT_EQ(control("GET", "/").status, 404);
  EXPECT_EQ(control("POST", "/control/nothing").status, 404);
  EXPECT_EQ(control("GET", "/control/reset").status, 405);
  EXPECT_EQ(control("POST", "/control/sites/onprem", "not json").status, 400);
}

}  // namespace
}  // namespace exchange_sim::testing
