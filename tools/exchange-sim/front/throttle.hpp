// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Budgets: how much of the server a mailbox has in use, and until when it was told to keep away.
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "tools/exchange-sim/front/config.hpp"

namespace exchange_sim {

enum class CallKind { plain, sync, hanging };
CallKind kind_of(std::string_view operation) noexcept;

/// The throttling of one site.
class Throttle {
 public:
  Throttle(const syncline::Clock& clock, const SiteLimits& limits);

  struct Budget {
    unsigned open = 0;     ///< plain and sync calls under way
    unsigned syncing = 0;  ///< of these, sync calls
    unsigned hanging = 0;
    std::deque<syncline::SteadyTime> recent;  ///< arrivals of the last minute, where that is limited
    unsigned requests_per_minute = 0;         ///< instead of the site's; 0: as the site
    syncline::SteadyTime busy_until{};
  };

  /// The most at one moment since the last forget_peaks().
  struct Peaks {
    unsigned open = 0;            ///< plain and sync calls of all budgets together
    unsigned of_one = 0;          ///< of one budget
    unsigned syncing = 0;         ///< sync calls of one budget
    unsigned hanging = 0;         ///< of one budget
    std::size_t in_a_minute = 0;  ///< arrivals of one budget, where that is limited
  };

  /// Holds a place in a budget while a request runs.
  class Place {
   public:
    Place() = default;
    Place(std::shared_ptr<Budget> budget, std::shared_ptr<unsigned> open, CallKind kind);
    ~Place();
    Place(Place&& other) noexcept;
    Place& operator=(Place&& other) noexcept;

   private:
    void leave() noexcept;
    std::shared_ptr<Budget> budget_;
    std::shared_ptr<unsigned> open_;  ///< of the site
    CallKind kind_ = CallKind::plain;
  };

  struct Verdict {
    Place place;
    std::string refusal;         ///< response code, or empty: admitted
    std::string_view what = {};  ///< which limit that was: "requests-per-minute", "connections", "sync-calls"
    std::chrono::milliseconds hint{0};
  };

  /// How long the budget still has to keep away; zero: it has not been told to.
  std::chrono::milliseconds remaining_back_off(std::string_view mailbox) const;
  /// Admits or refuses one request. A refusal with a hint opens a back-off window.
  Verdict admit(std::string_view mailbox, CallKind kind);
  /// The budget was told, in whatever way, to keep away for `hint`.
  void told_to_wait(std::string_view mailbox, std::chrono::milliseconds hint);
  /// What is open stays counted; windows and rates are forgotten.
  void reset();
  /// Another limit for one budget; 0: the site's again.
  void limit_requests(std::string_view mailbox, unsigned per_minute);
  const Peaks& peaks() const noexcept { return peaks_; }
  void forget_peaks() { peaks_ = {}; }

 private:
  std::shared_ptr<Budget> budget_of(std::string_view mailbox);

  const syncline::Clock& clock_;
  SiteLimits limits_;
  std::map<std::string, std::shared_ptr<Budget>, std::less<>> budgets_;
  std::shared_ptr<unsigned> open_ = std::make_shared<unsigned>(0);
  Peaks peaks_;
};

}  // namespace exchange_sim
