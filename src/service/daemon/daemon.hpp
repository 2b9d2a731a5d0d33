// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// `syncline serve` without its outside: keeps all enabled mailboxes in step for months. Which mailbox is next
// is the schedule's; how one is run comes as a function.
#include <boost/asio/cancellation_signal.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/environment.hpp"
#include "net/event.hpp"
#include "service/daemon/held_back.hpp"
#include "service/daemon/schedule.hpp"
#include "service/organisation/mailbox_gate.hpp"
#include "store/journal.hpp"
#include "sync/summary.hpp"

namespace syncline::service {

class Organisation;

struct DaemonSettings {
  std::size_t mailboxes_at_once = 16;
  /// Between two runs of a mailbox whose profile states no minimum polling interval.
  std::chrono::milliseconds interval = std::chrono::minutes(5);
  /// Between two first runs after a start, on average; all have begun within their interval.
  std::chrono::milliseconds start_pace = std::chrono::milliseconds(200);
  /// How often the store is asked for records that changed and for acts of administrators.
  std::chrono::milliseconds look_pause = std::chrono::seconds(1);
  /// How long a stop waits for runs to end by themselves. Cut off, they go on with the next start.
  std::chrono::milliseconds stop_patience = std::chrono::seconds(20);
  ScheduleSettings schedule = {};
};

/// Totals since the start.
struct DaemonTotals {
  std::uint64_t runs = 0;
  std::uint64_t failed_runs = 0;
  std::map<std::string, std::uint64_t> failures_by_code = {};
  std::array<sync::KindCounts, 4> kinds = {};
  std::uint64_t requests = 0;
};

class Daemon {
 public:
  struct Work {
    /// One run. Errors as in the mailbox's summary; those of the machine have domain local.
    std::function<net::Async<sync::MailboxSummary>(const EnabledMailbox& mailbox)> run;
    /// What administrators have done since the last time, or nothing at a reload: something that connections
    /// depend on may have changed, credentials, endpoints.
    std::function<void(const std::vector<store::AuditEntry>& acts)> renew =
        [](const std::vector<store::AuditEntry>&) {};
    /// The mailboxes as they are configured now, after each reading of the configuration; `woken` and
    /// `watched` are for whoever watches them.
    std::function<void(const std::vector<std::shared_ptr<const EnabledMailbox>>& mailboxes)> configured =
        [](const std::vector<std::shared_ptr<const EnabledMailbox>>&) {};
    /// After each run, in the order they end.
    std::function<void(const std::string& address, const Result<sync::MailboxSummary>& outcome,
                       std::chrono::milliseconds took)>
        finished = [](const std::string&, const Result<sync::MailboxSummary>&, std::chrono::milliseconds) {};
  };

  /// The caller holds the engine's lock. All must outlive it.
  Daemon(net::Environment& environment, Organisation& organisation, DaemonSettings settings, Work work);

  /// Until `stop`. Errors (domain local): the store cannot be read or written and will not by itself.
  net::Async<void> run();
  /// Begins no more runs, and ends `run` when those at work have ended. May be called again: then at once.
  void stop();
  /// Reads the configuration again, and tries what failed.
  void reload();

  /// Something is new in the mailbox. Unknown addresses are ignored, here and below.
  void wake(std::string_view address);
  /// Its server tells of changes by itself, and it is looked at all the same after `look_anyway`; nullopt: it
  /// is polled.
  void watched(std::string_view address, std::optional<std::chrono::milliseconds> look_anyway);
  /// A run that begins from now on, before all others. False: there is no such mailbox.
  bool demand(std::string_view address);
  bool knows(std::string_view address) const { return mailboxes_.contains(address); }

  /// What a run has done. Runs that end well are counted by themselves; of one that ends with an error,
  /// whoever carries it out tells what it had done before.
  void count_work(const sync::MailboxSummary& done);

  bool is_ready() const noexcept { return is_ready_ && !is_stopping_; }
  bool is_stopping() const noexcept { return is_stopping_; }
  /// When it last went round; what watches it takes it for dead long after that.
  SteadyTime last_round() const noexcept { return last_round_; }
  std::size_t running() const noexcept { return running_.size(); }
  std::vector<MailboxTurn> turns() const { return schedule_.turns(); }
  const std::vector<Obstacle>& not_ready() const noexcept { return not_ready_; }
  const DaemonTotals& totals() const noexcept { return totals_; }
  /// How long mail hosts have kept mailboxes waiting, all together.
  std::chrono::milliseconds held_back() const { return held_back_.total(environment_.clock.steady_now()); }

 private:
  using Cancel = std::shared_ptr<net::asio::cancellation_signal>;
  Result<void> read_configuration();
  Result<void> look();
  Result<std::map<std::string, SteadyTime, std::less<>>> last_successes(
      const std::vector<EnabledMailbox>& mailboxes);
  Result<std::vector<store::AuditEntry>> administrators_acted();
  Result<void> wake_owners_of_changes();
  void start_due();
  void start_soon();
  net::asio::awaitable<void> run_one(std::string address, std::shared_ptr<const EnabledMailbox> mailbox);
  net::asio::awaitable<void> tick();
  void count(const Result<sync::MailboxSummary>& outcome);
  void count_pause(const std::string& address, SteadyTime now, const Result<sync::MailboxSummary>& outcome);
  void cancel_all();

  net::Environment& environment_;
  Organisation& organisation_;
  DaemonSettings settings_;
  Work work_;
  Schedule schedule_;
  HeldBack held_back_;
  net::Event changed_;
  std::map<std::string, std::shared_ptr<const EnabledMailbox>, std::less<>> mailboxes_;
  std::multimap<std::string, std::string> addresses_by_owner_;
  std::vector<Obstacle> not_ready_;
  std::map<std::string, Cancel, std::less<>> running_;
  std::optional<std::int64_t> seen_change_;
  std::int64_t seen_audit_ = 0;
  std::optional<Error> trouble_;
  SteadyTime last_round_{};
  bool is_ready_ = false;
  bool is_stopping_ = false;
  bool is_reload_wanted_ = false;
  bool is_ticking_ = false;
  bool is_start_posted_ = false;
  DaemonTotals totals_;
};

}  // namespace syncline::service
