// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Restrictions (searches), as trees of values.
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "ews/types/enums.hpp"
#include "ews/types/property_path.hpp"

namespace syncline::ews {

struct Restriction;

enum class ComparisonOperator {
  is_equal_to,
  is_not_equal_to,
  is_greater_than,
  is_greater_than_or_equal_to,
  is_less_than,
  is_less_than_or_equal_to,
};

struct Comparison {
  ComparisonOperator op = ComparisonOperator::is_equal_to;
  PropertyPath path;
  std::variant<std::string, PropertyPath> operand;  ///< a constant in its XML spelling, or another property
  bool operator==(const Comparison&) const = default;
};
struct Exists {
  PropertyPath path;
  bool operator==(const Exists&) const = default;
};
struct Contains {
  PropertyPath path;
  std::string value;
  ContainmentMode mode = ContainmentMode::full_string;
  ContainmentComparison comparison = ContainmentComparison::exact;
  bool operator==(const Contains&) const = default;
};
struct Excludes {
  PropertyPath path;
  std::uint32_t bitmask = 0;
  bool operator==(const Excludes&) const = default;
};
struct Not {
  std::vector<Restriction> operand;  ///< exactly one
  bool operator==(const Not&) const = default;
};
struct And {
  std::vector<Restriction> operands;  ///< at least two
  bool operator==(const And&) const = default;
};
struct Or {
  std::vector<Restriction> operands;  ///< at least two
  bool operator==(const Or&) const = default;
};

/// Exchange refuses more than about 255 nodes; the codec refuses a depth above 32.
struct Restriction {
  std::variant<Comparison, Exists, Contains, Excludes, Not, And, Or> expression;
  bool operator==(const Restriction&) const = default;
};

}  // namespace syncline::ews
