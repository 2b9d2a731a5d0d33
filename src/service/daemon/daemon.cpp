// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/daemon/daemon.hpp"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <iterator>
#include <set>
#include <utility>

#include "net/cancel.hpp"
#include "service/organisation/last_run.hpp"
#include "service/organisation/organisation.hpp"
#include "store/configuration.hpp"
#include "store/journal.hpp"
#include "store/records.hpp"
#include "sync/host_pause.hpp"

namespace syncline::service {
namespace {

namespace asio = net::asio;
using std::chrono::milliseconds;

constexpr int rows_at_once = 1000;

constexpr std::size_t default_connections = 10;

/// Mailboxes of a profile share its interval and its server. Its maximum of connections is the profile's
/// where the profile holds the credentials, each mailbox's own otherwise: one mailbox has one run.
Pace pace_of(const EnabledMailbox& mailbox, milliseconds interval) {
  const model::Profile& profile = mailbox.profile();
  Pace pace{.server = profile.name, .interval = interval};
  const int minutes = profile.minimum_polling_minutes.value_or(0);
  if (minutes > 0) pace.interval = std::chrono::minutes(minutes);
  const router::Route& route = mailbox.route();
  for (const auto* leg : {&route.incoming, &route.outgoing, &route.act})
    if (*leg && (*leg)->authentication != rules::Word::mailbox_credentials &&
        (*leg)->authentication != rules::Word::gmail_oauth)
      pace.shares_account = true;
  if (pace.shares_account)
    pace.at_once = static_cast<std::size_t>(
        std::max(1, profile.maximum_connections.value_or(static_cast<int>(default_connections))));
  return pace;
}

ScheduleSettings with_places(ScheduleSettings settings, std::size_t at_once) {
  settings.at_once = at_once;
  return settings;
}

void add(sync::KindCounts& sum, const sync::KindCounts& more) {
  sum.came += more.came;
  sum.changed_here += more.changed_here;
  sum.went += more.went;
  sum.changed_there += more.changed_there;
  sum.removed_here += more.removed_here;
  sum.removed_there += more.removed_there;
  sum.unlinked += more.unlinked;
  sum.merged += more.merged;
  sum.conflicts += more.conflicts;
  sum.not_tracked += more.not_tracked;
  sum.quarantined += more.quarantined;
  sum.refused += more.refused;
}

}  // namespace

Daemon::Daemon(net::Environment& environment, Organisation& organisation, DaemonSettings settings, Work work)
    : environment_(environment),
      organisation_(organisation),
      settings_(settings),
      work_(std::move(work)),
      schedule_(with_places(settings.schedule, settings.mailboxes_at_once), environment.random),
      changed_(environment.executor) {}

net::Async<void> Daemon::run() {
  if (auto acted = administrators_acted(); !acted) co_return fail(std::move(acted.error()));
  if (auto read = read_configuration(); !read) co_return read;
  is_ready_ = true;
  is_ticking_ = true;
  asio::co_spawn(environment_.executor, tick(), asio::detached);
  while (!is_stopping_ && !trouble_) {
    last_round_ = environment_.clock.steady_now();
    if (auto looked = look(); !looked) {
      if (looked.error().retry != RetryClass::after) trouble_ = std::move(looked.error());
    } else {
      start_due();
    }
    if (is_stopping_ || trouble_) break;
    auto woken = co_await changed_.wait();
    if (!woken) is_stopping_ = true;
  }
  is_stopping_ = true;
  const SteadyTime patience_ends = environment_.clock.steady_now() + settings_.stop_patience;
  while (!running_.empty() || is_ticking_) {
    if (environment_.clock.steady_now() >= patience_ends) cancel_all();
    auto woken = co_await changed_.wait();
    if (!woken) cancel_all();
  }
  if (trouble_) co_return fail(std::move(*trouble_));
  co_return Result<void>{};
}

void Daemon::stop() {
  if (is_stopping_) cancel_all();
  is_stopping_ = true;
  changed_.notify_all();
}

void Daemon::reload() {
  is_reload_wanted_ = true;
  changed_.notify_all();
}

void Daemon::wake(std::string_view address) {
  schedule_.wake(address, environment_.clock.steady_now());
  start_soon();
}

void Daemon::watched(std::string_view address, std::optional<milliseconds> look_anyway) {
  schedule_.watched(address, look_anyway, environment_.clock.steady_now());
}

bool Daemon::demand(std::string_view address) {
  const bool is_known = schedule_.demand(address, environment_.clock.steady_now());
  if (is_known) start_soon();
  return is_known;
}

/// Not within the caller, and without a look at the store.
void Daemon::start_soon() {
  if (std::exchange(is_start_posted_, true)) return;
  asio::post(environment_.executor, [this] {
    is_start_posted_ = false;
    if (is_ready()) start_due();
  });
}

void Daemon::cancel_all() {
  for (const auto& [_, signal] : running_) net::emit_cancellation(environment_.executor, *signal, signal);
}

/// One heartbeat for all: thousands of mailboxes need no timer each.
asio::awaitable<void> Daemon::tick() {
  while (!is_stopping_ || !running_.empty()) {
    auto slept =
        co_await environment_.timers.sleep_until(environment_.clock.steady_now() + settings_.look_pause);
    changed_.notify_all();
    if (!slept) break;
  }
  is_ticking_ = false;
  changed_.notify_all();
}

Result<void> Daemon::read_configuration() {
  auto enabled = enabled_mailboxes(organisation_);
  if (!enabled) return fail(std::move(enabled.error()));
  const SteadyTime now = environment_.clock.steady_now();
  not_ready_ = std::move(enabled->not_ready);
  std::map<std::string, std::shared_ptr<const EnabledMailbox>, std::less<>> found;
  addresses_by_owner_.clear();
  auto succeeded = last_successes(enabled->ready);
  if (!succeeded) return fail(std::move(succeeded.error()));
  const milliseconds all_started = settings_.start_pace * static_cast<std::int64_t>(enabled->ready.size());
  for (EnabledMailbox& mailbox : enabled->ready) {
    const std::string address = mailbox.address();
    Pace pace = pace_of(mailbox, settings_.interval);
    const milliseconds first_within = std::min(pace.interval, all_started);
    const auto before = succeeded->find(address);
    schedule_.put(address, std::move(pace), first_within, now,
                  before == succeeded->end() ? std::nullopt : std::optional(before->second));
    addresses_by_owner_.emplace(mailbox.mailbox().record_owner(), address);
    found.emplace(address, std::make_shared<const EnabledMailbox>(std::move(mailbox)));
  }
  for (const auto& [address, _] : mailboxes_)
    if (!found.contains(address)) schedule_.remove(address);
  mailboxes_ = std::move(found);
  std::vector<std::shared_ptr<const EnabledMailbox>> all;
  all.reserve(mailboxes_.size());
  for (const auto& [_, mailbox] : mailboxes_) all.push_back(mailbox);
  work_.configured(all);
  return {};
}

/// Of those that are new here: a restart makes no mailbox younger than it is.
Result<std::map<std::string, SteadyTime, std::less<>>> Daemon::last_successes(
    const std::vector<EnabledMailbox>& mailboxes) {
  const SystemTime now = organisation_.clock().now();
  const SteadyTime steady_now = environment_.clock.steady_now();
  return organisation_.store().read<std::map<std::string, SteadyTime, std::less<>>>(
      [&](store::Transaction& transaction) -> Result<std::map<std::string, SteadyTime, std::less<>>> {
        std::map<std::string, SteadyTime, std::less<>> found;
        for (const EnabledMailbox& mailbox : mailboxes) {
          if (schedule_.contains(mailbox.address())) continue;
          auto row = store::find_mailbox(transaction, mailbox.id());
          if (!row) return fail(std::move(row.error()));
          const auto at = *row ? read_last_run((*row)->state).succeeded_at : std::nullopt;
          if (at) found.emplace(mailbox.address(), steady_now - std::max(now - *at, SystemTime::duration(0)));
        }
        return found;
      });
}

/// Since the last time.
Result<std::vector<store::AuditEntry>> Daemon::administrators_acted() {
  std::vector<store::AuditEntry> acts;
  for (bool more = true; more;) {
    auto entries =
        organisation_.store().read<std::vector<store::AuditEntry>>([&](store::Transaction& transaction) {
          return store::list_audit(transaction, seen_audit_, rows_at_once);
        });
    if (!entries) return fail(std::move(entries.error()));
    more = entries->size() == rows_at_once;
    if (entries->empty()) break;
    seen_audit_ = entries->back().sequence;
    std::move(entries->begin(), entries->end(), std::back_inserter(acts));
  }
  return acts;
}

/// Records that the application changed have to go out. A run's own changes wake its mailbox once more; that
/// run finds nothing.
Result<void> Daemon::wake_owners_of_changes() {
  std::set<std::string> owners;
  auto looked = organisation_.store().read<void>([&](store::Transaction& transaction) -> Result<void> {
    if (!seen_change_) {
      auto last = store::last_change(transaction);
      if (!last) return fail(std::move(last.error()));
      seen_change_ = *last;
      return {};
    }
    for (bool more = true; more;) {
      auto changes = store::changes_since(transaction, *seen_change_, rows_at_once);
      if (!changes) return fail(std::move(changes.error()));
      more = changes->size() == rows_at_once;
      for (const store::RecordChange& change : *changes) {
        seen_change_ = change.sequence;
        auto record = store::find_record(transaction, change.id, true);
        if (!record) return fail(std::move(record.error()));
        if (*record) owners.insert((*record)->owner);
      }
    }
    return {};
  });
  if (!looked) return looked;
  const SteadyTime now = environment_.clock.steady_now();
  for (const std::string& owner : owners) {
    const auto [begin, end] = addresses_by_owner_.equal_range(owner);
    for (auto at = begin; at != end; ++at) schedule_.wake(at->second, now);
  }
  return {};
}

Result<void> Daemon::look() {
  auto acted = administrators_acted();
  if (!acted) return fail(std::move(acted.error()));
  if (const bool asked = std::exchange(is_reload_wanted_, false); asked || !acted->empty()) {
    work_.renew(*acted);
    if (auto read = read_configuration(); !read) return read;
    const SteadyTime now = environment_.clock.steady_now();
    for (const MailboxTurn& turn : schedule_.turns())
      if (turn.is_failing) schedule_.retry(turn.address, now);
  }
  return wake_owners_of_changes();
}

void Daemon::start_due() {
  const SteadyTime now = environment_.clock.steady_now();
  while (running_.size() < settings_.mailboxes_at_once) {
    const auto address = schedule_.take(now);
    if (!address) return;
    const auto signal = std::make_shared<asio::cancellation_signal>();
    running_.emplace(*address, signal);
    held_back_.begins(*address, now);
    asio::co_spawn(environment_.executor, run_one(*address, mailboxes_.find(*address)->second),
                   asio::bind_cancellation_slot(signal->slot(), [signal](const std::exception_ptr& thrown) {
                     if (thrown) std::rethrow_exception(thrown);
                   }));
  }
}

asio::awaitable<void> Daemon::run_one(std::string address, std::shared_ptr<const EnabledMailbox> mailbox) {
  const SteadyTime began = environment_.clock.steady_now();
  const Result<sync::MailboxSummary> outcome = co_await work_.run(*mailbox);
  const SteadyTime now = environment_.clock.steady_now();
  count(outcome);
  running_.erase(address);
  schedule_.finished(address, now, outcome ? std::nullopt : std::optional(outcome.error()));
  if (outcome && outcome->next_attempt)
    schedule_.again_at(
        address, now + std::chrono::ceil<milliseconds>(*outcome->next_attempt - environment_.clock.now()));
  count_pause(address, now, outcome);
  if (!outcome && outcome.error().domain == ErrorDomain::local && outcome.error().retry == RetryClass::never)
    trouble_ = outcome.error();
  work_.finished(address, outcome, std::chrono::duration_cast<milliseconds>(now - began));
  changed_.notify_all();
}

/// Of what a mail host asked for: until the mailbox, or what it has to write, is tried again.
void Daemon::count_pause(const std::string& address, SteadyTime now,
                         const Result<sync::MailboxSummary>& outcome) {
  if (!outcome) {
    const auto due = schedule_.due(address);
    if (due && sync::wants_a_pause(outcome.error())) held_back_.runs(address, now, *due);
  } else if (outcome->held_back_until) {
    held_back_.writes(
        address, now,
        now + std::chrono::ceil<milliseconds>(*outcome->held_back_until - environment_.clock.now()));
  }
}

void Daemon::count(const Result<sync::MailboxSummary>& outcome) {
  ++totals_.runs;
  if (!outcome) {
    ++totals_.failed_runs;
    ++totals_.failures_by_code[outcome.error().code];
    return;
  }
  count_work(*outcome);
}

void Daemon::count_work(const sync::MailboxSummary& done) {
  totals_.requests += done.requests;
  for (std::size_t i = 0; i < totals_.kinds.size(); ++i) add(totals_.kinds[i], done.kinds[i]);
}

}  // namespace syncline::service
