// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What sync::Progress promises, in memory: survives the driver that wrote it, and can be what kills it.
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "sync/driver.hpp"

namespace syncline::testing {

class MemoryProgress final : public sync::Progress {
 public:
  /// Without a clock everything is settled at once.
  MemoryProgress() = default;
  /// `clock` must outlive it; what was begun is settled a minute after the last save.
  explicit MemoryProgress(const Clock& clock) : clock_(&clock) {}

  std::string_view text() const override { return text_; }
  Result<void> save(std::string text) override {
    ++saves_;
    const bool dies = death_ != Death::none && left_ > 0 && --left_ == 0;
    const auto killed = [] { return fail(ErrorDomain::local, "killed", "the process was killed"); };
    if (dies && death_ == Death::before_save) return killed();
    text_ = std::move(text);
    if (clock_ != nullptr) settled_after_ = clock_->now() + std::chrono::seconds(60);
    if (dies) return killed();
    return {};
  }
  SystemTime settled_after() const override { return settled_after_; }

  enum class Death { none, before_save, after_save };
  /// In the `nth` save from now (from 1).
  void die(Death death, unsigned nth) {
    death_ = death;
    left_ = nth;
  }
  bool has_died() const noexcept { return death_ != Death::none && left_ == 0; }
  unsigned saves() const noexcept { return saves_; }

 private:
  const Clock* clock_ = nullptr;
  std::string text_;
  SystemTime settled_after_{};
  Death death_ = Death::none;
  unsigned left_ = 0;
  unsigned saves_ = 0;
};

}  // namespace syncline::testing
