// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A calendar that tests can move. The steady clock stays the one below.
#include "base/clock.hpp"

namespace exchange_sim {

class AdjustableClock final : public syncline::Clock {
 public:
  explicit AdjustableClock(const syncline::Clock& below) : below_(below) {}
  syncline::SystemTime now() const override { return below_.now() + offset_; }
  syncline::SteadyTime steady_now() const override { return below_.steady_now(); }
  void advance(std::chrono::milliseconds by) noexcept { offset_ += by; }

 private:
  const syncline::Clock& below_;
  std::chrono::milliseconds offset_{0};
};

}  // namespace exchange_sim
