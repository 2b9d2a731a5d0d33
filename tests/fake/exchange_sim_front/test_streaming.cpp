// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>

#include "harness.hpp"

namespace exchange_sim::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string streaming(const std::vector<std::string>& ids, int minutes) {
  std::string list;
  for (const auto& id : ids) list += "<t:SubscriptionId>" + id + "</t:SubscriptionId>";
  return soap("<m:GetStreamingEvents><m:SubscriptionIds>" + list +
              "</m:SubscriptionIds><m:ConnectionTimeout>" + std::to_string(minutes) +
              "</m:ConnectionTimeout></m:GetStreamingEvents>");
}

int count(const std::string& text, const std::string& what) {
  int out = 0;
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++out;
  return out;
}

class StreamingTest : public FrontTest {
 protected:
  struct Open {
    std::shared_ptr<std::string> text = std::make_shared<std::string>();
    std::shared_ptr<bool> ended = std::make_shared<bool>(false);
  };
  Open open(const std::vector<std::string>& ids, int minutes) {
    Open out;
    world.spawn(collect_stream(world, "mail.example.test", streaming(ids, minutes), out.text, out.ended));
    world.run_for(std::chrono::milliseconds(10));
    return out;
  }
  void SetUp() override {
    service.subscriptions = {"sub-1", "sub-2"};
    start(two_sites());
  }
  const std::string new_mail =
      "<t:NewMailEvent><t:TimeStamp>2026-01-05T08:00:00Z</t:TimeStamp></t:NewMailEvent>";
};

TEST_F(StreamingTest, a_quiet_stream_says_ok_every_heartbeat_and_closes_when_its_time_is_over) {
  const auto stream = open({"sub-1"}, 3);
  EXPECT_EQ(sim->open_streams(), 1u);
  EXPECT_EQ(count(*stream.text, "<m:ConnectionStatus>OK<"), 1);
  world.run_for(std::chrono::seconds(44));
  EXPECT_EQ(count(*stream.text, "<m:ConnectionStatus>OK<"), 1);
  world.run_for(std::chrono::seconds(2));
  EXPECT_EQ(count(*stream.text, "<m:ConnectionStatus>OK<"), 2);
  world.run_for(std::chrono::minutes(3));
  EXPECT_TRUE(*stream.ended);
  EXPECT_EQ(count(*stream.text, "<m:ConnectionStatus>OK<"), 4);
  EXPECT_EQ(count(*stream.text, "<m:ConnectionStatus>Closed<"), 1);
  EXPECT_EQ(count(*stream.text, "<?xml version"), 5) << "every chunk is a document of its own";
  EXPECT_EQ(sim->open_streams(), 0u);
  EXPECT_EQ(last().duration_ms, 180000);
}

TEST_F(StreamingTest, events_arrive_at_once_grouped_by_subscription) {
  const auto stream = open({"sub-1", "sub-2"}, 30);
  service.waiting["sub-2"].push_back("<t:DeletedEvent/>");
  service.happen("sub-1", new_mail);
  service.happen("sub-1", "<t:CreatedEvent/>");
  world.run_for(std::chrono::milliseconds(1));
  EXPECT_THAT(*stream.text, HasSubstr("<m:Notification><t:SubscriptionId>sub-1</t:SubscriptionId>" +
                                      new_mail + "<t:CreatedEvent/></m:Notification>"));
  EXPECT_THAT(*stream.text, HasSubstr("<t:SubscriptionId>sub-2</t:SubscriptionId><t:DeletedEvent/>"));
  EXPECT_EQ(count(*stream.text, "<m:Notifications>"), 1);
}

TEST_F(StreamingTest, events_from_before_the_connection_are_not_lost) {
  service.waiting["sub-1"].push_back(new_mail);
  const auto stream = open({"sub-1"}, 30);
  EXPECT_THAT(*stream.text, HasSubstr(new_mail));
}

TEST_F(StreamingTest, subscriptions_of_other_accounts_are_denied_and_not_called_unknown) {
  service.denied = {"theirs"};
  const auto stream = open({"theirs", "sub-1", "gone"}, 30);
  const auto denied = stream.text->find("ErrorSubscriptionAccessDenied");
  const auto unknown = stream.text->find("ErrorInvalidSubscription");
  ASSERT_NE(denied, std::string::npos);
  ASSERT_NE(unknown, std::string::npos);
  EXPECT_THAT(stream.text->substr(denied), HasSubstr("<t:SubscriptionId>theirs</t:SubscriptionId>"));
  EXPECT_THAT(stream.text->substr(unknown, denied - unknown), HasSubstr("<t:SubscriptionId>gone<"));
  EXPECT_THAT(stream.text->substr(unknown, denied - unknown), Not(HasSubstr("theirs")));
  service.happen("sub-1", new_mail);
  world.run_for(std::chrono::milliseconds(1));
  EXPECT_THAT(*stream.text, HasSubstr(new_mail));
}

TEST_F(StreamingTest, unknown_subscriptions_are_error_ids_and_the_others_stream_on) {
  const auto stream = open({"sub-1", "gone"}, 30);
  EXPECT_THAT(*stream.text, HasSubstr("<m:ErrorSubscriptionIds><t:SubscriptionId>gone</t:SubscriptionId>"
                                      "</m:ErrorSubscriptionIds>"));
  EXPECT_THAT(*stream.text, HasSubstr("ErrorInvalidSubscription"));
  service.happen("sub-1", new_mail);
  world.run_for(std::chrono::milliseconds(1));
  EXPECT_THAT(*stream.text, HasSubstr(new_mail));
  const auto hopeless = open({"gone"}, 30);
  EXPECT_TRUE(*hopeless.ended);
  EXPECT_THAT(*hopeless.text, HasSubstr("Closed"));
}

