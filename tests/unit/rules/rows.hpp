// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Rows for the tests of the rules.
#include <string>
#include <string_view>
#include <vector>

#include "routing/rules/check.hpp"

namespace syncline::rules::testing {

/// The day that rows have which name none.
inline constexpr Day kToday = 20241;  // 2025-06-02

/// "prof_type=gmail mbx_address=" into `values`; a wrong field or value is a failure of the test.
void state(FieldValues& values, std::string_view fields);
/// A completed row with these fields and a usable address.
Assignment row_of(std::string_view fields);

bool fires(const Rule& rule, const Assignment& row);
/// Ids of the findings of one severity, in order.
std::vector<std::string> ids(const Judgement& judgement, Severity severity);

struct RuleRow {
  std::string rule;
  std::string firing;
  std::string differing;  ///< one field=value
};
/// rule_rows.txt
const std::vector<RuleRow>& rule_rows();

}  // namespace syncline::rules::testing
