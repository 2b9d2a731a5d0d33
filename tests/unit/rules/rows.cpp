// SPDX-License-Identifier: GPL-3.0-or-later
#include "rows.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "base/text.hpp"
#include "routing/rules/intake/field_text.hpp"

namespace syncline::rules::testing {

void state(FieldValues& values, std::string_view fields) {
  for (const std::string_view part : text::split(fields, ' ')) {
    if (part.empty()) continue;
    const auto equals = part.find('=');
    const auto field = field_from(part.substr(0, equals));
    if (equals == std::string_view::npos || !field) {
      ADD_FAILURE() << "not a field: " << part;
      continue;
    }
    const std::string_view value = part.substr(equals + 1);
    if (value.empty()) {
      values.clear(*field);
    } else if (const auto reason = set_from_text(values, *field, value)) {
      ADD_FAILURE() << *reason;
    }
  }
}

Assignment row_of(std::string_view fields) {
  FieldValues given;
  given.set_text(Field::mbx_address, "ana@contoso.example");
  state(given, fields);
  return with_defaults(given, kToday);
}

bool fires(const Rule& rule, const Assignment& row) {
  for (const Finding& finding : judge(row).findings) {
    if (finding.rule == &rule) return true;
  }
  return false;
}

std::vector<std::string> ids(const Judgement& judgement, Severity severity) {
  std::vector<std::string> found;
  for (const Finding& finding : judgement.findings) {
    if (finding.severity == severity) found.emplace_back(finding.rule->id);
  }
  return found;
}

const std::vector<RuleRow>& rule_rows() {
  static const std::vector<RuleRow> kRows = [] {
    std::vector<RuleRow> rows;
    std::ifstream file{SYNCLINE_SOURCE_DIR "/tests/unit/rules/rule_rows.txt"};
    for (std::string line; std::getline(file, line);) {
      if (line.empty() || line.front() == '#') continue;
      const auto first = line.find(" : ");
      const auto second = line.rfind(" : ");
      rows.push_back(
          {line.substr(0, first), line.substr(first + 3, second - first - 3), line.substr(second + 3)});
    }
    return rows;
  }();
  return kRows;
}

}  // namespace syncline::rules::testing
