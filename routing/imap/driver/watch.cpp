// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/imap/driver/watch.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "net/watchdog.hpp"
#include "net/with_deadline.hpp"

namespace syncline::imap {
namespace {

/// Doubling stops to matter long before.
constexpr unsigned most_doublings = 20;

bool may_pass(const Error& error) noexcept {
  return error.retry == RetryClass::after || error.retry == RetryClass::now;
}

}  // namespace

Watch::Watch(net::Environment& environment, ImapDriver& driver, sync::RemoteFolder folder, Look look,
             WatchSettings settings)
    : environment_(environment),
      driver_(driver),
      folder_(std::move(folder)),
      look_(std::move(look)),
      settings_(settings),
      stop_asked_(environment.executor) {}

void Watch::stop() {
  stopped_ = true;
  driver_.end_wait();
  stop_asked_.notify_all();
}

Async<void> Watch::pause(std::chrono::milliseconds span) {
  if (stopped_ || span <= std::chrono::milliseconds::zero()) co_return Result<void>{};
  const SteadyTime until = net::deadline_after(environment_.clock, span);
  const Error passed{.domain = ErrorDomain::local, .code = "passed"};
  auto stopping = stop_asked_.wait();
  auto waited = co_await net::with_deadline(environment_.timers, until, std::move(stopping), passed);
  if (!waited && waited.error().code != passed.code) co_return waited;
  co_return Result<void>{};
}

std::chrono::milliseconds Watch::pause_after(const Error& error) {
  const unsigned doublings = std::min(failures_in_a_row_, most_doublings);
  const auto longest = std::max(settings_.longest_pause, settings_.first_pause);
  const auto pause = std::min(settings_.first_pause * (std::int64_t{1} << doublings), longest);
  const auto spread = static_cast<std::uint64_t>(std::max<std::int64_t>(0, pause.count() / 2));
  const auto chosen = pause - std::chrono::milliseconds(environment_.random.below(spread + 1));
  return std::max(chosen, error.retry_after.value_or(std::chrono::milliseconds::zero()));
}

Async<void> Watch::once() {
  const SteadyTime began = environment_.clock.steady_now();
  ++looks_;
  auto looked = co_await look_();
  if (!looked) co_return looked;
  failures_in_a_row_ = 0;
  const SteadyTime until = net::deadline_after(environment_.clock, settings_.look_anyway);
  if (stopped_) co_return Result<void>{};
  auto changed = co_await driver_.wait_for_change(folder_, until);
  if (!changed) co_return fail(std::move(changed.error()));
  const auto since = std::chrono::ceil<std::chrono::milliseconds>(environment_.clock.steady_now() - began);
  const std::chrono::milliseconds rest = settings_.between_looks - since;
  co_return co_await pause(rest);
}

Async<void> Watch::run() {
  while (!stopped_) {
    auto done = co_await once();
    if (done) continue;
    if (!may_pass(done.error())) co_return done;
    ++failures_;
    const std::chrono::milliseconds span = pause_after(done.error());
    ++failures_in_a_row_;
    log::info("imap", "watching " + folder_.name + " goes on in " + std::to_string(span.count()) +
                          " ms: " + done.error().describe());
    auto paused = co_await pause(span);
    if (!paused) co_return paused;
  }
  co_return Result<void>{};
}

}  // namespace syncline::imap
