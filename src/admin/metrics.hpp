// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What Prometheus is told. Every label has a fixed set of values, so that ten thousand mailboxes are as many
// series as ten.
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/duration_histogram.hpp"
#include "service/daemon/daemon.hpp"
#include "store/standing.hpp"

namespace syncline::admin {

using RunTimes = DurationHistogram<100, 300, 1'000, 3'000, 10'000, 30'000, 100'000, 300'000, 1'000'000>;

/// How long servers took to answer one class of requests.
struct AnswerTimes {
  std::string_view protocol;
  std::string_view operation;
  RequestTimes times;
};

/// How long the API took for its answers; what waits for changes, and files, are not counted.
struct ApiTimes {
  RequestTimes read;   ///< GET and HEAD
  RequestTimes write;  ///< all others
};

/// What there is between us and servers.
struct ServerUse {
  std::size_t requests = 0;                ///< to Exchange, under way
  std::size_t streams = 0;                 ///< of its notifications, each for up to 200 mailboxes
  std::size_t idle = 0;                    ///< to mail hosts, which tell of new mail
  std::size_t waiting = 0;                 ///< requests that wait for their turn, or for the end of a pause
  std::chrono::milliseconds throttled{0};  ///< in pauses that servers asked for, since the start
  std::vector<AnswerTimes> answers = {};   ///< the same classes each time
};

class Metrics {
 public:
  /// All must outlive it.
  Metrics(const service::Daemon& daemon, store::Store& store, std::function<ServerUse()> servers);

  RunTimes& run_times() noexcept { return run_times_; }
  ApiTimes& api_times() noexcept { return api_times_; }
  /// In the text format, version 0.0.4. What a store that cannot be read would say is left out.
  std::string text(SteadyTime now);

 private:
  const service::Daemon& daemon_;
  store::Store& store_;
  std::function<ServerUse()> servers_;
  RunTimes run_times_;
  ApiTimes api_times_;
  Result<store::Resyncs> resyncs_;
};

/// Content-Type of that text.
constexpr std::string_view prometheus_content_type = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace syncline::admin
