// SPDX-License-Identifier: GPL-3.0-or-later
// e-13: a day of service. Servers go away and come back, are busy, lose streams, refuse passwords until
// somebody sets new ones, move mailboxes; all the while mail comes. Every message is a record within its
// mailbox's interval after whatever kept it back has ended, and nobody does anything for that.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <list>
#include <map>

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

class Day {
 public:
  Day(int mailboxes, int hours, std::uint64_t seed)
      : random_(seed), service_(mailboxes / 2, seed), hours_(hours) {
    for (const auto* side : {&service_.eastern, &service_.western})
      addresses_.insert(addresses_.end(), side->begin(), side->end());
  }

  void live() {
    service_.start();
    service_.world.run_for(6min);
    static_cast<void>(service_.arrived());
    begin_ = service_.world.elapsed();
    const auto end = begin_ + std::chrono::hours(hours_);
    while (service_.world.elapsed() < end && !service_.has_ended())
      a_minute(end - service_.world.elapsed() > 40min);
    // Whatever is still wrong passes.
    for (int i = 0; i < 60; ++i) a_minute(false);
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
  };
  struct Waiting {
    std::string mailbox;
    milliseconds delivered;
  };

  bool chance(std::uint64_t in) { return random_.below(in) == 0; }
  const std::string& somebody() { return addresses_[random_.below(addresses_.size())]; }

  void a_minute(bool trouble) {
    end_causes();
    if (trouble) begin_causes();
    const std::size_t messages = std::max<std::size_t>(1, addresses_.size() / 100);
    for (std::size_t i = 0; i < messages; ++i) {
      const std::string to = somebody();
      if (is_quiet_) break;
      waiting_.emplace(service_.deliver(to), Waiting{to, service_.world.elapsed()});
      ++delivered_;
      service_.world.run_for(60s / messages);
    }
    if (is_quiet_) service_.world.run_for(60s);
    const auto now = service_.world.elapsed();
    for (auto* exchange : {&service_.east, &service_.west}) {
      look_for_disobedience(*exchange, exchange->sim().log().entries());
      exchange->sim().log().clear();
    }
    for (const std::string& id : service_.arrived()) waiting_.erase(id);
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

  milliseconds free_since(const std::string& mailbox) {
    const auto found = free_since_.find(mailbox);
    return found == free_since_.end() ? 0ms : found->second;
  }
  bool concerns(const Cause& cause, const std::string& mailbox) const {
    if (!cause.mailbox.empty()) return cause.mailbox == mailbox;
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
    if (chance(90) && !is_kept_back(side.front()) && !is_kept_back(side.back())) {
      begin({.what = "an outage"},
            {{on_east, rule(on_east, Action::abort_before, "")},
             {on_east, rule(on_east, Action::close_stream, "", "stream")}},
            minutes(5, 40));
      exchange.sim().wake_streams();
    }
    if (chance(20) && !is_kept_back(one)) {
      // The window that the server names goes on after its last busy answer.
      FaultRule busy;
      busy.action = Action::busy;
      busy.mailbox = one;
      busy.wait = 3min;
      busy.times = 3;
      busy.place = static_cast<exchange_sim::BusyPlace>(random_.below(4));
      begin({.what = "throttling", .mailbox = one}, {{on_east, exchange.sim().faults().add(busy)}}, 15min);
    }
    if (chance(15) && !on_east && !is_kept_back(one))
      begin({.what = "a new password", .mailbox = one, .needs_new_password = true},
            {{false, rule(false, Action::unauthorized, one)}}, minutes(3, 30));
    if (chance(15) && !is_kept_back(one))
      begin({.what = "a move", .mailbox = one}, {{on_east, rule(on_east, Action::response_code, one)}},
            minutes(3, 30));
    if (chance(30)) {
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
      for (const std::uint64_t id : at->east_rules) service_.east.sim().faults().remove(id);
      for (const std::uint64_t id : at->west_rules) service_.west.sim().faults().remove(id);
      for (const std::string& mailbox : addresses_)
        if (concerns(*at, mailbox)) free_since_[mailbox] = now;
      if (at->needs_new_password)
        service_.set_password(at->mailbox, std::string(exchange_sim::testing::SimulatedExchange::password));
      at = causes_.erase(at);
    }
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
    for (auto* exchange : {&service_.east, &service_.west}) {
      const auto& counters = exchange->sim().counters();
      EXPECT_EQ(counters.get("code.ErrorExceededConnectionCount"), 0u);
      EXPECT_EQ(counters.get("code.ErrorTooManyObjectsOpened"), 0u);
    }
    EXPECT_TRUE(service_.stop());
  }

  SeededRandom random_;
  ServiceWorld service_;
  int hours_;
  std::vector<std::string> addresses_;
  std::list<Cause> causes_;
  std::map<std::string, int> begun_;
  std::map<std::string, Waiting> waiting_;
  std::map<std::string, milliseconds> free_since_;
  std::map<std::string, std::string> last_cause_;
  std::size_t delivered_ = 0;
  milliseconds begin_{0};
  std::uint64_t on_their_way_ = 0;  ///< requests
  bool is_quiet_ = false;
};

TEST(ServiceDay, EveryMailboxIsBackInStepByItselfWithinItsInterval) {
  Day day(number_from("SYNCLINE_DAY_MAILBOXES", 50), number_from("SYNCLINE_DAY_HOURS", 2),
          static_cast<std::uint64_t>(number_from("SYNCLINE_DAY_SEED", 1)));
  day.live();
}

}  // namespace
}  // namespace syncline::service::testing
