// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/rules/intake/csv.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace syncline::rules::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Cells = std::vector<std::string>;

struct Read {
  std::vector<Cells> records;
  std::vector<CsvReader::Problem> problems;
};

Read read(const std::string& text, CsvReader::Limits limits = {1000, 10}, bool choose = true) {
  std::istringstream input{text};
  CsvReader reader{input, limits};
  reader.skip_preamble();
  if (choose) reader.choose_separator();
  Read result;
  for (;;) {
    const auto more = reader.next();
    if (!more) {
      result.problems.push_back(more.error());
      if (more.error().fatal) return result;
      continue;
    }
    if (!*more) return result;
    Cells cells;
    for (std::size_t i = 0; i < reader.size(); ++i) cells.emplace_back(reader.cell(i));
    result.records.push_back(cells);
  }
}

TEST(Csv, ReadsQuotedCellsWithSeparatorsQuotesAndLines) {
  const Read result = read("a,b\r\n\"x,\"\"y\"\"\r\nz\",2\r\n");
  EXPECT_THAT(result.records, ElementsAre(Cells{"a", "b"}, Cells{"x,\"y\"\r\nz", "2"}));
}

TEST(Csv, EndsARecordAtLfCrlfCrOrTheEndOfTheFile) {
  EXPECT_THAT(read("a,b\n1,2\r\n3,4\r5,6").records,
              ElementsAre(Cells{"a", "b"}, Cells{"1", "2"}, Cells{"3", "4"}, Cells{"5", "6"}));
}

TEST(Csv, KeepsEmptyCellsAndSkipsEmptyLines) {
  EXPECT_THAT(read("a,b\n\n,\n\"\",x\n\n").records,
              ElementsAre(Cells{"a", "b"}, Cells{"", ""}, Cells{"", "x"}));
}

TEST(Csv, ChoosesTheSeparatorThatTheHeaderHasMostOf) {
  EXPECT_THAT(read("a;b;\"c,d,e,f\"\n1;2;3\n").records,
              ElementsAre(Cells{"a", "b", "c,d,e,f"}, Cells{"1", "2", "3"}));
  EXPECT_THAT(read("a\tb\n1\t2,3\n").records, ElementsAre(Cells{"a", "b"}, Cells{"1", "2,3"}));
}

TEST(Csv, SkipsAByteOrderMarkAndLinesAboveTheHeader) {
  EXPECT_THAT(read("\xEF\xBB\xBF#TYPE Some.Type\r\nsep=;\r\na;b\r\n").records, ElementsAre(Cells{"a", "b"}));
}

TEST(Csv, ReadsTheSameWhereverABufferEnds) {
  // The buffer is 64 KB: cells, quotes and line ends fall on its edge in one of these.
  for (std::size_t pad = 65520; pad < 65545; ++pad) {
    const std::string filler(pad, 'x');
    const Read result = read("a,b\n" + filler + ",\"q\"\"r\"\r\n1,2\n", {100000, 10});
    ASSERT_THAT(result.records, ElementsAre(Cells{"a", "b"}, Cells{filler, "q\"r"}, Cells{"1", "2"})) << pad;
  }
}

TEST(Csv, ReportsAQuoteThatIsNeverClosedWhereItBegins) {
  const Read result = read("a,b\n1,\"2\n3,4\n");
  ASSERT_EQ(result.problems.size(), 1U);
  EXPECT_TRUE(result.problems[0].fatal);
  EXPECT_EQ(result.problems[0].line, 2U);
  EXPECT_EQ(result.problems[0].column, 1U);
}

TEST(Csv, GoesOnAfterBrokenQuoting) {
  const Read result = read("a,b\n1,x\"y\n\"2\"z,3\n4,5\n");
  EXPECT_THAT(result.records, ElementsAre(Cells{"a", "b"}, Cells{"4", "5"}));
  ASSERT_EQ(result.problems.size(), 2U);
  EXPECT_THAT(result.problems[0].reason, HasSubstr("quote inside"));
  EXPECT_THAT(result.problems[1].reason, HasSubstr("after the closing quote"));
  EXPECT_EQ(result.problems[1].line, 3U);
}

TEST(Csv, TakesACellAtTheLimitAndRefusesOneOctetMore) {
  EXPECT_EQ(read(std::string(10, 'x') + ",b\n", {10, 5}).problems.size(), 0U);
  EXPECT_EQ(read("\"" + std::string(10, 'x') + "\",b\n", {10, 5}).problems.size(), 0U);
  const Read longer = read(std::string(11, 'x') + ",b\n1,2\n", {10, 5});
  ASSERT_EQ(longer.problems.size(), 1U);
  EXPECT_EQ(longer.problems[0].column, 0U);
  EXPECT_THAT(longer.records, ElementsAre(Cells{"1", "2"}));
}

TEST(Csv, TakesColumnsUpToTheLimit) {
  EXPECT_EQ(read("1,2,3,4,5\n", {10, 5}).problems.size(), 0U);
  const Read wider = read("1,2,3,4,5,6\n1\n", {10, 5});
  ASSERT_EQ(wider.problems.size(), 1U);
  EXPECT_THAT(wider.records, ElementsAre(Cells{"1"}));
}

}  // namespace
}  // namespace syncline::rules::testing
