// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// When each mailbox is synchronised next: its interval with a spread, sooner when something is known to be
// new, later after a failure, and at most one try at a time on a server that does not answer. No I/O and no
// clock of its own.
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/random.hpp"

namespace syncline::service {

struct ScheduleSettings {
  unsigned spread_percent = 10;  ///< of the interval, either way, so that thousands do not beat as one
  std::chrono::milliseconds first_pause =
      std::chrono::seconds(30);  ///< after a first failure; doubled for each
  std::chrono::milliseconds longest_pause = std::chrono::minutes(30);
  /// So many mailboxes of one server in a row that could not reach it, and only one of them goes on trying.
  unsigned failures_to_open = 3;
  std::chrono::milliseconds first_probe = std::chrono::seconds(30);
  std::chrono::milliseconds longest_probe = std::chrono::minutes(5);
};

/// Where a mailbox stands, for status and metrics.
struct MailboxTurn {
  std::string address;
  std::string server;  ///< what it shares an outage with
  SteadyTime due{};
  bool is_running = false;
  bool is_failing = false;
  bool waits_for_server = false;  ///< the server does not answer; another mailbox tries
  unsigned failures_in_a_row = 0;
  std::optional<SteadyTime> last_success = std::nullopt;
};

class Schedule {
 public:
  /// `random` must outlive it.
  Schedule(ScheduleSettings settings, Random& random) : settings_(settings), random_(random) {}

  /// A mailbox that is new is due within `first_within`, at a moment of its own, so that a start is no storm;
  /// of a known one the interval and the server are changed.
  void put(const std::string& address, const std::string& server, std::chrono::milliseconds interval,
           std::chrono::milliseconds first_within, SteadyTime now);
  /// One that runs is forgotten when it has ended.
  void remove(std::string_view address);
  bool contains(std::string_view address) const { return turns_.find(address) != turns_.end(); }
  std::size_t size() const noexcept { return turns_.size(); }
  std::vector<MailboxTurn> turns() const;

  /// Something is new in it: due now, or again as soon as it has ended. A pause after failures stays.
  void wake(std::string_view address, SteadyTime now);
  /// What kept it from succeeding may have been mended (a new password): due now, whatever its failures were.
  void retry(std::string_view address, SteadyTime now);

  /// The mailbox that has been due the longest; it runs until `finished`.
  std::optional<std::string> take(SteadyTime now);
  /// When `take` has something next; nullopt: not before something is finished, put or woken.
  std::optional<SteadyTime> next() const;
  /// `error`: of the run as a whole. A hint of the server (Error::retry_after) is kept to.
  void finished(std::string_view address, SteadyTime now, const std::optional<Error>& error);

 private:
  struct Turn {
    std::string server;
    std::chrono::milliseconds interval{};
    SteadyTime due{};
    bool is_running = false;
    bool is_removed = false;
    bool is_woken = false;  ///< while it ran
    unsigned failures = 0;
    std::optional<SteadyTime> last_success = std::nullopt;
  };
  /// A circuit breaker: open while nobody gets through.
  struct Server {
    std::vector<std::string> failed = {};  ///< mailboxes in a row that could not reach it, each once
    bool is_open = false;
    bool is_probing = false;
    unsigned probes = 0;
    SteadyTime probe_at{};
  };
  std::chrono::milliseconds spread(std::chrono::milliseconds span);
  std::chrono::milliseconds doubled(std::chrono::milliseconds first, std::chrono::milliseconds most,
                                    unsigned times);
  /// When this one may be taken; nullopt: another mailbox of its server is trying.
  std::optional<SteadyTime> ready_at(const Turn& turn) const;
  void learn_of_server(const std::string& address, const std::string& name, SteadyTime now,
                       const std::optional<Error>& error);

  ScheduleSettings settings_;
  Random& random_;
  std::map<std::string, Turn, std::less<>> turns_;
  std::map<std::string, Server, std::less<>> servers_;
};

/// The server could not be reached or is out of order; nothing is said of the mailbox.
bool is_outage(const Error& error) noexcept;

}  // namespace syncline::service
