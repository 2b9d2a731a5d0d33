// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A condition that coroutines of one executor wait for. The one primitive under budgets, pools and memory
// streams.
#include <list>

#include "net/async.hpp"

namespace syncline::net {

/// Not for several threads: wait() and notify run on the executor (or its strand). Waiters are woken in the
/// order in which they came.
class Event {
 public:
  explicit Event(asio::any_io_executor executor);
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event();

  /// Until the next notification; error net "cancelled" when the coroutine's cancellation slot is emitted. A
  /// waiter that was notified and cancelled in one breath counts as notified, so that no notification is
  /// lost.
  Async<void> wait();
  void notify_one() noexcept;
  void notify_all() noexcept;
  std::size_t waiting() const noexcept { return waiters_.size(); }

 private:
  struct Waiter;
  asio::any_io_executor executor_;
  std::list<Waiter*> waiters_;
};

/// The error of everything that was cancelled.
unexpected<Error> cancelled();

}  // namespace syncline::net
