// SPDX-License-Identifier: GPL-3.0-or-later
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>

#include "organisation_fixture.hpp"
#include "service/alerts/alert_desk.hpp"
#include "service/alerts/all_clear.hpp"
#include "service/organisation/alert_acts.hpp"
#include "store/operations.hpp"
#include "sync/orders.hpp"

namespace syncline::service {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using namespace std::chrono_literals;
using store::AlertMessageState;

class AlertDeskTest : public testing::OrganisationFixture {
 protected:
  /// m0 … are enabled, and alerts@ sends.
  void with_mailboxes(std::size_t count, const std::string& organisation_lines =
                                             "alert_mailbox = \"alerts@contoso.example\"\n") {
    applied(testing::mail_host_file(count, organisation_lines) +
            "[[mailbox]]\naddress = \"alerts@contoso.example\"\nprofile = \"Host\"\nact = \"none\"\n");
    for (std::size_t i = 0; i < count; ++i) let_in(address(i));
    let_in("alerts@contoso.example");
  }
  static std::string address(std::size_t i) { return "m" + std::to_string(i) + "@contoso.example"; }
  store::MailboxId id(const std::string& address) { return stored().mailboxes.at(address).id; }
  void raise(const std::string& whose, store::AlertLevel level = store::AlertLevel::error,
             const std::string& code = "sign-in") {
    const store::MailboxId mailbox = whose.empty() ? 0 : id(whose);
    written([&](store::Transaction& transaction) {
      return store::raise_alert(
          transaction,
          {.mailbox = mailbox, .level = level, .code = code, .text = "it is so", .remedy = "do it"});
    });
  }
  void settle(const std::string& whose) {
    const store::MailboxId mailbox = id(whose);
    written(
        [&](store::Transaction& transaction) { return store::clear_alert(transaction, mailbox, "sign-in"); });
  }
  std::vector<std::string> open_codes() {
    std::vector<std::string> codes;
    for (const store::Alert& alert : alerts()) codes.push_back(alert.code);
    return codes;
  }
  void state(std::size_t of, const std::string& text) {
    const store::MailboxId mailbox = id(address(of));
    written([&](store::Transaction& transaction) {
      return store::put_mailbox_state(transaction, mailbox, text);
    });
  }
  std::string failed_since(std::chrono::milliseconds before) {
    return R"({"outcome":"failed","errorsInARow":3,"succeededAt":)" +
           std::to_string((clock.time - before).time_since_epoch().count()) +
           R"(,"error":{"message":"no way"}})";
  }
  void goes_round(const std::vector<MailboxTurn>& turns = {}) {
    ASSERT_TRUE(desk.look(turns));
    boost::asio::io_context context;
    std::optional<Result<void>> done;
    boost::asio::co_spawn(context, desk.deliver(),
                          [&](const std::exception_ptr&, Result<void> result) { done = std::move(result); });
    context.run();
    ASSERT_TRUE(done && *done) << (done ? done->error().describe() : "it did not end");
  }
  std::vector<sync::WriteOrder> mails() {
    std::vector<sync::WriteOrder> orders;
    for (const store::Operation& operation : looked<std::vector<store::Operation>>(
             [sender = id("alerts@contoso.example")](store::Transaction& transaction) {
               return store::unfinished_operations(transaction, sender);
             })) {
      auto order = sync::read_order(operation);
      EXPECT_TRUE(order);
      orders.push_back(std::move(order->order));
    }
    return orders;
  }
  std::vector<std::string> mailed_to() {
    std::vector<std::string> people;
    for (const sync::WriteOrder& order : mails())
      people.emplace_back(order.fields.at("toRecipients").at(0).at("emailAddress").as_string());
    return people;
  }

