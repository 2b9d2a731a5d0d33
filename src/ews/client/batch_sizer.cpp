// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/client/batch_sizer.hpp"

#include <algorithm>

namespace syncline::ews {
namespace {

// A slow answer counts at once, a quick one slowly: being late costs the batch, being early costs a round
// trip.
constexpr double weight_of_slower = 1.0;
constexpr double weight_of_quicker = 0.3;

}  // namespace

void BatchSizer::succeeded(std::size_t items, std::chrono::nanoseconds duration) {
  if (items == 0) return;
  const double measured =
      std::max(std::chrono::duration<double>(duration).count() / static_cast<double>(items), 1e-9);
  if (seconds_per_item_ == 0) {
    seconds_per_item_ = measured;
  } else {
    const double weight = measured > seconds_per_item_ ? weight_of_slower : weight_of_quicker;
    seconds_per_item_ += weight * (measured - seconds_per_item_);
  }
  const double aim = std::chrono::duration<double>(std::min(limits_.aim, limits_.ceiling)).count();
  const double wanted = std::min(aim / seconds_per_item_, static_cast<double>(limits_.largest));
  // At most twice as many as were just proved to work: the next items may be larger.
  const std::size_t most = std::max(items, size_) * 2;
  size_ = std::clamp(static_cast<std::size_t>(wanted), limits_.smallest, std::min(most, limits_.largest));
}

void BatchSizer::too_slow() {
  size_ = std::max(size_ / 2, limits_.smallest);
  // Forget the pace that misled us, or the next quick answer would bring the old size back.
  seconds_per_item_ = 0;
}

}  // namespace syncline::ews