TEST_F(StreamingTest, a_subscription_that_dies_under_way_is_told) {
  const auto stream = open({"sub-1", "sub-2"}, 30);
  service.subscriptions.erase("sub-2");
  world.run_for(std::chrono::seconds(50));
  EXPECT_THAT(*stream.text, HasSubstr("<m:ErrorSubscriptionIds><t:SubscriptionId>sub-2</t:SubscriptionId>"));
  EXPECT_FALSE(*stream.ended);
}

TEST_F(StreamingTest, timeouts_outside_1_to_30_minutes_and_too_many_ids_are_refused) {
  for (const int minutes : {0, 31, -5})
    EXPECT_THAT(ews(streaming({"sub-1"}, minutes)).body, HasSubstr("ErrorSchemaValidation"));
  EXPECT_THAT(ews(streaming(std::vector<std::string>(201, "sub-1"), 1)).body,
              HasSubstr("ErrorInvalidRequest"));
}

TEST_F(StreamingTest, the_eleventh_stream_of_a_mailbox_exceeds_the_connections) {
  std::vector<Open> streams;
  for (int i = 0; i < 11; ++i) streams.push_back(open({"sub-1"}, 30));
  EXPECT_EQ(sim->open_streams(), 10u);
  EXPECT_THAT(*streams.back().text, HasSubstr("ErrorExceededConnectionCount"));
}

TEST_F(StreamingTest, a_stream_ends_when_its_client_goes_away) {
  auto wire = std::make_unique<Wire>(world, "mail.example.test", true);
  world.spawn([](Wire& one, std::string body) -> net::asio::awaitable<void> {
    static_cast<void>(co_await one.post_async(basic("anna@example.test", "secret"), body));
  }(*wire, streaming({"sub-1"}, 30)));
  world.run_for(std::chrono::seconds(1));
  EXPECT_EQ(sim->open_streams(), 1u);
  wire->close();
  world.run_for(std::chrono::seconds(60));
  EXPECT_EQ(sim->open_streams(), 0u);
  EXPECT_EQ(last().operation, "GetStreamingEvents");
}

TEST_F(StreamingTest, a_dead_stream_is_silent_and_stays) {
  ASSERT_TRUE(sim->faults().add_json(R"({"action":"dead-stream","operation":"GetStreamingEvents"})"));
  const auto stream = open({"sub-1"}, 5);
  const auto size = stream.text->size();
  service.happen("sub-1", new_mail);
  world.run_for(std::chrono::hours(2));
  EXPECT_EQ(stream.text->size(), size);
  EXPECT_FALSE(*stream.ended);
}

TEST_F(StreamingTest, faults_reach_a_stream_that_is_already_open) {
  const auto stream = open({"sub-1"}, 30);
  ASSERT_TRUE(sim->faults().add_json(R"({"action":"lose-events","operation":"stream","times":1})"));
  sim->wake_streams();
  service.happen("sub-1", new_mail);
  world.run_for(std::chrono::seconds(46));
  EXPECT_THAT(*stream.text, Not(HasSubstr(new_mail)));
  EXPECT_EQ(count(*stream.text, "<m:ConnectionStatus>OK<"), 2) << "heartbeats go on";
  ASSERT_TRUE(sim->faults().add_json(
      R"({"action":"error-subscription","operation":"stream","code":"ErrorExpiredSubscription"})"));
  sim->wake_streams();
  world.run_for(std::chrono::milliseconds(1));
  EXPECT_THAT(*stream.text, HasSubstr("ErrorExpiredSubscription"));
  EXPECT_TRUE(*stream.ended);
}

TEST_F(StreamingTest, a_stream_can_break_off_without_a_word) {
  ASSERT_TRUE(sim->faults().add_json(R"({"action":"close-stream","limit":2})"));
  const auto stream = open({"sub-1"}, 30);
  EXPECT_FALSE(*stream.ended);
  service.happen("sub-1", new_mail);
  world.run_for(std::chrono::milliseconds(1));
  EXPECT_TRUE(*stream.ended);
  EXPECT_THAT(*stream.text, Not(HasSubstr("Closed")));
  EXPECT_FALSE(stream.text->ends_with("0\r\n\r\n"));
}

TEST_F(StreamingTest, subscriptions_of_another_back_end_need_its_cookie) {
  auto config = two_sites();
  config.sites[0].back_ends = 64;
  start(config);
  service.reply.body_xml =
      "<m:SubscribeResponse xmlns:m=\"x\"><m:SubscriptionId>sub-1</m:SubscriptionId></m:SubscribeResponse>";
  const auto subscribed = ews(soap("<m:Subscribe/>"),
                              {{"X-AnchorMailbox", "bert@example.test"}, {"X-PreferServerAffinity", "true"}});
  std::string cookie;
  for (const auto& field : subscribed.fields("Set-Cookie")) {
    if (field.starts_with("X-BackEndOverrideCookie")) cookie = field.substr(0, field.find(';'));
  }
  ASSERT_FALSE(cookie.empty());
  EXPECT_THAT(ews(streaming({"sub-1"}, 1)).body, HasSubstr("ErrorInvalidSubscription"));
  EXPECT_THAT(ews(streaming({"sub-1"}, 1), {{"Cookie", cookie}}).body,
              Not(HasSubstr("ErrorInvalidSubscription")));
}

}  // namespace
}  // namespace exchange_sim::testing
