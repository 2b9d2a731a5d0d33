// SPDX-License-Identifier: GPL-3.0-or-later
// e-13: a day of service. Servers go away and come back, are busy, allow fewer requests, lose streams, refuse
// passwords until somebody sets new ones, a service account's too, move mailboxes, some of them to another
// server for good; all the while mail comes. Every message is one record within its mailbox's interval after
// whatever kept it back has ended, and nobody does anything for that. At no instant a server is asked more,
// or by more calls at once, than it allows.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <list>
#include <map>
#include <set>

#include "service_world.hpp"

namespace syncline::service::testing {
namespace {

using namespace std::chrono_literals;
using exchange_sim::Action;
using exchange_sim::FaultRule;
using std::chrono::milliseconds;

int number_from(const char* name, int otherwise) {
  const char* said = std::getenv(name);
  return said != nullptr ? std::atoi(said) : otherwise;
}

/// The interval of five minutes with its spread of a tenth; the daemon looks once a second, a server that was
/// away is tried again after at most a minute of waiting in line.
constexpr milliseconds allowed_lag = 5min + 30s + 90s;

/// Refusals of the service account while its password is wrong, for up to forty minutes: of the runs, streams
/// and looks that were signing in at that moment, and of the one that tries it again after five, ten and
/// twenty minutes; however many mailboxes use it.
constexpr std::uint64_t allowed_refusals = 20;

/// Between two tries of a service account that is refused for the third time.
constexpr milliseconds account_pause = 20min;

class Day {
 public:
  Day(int mailboxes, int hours, std::uint64_t seed)
      : random_(seed),
        service_(mailboxes / 2, seed),
        hours_(hours),
        look_for_all_every_(hours > 4 ? 2h : 20min),
        // A look that an outage spoilt is taken again after half an interval.
        followed_within_(look_for_all_every_ * 17 / 10 + 10min) {
    for (const auto* side : {&service_.eastern, &service_.western})
      addresses_.insert(addresses_.end(), side->begin(), side->end());
  }

  void live() {
    service_.start({}, look_for_all_every_);
    service_.world.run_for(6min);
    static_cast<void>(service_.arrived());
    begin_ = service_.world.elapsed();
    const auto end = begin_ + std::chrono::hours(hours_);
    while (service_.world.elapsed() < end && !service_.has_ended())
      a_minute(end - service_.world.elapsed() > 40min);
    // Whatever is still wrong passes; who has moved is followed when it is looked for.
    for (int minute = 0; minute < 60 || !causes_.empty(); ++minute) a_minute(false);
    ASSERT_FALSE(service_.has_ended());
    check_the_end();
  }

 private:
  /// Something that keeps mailboxes back.
  struct Cause {
    std::string what;
    milliseconds end;
    std::vector<std::uint64_t> east_rules = {};
    std::vector<std::uint64_t> west_rules = {};
    std::string mailbox = {};  ///< empty: all of the sides that have rules
    bool needs_new_password = false;
    bool is_of_account = false;  ///< all that East's service account speaks for
    bool ends_in_tenant = false;
    bool is_counted = false;  ///< its requests, more strictly than usual
    bool is_moved = false;    ///< already; ends when it is followed
    std::uint64_t refusals_before = 0;
  };
  struct Waiting {
    std::string mailbox;
    milliseconds delivered;
  };

  bool chance(std::uint64_t in) { return random_.below(in) == 0; }
  void send(const std::string& to) {
    waiting_.emplace(service_.deliver(to), Waiting{to, service_.world.elapsed()});
    ++delivered_;
  }
  /// Once in so many minutes by chance; a short day has at least one of each kind.
  bool comes(const char* what, std::uint64_t in) {
    const bool is_overdue = service_.world.elapsed() - begin_ > 20min && begun_[what] == 0;
    return chance(in) || is_overdue;
  }
  const std::string& somebody() { return addresses_[random_.below(addresses_.size())]; }

