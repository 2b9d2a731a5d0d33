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

Throttle::Place::Place(std::shared_ptr<Budget> budget, std::shared_ptr<unsigned> open, CallKind kind)
    : budget_(std::move(budget)), open_(std::move(open)), kind_(kind) {
  if (kind_ == CallKind::hanging) {
    ++budget_->hanging;
  } else {
    ++budget_->open;
    ++*open_;
    if (kind_ == CallKind::sync) ++budget_->syncing;
  }
}

Throttle::Place::Place(Place&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)), open_(std::move(other.open_)), kind_(other.kind_) {}

Throttle::Place& Throttle::Place::operator=(Place&& other) noexcept {
  if (this != &other) {
    leave();
    budget_ = std::exchange(other.budget_, nullptr);
    open_ = std::move(other.open_);
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
    --*open_;
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
  const unsigned per_minute =
      budget->requests_per_minute > 0 ? budget->requests_per_minute : limits_.requests_per_minute;
  if (per_minute > 0) {
    while (!budget->recent.empty() && now - budget->recent.front() >= std::chrono::minutes(1)) {
      budget->recent.pop_front();
    }
    if (budget->recent.size() >= per_minute) {
      told_to_wait(mailbox, limits_.back_off);
      return {{}, "ErrorServerBusy", "requests-per-minute", limits_.back_off};
    }
    budget->recent.push_back(now);
    peaks_.in_a_minute = std::max(peaks_.in_a_minute, budget->recent.size());
  }
  if (kind == CallKind::hanging) {
    if (budget->hanging >= limits_.hanging) return {{}, "ErrorExceededConnectionCount", "connections", {}};
  } else {
    if (budget->open >= limits_.connections) return {{}, "ErrorExceededConnectionCount", "connections", {}};
    if (kind == CallKind::sync && budget->syncing >= limits_.sync_calls) {
      told_to_wait(mailbox, limits_.back_off);
      return {{}, "ErrorServerBusy", "sync-calls", limits_.back_off};
    }
  }
  Place place(budget, open_, kind);
  peaks_.open = std::max(peaks_.open, *open_);
  peaks_.of_one = std::max(peaks_.of_one, budget->open);
  peaks_.syncing = std::max(peaks_.syncing, budget->syncing);
  peaks_.hanging = std::max(peaks_.hanging, budget->hanging);
  return {std::move(place), {}, {}, {}};
}

void Throttle::limit_requests(std::string_view mailbox, unsigned per_minute) {
  budget_of(mailbox)->requests_per_minute = per_minute;
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
