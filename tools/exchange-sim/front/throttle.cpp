// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/front/throttle.hpp"

#include <algorithm>
#include <utility>

namespace exchange_sim {

CallKind kind_of(std::string_view operation) noexcept {
  if (operation == "GetStreamingEvents") return CallKind::hanging;
  if (operation == "SyncFolderItems" || operation == "SyncFolderHierarchy") return CallKind::sync;
  return CallKind::plain;
}

Throttle::Throttle(const syncline::Clock& clock, const SiteLimits& limits) : clock_(clock), limits_(limits) {}

Throttle::Place::Place(std::shared_ptr<Budget> budget, CallKind kind)
    : budget_(std::move(budget)), kind_(kind) {
  if (kind_ == CallKind::hanging) {
    ++budget_->hanging;
  } else {
    ++budget_->open;
    if (kind_ == CallKind::sync) ++budget_->syncing;
  }
}

Throttle::Place::Place(Place&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)), kind_(other.kind_) {}

Throttle::Place& Throttle::Place::operator=(Place&& other) noexcept {
  if (this != &other) {
    leave();
    budget_ = std::exchange(other.budget_, nullptr);
    kind_ = other.kind_;
  }
  return *this;
}

Throttle::Place::~Place() {
  leave();
}

void Throttle::Place::leave() noexcept {
  if (!budget_) return;
  if (kind_ == CallKind::hanging) {
    --budget_->hanging;
  } else {
    --budget_->open;
    if (kind_ == CallKind::sync) --budget_->syncing;
  }
  budget_.reset();
}

std::shared_ptr<Throttle::Budget> Throttle::budget_of(std::string_view mailbox) {
  auto found = budgets_.find(mailbox);
  if (found == budgets_.end())
    found = budgets_.emplace(std::string(mailbox), std::make_shared<Budget>()).first;
  return found->second;
}

std::chrono::milliseconds Throttle::remaining_back_off(std::string_view mailbox) const {
  const auto found = budgets_.find(mailbox);
  const auto now = clock_.steady_now();
  if (found == budgets_.end() || now >= found->second->busy_until) return std::chrono::milliseconds(0);
  return std::chrono::ceil<std::chrono::milliseconds>(found->second->busy_until - now);
}

Throttle::Verdict Throttle::admit(std::string_view mailbox, CallKind kind) {
  const auto budget = budget_of(mailbox);
  const auto now = clock_.steady_now();
  if (limits_.requests_per_minute > 0) {
    while (!budget->recent.empty() && now - budget->recent.front() >= std::chrono::minutes(1)) {
      budget->recent.pop_front();
    }
    if (budget->recent.size() >= limits_.requests_per_minute) {
      told_to_wait(mailbox, limits_.back_off);
      return {{}, "ErrorServerBusy", limits_.back_off};
    }
    budget->recent.push_back(now);
  }
  if (kind == CallKind::hanging) {
    if (budget->hanging >= limits_.hanging) return {{}, "ErrorExceededConnectionCount", {}};
  } else {
    if (budget->open >= limits_.connections) return {{}, "ErrorExceededConnectionCount", {}};
    if (kind == CallKind::sync && budget->syncing >= limits_.sync_calls) {
      told_to_wait(mailbox, limits_.back_off);
      return {{}, "ErrorServerBusy", limits_.back_off};
    }
  }
  return {Place(budget, kind), {}, {}};
}

void Throttle::told_to_wait(std::string_view mailbox, std::chrono::milliseconds hint) {
  const auto budget = budget_of(mailbox);
  budget->busy_until = std::max(budget->busy_until, clock_.steady_now() + hint);
}

void Throttle::reset() {
  for (auto& [mailbox, budget] : budgets_) {
    budget->recent.clear();
    budget->busy_until = {};
  }
}

}  // namespace exchange_sim
