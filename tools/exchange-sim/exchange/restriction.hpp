// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// t:Restriction: read once into a flat program, then asked of each item or folder. Also the keys of
// SortOrder.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "tools/exchange-sim/exchange/context.hpp"

namespace exchange_sim {

/// A property path: FieldURI, IndexedFieldURI or ExtendedFieldURI.
struct Path {
  std::optional<Field> field;
  std::string folder_uri;  ///< "folder:DisplayName", …
  PropertyId dynamic = 0;  ///< extended or dictionary entry; 0 with neither of the others: no item has it
  bool is_extended = false;
};
/// Errors: ErrorUnsupportedPathForQuery, ErrorInvalidExtendedProperty.
syncline::Result<Path> read_path(Context& context, const Element& element);

/// Gives the text of a path, or nothing.
using Values = std::function<std::optional<std::string>(const Path&)>;

class Restriction {
 public:
  /// From t:Restriction. Errors: ErrorRestrictionTooComplex, ErrorInvalidRestriction, and those of the paths.
  static syncline::Result<Restriction> read(Context& context, const Element& restriction);
  bool matches(const Values& values) const { return matches(0, values); }

 private:
  enum class Kind {
    all,
    any,
    none_of,
    equal,
    not_equal,
    greater,
    greater_equal,
    less,
    less_equal,
    contains,
    exists,
    excludes
  };
  struct Node {
    Kind kind = Kind::all;
    std::vector<std::size_t> operands;
    Path path;
    std::string constant;
    std::optional<Path> other;
    std::string mode;
    bool ignore_case = false;
    long long mask = 0;
  };
  syncline::Result<std::size_t> add(Context& context, const Element& element, std::size_t depth);
  bool matches(std::size_t node, const Values& values) const;
  std::vector<Node> nodes_;
};

/// Less than 0, 0, more than 0; numbers as numbers, times as times, text without regard to ASCII case.
int compare_values(const std::string& a, const std::string& b);

/// An item's values for restrictions and sorting.
Values values_of(Context& context, const ItemRef& ref);

}  // namespace exchange_sim
