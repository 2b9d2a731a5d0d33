// SPDX-License-Identifier: GPL-3.0-or-later
// The example cases that come with the catalogue, where they are at hand.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "base/text.hpp"
#include "routing/rules/intake/csv.hpp"
#include "routing/rules/intake/csv_rows.hpp"
#include "rows.hpp"

namespace syncline::rules::testing {
namespace {

std::set<std::string> listed(std::string_view cell) {
  std::set<std::string> ids;
  for (const auto part : text::split(cell, ';')) {
    if (!part.empty()) ids.emplace(part);
  }
  return ids;
}

std::set<std::string> found(const Judgement& judgement, Severity severity) {
  const auto ids_found = ids(judgement, severity);
  return {ids_found.begin(), ids_found.end()};
}

TEST(Examples, ComeOutAsTheCatalogueExpects) {
  const std::string file = SYNCLINE_SOURCE_DIR "/../shared/reference/rules-examples.csv";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "SKIPPED: no " << file;
  std::ifstream of_rows{file};
  std::ifstream of_results{file};
  const auto rows = read_csv_rows(of_rows);
  CsvReader results{of_results, {kMaxCellOctets, kMaxColumns}};
  ASSERT_TRUE(results.next().value_or(false));
  const std::size_t columns = results.size();
  InputRow row;
  std::size_t count = 0;
  for (; rows->next(row).value_or(false); ++count) {
    ASSERT_TRUE(results.next().value_or(false));
    const Judgement judgement = judge(with_defaults(row.given, kToday));
    EXPECT_EQ(to_string(judgement.verdict), results.cell(columns - 4)) << *row.id;
    EXPECT_EQ(found(judgement, Severity::reject), listed(results.cell(columns - 3))) << *row.id;
    EXPECT_EQ(found(judgement, Severity::warn), listed(results.cell(columns - 2))) << *row.id;
    const auto infos = found(judgement, Severity::info);
    for (const std::string& id : listed(results.cell(columns - 1)))
      EXPECT_TRUE(infos.contains(id)) << *row.id << id;
  }
  EXPECT_GT(count, 50U);
}

}  // namespace
}  // namespace syncline::rules::testing
