// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// When each mailbox is synchronised next: its interval with a spread, seldom while its server tells of
// changes by itself, sooner when something is known to be new, later after a failure, and at most one try at
// a time on a server that does not answer. No I/O and no clock of its own.
#include <chrono>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/random.hpp"

namespace syncline::service {

struct ScheduleSettings {
  /// Mailboxes that run at the same time. Where there are several servers none has more than three quarters:
  /// one that answers slowly, or is about to be found out of order, does not keep the others waiting.
  std::size_t at_once = std::numeric_limits<std::size_t>::max();
  unsigned spread_percent = 10;  ///< of the interval, either way, so that thousands do not beat as one
  std::chrono::milliseconds first_pause =
      std::chrono::seconds(30);  ///< after a first failure; doubled for each, up to the interval …
  std::chrono::milliseconds longest_pause = std::chrono::minutes(30);  ///< … or this for what needs somebody
  /// So many mailboxes of one server in a row that could not reach it, and only one of them goes on trying.
  unsigned failures_to_open = 3;
  std::chrono::milliseconds first_probe = std::chrono::seconds(30);
  std::chrono::milliseconds longest_probe = std::chrono::minutes(5);
  /// Between the beginnings of two runs of a mailbox, however much there is to tell of it.
  std::chrono::milliseconds between_runs = std::chrono::seconds(1);
};

/// What a mailbox's profile says of when and how it runs.
struct Pace {
  std::string server;  ///< what it shares an outage and `at_once` with
  std::chrono::milliseconds interval{};
  /// Mailboxes of that server that may run at the same time.
  std::size_t at_once = std::numeric_limits<std::size_t>::max();
  /// They sign in as one: a refusal of one is a refusal of all, and so is its end.
  bool shares_account = false;
};

/// Where a mailbox stands, for status and metrics.
struct MailboxTurn {
  std::string address;
  std::string server;  ///< what it shares an outage with
  SteadyTime due{};
  bool is_running = false;
  bool is_failing = false;
  bool waits_for_server = false;  ///< the server does not answer; another mailbox tries
  bool is_pushed = false;         ///< its server tells of changes by itself; else it is polled
  SteadyTime watched_since{};     ///< in that way
  unsigned failures_in_a_row = 0;
  std::optional<SteadyTime> last_success = std::nullopt;
  bool has_run = false;                                       ///< since the start
  std::optional<SteadyTime> failing_since = std::nullopt;     ///< the first after its last success
  std::optional<SteadyTime> server_out_since = std::nullopt;  ///< the first failure of those that opened
};

class Schedule {
 public:
  /// `random` must outlive it.
  Schedule(ScheduleSettings settings, Random& random) : settings_(settings), random_(random) {}

  /// A mailbox that is new is due within `first_within`, at a moment of its own, so that a start is no storm;
  /// of a known one the pace is changed. `last_success`: of a new one, before this.
  void put(const std::string& address, Pace pace, std::chrono::milliseconds first_within, SteadyTime now,
           std::optional<SteadyTime> last_success = std::nullopt);
  /// One that runs is forgotten when it has ended.
  void remove(std::string_view address);
  bool contains(std::string_view address) const { return turns_.find(address) != turns_.end(); }
  std::size_t size() const noexcept { return turns_.size(); }
  std::vector<MailboxTurn> turns() const;

  /// Something is new in it: due now, or again as soon as it has ended. A pause after failures stays.
  void wake(std::string_view address, SteadyTime now);
  /// Its server tells of changes, and it is looked at all the same after `look_anyway`; nullopt: it is polled
  /// at its interval again.
  void watched(std::string_view address, std::optional<std::chrono::milliseconds> look_anyway,
               SteadyTime now);
  /// Somebody waits for a run that begins from now on: before all others, whatever its failures and its
  /// server's were. False: no such mailbox.
  bool demand(std::string_view address, SteadyTime now);
  /// What kept it from succeeding may have been mended (a new password): due now, whatever its failures were.
  void retry(std::string_view address, SteadyTime now);

  /// The mailbox that has been due the longest; it runs until `finished`.
  std::optional<std::string> take(SteadyTime now);
  /// When `take` has something next; nullopt: not before something is finished, put or woken.
  std::optional<SteadyTime> next() const;
  /// When this one is; nullopt: no such mailbox.
  std::optional<SteadyTime> due(std::string_view address) const;
  /// `error`: of the run as a whole. A hint of the server (Error::retry_after) is kept to.
  void finished(std::string_view address, SteadyTime now, const std::optional<Error>& error);
  /// Something of it waits for `when` (the next message may go, a lost write can be settled): due then, if
  /// not sooner. After `finished` without an error.
  void again_at(std::string_view address, SteadyTime when);

 private:
  struct Turn {
    std::string server;
    std::chrono::milliseconds interval{};
    std::optional<std::chrono::milliseconds> look_anyway = std::nullopt;  ///< while it is pushed
    SteadyTime watched_since{};
    SteadyTime due{};
    SteadyTime began{};  ///< its last run
    bool is_running = false;
    bool is_removed = false;
    bool is_woken = false;     ///< while it ran
    bool is_demanded = false;  ///< and has not begun since
    bool has_run = false;
    unsigned failures = 0;
    std::optional<SteadyTime> failing_since = std::nullopt;
    std::optional<SteadyTime> last_success = std::nullopt;
  };
  using Turns = std::map<std::string, Turn, std::less<>>;
  using Due = std::pair<SteadyTime, std::string_view>;
  /// A circuit breaker: open while nobody gets through. And who is next.
  struct Server {
    std::vector<std::string> failed = {};  ///< mailboxes in a row that could not reach it, each once
    bool is_open = false;
    bool is_probing = false;
    unsigned probes = 0;
    SteadyTime probe_at{};
    SteadyTime out_since{};   ///< the first of the failures
    bool is_refused = false;  ///< the account that all share
    bool shares_account = false;
    std::size_t at_once = 0;
    std::size_t running = 0;
    std::size_t mailboxes = 0;
    std::set<Due> waiting = {};  ///< all that do not run; the names are the turns' keys
    void close() {
      failed.clear();
      is_open = is_probing = false;
      probes = 0;
    }
  };
  std::chrono::milliseconds spread(std::chrono::milliseconds span);
  std::chrono::milliseconds doubled(std::chrono::milliseconds first, std::chrono::milliseconds most,
                                    unsigned times);
  std::chrono::milliseconds by_chance(std::chrono::milliseconds most);
  std::chrono::milliseconds rest_of(const Turn& turn);
  void set_due(Turns::iterator at, SteadyTime due);
  void leave(const Turn& turn);
  std::string begin(Turns::iterator at, SteadyTime now);
  /// When the first of a server's may be taken; nullopt: not before something ends.
  std::optional<SteadyTime> ready_at(const Server& server) const;
  bool has_room(const Server& server) const;
  void learn_of_server(const std::string& address, Server& server, SteadyTime now,
                       const std::optional<Error>& error);
  void release(const std::string& server, SteadyTime now);

  ScheduleSettings settings_;
  Random& random_;
  Turns turns_;
  std::map<std::string, Server, std::less<>> servers_;
  std::set<std::string, std::less<>> demanded_;
};

/// The server could not be reached or is out of order; nothing is said of the mailbox.
bool is_outage(const Error& error) noexcept;
/// Who asked was refused, not what was asked for.
bool is_refusal(const Error& error) noexcept;

}  // namespace syncline::service
