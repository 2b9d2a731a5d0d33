// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Which records go to a mailbox: its filters add up; without a filter nothing goes. Pure.
#include <optional>
#include <string>
#include <vector>

#include "model/policies.hpp"
#include "sync/plan/expression.hpp"

namespace syncline::sync::plan {

class OutboundRules {
 public:
  /// Errors: those of Expression::parse, with the filter's number.
  static Result<OutboundRules> make(const model::SyncPolicy& policy);
  /// `mailbox_address`: of the mailbox that asks, in lower case.
  bool wants(const model::Record& record, const std::string& mailbox_address) const;
  bool wants_any(model::RecordKind kind) const { return !rules(kind).empty(); }
  /// Changes when the filters of the kind do.
  std::string version_of(model::RecordKind kind) const;

 private:
  struct Rule {
    model::OutboundFilter filter;
    std::optional<Expression> expression;
  };
  const std::vector<Rule>& rules(model::RecordKind kind) const;
  std::vector<Rule> appointments_, contacts_, tasks_, none_;
};

}  // namespace syncline::sync::plan
