// SPDX-License-Identifier: GPL-3.0-or-later
// Looks that somebody asks for: the requests, and how a daemon answers them, in virtual time. What a look
// finds is the test's.
#include "service/placement/requested_looks.hpp"

#include <boost/json/serialize.hpp>

#include "placement_fixture.hpp"
#include "service/views/placement_json.hpp"
#include "store/journal.hpp"

namespace syncline::service {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::SizeIs;
using What = PlacementResult::What;

const Actor vera{"vera", "ticket 7"};

class RequestedLooksTest : public testing::PlacementFixture {
 protected:
  void SetUp() override {
    PlacementFixture::SetUp();
    start();
  }
  void TearDown() override {
    stop();
    looks.reset();
    PlacementFixture::TearDown();
  }

  void start() {
    looks = std::make_unique<RequestedLooks>(
        world.environment(), *organisation, [this](LookOrder order) -> Async<std::vector<PlacementResult>> {
          orders.push_back(order);
          auto slept = co_await world.sleep(2s);
          if (!slept) co_return fail(std::move(slept.error()));
          std::vector<PlacementResult> results;
          for (const std::string& one : order.addresses) {
            if (one == failing) co_return fail(ErrorDomain::local, "secret-damaged", "it cannot be opened");
            PlacementResult result{.address = one};
            if (!is_stopping) look(result);
            results.push_back(std::move(result));
          }
          co_return results;
        });
    has_ended = is_stopping = false;
    world.spawn([](RequestedLooksTest& self) -> net::asio::awaitable<void> {
      static_cast<void>(co_await self.looks->run());
      self.has_ended = true;
    }(*this));
  }
  void look(PlacementResult& result) {
    result.is_answered = true;
    if (result.address == refused) {
      result.text = "The address has not been approved";
      return;
    }
    result.what = What::fits;
    result.text = "it lives on Exchange 2019";
    store::Placement placement = placement_of(result.address);
    placement.mailbox = id_of(result.address);
    placement.looked_at = world.now();
    placement.state = result.what;
    placement.text = result.text;
    keep(placement);
  }
  void stop() {
    is_stopping = true;
    looks->stop();
    world.run_for(10s);
    EXPECT_TRUE(has_ended);
  }

  std::vector<Obstacle> ask(std::vector<std::string> addresses, bool follow = false,
                            const Actor& actor = vera) {
    auto obstacles =
        request_looks(*organisation, {.addresses = std::move(addresses), .follow_moves = follow}, actor);
    EXPECT_TRUE(obstacles);
    looks->wake();
    return obstacles ? std::move(*obstacles) : std::vector<Obstacle>{};
  }
  bool waits(int number) { return placement_of(address(number)).request.has_value(); }
  std::vector<std::string> audit() {
    auto entries = organisation->store().read<std::vector<store::AuditEntry>>(
        [](store::Transaction& transaction) { return store::list_audit(transaction, 0, 10000); });
    EXPECT_TRUE(entries);
    std::vector<std::string> lines;
    for (const store::AuditEntry& entry : *entries)
      if (entry.act.starts_with("mailbox.discover"))
        lines.push_back(entry.who + " " + entry.act + " " + entry.object + ": " + entry.reason);
    return lines;
  }

