// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One timer for all the deadlines of a connection: moving a deadline costs an assignment, not a timer.
#include <functional>
#include <memory>

#include "net/environment.hpp"

namespace syncline::net {

/// Calls `expire` (once) when an armed deadline passes. A timer per read would be a quarter of the CPU time
/// of a mail transfer; here the sleeping coroutine is only woken when a deadline moves to an earlier point
/// than it sleeps for.
class Watchdog {
 public:
  Watchdog(Environment& environment, std::function<void()> expire);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  void arm(SteadyTime deadline);
  /// Arms for `span` from now, but not past `latest`.
  void arm_for(std::chrono::milliseconds span, SteadyTime latest = SteadyTime::max());
  void disarm() noexcept;
  bool expired() const noexcept;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// now + span, without overflow for absurd settings.
SteadyTime deadline_after(const Clock& clock, std::chrono::milliseconds span) noexcept;

}  // namespace syncline::net
