// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/engine/idle_watch.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <utility>

#include "base/log.hpp"
#include "routing/imap/driver/imap_driver.hpp"

namespace syncline::service {
namespace {

namespace asio = net::asio;

/// The driver's own waits are shorter; this one only has an end.
constexpr std::chrono::hours one_wait{12};
/// A server that closes the connection of each wait so soon is polled.
constexpr std::chrono::minutes short_life{1};
constexpr std::chrono::seconds hasty_wait{2};
constexpr unsigned most_hasty = 5;
constexpr std::chrono::minutes rest_after_haste{5};
constexpr std::chrono::seconds longest_farewell{10};

}  // namespace

void IdleWatch::Waiting::want() {
  is_wanted = true;
  kept.connection->when_wanted({});
  kept.connection->imap()->end_wait();
}

bool IdleWatch::keep(const std::string& address, Kept& kept) {
  const SteadyTime now = environment_.clock.steady_now();
  History& history = history_[address];
  if (now < history.not_before || waiting_.contains(address) || kept.connection->is_wanted()) return false;
  const auto waiting = std::make_shared<Waiting>(environment_.executor);
  waiting->address = address;
  waiting->kept = std::move(kept);
  waiting->inbox = history.inbox;
  waiting->since = now;
  waiting_.emplace(address, waiting);
  waiting->kept.connection->when_wanted([this, address] { give_up(address); });
  events_.watched(address, look_anyway_);
  asio::co_spawn(environment_.executor, wait(waiting), asio::detached);
  return true;
}

Async<bool> IdleWatch::wait_for_change(Waiting& waiting) {
  imap::ImapDriver& driver = *waiting.kept.connection->imap();
  if (waiting.inbox.id.empty()) {
    auto folders = co_await driver.folders();
    if (!folders) co_return fail(std::move(folders.error()));
    const auto inbox = std::ranges::find(*folders, sync::FolderRole::inbox, &sync::RemoteFolder::role);
    if (inbox == folders->end()) co_return fail(ErrorDomain::mail, "no-inbox", "the mailbox has no Inbox");
    history_[waiting.address].inbox = waiting.inbox = std::move(*inbox);
  }
  while (!waiting.is_wanted) {
    auto changed = co_await driver.wait_for_change(waiting.inbox, environment_.clock.steady_now() + one_wait);
    if (!changed || *changed) co_return changed;
  }
  co_return false;
}

asio::awaitable<void> IdleWatch::wait(std::shared_ptr<Waiting> waiting) {
  const Result<bool> changed = co_await wait_for_change(*waiting);
  waiting->has_ended = true;
  waiting->is_broken = !changed;
  waiting->changed.notify_all();
  if (waiting->is_wanted) co_return;
  const SteadyTime now = environment_.clock.steady_now();
  const auto waited = now - waiting->since;
  if (changed) {
    History& history = history_[waiting->address];
    history.hasty = waited < hasty_wait ? history.hasty + 1 : 0;
    if (history.hasty >= most_hasty) {
      history = {.inbox = std::move(history.inbox), .hasty = 0, .not_before = now + rest_after_haste};
      log::info(waiting->address, "polled for a while: its server tells of changes that are none");
    }
    // Its connection waits for the run.
    events_.changed(waiting->address);
    co_return;
  }
  log::info(waiting->address, "its server does not tell of changes any more: " + changed.error().describe());
  waiting_.erase(waiting->address);
  events_.watched(waiting->address, std::nullopt);
  // The run connects again and finds what was new meanwhile; failures of that are the schedule's.
  if (waited >= short_life) events_.changed(waiting->address);
}

Async<std::optional<IdleWatch::Kept>> IdleWatch::take(std::string address) {
  const auto at = waiting_.find(address);
  if (at == waiting_.end()) co_return std::nullopt;
  const std::shared_ptr<Waiting> waiting = at->second;
  waiting_.erase(at);
  waiting->want();
  while (!waiting->has_ended) {
    auto woken = co_await waiting->changed.wait();
    if (!woken) co_return fail(std::move(woken.error()));
  }
  if (waiting->is_broken) {
    events_.watched(waiting->address, std::nullopt);
    co_return std::nullopt;
  }
  co_return std::optional<Kept>(std::move(waiting->kept));
}

asio::awaitable<void> IdleWatch::close(std::shared_ptr<Waiting> waiting) {
  while (!waiting->has_ended)
    if (auto woken = co_await waiting->changed.wait(); !woken) co_return;
  if (!waiting->is_broken) static_cast<void>(co_await waiting->kept.connection->close());
}

void IdleWatch::forget(const std::string& address) {
  history_.erase(address);
  give_up(address);
}

/// It is polled until its next run, after which it is watched again.
void IdleWatch::give_up(const std::string& address) {
  const auto at = waiting_.find(address);
  if (at == waiting_.end()) return;
  const std::shared_ptr<Waiting> waiting = at->second;
  waiting_.erase(at);
  waiting->want();
  events_.watched(address, std::nullopt);
  asio::co_spawn(environment_.executor, close(waiting), asio::detached);
}

Async<void> IdleWatch::stop() {
  const auto all = std::exchange(waiting_, {});
  for (const auto& [_, waiting] : all) waiting->want();
  // All at once: thousands of polite farewells, and dead peers among them, may not outlast a stop's patience.
  const auto left = std::make_shared<std::size_t>(all.size());
  for (const auto& [_, waiting] : all)
    asio::co_spawn(environment_.executor, close(waiting), [left](const std::exception_ptr&) { --*left; });
  const SteadyTime until = environment_.clock.steady_now() + longest_farewell;
  while (*left > 0 && environment_.clock.steady_now() < until) {
    const SteadyTime next = environment_.clock.steady_now() + std::chrono::milliseconds(20);
    if (auto slept = co_await environment_.timers.sleep_until(next); !slept) co_return slept;
  }
  co_return Result<void>{};
}

}  // namespace syncline::service
