// SPDX-License-Identifier: GPL-3.0-or-later
// e-1: mailboxes on Exchange are watched by streams of notifications between their runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/organisation/mailbox_administration.hpp"
#include "service_world.hpp"

namespace syncline::service::testing {
namespace {

using namespace std::chrono_literals;
using exchange_sim::Action;
using exchange_sim::FaultRule;
using ::testing::Contains;
using ::testing::IsEmpty;

class Push : public ::testing::Test {
 protected:
  /// Long enough for all first runs, and for the streams to be open.
  void SetUp() override {
    service.start();
    service.world.run_for(3min);
    static_cast<void>(service.arrived());
  }
  std::size_t runs() { return service.daemon().totals().runs; }

  ServiceWorld service{4};
};

TEST_F(Push, AllAreWatchedAndOneAccountsShareAConnection) {
  EXPECT_EQ(service.pushed(), 8u);
  EXPECT_EQ(service.engine().streams(), 5u) << "one for the service account, one for each own password";
  EXPECT_EQ(service.east.sim().open_streams(), 1u);
  EXPECT_GE(service.turn(service.eastern[0]).watched_since, SteadyTime{});
}

TEST_F(Push, AMessageIsARecordWithinThreeSeconds) {
  for (const std::string& address : {service.eastern[2], service.western[1]}) {
    const std::string id = service.deliver(address);
    service.world.run_for(3s);
    EXPECT_THAT(service.arrived(), Contains(id)) << address;
  }
}

TEST_F(Push, WhoIsWatchedIsNotPolled) {
  const std::size_t before = runs();
  service.world.run_for(45min);
  EXPECT_LE(runs() - before, 10u) << "the server's timer ends streams in order: nothing is read anew";
  service.world.run_for(75min);
  EXPECT_GE(runs() - before, 8u) << "looked at all the same";
}

TEST_F(Push, AStreamThatIsLostIsOpenedAgainAndTheGapIsRead) {
  FaultRule dead;
  dead.operation = "GetStreamingEvents";
  dead.action = Action::abort_before;
  dead.times = 3;
  service.east.sim().faults().add(dead);
  FaultRule closed;
  closed.operation = "stream";
  closed.action = Action::close_stream;
  closed.times = 1;
  service.east.sim().faults().add(closed);
  service.east.sim().wake_streams();
  service.world.run_for(1s);
  EXPECT_FALSE(service.turn(service.eastern[0]).is_pushed);
  EXPECT_TRUE(service.turn(service.western[0]).is_pushed) << "another server's";
  const std::string id = service.deliver(service.eastern[3]);
  service.world.run_for(4min);
  EXPECT_THAT(service.arrived(), Contains(id));
  EXPECT_EQ(service.pushed(), 8u);
}

TEST_F(Push, WithoutNotificationsMailboxesArePolledAtTheirInterval) {
  FaultRule refused;
  refused.operation = "Subscribe";
  refused.action = Action::response_code;
  refused.code = "ErrorAccessDenied";
  service.east.sim().faults().add(refused);
  service.west.sim().faults().add(refused);
  service.east.service().drop_subscriptions(service.eastern[0]);
  ServiceWorld other(2, 7);
  other.east.sim().faults().add(refused);
  other.west.sim().faults().add(refused);
  other.start();
  other.world.run_for(3min);
  EXPECT_EQ(other.pushed(), 0u);
  const std::string id = other.deliver(other.eastern[1]);
  other.world.run_for(6min);
  EXPECT_THAT(other.arrived(), Contains(id));
  EXPECT_LT(other.east.requests("Subscribe"), 12u) << "it is not asked for again and again";
  other.east.sim().faults().clear();
  other.west.sim().faults().clear();
  other.world.run_for(5h);
  EXPECT_EQ(other.pushed(), 4u) << "tried again by itself";
}

TEST_F(Push, WhoIsDisabledIsHeardNoMore) {
  auto done = administer(service.organisation(), MailboxAct::disable, {service.western[0]}, {"test"});
  ASSERT_TRUE(done);
  service.world.run_for(3s);
  EXPECT_EQ(service.west.sim().open_streams(), 3u);
  EXPECT_EQ(service.east.sim().open_streams(), 1u) << "others are left alone";
  static_cast<void>(service.deliver(service.western[0]));
  service.world.run_for(10min);
  EXPECT_THAT(service.arrived(), IsEmpty());
}

TEST_F(Push, ANewPasswordMakesItsStreamAnewAndNoOther) {
  const std::size_t subscribed = service.west.requests("Subscribe");
  service.set_password(service.western[1], "secret");
  service.world.run_for(10s);
  EXPECT_EQ(service.west.requests("Subscribe"), subscribed + 1);
  EXPECT_EQ(service.pushed(), 8u);
}

TEST_F(Push, AStopEndsAllStreams) {
  EXPECT_TRUE(service.stop());
  service.world.run_for(5s);
  EXPECT_EQ(service.east.sim().open_streams() + service.west.sim().open_streams(), 0u);
}

}  // namespace
}  // namespace syncline::service::testing
