// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/transport/mail_queue.hpp"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <list>
#include <optional>

#include "net/cancel.hpp"
#include "net/event.hpp"
#include "net/watchdog.hpp"

namespace exchange_sim {

namespace asio = net::asio;
using syncline::SteadyTime;

namespace {

struct Entry {
  OutgoingMail mail;
  SteadyTime due;
  SteadyTime expires;
  std::chrono::milliseconds next_delay;
  unsigned attempts = 0;
  std::string last_trouble;
};

}  // namespace

struct MailQueue::State {
  State(net::Environment& world, TransportSettings wanted, GiveBack back)
      : environment(world),
        settings(std::move(wanted)),
        give_back(std::move(back)),
        changed(world.executor) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  net::Environment& environment;
  TransportSettings settings;
  GiveBack give_back;
  net::Event changed;
  asio::cancellation_signal end;
  std::list<Entry> entries;
  std::uint64_t handed_over = 0;
  bool running = false;
  bool stopped = false;

  SteadyTime now() const { return environment.clock.steady_now(); }

  static void wake(const std::shared_ptr<State>& state) {
    if (state->stopped) return;
    state->changed.notify_all();
    if (state->running) return;
    state->running = true;
    asio::co_spawn(state->environment.executor, run(state),
                   asio::bind_cancellation_slot(state->end.slot(), asio::detached));
  }

  /// Runs while anything waits.
  static asio::awaitable<void> run(std::shared_ptr<State> state) {
    // A cancellation ends what is awaited, and then this loop by `stopped`.
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!state->stopped && !state->entries.empty()) {
      const auto next = std::min_element(state->entries.begin(), state->entries.end(),
                                         [](const Entry& a, const Entry& b) { return a.due < b.due; });
      const bool can_send = !state->settings.smart_host.empty();
      if (can_send && next->due <= state->now()) {
        co_await attempt(state, next);
        continue;
      }
      net::Watchdog alarm(state->environment, [state] { state->changed.notify_all(); });
      if (can_send) alarm.arm(next->due);
      static_cast<void>(co_await state->changed.wait());
    }
    state->running = false;
  }

  static asio::awaitable<void> attempt(std::shared_ptr<State> state, std::list<Entry>::iterator entry) {
    ++entry->attempts;
    SmartHost to = state->settings.smart_host;
    std::string name = state->settings.host_name;
    OutgoingMail mail = entry->mail;
    auto verdicts = co_await hand_over(state->environment, std::move(to), std::move(name), std::move(mail),
                                       state->settings.idle);
    if (state->stopped) co_return;
    const bool is_late = state->now() >= entry->expires;
    std::vector<std::string> left;
    std::vector<Refusal> refusals;
    if (!verdicts) {
      entry->last_trouble = verdicts.error().message;
      left = entry->mail.to;
    } else {
      for (std::size_t i = 0; i < verdicts->size(); ++i) {
        const Verdict& verdict = (*verdicts)[i];
        if (verdict.is_taken()) {
          ++state->handed_over;
        } else if (verdict.is_final()) {
          refusals.push_back({entry->mail.to[i], verdict});
        } else {
          entry->last_trouble = std::to_string(verdict.code) + ' ' + verdict.text;
          left.push_back(entry->mail.to[i]);
        }
      }
    }
    if (is_late) {
      for (std::string& recipient : left)
        refusals.push_back({std::move(recipient), {550, "4.4.7 Delivery expired: " + entry->last_trouble}});
      left.clear();
    }
    if (!refusals.empty()) state->give_back(entry->mail, refusals);
    if (left.empty()) {
      state->entries.erase(entry);
      co_return;
    }
    entry->mail.to = std::move(left);
    entry->due = std::min(state->now() + entry->next_delay, entry->expires);
    entry->next_delay = std::min(entry->next_delay * 2, state->settings.longest_retry);
  }
};

MailQueue::MailQueue(net::Environment& environment, TransportSettings settings, GiveBack give_back)
    : state_(std::make_shared<State>(environment, std::move(settings), std::move(give_back))) {}

MailQueue::~MailQueue() {
  stop();
}

void MailQueue::add(OutgoingMail mail) {
  if (state_->stopped) return;
  if (state_->entries.size() >= state_->settings.waiting) {
    std::vector<Refusal> refusals;
    for (const std::string& recipient : mail.to)
      refusals.push_back({recipient, {552, "5.3.1 Too much mail is waiting"}});
    state_->give_back(mail, refusals);
    return;
  }
  const SteadyTime now = state_->now();
  state_->entries.push_back({.mail = std::move(mail),
                             .due = now,
                             .expires = now + state_->settings.give_up,
                             .next_delay = state_->settings.retry,
                             .attempts = 0,
                             .last_trouble = {}});
  State::wake(state_);
}

void MailQueue::set_smart_host(SmartHost smart_host) {
  state_->settings.smart_host = std::move(smart_host);
  for (Entry& entry : state_->entries) entry.due = std::min(entry.due, state_->now());
  State::wake(state_);
}

const SmartHost& MailQueue::smart_host() const noexcept {
  return state_->settings.smart_host;
}

std::vector<WaitingMail> MailQueue::waiting() const {
  std::vector<WaitingMail> out;
  for (const Entry& entry : state_->entries)
    out.push_back(
        {entry.mail.from, entry.mail.to, entry.mail.message_id, entry.attempts, entry.last_trouble});
  return out;
}

std::uint64_t MailQueue::handed_over() const noexcept {
  return state_->handed_over;
}

void MailQueue::stop() {
  if (state_->stopped) return;
  state_->stopped = true;
  if (state_->running) net::emit_cancellation(state_->environment.executor, state_->end, state_);
}

}  // namespace exchange_sim