  void a_minute(bool trouble) {
    end_causes();
    if (trouble) begin_causes();
    const std::size_t messages = std::max<std::size_t>(1, addresses_.size() / 100);
    for (std::size_t i = 0; i < messages; ++i) {
      const std::string to = somebody();
      if (is_quiet_) break;
      send(to);
      service_.world.run_for(60s / messages);
    }
    if (is_quiet_) service_.world.run_for(60s);
    const auto now = service_.world.elapsed();
    for (auto* exchange : {&service_.east, &service_.west}) {
      look_for_disobedience(*exchange, exchange->sim().log().entries());
      exchange->sim().log().clear();
    }
    look_at_budgets();
    for (const Arrived& one : service_.arrived_records()) {
      waiting_.erase(one.message_id);
      const auto [known, _] = records_.emplace(one.message_id, one.record);
      EXPECT_EQ(known->second, one.record) << one.message_id << " is two records";
    }
    for (auto at = waiting_.begin(); at != waiting_.end();) {
      const auto since = std::max(at->second.delivered, free_since(at->second.mailbox));
      if (!is_kept_back(at->second.mailbox) && now - since > allowed_lag) {
        ADD_FAILURE() << at->first << " for " << at->second.mailbox << " waits for "
                      << std::chrono::duration_cast<std::chrono::seconds>(now - since).count() << " s, after "
                      << last_cause_[at->second.mailbox] << "; "
                      << service_.turn(at->second.mailbox).failures_in_a_row << " failures";
        at = waiting_.erase(at);
      } else {
        ++at;
      }
    }
  }

  /// Requests within a window that the server had named. What left at the very moment of the busy answer had
  /// not heard of it.
  void look_for_disobedience(const exchange_sim::testing::SimulatedExchange& exchange,
                             const std::deque<exchange_sim::LogEntry>& log) {
    for (const exchange_sim::LogEntry& late : log) {
      if (!late.during_back_off) continue;
      const bool was_on_its_way = std::ranges::any_of(log, [&](const exchange_sim::LogEntry& other) {
        return other.mailbox == late.mailbox && other.time == late.time && !other.during_back_off;
      });
      if (was_on_its_way)
        ++on_their_way_;
      else
        ADD_FAILURE() << late.operation << " for " << late.mailbox << " within a window of "
                      << exchange.url();
    }
  }

  /// At every instant of the last minute.
  void look_at_budgets() {
    const auto look = [&](exchange_sim::testing::SimulatedExchange& exchange, std::string_view site,
                          unsigned of_all, unsigned of_one, exchange_sim::Throttle::Peaks& most) {
      const auto peaks = exchange.sim().take_peaks(site);
      EXPECT_LE(peaks.open, of_all) << site << " of " << exchange.url();
      EXPECT_LE(peaks.of_one, of_one) << site << " of " << exchange.url();
      most.open = std::max(most.open, peaks.open);
      most.of_one = std::max(most.of_one, peaks.of_one);
      most.in_a_minute = std::max(most.in_a_minute, peaks.in_a_minute);
    };
    using exchange_sim::testing::SimulatedExchange;
    constexpr unsigned any = 1000;
    look(service_.east, SimulatedExchange::site, ServiceWorld::eastern_connections,
         ServiceWorld::eastern_connections, east_peaks_);
    look(service_.east, ServiceWorld::tenant, ServiceWorld::tenant_connections,
         ServiceWorld::tenant_connections, tenant_peaks_);
    look(service_.west, SimulatedExchange::site, any, ServiceWorld::western_connections, west_peaks_);
    for (auto* exchange : {&service_.east, &service_.west}) {
      auto& counters = exchange->sim().counters();
      EXPECT_EQ(counters.get("over-budget.connections"), 0u) << exchange->url();
      EXPECT_EQ(counters.get("over-budget.sync-calls"), 0u) << exchange->url();
      const auto counted = counters.get("over-budget.requests-per-minute");
      auto& before = counted_[exchange];
      const bool may_be = std::ranges::any_of(causes_, [&](const Cause& cause) {
        return cause.is_counted && &service_.exchange_of(cause.mailbox) == exchange;
      });
      EXPECT_TRUE(may_be || counted == before) << exchange->url() << " was asked too often";
      before = counted;
    }
  }

