// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How long mail hosts keep mailboxes waiting that they have told to come later.
#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace syncline::service {

/// Time of the clock, not of what waits: a mailbox in two pauses at once waits once.
class HeldBack {
 public:
  /// The mailbox is not run before `until`, if nobody demands it.
  void runs(const std::string& address, SteadyTime now, SteadyTime until) {
    begin(address, now, until, true);
  }
  /// It is run, but what it has to write waits.
  void writes(const std::string& address, SteadyTime now, SteadyTime until) {
    begin(address, now, until, false);
  }
  /// A run begins: that is the end of a pause of its runs.
  void begins(std::string_view address, SteadyTime now);
  /// Of all mailboxes so far, present pauses included. Never less than before.
  std::chrono::milliseconds total(SteadyTime now) const;

 private:
  struct Pause {
    SteadyTime since{};
    SteadyTime until{};
    bool is_of_runs = false;
    SteadyTime::duration until_now(SteadyTime now) const;
  };
  void begin(const std::string& address, SteadyTime now, SteadyTime until, bool is_of_runs);

  std::map<std::string, Pause, std::less<>> pauses_;  ///< the last of each mailbox
  SteadyTime::duration before_{0};                    ///< in those before
};

}  // namespace syncline::service
