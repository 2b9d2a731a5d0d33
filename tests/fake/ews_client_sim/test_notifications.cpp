// SPDX-License-Identifier: GPL-3.0-or-later
// a-12, R-14, R-15, R-18: streaming notifications against the test Exchange.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <set>

#include "ews/client/notifications.hpp"
#include "exchange_fixture.hpp"

namespace syncline::ews {
namespace {

using namespace std::chrono_literals;
using exchange_sim::Action;
using exchange_sim::FaultRule;
using testing::anna;
using testing::bert;

class Notifications : public testing::ExchangeFixture {
 protected:
  struct News {
    std::chrono::milliseconds at;
    FolderChanged change;
  };

  void start(StreamingSettings settings = {}) {
    auto budgets = std::make_shared<CredentialBudgets>(world_.environment());
    // One account: a subscription is of use to the one alone that made it.
    anna_ = std::make_unique<EwsClient>(make_service_client(anna, budgets));
    bert_ = std::make_unique<EwsClient>(make_service_client(
        bert, bert_for_himself_ ? std::make_shared<CredentialBudgets>(world_.environment()) : budgets));
    // The stream is cut off when the world ends, after this.
    settings.on_hearing = [hearing = hearing_](const std::string& mailbox, bool is_heard) {
      if (is_heard) ++hearing->times;
      if (is_heard)
        hearing->now.insert(mailbox);
      else
        hearing->now.erase(mailbox);
    };
    stream_ = std::make_unique<NotificationStream>(
        std::vector<StreamedMailbox>{{anna, anna_.get()}, {bert, bert_.get()}},
        [this](FolderChanged change) {
          news_.push_back({world_.elapsed(), std::move(change)});
        },
        std::move(settings));
    world_.spawn(listen());
    world_.run_for(2s);
  }
  net::asio::awaitable<void> listen() {
    auto ended = co_await stream_->run();
    if (!ended) ended_ = ended.error();
  }
  void fault(Action action, std::uint64_t times = 1) {
    FaultRule rule;
    rule.operation = "GetStreamingEvents";
    rule.action = action;
    rule.times = times;
    sim_->faults().add(std::move(rule));
  }
  std::size_t news_of(const std::string& mailbox, bool everything) const {
    return static_cast<std::size_t>(std::ranges::count_if(news_, [&](const News& one) {
      return one.change.mailbox == mailbox && one.change.folder_id.empty() == everything;
    }));
  }
  void deliver(const std::string& mailbox) {
    ASSERT_TRUE(service_.deliver(mailbox, "From: x@example.org\r\nSubject: n\r\n\r\nbody\r\n"));
  }

