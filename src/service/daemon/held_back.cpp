// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/daemon/held_back.hpp"

#include <algorithm>

namespace syncline::service {

SteadyTime::duration HeldBack::Pause::until_now(SteadyTime now) const {
  return std::max(SteadyTime::duration::zero(), std::min(now, until) - since);
}

void HeldBack::begin(const std::string& address, SteadyTime now, SteadyTime until, bool is_of_runs) {
  Pause& pause = pauses_[address];
  before_ += pause.until_now(now);
  // Writes go on waiting whatever becomes of the runs.
  const bool writes_wait_longer = !pause.is_of_runs && pause.until > until;
  pause = writes_wait_longer ? Pause{now, pause.until, false} : Pause{now, until, is_of_runs};
}

void HeldBack::begins(std::string_view address, SteadyTime now) {
  const auto at = pauses_.find(address);
  if (at == pauses_.end() || (at->second.until > now && !at->second.is_of_runs)) return;
  before_ += at->second.until_now(now);
  pauses_.erase(at);
}

std::chrono::milliseconds HeldBack::total(SteadyTime now) const {
  SteadyTime::duration all = before_;
  for (const auto& [_, pause] : pauses_) all += pause.until_now(now);
  return std::chrono::duration_cast<std::chrono::milliseconds>(all);
}

}  // namespace syncline::service
