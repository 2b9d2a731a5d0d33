// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What Prometheus is told. Every label has a fixed set of values, so that ten thousand mailboxes are as many
// series as ten.
#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "service/daemon/daemon.hpp"
#include "store/standing.hpp"

namespace syncline::admin {

/// How long runs took, counted as they end.
class RunTimes {
 public:
  static constexpr std::array<double, 9> bounds_seconds = {0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000};
  void add(std::chrono::milliseconds took);

  std::array<std::uint64_t, bounds_seconds.size() + 1> counts = {};  ///< the last: above all bounds
  double sum_seconds = 0;
};

/// What is open to servers.
struct OpenConnections {
  std::size_t requests = 0;                ///< to Exchange, under way
  std::size_t streams = 0;                 ///< of its notifications, each for up to 200 mailboxes
  std::size_t idle = 0;                    ///< to mail hosts, which tell of new mail
  std::size_t waiting = 0;                 ///< requests that wait for their turn, or for the end of a pause
  std::chrono::milliseconds throttled{0};  ///< in pauses that servers asked for, since the start
};

class Metrics {
 public:
  /// All must outlive it.
  Metrics(const service::Daemon& daemon, store::Store& store, std::function<OpenConnections()> connections);

  RunTimes& run_times() noexcept { return run_times_; }
  /// In the text format, version 0.0.4. What a store that cannot be read would say is left out.
  std::string text(SteadyTime now);

 private:
  const service::Daemon& daemon_;
  store::Store& store_;
  std::function<OpenConnections()> connections_;
  RunTimes run_times_;
  Result<store::Resyncs> resyncs_;
};

/// Content-Type of that text.
constexpr std::string_view prometheus_content_type = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace syncline::admin
