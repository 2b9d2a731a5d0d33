// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/watchdog.hpp"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "net/cancel.hpp"

namespace syncline::net {

struct Watchdog::State {
  State(Environment& environment, std::function<void()> expire)
      : executor(environment.executor),
        clock(environment.clock),
        timers(environment.timers),
        expire(std::move(expire)) {}

  asio::any_io_executor executor;
  const Clock& clock;
  Timers& timers;
  std::function<void()> expire;
  asio::cancellation_signal wake;
  SteadyTime deadline = SteadyTime::max();
  SteadyTime sleeping_until = SteadyTime::max();
  bool running = false;
  bool ended = false;
  bool expired = false;

  static asio::awaitable<void> run(std::shared_ptr<State> state) {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!state->ended) {
      // A cancellation only means "look again".
      co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
      if (state->deadline != SteadyTime::max() && state->clock.steady_now() >= state->deadline) {
        state->expired = true;
        state->ended = true;
        const auto expire = std::move(state->expire);
        state->expire = nullptr;
        expire();
        break;
      }
      state->sleeping_until = state->deadline;
      static_cast<void>(co_await state->timers.sleep_until(state->deadline));
    }
    state->running = false;
  }
};

Watchdog::Watchdog(Environment& environment, std::function<void()> expire)
    : state_(std::make_shared<State>(environment, std::move(expire))) {}

Watchdog::~Watchdog() {
  state_->ended = true;
  state_->expire = nullptr;
  if (state_->running) emit_cancellation(state_->executor, state_->wake, state_);
}

void Watchdog::arm(SteadyTime deadline) {
  if (state_->ended) return;
  state_->deadline = deadline;
  if (!state_->running) {
    state_->running = true;
    state_->sleeping_until = deadline;
    asio::co_spawn(state_->executor, State::run(state_),
                   asio::bind_cancellation_slot(state_->wake.slot(), asio::detached));
  } else if (deadline < state_->sleeping_until) {
    state_->sleeping_until = deadline;
    emit_cancellation(state_->executor, state_->wake, state_);
  }
}

void Watchdog::arm_for(std::chrono::milliseconds span, SteadyTime latest) {
  arm(std::min(deadline_after(state_->clock, span), latest));
}

void Watchdog::disarm() noexcept {
  state_->deadline = SteadyTime::max();
}

bool Watchdog::expired() const noexcept {
  return state_->expired;
}

SteadyTime deadline_after(const Clock& clock, std::chrono::milliseconds span) noexcept {
  const SteadyTime now = clock.steady_now();
  const auto room = std::chrono::duration_cast<std::chrono::milliseconds>(SteadyTime::max() - now);
  return span >= room ? SteadyTime::max() : now + span;
}

}  // namespace syncline::net
