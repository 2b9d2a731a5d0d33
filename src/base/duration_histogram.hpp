// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How long something took, counted as it ends: by bounds that are part of the type.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

namespace syncline {

/// `bounds_ms`: upper bounds in milliseconds, ascending; what took exactly as long is below its bound.
template <std::int64_t... bounds_ms>
class DurationHistogram {
 public:
  static constexpr std::array<std::int64_t, sizeof...(bounds_ms)> bounds = {bounds_ms...};

  /// A clock that was set back while it lasted counts as nothing.
  void add(std::chrono::nanoseconds took) noexcept {
    took = std::max(took, std::chrono::nanoseconds::zero());
    std::size_t at = 0;
    while (at < bounds.size() && took > std::chrono::milliseconds(bounds[at])) ++at;
    ++counts_[at];
    sum_ += took;
  }

  /// How many took at most as long as each bound and longer than the one before; the last: longer than all.
  const std::array<std::uint64_t, sizeof...(bounds_ms) + 1>& counts() const noexcept { return counts_; }
  std::chrono::duration<double> sum() const noexcept { return sum_; }

 private:
  std::array<std::uint64_t, sizeof...(bounds_ms) + 1> counts_ = {};
  std::chrono::duration<double> sum_{0};
};

/// Of requests, towards servers and from clients.
using RequestTimes =
    DurationHistogram<5, 10, 25, 50, 100, 250, 500, 1'000, 2'500, 5'000, 10'000, 30'000, 120'000>;

}  // namespace syncline
