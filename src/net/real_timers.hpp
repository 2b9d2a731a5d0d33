// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Timers of the machine, on an executor.
#include "net/timers.hpp"

namespace syncline::net {

class RealTimers final : public Timers {
 public:
  explicit RealTimers(asio::any_io_executor executor) : executor_(std::move(executor)) {}
  Async<void> sleep_until(SteadyTime when) override;

 private:
  asio::any_io_executor executor_;
};

}  // namespace syncline::net