  std::unique_ptr<RequestedLooks> looks;
  std::vector<LookOrder> orders;
  std::string failing;
  std::string refused;
  bool is_stopping = false;
  bool has_ended = true;
};

TEST_F(RequestedLooksTest, AreAnsweredAtOnceInTheNameOfWhoAsked) {
  world.run_for(1h);
  EXPECT_THAT(orders, SizeIs(0));
  EXPECT_THAT(ask({"M0@contoso.example", address(0)}, true), SizeIs(0));
  EXPECT_EQ(boost::json::serialize(to_json(placement_of(address(0)))),
            R"({"lookedAt":null,"state":null,"text":null,"facts":null,"parkedAt":null,)"
            R"("requestedAt":"2026-01-05T09:00:00Z"})");
  world.run_for(3s);
  ASSERT_THAT(orders, SizeIs(1));
  EXPECT_THAT(orders[0].addresses, ElementsAre(address(0)));
  EXPECT_TRUE(orders[0].follow_moves);
  EXPECT_EQ(orders[0].actor.who, "vera");
  EXPECT_EQ(orders[0].actor.reason, "ticket 7");
  EXPECT_EQ(boost::json::serialize(to_json(placement_of(address(0)))),
            R"({"lookedAt":"2026-01-05T09:00:02Z","state":"fits","text":"it lives on Exchange 2019",)"
            R"("facts":null,"parkedAt":null,"requestedAt":null})");
  EXPECT_THAT(audit(), ElementsAre("vera mailbox.discover-and-follow mailbox " + address(0) + ": ticket 7"));
  world.run_for(48h);
  EXPECT_THAT(orders, SizeIs(1));
}

TEST_F(RequestedLooksTest, ThatAStopCutsOffAreTakenUpByTheNextStart) {
  ask({address(0)});
  world.run_for(1s);
  stop();
  EXPECT_TRUE(waits(0));
  ask({address(1)});
  world.run_for(1h);
  start();
  world.run_for(3s);
  EXPECT_FALSE(waits(0));
  EXPECT_FALSE(waits(1));
  ASSERT_THAT(orders, SizeIs(2));
  EXPECT_THAT(orders[1].addresses, ElementsAre(address(0), address(1)));
}

TEST_F(RequestedLooksTest, ComeInTheirOrderAndWhoAsksForAllHoldsUpNobodyForLong) {
  ask({address(0)});
  world.run_for(1s);
  ask(all());
  world.run_for(500ms);
  ask({address(23)}, true, {"bob"});
  world.run_for(10s);
  std::vector<std::size_t> sizes;
  for (const LookOrder& order : orders) sizes.push_back(order.addresses.size());
  EXPECT_THAT(sizes, ElementsAre(1, 20, 3, 1));
  EXPECT_EQ(orders.back().actor.who, "bob");
  EXPECT_TRUE(orders.back().follow_moves);
  for (int i = 0; i < testing::mailboxes; ++i) EXPECT_FALSE(waits(i)) << i;
}

TEST_F(RequestedLooksTest, WhoAsksAgainMeanwhileIsAnsweredAgain) {
  ask({address(0)});
  world.run_for(1s);
  ask({address(0)}, false, {"bob"});
  world.run_for(10s);
  ASSERT_THAT(orders, SizeIs(2));
  EXPECT_EQ(orders[1].actor.who, "bob");
  EXPECT_FALSE(waits(0));
}

TEST_F(RequestedLooksTest, OneThatFollowsMovesIsNotReplacedByOneThatDoesNot) {
  stop();
  ask({address(0)}, true);
  ask({address(0), address(1)}, false, {"bob"});
  ask({address(1)}, true);
  start();
  world.run_for(10s);
  ASSERT_THAT(orders, SizeIs(1));
  EXPECT_TRUE(orders[0].follow_moves);
  EXPECT_EQ(orders[0].actor.who, "vera");
  EXPECT_THAT(orders[0].addresses, ElementsAre(address(0), address(1)));
  EXPECT_THAT(audit(), SizeIs(4)) << "who asked is kept all the same";
}

TEST_F(RequestedLooksTest, WhatIsRefusedMeanwhileIsSaidAndNotAskedAgain) {
  refused = address(0);
  ask({address(0)});
  world.run_for(10s);
  EXPECT_THAT(orders, SizeIs(1));
  EXPECT_EQ(boost::json::serialize(to_json(placement_of(address(0)))),
            R"({"lookedAt":null,"state":"not-asked","text":"The address has not been approved","facts":null,)"
            R"("parkedAt":null,"requestedAt":null})");
}

TEST_F(RequestedLooksTest, OneThatFailsOnOurSideHoldsUpNobody) {
  failing = address(1);
  ask({address(0), address(1), address(2)});
  world.run_for(20s);
  EXPECT_EQ(placement_of(address(0)).state, What::fits);
  EXPECT_EQ(placement_of(address(2)).state, What::fits);
  EXPECT_EQ(placement_of(address(1)).state, What::not_asked);
  EXPECT_EQ(placement_of(address(1)).text, "the look failed on our side; the log says why");
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(waits(i)) << i;
  failing.clear();
  orders.clear();
  ask({address(0), address(1), address(2)});
  world.run_for(10s);
  EXPECT_THAT(orders, SizeIs(1)) << "together again";
}

TEST_F(RequestedLooksTest, AreRefusedWithTheReasonWhereNothingCanBeAsked) {
  configure(
      "autodiscover = true\n[[profile]]\nname = \"Host\"\ntype = \"imap_smtp\"\nin_host = "
      "\"imap.contoso.example\"\nout_host = \"smtp.contoso.example\"\nin_port = 993\nout_port = 465\n"
      "in_tls = \"implicit\"\nout_tls = \"implicit\"\n[[mailbox]]\naddress = \"host@contoso.example\"\n"
      "profile = \"Host\"\nact = \"none\"\n");
  administer_all(MailboxAct::reject, {address(0)});
  const auto obstacles = ask({"host@contoso.example", "nobody@contoso.example", address(0), address(1)});
  std::vector<std::string> codes;
  for (const Obstacle& obstacle : obstacles) codes.push_back(obstacle.address + " " + obstacle.code);
  EXPECT_THAT(codes, ElementsAre("host@contoso.example not-on-exchange", "nobody@contoso.example no-mailbox",
                                 address(0) + " rejected-address"));
  EXPECT_THAT(audit(), ElementsAre("vera mailbox.discover mailbox " + address(1) + ": ticket 7"));
  world.run_for(10s);
  ASSERT_THAT(orders, SizeIs(1));
  EXPECT_THAT(orders[0].addresses, ElementsAre(address(1)));
}

}  // namespace
}  // namespace syncline::service
