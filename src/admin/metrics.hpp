// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What Prometheus is told. Every label has a fixed set of values, so that ten thousand mailboxes are as many
// series as ten.
#include <array>
#include <chrono>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "service/daemon/daemon.hpp"

namespace syncline::admin {

/// How long runs took, counted as they end.
class RunTimes {
 public:
  static constexpr std::array<double, 9> bounds_seconds = {0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000};
  void add(std::chrono::milliseconds took);

  std::array<std::uint64_t, bounds_seconds.size() + 1> counts = {};  ///< the last: above all bounds
  double sum_seconds = 0;
};

/// In the text format, version 0.0.4.
std::string prometheus_text(const service::Daemon& daemon, const RunTimes& times, SteadyTime now);

/// Content-Type of that text.
constexpr std::string_view prometheus_content_type = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace syncline::admin
