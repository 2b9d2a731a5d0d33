// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/clock.hpp"

namespace syncline {
namespace {

class MachineClock final : public Clock {
 public:
  SystemTime now() const override {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }
  SteadyTime steady_now() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace

const Clock& system_clock() noexcept {
  static const MachineClock clock;
  return clock;
}

}  // namespace syncline