  std::vector<News> news_;
  std::unique_ptr<EwsClient> anna_;
  std::unique_ptr<EwsClient> bert_;
  std::unique_ptr<NotificationStream> stream_;
  std::optional<Error> ended_;
  struct Hearing {
    std::set<std::string> now;
    int times = 0;
  };
  std::shared_ptr<Hearing> hearing_ = std::make_shared<Hearing>();
  bool bert_for_himself_ = false;  ///< the server counts him apart
};

TEST_F(Notifications, AGroupSharesOneConnectionAndEachMailboxHearsItsOwn) {
  start();
  EXPECT_EQ(news_of(anna, true), 1u);
  EXPECT_EQ(news_of(bert, true), 1u);
  EXPECT_EQ(stream_->status().connections, 1u);
  news_.clear();
  deliver(bert);
  world_.run_for(2s);
  EXPECT_GE(news_of(bert, false), 1u);
  EXPECT_EQ(news_of(anna, false), 0u);
}

TEST_F(Notifications, EventsAreFoldedWithinASecond) {
  start();
  news_.clear();
  for (int i = 0; i < 5; ++i) {
    deliver(anna);
    world_.run_for(50ms);
  }
  world_.run_for(3s);
  EXPECT_EQ(news_of(anna, false), 1u);
}

TEST_F(Notifications, SubscriptionsThatNeverLastAreParkedInsteadOfAskedForAgainAtOnce) {
  start();
  fault(Action::error_subscription, 100'000);
  world_.run_for(1h);
  EXPECT_LT(stream_->status().connections, 40u);
  sim_->faults().clear();
  world_.run_for(5h);
  news_.clear();
  deliver(anna);
  world_.run_for(2s);
  EXPECT_GE(news_of(anna, false), 1u);
}

TEST_F(Notifications, ASilentConnectionIsFoundDeadInUnderThreeMinutesAndTheGapIsAnnounced) {
  fault(Action::dead_stream);
  start();
  news_.clear();
  for (int i = 0; i < 100; ++i) deliver(anna);
  const auto cut = world_.elapsed();
  world_.run_for(3min);
  EXPECT_EQ(stream_->status().connections, 2u);
  ASSERT_GE(news_of(anna, true), 1u);
  EXPECT_LT(news_.front().at - cut, 3min);
}

TEST_F(Notifications, TheServersTimerEndsTheConnectionAndItIsOpenedAgainAtOnce) {
  start({.connection_minutes = 1});
  world_.run_for(5min);
  EXPECT_GE(stream_->status().connections, 5u);
  EXPECT_EQ(stream_->status().subscriptions, 2u) << "subscriptions outlive their connection";
  EXPECT_FALSE(ended_);
}

TEST_F(Notifications, DeadSubscriptionsAreMadeAgain) {
  start({.connection_minutes = 1});
  service_.drop_subscriptions(bert);
  world_.run_for(3min);
  EXPECT_GE(stream_->status().subscriptions, 3u);
  news_.clear();
  deliver(bert);
  world_.run_for(2s);
  EXPECT_GE(news_of(bert, false), 1u);
}

TEST_F(Notifications, ACutConnectionComesBackByItself) {
  fault(Action::close_stream, 3);
  start();
  world_.run_for(5min);
  EXPECT_FALSE(ended_);
  news_.clear();
  deliver(anna);
  world_.run_for(2s);
  EXPECT_GE(news_of(anna, false), 1u);
}

//
TEST_F(Notifications, OneMailboxInTroubleParksThatMailboxAlone) {
  FaultRule rule;
  rule.operation = "Subscribe";
  rule.mailbox = bert;
  rule.action = Action::response_code;
  rule.code = "ErrorMailboxStoreUnavailable";
  rule.times = 2;
  sim_->faults().add(rule);
  start();
  EXPECT_EQ(stream_->status().parked.count(bert), 1u);
  news_.clear();
  deliver(anna);
  world_.run_for(2s);
  EXPECT_GE(news_of(anna, false), 1u);
  world_.run_for(10min);
  EXPECT_TRUE(stream_->status().parked.empty());
  news_.clear();
  deliver(bert);
  world_.run_for(2s);
  EXPECT_GE(news_of(bert, false), 1u);
}

// A mailbox that the server wants quiet from holds up neither its group's connection nor what that tells.
TEST_F(Notifications, ABusyMailboxKeepsNobodyElseWaiting) {
  bert_for_himself_ = true;
  start({.connection_minutes = 1});
  EXPECT_EQ(hearing_->now, (std::set<std::string>{anna, bert}));
  Error busy{.domain = ErrorDomain::ews, .code = "ErrorServerBusy", .retry = RetryClass::after};
  busy.retry_after = 20min;
  bert_->budgets()->busy(busy, OperationKind::read);
  service_.drop_subscriptions(bert);
  world_.run_for(3min);
  EXPECT_EQ(hearing_->now, (std::set<std::string>{anna})) << "he is polled";
  for (int i = 0; i < 10; ++i) {
    news_.clear();
    deliver(anna);
    world_.run_for(70s);
    EXPECT_GE(news_of(anna, false), 1u);
  }
  EXPECT_EQ(hearing_->now, (std::set<std::string>{anna}));
  world_.run_for(10min);
  EXPECT_EQ(hearing_->now, (std::set<std::string>{anna, bert}));
}

// Exchange answers with 200 and says in the first envelope that it will not.
TEST_F(Notifications, WhileTheAnchorIsMovedNobodyIsSaidToBeHeardAndItIsAskedSeldom) {
  FaultRule moving;
  moving.operation = "GetStreamingEvents";
  moving.action = Action::response_code;
  moving.code = "ErrorMailboxMoveInProgress";
  sim_->faults().add(moving);
  start();
  world_.run_for(20min);
  EXPECT_EQ(hearing_->times, 0);
  EXPECT_LT(stream_->status().connections, 20u);
  sim_->faults().clear();
  world_.run_for(7min);
  EXPECT_EQ(hearing_->now, (std::set<std::string>{anna, bert}));
  EXPECT_EQ(hearing_->times, 2);
}

// The stream itself is asked for by its first mailbox.
TEST_F(Notifications, WhileTheAnchorHasToWaitNobodyIsSaidToBeHeard) {
  bert_for_himself_ = true;
  start({.connection_minutes = 1});
  Error busy{.domain = ErrorDomain::ews, .code = "ErrorServerBusy", .retry = RetryClass::after};
  busy.retry_after = 20min;
  anna_->budgets()->busy(busy, OperationKind::read);
  world_.run_for(3min);
  EXPECT_EQ(hearing_->now, std::set<std::string>());
  world_.run_for(20min);
  EXPECT_EQ(hearing_->now, (std::set<std::string>{anna, bert}));
  EXPECT_GE(news_of(bert, true), 2u) << "what came meanwhile is read";
}

// the listener's requests go their own way while the stream hangs.
TEST_F(Notifications, RequestsRunWhileTheStreamHangs) {
  start();
  GetFolderRequest request{.folders = {DistinguishedFolderId{.name = "inbox"}}};
  const auto before = world_.elapsed();
  ASSERT_TRUE(run(client_.call(std::move(request))));
  EXPECT_LT(world_.elapsed() - before, 1s);
}

}  // namespace
}  // namespace syncline::ews