  milliseconds free_since(const std::string& mailbox) {
    const auto found = free_since_.find(mailbox);
    return found == free_since_.end() ? 0ms : found->second;
  }
  bool concerns(const Cause& cause, const std::string& mailbox) const {
    if (!cause.mailbox.empty()) return cause.mailbox == mailbox;
    if (cause.is_of_account) return mailbox.starts_with("e") && !in_tenant_.contains(mailbox);
    return mailbox.starts_with("e") ? !cause.east_rules.empty() : !cause.west_rules.empty();
  }
  bool is_kept_back(const std::string& mailbox) const {
    return std::ranges::any_of(causes_, [&](const Cause& cause) { return concerns(cause, mailbox); });
  }

  std::uint64_t rule(bool on_east, Action action, const std::string& mailbox,
                     const std::string& operation = {}) {
    FaultRule rule;
    rule.action = action;
    rule.mailbox = mailbox;
    rule.operation = operation;
    if (action == Action::response_code) rule.code = "ErrorMailboxMoveInProgress";
    return (on_east ? service_.east : service_.west).sim().faults().add(std::move(rule));
  }

  void begin(Cause cause, std::vector<std::pair<bool, std::uint64_t>> rules, milliseconds lasts) {
    for (const auto& [on_east, id] : rules) (on_east ? cause.east_rules : cause.west_rules).push_back(id);
    cause.end = service_.world.elapsed() + lasts;
    ++begun_[cause.what];
    for (const std::string& mailbox : addresses_)
      if (concerns(cause, mailbox)) last_cause_[mailbox] = cause.what;
    causes_.push_back(std::move(cause));
  }

  void begin_causes() {
    const auto minutes = [&](std::uint64_t least, std::uint64_t most) {
      return milliseconds(std::chrono::minutes(least + random_.below(most - least + 1)));
    };
    const bool on_east = chance(2);
    const auto& side = on_east ? service_.eastern : service_.western;
    const std::string& one = side[random_.below(side.size())];
    auto& exchange = on_east ? service_.east : service_.west;
    if (comes("an outage", 90) && std::ranges::none_of(causes_, &Cause::is_of_account) &&
        !is_kept_back(side.front()) && !is_kept_back(side.back())) {
      begin({.what = "an outage"},
            {{on_east, rule(on_east, Action::abort_before, "")},
             {on_east, rule(on_east, Action::close_stream, "", "stream")}},
            minutes(5, 40));
      exchange.sim().wake_streams();
    }
    if (comes("throttling", 20) && !is_kept_back(one)) {
      // The window that the server names goes on after its last busy answer.
      FaultRule busy;
      busy.action = Action::busy;
      busy.mailbox = one;
      busy.wait = 3min;
      busy.times = 3;
      busy.place = static_cast<exchange_sim::BusyPlace>(random_.below(4));
      begin({.what = "throttling", .mailbox = one}, {{on_east, exchange.sim().faults().add(busy)}}, 15min);
    }
    if (comes("a new password", 15) && !on_east && !is_kept_back(one))
      begin({.what = "a new password", .mailbox = one, .needs_new_password = true},
            {{false, rule(false, Action::unauthorized, one)}}, minutes(3, 30));
    if (comes("a move to the tenant", 15) && !is_kept_back(one) && !in_tenant_.contains(one)) {
      // West's moves stay within; an eastern mailbox may live in the tenant afterwards.
      const bool ends_in_tenant = on_east && (chance(2) || begun_["a move to the tenant"] == 0);
      begin({.what = ends_in_tenant ? "a move to the tenant" : "a move",
             .mailbox = one,
             .ends_in_tenant = ends_in_tenant},
            {{on_east, rule(on_east, Action::response_code, one)}}, minutes(3, 30));
      if (ends_in_tenant) in_tenant_.insert(one);
    }
    if (comes("fewer requests", 15) && !is_kept_back(one)) {
      const auto site =
          in_tenant_.contains(one) ? ServiceWorld::tenant : exchange_sim::testing::SimulatedExchange::site;
      exchange.sim().limit_requests(site, one, 2 + static_cast<unsigned>(random_.below(3)));
      // So that it asks.
      send(one);
      begin({.what = "fewer requests", .mailbox = one, .is_counted = true}, {}, minutes(5, 20));
    }
    if (comes("a new password of the service account", 60) &&
        std::ranges::none_of(causes_, [](const Cause& cause) { return cause.mailbox.empty(); })) {
      account_password_ = "secret " + std::to_string(++account_passwords_);
      service_.change_account(account_password_);
      begin({.what = "a new password of the service account",
             .needs_new_password = true,
             .is_of_account = true,
             .refusals_before = refusals()},
            {}, minutes(3, 40));
    }
    if (comes("a locked account", 60) &&
        std::ranges::none_of(causes_, [](const Cause& cause) { return cause.mailbox.empty(); })) {
      // Nobody sets anything here: when the server takes the old password again, it is tried again.
      service_.change_account("locked");
      begin({.what = "a locked account", .is_of_account = true, .refusals_before = refusals()}, {},
            minutes(3, 14));
    }
    if (comes("a lost stream", 30)) {
      // No cause to wait: streams come back by themselves, and the gap is read.
      FaultRule lost;
      lost.operation = "stream";
      lost.action = Action::close_stream;
      lost.times = 1;
      exchange.sim().faults().add(lost);
      exchange.sim().wake_streams();
      ++begun_["a lost stream"];
    }
  }

