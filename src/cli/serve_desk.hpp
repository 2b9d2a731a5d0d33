// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What `syncline serve` does beside synchronising: tests of mailboxes that were asked for, and alerts on
// their way to people.
#include <memory>

#include "net/environment.hpp"
#include "service/alerts/alert_desk.hpp"
#include "service/mailbox_test/mailbox_tester.hpp"

namespace syncline::cli {

class ServeDesk {
 public:
  /// Both must outlive it. `post` may be empty: webhooks wait.
  /// `wake`: has a mailbox run that has mail to send.
  ServeDesk(net::Environment& environment, service::Organisation& organisation, service::PostAlert post,
            service::WakeSender wake);

  /// Until `stop`. Trouble of the store goes to the log: the daemon notices it by itself.
  net::asio::awaitable<void> run();
  /// Tests at work are cut off; they begin again with the next start.
  void stop();
  /// Until `run` has ended; it was begun.
  net::asio::awaitable<void> ended();

 private:
  net::asio::awaitable<void> watch_alerts();

  net::Environment& environment_;
  service::MailboxTester tester_;
  service::AlertDesk alerts_;
  net::Event changed_;
  bool is_stopping_ = false;
  bool is_watching_ = true;
  bool is_testing_ = true;
};

}  // namespace syncline::cli
