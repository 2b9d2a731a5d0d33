// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/client/budgets.hpp"

#include <algorithm>
#include <utility>

#include "ews/client/busy.hpp"

namespace syncline::ews {
namespace {

// Answers that mean "too many at a time" rather than "too much": waiting alone would bring the same answer
// again.
bool names_a_concurrency_limit(const Error& error) {
  return error.code == "ErrorExceededConnectionCount" || error.code == "ErrorTooManyObjectsOpened" ||
         error.message.find("oncurren") != std::string::npos;
}

net::BudgetKind budget_of(OperationKind kind) {
  switch (kind) {
    case OperationKind::sync:
      return net::BudgetKind::sync_call;
    case OperationKind::hanging:
      return net::BudgetKind::hanging;
    case OperationKind::read:
    case OperationKind::write:
      return net::BudgetKind::request;
  }
  return net::BudgetKind::request;
}

constexpr std::chrono::minutes time_to_recover{30};

std::size_t one_less(std::size_t places) {
  return std::max<std::size_t>(places, 2) - 1;
}

}  // namespace

CredentialBudgets::CredentialBudgets(net::Environment& environment, net::BudgetLimits limits,
                                     std::shared_ptr<net::Budget> of_account)
    : environment_(environment),
      most_(limits),
      limits_(limits),
      budget_(environment, limits),
      of_account_(std::move(of_account)),
      last_change_(environment.clock.steady_now()) {}

net::Async<CredentialBudgets::Permit> CredentialBudgets::acquire(OperationKind kind) {
  for (;;) {
    auto own = co_await budget_.acquire(budget_of(kind));
    if (!own) co_return fail(std::move(own.error()));
    Permit permit{.own = std::move(*own), .of_account = {}};
    if (!of_account_ || kind == OperationKind::hanging) co_return permit;
    auto of_account = co_await of_account_->acquire(net::BudgetKind::request);
    if (!of_account) co_return fail(std::move(of_account.error()));
    permit.of_account = std::move(*of_account);
    // A mailbox that is told to wait must not keep the others' place while it does.
    if (!budget_.metrics().paused_until) co_return permit;
  }
}

void CredentialBudgets::busy(const Error& error, OperationKind kind) {
  if (names_a_concurrency_limit(error) || kind == OperationKind::sync) {
    switch (budget_of(kind)) {
      case net::BudgetKind::request:
        limits_.requests = one_less(limits_.requests);
        break;
      case net::BudgetKind::sync_call:
        limits_.sync_calls = one_less(limits_.sync_calls);
        break;
      case net::BudgetKind::hanging:
        limits_.hanging = one_less(limits_.hanging);
        break;
    }
    budget_.set_limits(limits_);
  }
  last_change_ = environment_.clock.steady_now();
  budget_.pause_for(error.retry_after ? std::min(*error.retry_after, longest_back_off)
                                      : default_back_off(++busy_in_a_row_));
}

net::Async<void> CredentialBudgets::back_off(const Error& error, unsigned attempt) {
  if (budget_.metrics().paused_until) co_return Result<void>{};
  const std::chrono::milliseconds most = error.retry_after.value_or(default_back_off(attempt));
  const std::uint64_t by_chance =
      error.retry_after ? 0 : environment_.random.below(static_cast<std::uint64_t>(most.count()) / 2 + 1);
  co_return co_await environment_.timers.sleep_until(environment_.clock.steady_now() + most -
                                                     std::chrono::milliseconds{by_chance});
}

void CredentialBudgets::calm() {
  busy_in_a_row_ = 0;
  const SteadyTime now = environment_.clock.steady_now();
  const bool is_full = limits_.requests == most_.requests && limits_.sync_calls == most_.sync_calls &&
                       limits_.hanging == most_.hanging;
  if (is_full || now - last_change_ < time_to_recover) return;
  limits_.requests = std::min(limits_.requests + 1, most_.requests);
  limits_.sync_calls = std::min(limits_.sync_calls + 1, most_.sync_calls);
  limits_.hanging = std::min(limits_.hanging + 1, most_.hanging);
  last_change_ = now;
  budget_.set_limits(limits_);
}

}  // namespace syncline::ews