  void end_causes() {
    const auto now = service_.world.elapsed();
    for (auto at = causes_.begin(); at != causes_.end();) {
      if (now < at->end) {
        ++at;
        continue;
      }
      if (at->ends_in_tenant && !has_followed(*at)) {
        ++at;
        continue;
      }
      for (const std::uint64_t id : at->east_rules) service_.east.sim().faults().remove(id);
      for (const std::uint64_t id : at->west_rules) service_.west.sim().faults().remove(id);
      for (const std::string& mailbox : addresses_)
        if (concerns(*at, mailbox))
          free_since_[mailbox] =
              std::max(free_since_[mailbox],
                       now + (at->is_of_account && !at->needs_new_password ? account_pause : 0ms));
      if (at->is_counted)
        for (const auto site :
             {std::string_view(exchange_sim::testing::SimulatedExchange::site), ServiceWorld::tenant})
          service_.exchange_of(at->mailbox).sim().limit_requests(site, at->mailbox, 0);
      if (at->is_of_account) {
        const auto refused = refusals() - at->refusals_before;
        EXPECT_GE(refused, 1u);
        EXPECT_LE(refused, allowed_refusals);
        most_refusals_ = std::max(most_refusals_, refused);
        if (at->needs_new_password)
          service_.set_account_password(account_password_);
        else
          service_.change_account(account_password_);
      } else if (at->needs_new_password)
        service_.set_password(at->mailbox, std::string(exchange_sim::testing::SimulatedExchange::password));
      at = causes_.erase(at);
    }
  }

  std::uint64_t refusals() { return service_.east.sim().counters().get("refused-credentials"); }

  /// A mailbox whose move is through; its items are elsewhere from now on. True: it is synchronised there.
  bool has_followed(Cause& cause) {
    const auto now = service_.world.elapsed();
    if (!cause.is_moved) {
      cause.is_moved = true;
      for (const std::uint64_t id : cause.east_rules) service_.east.sim().faults().remove(id);
      cause.east_rules.clear();
      service_.move_to_tenant(cause.mailbox);
      moved_at_[cause.mailbox] = now;
      return false;
    }
    if (service_.profile_of(cause.mailbox) == "Tenant") return true;
    // Who has not been followed is looked for with the service account.
    const bool is_alone = std::ranges::none_of(causes_, [&](const Cause& other) {
      return &other != &cause && (other.is_of_account || concerns(other, cause.mailbox));
    });
    if (!is_alone) moved_at_[cause.mailbox] = now;
    if (now - moved_at_[cause.mailbox] <= followed_within_) return false;
    ADD_FAILURE() << cause.mailbox << " has moved, and is not followed";
    return true;
  }