  std::vector<std::string> posted;
  std::optional<Error> refusal;
  std::unique_ptr<AlertDesk> made;
  AlertDesk& desk_ref() {
    if (!made)
      made = std::make_unique<AlertDesk>(*organisation, AlertDeskSettings{},
                                         [this](std::string url, std::string body) -> Async<void> {
                                           if (refusal) co_return fail(*refusal);
                                           posted.push_back(url + " " + body);
                                           co_return Result<void>{};
                                         });
    return *made;
  }
  struct Desk {
    AlertDeskTest& test;
    Result<void> look(const std::vector<MailboxTurn>& turns) { return test.desk_ref().look(turns); }
    Async<void> deliver() { return test.desk_ref().deliver(); }
  } desk{*this};
  void TearDown() override {
    made.reset();
    OrganisationFixture::TearDown();
  }
};

TEST_F(AlertDeskTest, OwnerOfMailboxAndProfileAreToldOnceByMailMarkedAsOurOwn) {
  with_mailboxes(4);
  raise(address(0));
  goes_round();
  EXPECT_THAT(mails(), IsEmpty()) << "what ends by itself is not told";
  clock.time += 6min;
  goes_round();
  goes_round();
  EXPECT_THAT(mailed_to(), UnorderedElementsAre(address(0), "admin@contoso.example"));
  for (const sync::WriteOrder& order : mails()) {
    EXPECT_EQ(order.what, sync::WriteOrder::What::send);
    EXPECT_TRUE(order.is_automatic) << "invariant 18";
    EXPECT_THAT(std::string(order.fields.at("body").at("value").as_string()), HasSubstr("it is so"));
  }
}

TEST_F(AlertDeskTest, WhatIsSettledOrAcknowledgedInTimeIsNotTold) {
  with_mailboxes(4);
  raise(address(0));
  raise(address(1));
  goes_round();
  settle(address(0));
  const auto open = alerts();
  ASSERT_THAT(open, SizeIs(1));
  auto done = acknowledge_alerts(*organisation, {open[0].id, open[0].id, 99999}, {"vera", "I am on it"});
  ASSERT_TRUE(done);
  EXPECT_THAT(*done, ElementsAre(open[0].id));
  EXPECT_EQ(audit().back(), "vera alert.acknowledge alert " + std::to_string(open[0].id) + ": I am on it");
  clock.time += 6min;
  goes_round();
  EXPECT_THAT(mails(), IsEmpty());
}

TEST_F(AlertDeskTest, HalfOfAProfileIsOneAlertNotAThousand) {
  with_mailboxes(9);
  for (std::size_t i = 0; i < 4; ++i) raise(address(i));
  goes_round();
  EXPECT_THAT(alerts(), SizeIs(4)) << "four of ten are not half";
  raise(address(4));
  goes_round();
  ASSERT_THAT(alerts(), SizeIs(6));
  clock.time += 6min;
  raise(address(5));
  goes_round();
  EXPECT_THAT(mailed_to(), ElementsAre("admin@contoso.example"));
  EXPECT_THAT(std::string(mails()[0].fields.at("body").at("value").as_string()),
              HasSubstr("5 of 10 mailboxes of the profile Host"));
  // All is well again.
  for (std::size_t i = 0; i < 6; ++i) settle(address(i));
  goes_round();
  ASSERT_THAT(open_codes(), ElementsAre("profile-works-again:Host"));
  EXPECT_EQ(alerts()[0].level, store::AlertLevel::information);
  goes_round();
  EXPECT_THAT(mailed_to(), ElementsAre("admin@contoso.example", "admin@contoso.example"))
      << "who was told of the trouble hears that it is over";
}

TEST_F(AlertDeskTest, AnOutageIsOneAlertWithinMinutesThoughOnlyOneMailboxTriesAtATime) {
  constexpr std::size_t mailboxes = 40;
  with_mailboxes(mailboxes);
  SeededRandom random{5};
  Schedule schedule({}, random);
  SteadyTime began = clock.steady_now();
  for (std::size_t i = 0; i < mailboxes; ++i)
    schedule.put(address(i), {.server = "Host", .interval = 5min}, 5min, began);
  bool is_out = false;
  std::size_t most_open = 0;
  const auto live = [&](std::chrono::minutes span) {
    for (const SystemTime end = clock.time + span; clock.time < end; clock.time += 10s) {
      while (const auto taken = schedule.take(clock.steady_now()))
        schedule.finished(*taken, clock.steady_now(),
                          is_out ? std::optional(Error{.domain = ErrorDomain::net,
                                                       .code = "connection-refused",
                                                       .retry = RetryClass::after})
                                 : std::nullopt);
      goes_round(schedule.turns());
      most_open = std::max(most_open, alerts().size());
    }
  };
  live(10min);
  EXPECT_THAT(alerts(), IsEmpty());
  is_out = true;
  live(4min);
  EXPECT_THAT(alerts(), IsEmpty()) << "what passes within minutes is not told";
  live(4min);
  ASSERT_THAT(open_codes(), ElementsAre("profile-failing:Host"));
  EXPECT_THAT(alerts()[0].text, HasSubstr("does not answer: 40 of 41 mailboxes"));
  EXPECT_THAT(mailed_to(), ElementsAre("admin@contoso.example"));
  live(120min);
  ASSERT_THAT(open_codes(), ElementsAre("profile-failing:Host"));
  EXPECT_EQ(alerts()[0].count, 1) << "raised once for as long as it lasts";

  // A restart in the middle of it knows nothing of the outage yet, and does not say that it is over.
  Schedule restarted({}, random);
  for (std::size_t i = 0; i < mailboxes; ++i)
    restarted.put(address(i), {.server = "Host", .interval = 5min}, 5min, clock.steady_now());
  goes_round(restarted.turns());
  EXPECT_THAT(open_codes(), ElementsAre("profile-failing:Host"));

  is_out = false;
  live(8min);
  EXPECT_THAT(open_codes(), ElementsAre("profile-works-again:Host"));
  EXPECT_EQ(most_open, 1u);
  EXPECT_THAT(mailed_to(), SizeIs(2));
  clock.time += 24h;
  goes_round(schedule.turns());
  EXPECT_THAT(alerts(), IsEmpty()) << "good news of yesterday";
}

TEST_F(AlertDeskTest, MailboxesThatFailOneByOneForMinutesAreCountedThoughNoneIsAnAlertYet) {
  with_mailboxes(5);
  std::vector<MailboxTurn> turns;
  for (std::size_t i = 0; i < 5; ++i) {
    turns.push_back({.address = address(i), .server = "Host", .has_run = true});
    if (i < 3) turns.back().failing_since = clock.steady_now();
  }
  goes_round(turns);
  EXPECT_THAT(alerts(), IsEmpty());
  clock.time += 5min;
  goes_round(turns);
  ASSERT_THAT(open_codes(), ElementsAre("profile-failing:Host"));
  EXPECT_THAT(alerts()[0].text, HasSubstr("3 of 6 mailboxes of the profile Host have failed"));
}

TEST_F(AlertDeskTest, ThatAMailboxWorksAgainIsToldToWhoeverWasToldThatItDoesNot) {
  with_mailboxes(4,
                 "alert_mailbox = \"alerts@contoso.example\"\nalert_webhook = \"https://hook.example/x\"\n");
  state(0, failed_since(50min));
  state(1, failed_since(50min));
  goes_round();
  clock.time += 1min;
  state(1, R"({"outcome":"done","errorsInARow":0})");
  goes_round();
  EXPECT_THAT(posted, IsEmpty());
  EXPECT_THAT(open_codes(), UnorderedElementsAre("mailbox-failing", "mailbox-works-again"));
  clock.time += 6min;
  goes_round();
  EXPECT_THAT(posted, SizeIs(1)) << "nobody had heard of the other one";
  EXPECT_THAT(mailed_to(), UnorderedElementsAre(address(0), "admin@contoso.example"));
  state(0, R"({"outcome":"done","errorsInARow":0})");
  goes_round();
  goes_round();
  ASSERT_THAT(posted, SizeIs(2));
  EXPECT_THAT(posted[1], HasSubstr(R"("level":"information","code":"mailbox-works-again")"));
  EXPECT_THAT(mailed_to(),
              UnorderedElementsAre(address(0), "admin@contoso.example", address(0), "admin@contoso.example"));
  // It fails again: the good news are none any more.
  state(0, failed_since(50min));
  goes_round();
  EXPECT_THAT(open_codes(), UnorderedElementsAre("mailbox-failing", "mailbox-works-again"));
  for (const store::Alert& alert : alerts())
    if (is_all_clear(alert.code)) {
      EXPECT_EQ(alert.mailbox, id(address(1)));
    }
}

TEST_F(AlertDeskTest, FailuresOfLongAgoAreNotCountedTogether) {
  with_mailboxes(5);
  for (std::size_t i = 0; i < 3; ++i) {
    raise(address(i));
    clock.time += 40min;
  }
  goes_round();
  EXPECT_THAT(alerts(), SizeIs(3));
}

TEST_F(AlertDeskTest, Invariant18AnAlertAboutTheSendingMailboxIsNotMailedThroughIt) {
  with_mailboxes(4,
                 "alert_mailbox = \"alerts@contoso.example\"\nalert_webhook = \"https://hook.example/x\"\n");
  raise("alerts@contoso.example");
  clock.time += 6min;
  goes_round();
  clock.time += 6min;
  goes_round();
  EXPECT_THAT(mails(), IsEmpty());
  ASSERT_THAT(posted, SizeIs(1));
  EXPECT_THAT(posted[0], HasSubstr("alerts@contoso.example"));
}

TEST_F(AlertDeskTest, AMailboxThatFailsForLongIsAnAlertUntilItSucceeds) {
  with_mailboxes(4);
  state(0, failed_since(5min));
  goes_round();
  EXPECT_THAT(alerts(), IsEmpty());
  state(0, failed_since(50min));
  goes_round();
  ASSERT_THAT(alerts(), SizeIs(1));
  EXPECT_EQ(alerts()[0].code, "mailbox-failing");
  EXPECT_THAT(alerts()[0].text, HasSubstr("no way"));
  goes_round();
  EXPECT_EQ(alerts()[0].count, 1) << "raised once for as long as it lasts";
  state(0, R"({"outcome":"done","errorsInARow":0})");
  goes_round();
  EXPECT_THAT(open_codes(), ElementsAre("mailbox-works-again"));
  for (const char* odd :
       {"", "[]", "{", R"({"outcome":3,"errorsInARow":"x","succeededAt":null,"error":[]})"}) {
    state(0, odd);
    goes_round();
  }
}

TEST_F(AlertDeskTest, AWebhookIsPostedOnceAndTriedAgainWhileItsReceiverIsOutOfOrder) {
  with_mailboxes(4, "alert_webhook = \"https://hook.example/x\"\n");
  raise("", store::AlertLevel::information, "news");
  refusal = Error{
      .domain = ErrorDomain::net, .code = "connection-refused", .message = "no", .retry = RetryClass::after};
  goes_round();
  goes_round();
  EXPECT_THAT(posted, IsEmpty());
  refusal.reset();
  goes_round();
  EXPECT_THAT(posted, IsEmpty()) << "not before the pause is over";
  clock.time += 31s;
  goes_round();
  goes_round();
  ASSERT_THAT(posted, SizeIs(1));
  EXPECT_TRUE(posted[0].starts_with("https://hook.example/x {"));
  const json::value body = json::parse(posted[0].substr(posted[0].find('{')));
  EXPECT_EQ(body.at("code"), json::value("news"));
  EXPECT_EQ(body.at("level"), json::value("information"));
}

}  // namespace
}  // namespace syncline::service
