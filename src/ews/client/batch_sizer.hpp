// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How many items to ask for in one request. Exchange ends a request after a minute and checks the caller's
// budget after every item, so a server that needs 0.5 s an item must be asked for ten and one that needs 5 ms
// for hundreds.
#include <chrono>
#include <cstddef>

namespace syncline::ews {

struct BatchLimits {
  std::size_t first = 10;  ///< before anything is known (Microsoft's advice for a sync loop)
  std::size_t smallest = 1;
  std::size_t largest = 500;
  std::chrono::milliseconds aim{7'000};  ///< wanted duration of a request: 5–10 s
  std::chrono::milliseconds ceiling{
      30'000};  ///< no request is planned to last longer, half of the server's limit
};

/// One for each kind of request to one endpoint. Pure: durations are told, not measured.
class BatchSizer {
 public:
  explicit BatchSizer(BatchLimits limits = {}) : limits_(limits), size_(limits.first) {}

  std::size_t size() const noexcept { return size_; }
  /// After a request for `items` that took `duration`.
  void succeeded(std::size_t items, std::chrono::nanoseconds duration);
  /// After a timeout or an answer that named the batch as too large: half as many next time.
  void too_slow();

 private:
  BatchLimits limits_;
  std::size_t size_;
  double seconds_per_item_ = 0;  ///< 0: nothing measured yet
};

}  // namespace syncline::ews
