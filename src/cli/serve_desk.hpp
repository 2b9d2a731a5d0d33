// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What `syncline serve` does beside synchronising: tests of mailboxes that were asked for, alerts on their
// way to people, and a look where each mailbox lives, once a day and when somebody asks.
#include <functional>
#include <memory>

#include "net/environment.hpp"
#include "service/alerts/alert_desk.hpp"
#include "service/mailbox_test/mailbox_tester.hpp"
#include "service/placement/placement_watch.hpp"
#include "service/placement/requested_looks.hpp"

namespace syncline::cli {

struct ServePlacement {
  std::chrono::milliseconds every = std::chrono::hours(24);  ///< zero: never by itself
  bool follow_moves = false;                                 ///< of what it looks for by itself
};

class ServeDesk {
 public:
  /// Both must outlive it. `post` may be empty: webhooks wait.
  /// `wake`: has a mailbox run that has mail to send. `connections`: those that runs have at the moment.
  /// `turns`: where mailboxes stand (Daemon::turns).
  ServeDesk(net::Environment& environment, service::Organisation& organisation, service::PostAlert post,
            service::WakeSender wake, ServePlacement placement,
            std::function<std::shared_ptr<service::Connections>()> connections,
            std::function<std::vector<service::MailboxTurn>()> turns);

  /// Until `stop`. Trouble of the store goes to the log: the daemon notices it by itself.
  net::asio::awaitable<void> run();
  /// Somebody has asked where mailboxes live (service/organisation/look_requests).
  void look_for_requested() { requested_looks_.wake(); }
  /// Tests and looks at work are cut off; they begin again with the next start.
  void stop();
  /// Until `run` has ended; it was begun.
  net::asio::awaitable<void> ended();

 private:
  net::asio::awaitable<void> watch_alerts();
  net::asio::awaitable<void> watch_placement();
  net::asio::awaitable<void> answer_look_requests();

  net::Environment& environment_;
  service::MailboxTester tester_;
  service::AlertDesk alerts_;
  std::function<std::vector<service::MailboxTurn>()> turns_;
  std::shared_ptr<service::PlacementStop> placement_stop_ = std::make_shared<service::PlacementStop>();
  service::PlacementWatch placement_;
  std::shared_ptr<service::PlacementStop> requested_stop_ = std::make_shared<service::PlacementStop>();
  service::RequestedLooks requested_looks_;
  net::Event changed_;
  bool is_stopping_ = false;
  bool is_watching_ = true;
  bool is_testing_ = true;
  bool is_placing_ = true;
  bool is_answering_ = true;
};

}  // namespace syncline::cli
