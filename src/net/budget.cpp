// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/budget.hpp"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <list>
#include <utility>

#include "net/cancel.hpp"
#include "net/event.hpp"
#include "net/watchdog.hpp"

namespace syncline::net {
namespace {

/// Requests, sync calls, hanging connections.
using Amounts = std::array<std::size_t, 3>;

constexpr Amounts needs_of(BudgetKind kind) {
  switch (kind) {
    case BudgetKind::request:
      return {1, 0, 0};
    case BudgetKind::sync_call:
      return {1, 1, 0};
    case BudgetKind::hanging:
      return {0, 0, 1};
  }
  return {1, 0, 0};
}

Amounts amounts_of(const BudgetLimits& limits) {
  // A limit of nothing would be a wait without end.
  return {std::max<std::size_t>(1, limits.requests), std::max<std::size_t>(1, limits.sync_calls),
          std::max<std::size_t>(1, limits.hanging)};
}

}  // namespace

struct Budget::State : std::enable_shared_from_this<Budget::State> {
  State(Environment& environment, BudgetLimits limits)
      : executor(environment.executor),
        clock(environment.clock),
        timers(environment.timers),
        limits(amounts_of(limits)) {}

  struct Waiter {
    Waiter(State& state, Amounts needs)
        : state(state),
          needs(needs),
          granted(state.executor),
          position(state.waiters.insert(state.waiters.end(), this)) {}
    ~Waiter() { leave(); }
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;
    void leave() {
      if (queued) state.waiters.erase(position);
      queued = false;
    }
    State& state;
    Amounts needs;
    Event granted;
    bool queued = true;
    bool has = false;
    std::list<Waiter*>::iterator position;
  };

  bool paused() const { return clock.steady_now() < pause_end; }

  bool fits(const Amounts& needs) const {
    for (std::size_t i = 0; i < needs.size(); ++i) {
      if (needs[i] > 0 && out[i] + needs[i] > limits[i]) return false;
    }
    return true;
  }

  void take(const Amounts& needs) {
    for (std::size_t i = 0; i < needs.size(); ++i) out[i] += needs[i];
  }

  void give_back(BudgetKind kind) {
    const Amounts needs = needs_of(kind);
    for (std::size_t i = 0; i < needs.size(); ++i) out[i] -= needs[i];
    grant();
  }

  /// Lets through whoever fits, in the order in which they came.
  void grant() {
    if (paused()) return;
    for (auto next = waiters.begin(); next != waiters.end();) {
      Waiter& waiter = **next++;
      if (!fits(waiter.needs)) continue;
      take(waiter.needs);
      waiter.has = true;
      waiter.leave();
      waiter.granted.notify_all();
    }
  }

  static asio::awaitable<void> end_pause(std::shared_ptr<State> state) {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!state->ended && state->paused()) {
      auto slept = co_await state->timers.sleep_until(state->pause_end);
      if (!slept) break;
    }
    state->pause_running = false;
    if (!state->ended) state->grant();
  }

  asio::any_io_executor executor;
  const Clock& clock;
  Timers& timers;
  Amounts limits;
  Amounts out{};
  std::list<Waiter*> waiters;
  SteadyTime pause_begin = SteadyTime::min();
  SteadyTime pause_end = SteadyTime::min();
  std::chrono::nanoseconds throttled{0};  ///< of pauses before the present one
  std::uint64_t pauses = 0;
  bool pause_running = false;
  bool ended = false;
  asio::cancellation_signal stop_pause;
};

Budget::Token::Token(Token&& other) noexcept
    : state_(std::exchange(other.state_, nullptr)), kind_(other.kind_) {}

Budget::Token& Budget::Token::operator=(Token&& other) noexcept {
  if (this != &other) {
    release();
    state_ = std::exchange(other.state_, nullptr);
    kind_ = other.kind_;
  }
  return *this;
}

void Budget::Token::release() noexcept {
  if (const auto state = std::exchange(state_, nullptr)) state->give_back(kind_);
}

Budget::Budget(Environment& environment, BudgetLimits limits)
    : state_(std::make_shared<State>(environment, limits)) {}

Budget::~Budget() {
  state_->ended = true;
  if (state_->pause_running) emit_cancellation(state_->executor, state_->stop_pause, state_);
}

Async<Budget::Token> Budget::acquire(BudgetKind kind) {
  const std::shared_ptr<State> state = state_;
  const Amounts needs = needs_of(kind);
  Token token;
  {
    State::Waiter waiter(*state, needs);
    state->grant();
    if (!waiter.has) {
      auto waited = co_await waiter.granted.wait();
      // A grant that met a cancellation belongs to the token all the same, and goes back with it.
      if (waiter.has) token = Token(state, kind);
      if (!waited) {
        waiter.leave();
        state->grant();
        co_return fail(std::move(waited).error());
      }
    } else {
      token = Token(state, kind);
    }
  }
  // A pause may have begun between the grant and this line.
  while (state->paused()) {
    auto slept = co_await state->timers.sleep_until(state->pause_end);
    if (!slept) co_return fail(std::move(slept).error());
  }
  co_return token;
}

void Budget::pause_until(SteadyTime when) {
  State& state = *state_;
  const SteadyTime now = state.clock.steady_now();
  if (when <= now || when <= state.pause_end) return;
  if (now >= state.pause_end) {
    if (state.pause_end > state.pause_begin) state.throttled += state.pause_end - state.pause_begin;
    state.pause_begin = now;
  }
  state.pause_end = when;
  ++state.pauses;
  if (state.pause_running) return;
  state.pause_running = true;
  asio::co_spawn(state.executor, State::end_pause(state_),
                 asio::bind_cancellation_slot(state.stop_pause.slot(), asio::detached));
}

void Budget::pause_for(std::chrono::milliseconds span) {
  pause_until(deadline_after(state_->clock, span));
}

void Budget::set_limits(BudgetLimits limits) {
  state_->limits = amounts_of(limits);
  state_->grant();
}

Budget::Metrics Budget::metrics() const {
  const State& state = *state_;
  Metrics metrics;
  metrics.requests = state.out[0];
  metrics.sync_calls = state.out[1];
  metrics.hanging = state.out[2];
  metrics.waiting = state.waiters.size();
  const SteadyTime now = state.clock.steady_now();
  auto throttled = state.throttled;
  if (state.pause_end > state.pause_begin) throttled += std::min(now, state.pause_end) - state.pause_begin;
  metrics.throttled_total = std::chrono::duration_cast<std::chrono::milliseconds>(throttled);
  if (state.paused()) metrics.paused_until = state.pause_end;
  metrics.pauses = state.pauses;
  return metrics;
}

}  // namespace syncline::net
