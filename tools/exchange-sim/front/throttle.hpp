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
    syncline::SteadyTime busy_until{};
  };

  /// Holds a place in a budget while a request runs.
  class Place {
   public:
    Place() = default;
    Place(std::shared_ptr<Budget> budget, CallKind kind);
    ~Place();
    Place(Place&& other) noexcept;
    Place& operator=(Place&& other) noexcept;

   private:
    void leave() noexcept;
    std::shared_ptr<Budget> budget_;
    CallKind kind_ = CallKind::plain;
  };

  struct Verdict {
    Place place;
    std::string refusal;  ///< response code, or empty: admitted
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

 private:
  std::shared_ptr<Budget> budget_of(std::string_view mailbox);

  const syncline::Clock& clock_;
  SiteLimits limits_;
  std::map<std::string, std::shared_ptr<Budget>, std::less<>> budgets_;
};

}  // namespace exchange_sim
