// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/event.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace syncline::net {

struct Event::Waiter {
  explicit Waiter(Event& event)
      : timer(event.executor_, asio::steady_timer::time_point::max()),
        owner(&event),
        position(event.waiters_.insert(event.waiters_.end(), this)) {}
  ~Waiter() { leave(); }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  void leave() noexcept {
    if (owner != nullptr) owner->waiters_.erase(position);
    owner = nullptr;
  }

  asio::steady_timer timer;
  Event* owner;
  std::list<Waiter*>::iterator position;
  bool notified = false;
};

Event::Event(asio::any_io_executor executor) : executor_(std::move(executor)) {}

Event::~Event() {
  // Whoever still waits stays suspended until it is cancelled or its frame goes; it must not touch us any
  // more.
  for (Waiter* waiter : waiters_) waiter->owner = nullptr;
}

Async<void> Event::wait() {
  Waiter waiter(*this);
  co_await waiter.timer.async_wait(asio::as_tuple(asio::use_awaitable));
  if (!waiter.notified) co_return cancelled();
  co_return Result<void>{};
}

void Event::notify_one() noexcept {
  if (waiters_.empty()) return;
  Waiter* waiter = waiters_.front();
  waiter->leave();
  waiter->notified = true;
  waiter->timer.cancel();
}

void Event::notify_all() noexcept {
  while (!waiters_.empty()) notify_one();
}

unexpected<Error> cancelled() {
  return fail(ErrorDomain::net, "cancelled", "the operation was cancelled");
}

}  // namespace syncline::net
