// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Filters in text form: `companyName = "Nordwind" and not (categories = "private" or importance != "High")`.
// Comparisons: = != < <= > >= and `contains`; of sets, people and whole dictionaries = means "has"; texts in
// any case, numbers as numbers where the field is one; `field` alone means that it says something. A part is
// `phoneNumbers.BusinessPhone`, `physicalAddresses.Home.city`, `organizer.emailAddress`. Words of a list of
// choices, numbers, true and false are checked when the text is read.
#include <memory>
#include <string_view>

#include "base/error.hpp"
#include "model/record.hpp"

namespace syncline::sync::plan {

class Expression {
 public:
  /// Errors (domain input): "bad-expression", with the column (from 1) and what was expected; "unknown-field"
  /// of that kind of record, or an unknown part of it; nesting over 64 and texts over 4 KB are refused.
  static Result<Expression> parse(std::string_view text, model::RecordKind kind);
  bool matches(const model::Fields& fields) const;

 private:
  struct Node;
  explicit Expression(std::shared_ptr<const Node> root) : root_(std::move(root)) {}
  friend class ExpressionParser;
  static bool evaluate(const Node& node, const model::Fields& fields);
  std::shared_ptr<const Node> root_;
};

}  // namespace syncline::sync::plan
