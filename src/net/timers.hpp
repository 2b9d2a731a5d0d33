// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Waiting is a parameter (invariant 30): real timers in the product, virtual time in tests.
#include <chrono>

#include "base/clock.hpp"
#include "net/async.hpp"

namespace syncline::net {

class Timers {
 public:
  virtual ~Timers() = default;
  /// Resumes at `when`, or earlier with error "cancelled" when the coroutine's cancellation slot is emitted.
  virtual Async<void> sleep_until(SteadyTime when) = 0;
};

}  // namespace syncline::net
