// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What one credential may ask of its server at a time, as the server counts it, and what its busy answers do
// to that (invariant 27, R-12, R-13).
#include <memory>

#include "base/error.hpp"
#include "ews/client/operation_kind.hpp"
#include "net/budget.hpp"
#include "net/environment.hpp"

namespace syncline::ews {

/// Shared by all clients of one credential on one executor. Of an account that impersonates, each mailbox is
/// counted by the server for itself and has budgets of its own; `of_account` then holds for all of them
/// together. Null: there is no more than these.
class CredentialBudgets {
 public:
  explicit CredentialBudgets(net::Environment& environment, net::BudgetLimits limits = {},
                             std::shared_ptr<net::Budget> of_account = nullptr);

  /// What a request holds until its reply is read.
  struct Permit {
    net::Budget::Token own;
    net::Budget::Token of_account;  ///< empty for streams, which no account's limit counts
  };
  /// Waits in turn, and until no busy answer is in force.
  net::Async<Permit> acquire(OperationKind kind);

  /// A busy answer: nothing leaves before the hint has passed; without one a wait that doubles. An answer
  /// that names a limit on concurrency, and any busy answer to a sync call (servers name no limit there),
  /// also takes one place from what it was about, down to one.
  void busy(const Error& error, OperationKind kind);
  /// An answer that was not busy. Half an hour without a busy one gives a place back.
  void calm();

  /// The wait before a request that failed with a passing error is sent again, its `attempt`th time (from 1):
  /// the error's own, else one that doubles, less up to half by chance: workers that failed together do not
  /// come back together. None while a busy answer is in force: acquire() waits for its end.
  net::Async<void> back_off(const Error& error, unsigned attempt);

  net::Budget::Metrics metrics() const { return budget_.metrics(); }
  const net::BudgetLimits& limits() const noexcept { return limits_; }

 private:
  net::Environment& environment_;
  const net::BudgetLimits most_;
  net::BudgetLimits limits_;
  net::Budget budget_;
  std::shared_ptr<net::Budget> of_account_;
  SteadyTime last_change_;
  unsigned busy_in_a_row_ = 0;
};

}  // namespace syncline::ews
