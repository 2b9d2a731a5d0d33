// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Test and enable: mailboxes wait in the store to be tested, several are tested at once, what passes by
// itself is tried again, and who has passed is enabled if that was asked for. The queue outlives the process.
#include <boost/asio/cancellation_signal.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "net/event.hpp"
#include "net/system_environment.hpp"
#include "service/mailbox_test/mailbox_test.hpp"
#include "service/organisation/test_requests.hpp"
#include "store/mailbox_tests.hpp"

namespace syncline::service {

struct MailboxTesterSettings {
  std::size_t at_once = 4;
  /// How often a test whose failures may pass is made in all.
  int attempts = 8;
  std::chrono::milliseconds first_pause = std::chrono::seconds(5);  ///< doubled with each attempt
  std::chrono::milliseconds longest_pause = std::chrono::minutes(30);
  std::chrono::milliseconds look_pause = std::chrono::seconds(1);  ///< for new ones in the queue
  MailboxTestSettings test = {};
  /// Those of whoever else connects to the same servers: tests count on their budgets. Empty: nobody does.
  std::function<std::shared_ptr<Connections>()> beside = {};
};

struct TesterProgress {
  std::string address;
  TestReport report;
  store::TestState state = store::TestState::running;
  int attempt = 1;
  std::optional<SystemTime> next_try = std::nullopt;
  bool enabled = false;  ///< by this test
};

class MailboxTester {
 public:
  /// Told of every step, and of the end of each attempt.
  using OnProgress = std::function<void(const TesterProgress&)>;
  MailboxTester(net::asio::any_io_executor executor, net::Environment& environment,
                Organisation& organisation, std::string runner, MailboxTesterSettings settings,
                OnProgress on_progress = {});

  /// Until nobody of the runner's queue waits any more. Errors: of the store.
  Async<void> run_all();
  /// Until `stop`. Errors: of the store, when it will not work again by itself.
  Async<void> serve();
  /// Begins no more tests. `cut`: ends those at work, too; they begin again with the next `serve`.
  void stop(bool cut = false);

 private:
  Async<void> work(bool until_empty);
  void begin(store::MailboxTestRow row);
  net::asio::awaitable<void> test(store::MailboxTestRow row);
  Async<void> test_one(store::MailboxTestRow& row, TesterProgress& progress);
  Result<void> keep_progress(store::MailboxId mailbox, const TestReport& report);
  Result<void> finish(store::MailboxTestRow& row, TesterProgress& progress);
  Result<void> connect_anew();

  net::asio::any_io_executor executor_;
  net::Environment& environment_;
  Organisation& organisation_;
  std::string runner_;
  MailboxTesterSettings settings_;
  OnProgress on_progress_;
  net::Event changed_;
  std::shared_ptr<Connections> connections_;
  using Cancel = std::shared_ptr<net::asio::cancellation_signal>;
  std::set<Cancel> running_;
  bool is_stopping_ = false;
  bool is_cut_ = false;
  std::optional<Error> trouble_;
};

}  // namespace syncline::service