  void check_the_end() {
    // A last message to each, and everybody is in step and watched.
    is_quiet_ = true;
    for (const std::string& address : addresses_)
      waiting_.emplace(service_.deliver(address), Waiting{address, service_.world.elapsed()});
    for (int i = 0; i < 10; ++i) a_minute(false);
    EXPECT_TRUE(waiting_.empty());
    for (const MailboxTurn& turn : service_.daemon().turns()) {
      EXPECT_FALSE(turn.is_failing) << turn.address;
      EXPECT_TRUE(turn.is_pushed) << turn.address;
    }
    std::printf("%d mailboxes, %d hours, %zu messages, %llu runs (%llu failed), %llu requests",
                static_cast<int>(addresses_.size()), hours_, delivered_,
                static_cast<unsigned long long>(service_.daemon().totals().runs),
                static_cast<unsigned long long>(service_.daemon().totals().failed_runs),
                static_cast<unsigned long long>(service_.daemon().totals().requests));
    std::printf(", %llu on their way at a busy answer", static_cast<unsigned long long>(on_their_way_));
    for (const auto& [what, times] : begun_) std::printf(", %d times %s", times, what.c_str());
    std::printf("\n");
    std::printf("At once: East %u of %u, West %u of %u a mailbox, the tenant %u of %u; ", east_peaks_.open,
                ServiceWorld::eastern_connections, west_peaks_.of_one, ServiceWorld::western_connections,
                tenant_peaks_.open, ServiceWorld::tenant_connections);
    std::printf("%zu requests of a mailbox in a minute of %u; %llu refusals of the service account\n",
                std::max(east_peaks_.in_a_minute, west_peaks_.in_a_minute), ServiceWorld::requests_per_minute,
                static_cast<unsigned long long>(most_refusals_));
    // The limits are ones that are reached.
    EXPECT_EQ(east_peaks_.open, ServiceWorld::eastern_connections);
    EXPECT_GT(service_.east.sim().counters().get("over-budget.requests-per-minute") +
                  service_.west.sim().counters().get("over-budget.requests-per-minute"),
              0u);
    for (const char* what : {"an outage", "a locked account", "throttling", "a new password",
                             "a new password of the service account", "a move", "a move to the tenant",
                             "fewer requests", "a lost stream"})
      EXPECT_GT(begun_[what], 0) << what;
    for (const auto& [address, _] : moved_at_) {
      EXPECT_EQ(service_.profile_of(address), "Tenant") << address;
      EXPECT_TRUE(in_tenant_.contains(address));
    }
    for (auto* exchange : {&service_.east, &service_.west}) {
      const auto& counters = exchange->sim().counters();
      EXPECT_EQ(counters.get("code.ErrorExceededConnectionCount"), 0u);
      EXPECT_EQ(counters.get("code.ErrorTooManyObjectsOpened"), 0u);
    }
    EXPECT_EQ(records_.size(), delivered_ + addresses_.size());
    EXPECT_TRUE(service_.stop());
  }

  SeededRandom random_;
  ServiceWorld service_;
  int hours_;
  milliseconds look_for_all_every_;
  milliseconds followed_within_;
  std::vector<std::string> addresses_;
  std::list<Cause> causes_;
  std::map<std::string, int> begun_;
  std::map<std::string, Waiting> waiting_;
  std::map<std::string, milliseconds> free_since_;
  std::map<std::string, std::string> last_cause_;
  std::size_t delivered_ = 0;
  milliseconds begin_{0};
  std::uint64_t on_their_way_ = 0;               ///< requests
  std::map<std::string, std::int64_t> records_;  ///< by Message-ID
  std::set<std::string> in_tenant_;              ///< or on their way there
  std::map<std::string, milliseconds> moved_at_;
  std::map<const void*, std::uint64_t> counted_;  ///< refused because there were too many in a minute
  exchange_sim::Throttle::Peaks east_peaks_, west_peaks_, tenant_peaks_;
  std::uint64_t most_refusals_ = 0;
  std::string account_password_ = std::string(exchange_sim::testing::SimulatedExchange::password);
  int account_passwords_ = 0;
  bool is_quiet_ = false;
};

TEST(ServiceDay, EveryMailboxIsBackInStepByItselfWithinItsInterval) {
  Day day(number_from("SYNCLINE_DAY_MAILBOXES", 50), number_from("SYNCLINE_DAY_HOURS", 2),
          static_cast<std::uint64_t>(number_from("SYNCLINE_DAY_SEED", 1)));
  day.live();
}

}  // namespace
}  // namespace syncline::service::testing
