// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Time is a parameter (invariant 30). Nothing outside `system_clock()` reads the machine's clock.
#include <chrono>

namespace syncline {

using SystemTime = std::chrono::sys_time<std::chrono::milliseconds>;
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  /// The calendar's time, UTC.
  virtual SystemTime now() const = 0;
  /// For measuring and for deadlines: never set back.
  virtual SteadyTime steady_now() const = 0;
};

/// The machine's own clock; lives as long as the program.
const Clock& system_clock() noexcept;

}  // namespace syncline
