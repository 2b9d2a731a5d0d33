// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "routing/rules/intake/field_text.hpp"
#include "routing/rules/intake/open.hpp"

namespace syncline::rules::testing {
namespace {

using ::testing::HasSubstr;

struct Read {
  std::vector<InputRow> rows;
  std::vector<InputProblem> problems;
};

Read read(const std::string& text, InputFormat format) {
  std::istringstream input{text};
  const auto reader = open_rows(input, format);
  Read result;
  InputRow row;
  for (int guard = 0; guard < 1000; ++guard) {
    const auto more = reader->next(row);
    if (!more) {
      result.problems.push_back(more.error());
      if (more.error().fatal) return result;
    } else if (*more) {
      result.rows.push_back(row);
    } else {
      return result;
    }
  }
  ADD_FAILURE() << "the reader does not end";
  return result;
}

// The one problem of a text that has one.
InputProblem problem(const std::string& text, InputFormat format) {
  const Read result = read(text, format);
  EXPECT_EQ(result.problems.size(), 1U) << text;
  return result.problems.empty() ? InputProblem{} : result.problems.front();
}

TEST(Intake, ReadsTheSameRowFromEveryFormat) {
  const std::pair<InputFormat, std::string> texts[] = {
      {InputFormat::csv,
       "case_id,group,expect_verdict,prof_type,prof_min_poll,mbx_mfa,env_as_of,mbx_exchange_version,mbx_"
       "address\n"
       "T1,ignored,warn,gmail,7,TRUE,2026-01-02,2019,ana@gmail.com\n"},
      {InputFormat::json,
       R"([{"case_id":"T1","note":{"deep":[1,{"x":null}]},"profile":{"type":"gmail","min_poll":7},
            "mailbox":{"mfa":true,"exchange_version":2019,"address":"ana@gmail.com"},"env":{"as_of":"2026-01-02"}}])"},
      {InputFormat::jsonl,
       R"({"id":"T1","prof_type":"gmail","prof_min_poll":"7","mbx_mfa":"yes","env_as_of":"2026-01-02","mbx_exchange_version":"2019","mbx_address":"ana@gmail.com"})"
       "\n"},
      {InputFormat::toml,
       "[[assignment]]\nid=\"T1\"\nenv_as_of=2026-01-02\nprofile={type=\"gmail\",min_poll=7}\n"
       "[assignment.mailbox]\nmfa=true\nexchange_version=2019\naddress=\"ana@gmail.com\"\n"},
  };
  for (const auto& [format, text] : texts) {
    const Read result = read(text, format);
    ASSERT_EQ(result.rows.size(), 1U) << text << (result.problems.empty() ? "" : result.problems[0].reason);
    const InputRow& row = result.rows[0];
    EXPECT_EQ(row.number, 1U);
    EXPECT_EQ(row.id, "T1");
    EXPECT_EQ(row.given.printed(Field::prof_type), "gmail");
    EXPECT_EQ(row.given.printed(Field::prof_min_poll), "7");
    EXPECT_EQ(row.given.printed(Field::mbx_mfa), "yes");
    EXPECT_EQ(row.given.printed(Field::env_as_of), "2026-01-02");
    EXPECT_EQ(row.given.printed(Field::mbx_exchange_version), "2019");
    EXPECT_EQ(row.given.printed(Field::mbx_address), "ana@gmail.com");
  }
}

TEST(Intake, TakesNullAndEmptyCellsForNotGiven) {
  EXPECT_TRUE(read("prof_type,mbx_mfa\n,\n", InputFormat::csv).rows.at(0).given.set_fields().empty());
  EXPECT_TRUE(
      read(R"({"prof_type":null,"mbx_mfa":""})", InputFormat::jsonl).rows.at(0).given.set_fields().empty());
}

TEST(Intake, NamesAnUnknownFieldAndTheNearestOne) {
  const InputProblem csv = problem("prof_typ\ngmail\n", InputFormat::csv);
  EXPECT_TRUE(csv.fatal) << "every row would have it";
  EXPECT_THAT(csv.reason, HasSubstr("did you mean prof_type?"));
  const InputProblem json = problem(R"({"mailbox":{"addres":"x"}})", InputFormat::jsonl);
  EXPECT_EQ(json.column, "mbx_addres");
  EXPECT_THAT(json.reason, HasSubstr("did you mean mbx_address?"));
  EXPECT_THAT(problem("[[assignment]]\nmail=1\n", InputFormat::toml).reason, HasSubstr("unknown field"));
}

TEST(Intake, RefusesValuesOutsideTheirDomainWithRowAndColumn) {
  for (const auto* value : {"Gmail", " gmail", "gmail ", "yes", "0"}) {
    const InputProblem found =
        problem(std::string{"mbx_address,prof_type\na@b.c,"} + value + "\n", InputFormat::csv);
    EXPECT_EQ(found.row, 1U) << value;
    EXPECT_EQ(found.line, 2U) << value;
    EXPECT_EQ(found.column, "prof_type") << value;
    EXPECT_FALSE(found.fatal);
  }
  for (const auto* value : {"1.5", "abc", "9223372036854775808", "1 ", "+1", "0x1"}) {
    EXPECT_THAT(
        problem(std::string{"mbx_address,prof_min_poll\na@b.c,"} + value + "\n", InputFormat::csv).reason,
        HasSubstr("not a whole number"))
        << value;
  }
  for (const auto* json : {R"({"prof_type":true})", R"({"prof_min_poll":true})", R"({"prof_min_poll":1.5})",
                           R"({"env_as_of":20260101})", R"({"prof_type":{}})", R"({"prof_type":["gmail"]})",
                           R"({"profile":"gmail"})", R"({"prof_min_poll":18446744073709551615})",
                           R"({"mbx_address":5})", R"({"env_allow_insecure_creds":true})", R"({"id":1.5})"}) {
    EXPECT_FALSE(problem(json, InputFormat::jsonl).fatal) << json;
  }
}

TEST(Intake, ReadsTrueAndFalseWhereYesAndNoStand) {
  EXPECT_EQ(read("mbx_oauth_token,mbx_mfa\ntrue,False\n", InputFormat::csv)
                .rows.at(0)
                .given.printed(Field::mbx_mfa),
            "no");
  EXPECT_EQ(read(R"({"env_allow_insecure_creds":1})", InputFormat::jsonl)
                .rows.at(0)
                .given.printed(Field::env_allow_insecure_creds),
            "1");
}

TEST(Intake, RefusesAFieldGivenTwice) {
  EXPECT_EQ(problem(R"({"prof_type":"gmail","profile":{"type":"gmail"}})", InputFormat::jsonl).column,
            "prof_type");
  EXPECT_EQ(problem(R"({"prof_type":"gmail","prof_type":"gmail"})", InputFormat::jsonl).column, "prof_type");
  EXPECT_EQ(problem(R"({"env":{},"env":{}})", InputFormat::jsonl).column, "env");
  EXPECT_THAT(problem(R"({"id":"a","case_id":"b"})", InputFormat::jsonl).reason, HasSubstr("two ids"));
  EXPECT_TRUE(problem("prof_type,prof_type\ngmail,gmail\n", InputFormat::csv).fatal);
  EXPECT_TRUE(problem("id,case_id\na,b\n", InputFormat::csv).fatal);
  EXPECT_FALSE(read("[[assignment]]\nprof_type=\"gmail\"\nprofile={type=\"gmail\"}\n", InputFormat::toml)
                   .problems.empty());
}

TEST(Intake, RefusesRaggedRowsAndGoesOn) {
  const Read result = read("prof_type,mbx_mfa\ngmail\ngmail,no,no\ngmail,no\n", InputFormat::csv);
  ASSERT_EQ(result.problems.size(), 2U);
  EXPECT_EQ(result.problems[0].row, 1U);
  EXPECT_EQ(result.problems[1].row, 2U);
  ASSERT_EQ(result.rows.size(), 1U);
  EXPECT_EQ(result.rows[0].number, 3U);
}

TEST(Intake, RefusesInvalidUtf8) {
  EXPECT_EQ(problem("prof_type,mbx_address\ngmail,a\xFF@b.c\n", InputFormat::csv).column, "mbx_address");
  EXPECT_TRUE(problem("prof_type,\xFFx\n", InputFormat::csv).fatal);
  EXPECT_THAT(problem("\xFF\xFEp\0r\0", InputFormat::csv).reason, HasSubstr("UTF-16"));
  EXPECT_EQ(problem("{\"mbx_address\":\"\xC3\"}\n", InputFormat::jsonl).row, 1U);
  EXPECT_EQ(problem("[[assignment]]\nmbx_address=\"\xFF\"\n", InputFormat::toml).line, 2U);
}

TEST(Intake, RefusesEmptyFiles) {
  for (const auto format : {InputFormat::csv, InputFormat::json, InputFormat::jsonl, InputFormat::toml}) {
    EXPECT_TRUE(read("", format).problems.size() == 1);
    EXPECT_TRUE(read("\n\n", format).problems.size() == 1);
  }
  EXPECT_TRUE(read("prof_type\n", InputFormat::csv).problems.empty()) << "no rows is not an empty file";
  EXPECT_TRUE(read("[]", InputFormat::json).problems.empty());
}

TEST(Intake, RefusesBrokenJsonAndSaysWhere) {
  EXPECT_TRUE(problem("[{\"prof_type\":\"gmail\"}", InputFormat::json).fatal);
  EXPECT_TRUE(problem("[{\"prof_type\":\"gmail\"} {}]", InputFormat::json).fatal);
  EXPECT_TRUE(problem("[1]", InputFormat::json).fatal);
  EXPECT_TRUE(problem("[] x", InputFormat::json).fatal);
  EXPECT_TRUE(problem("[{", InputFormat::json).fatal);
  const InputProblem later =
      problem("[\n{\"prof_type\":\"gmail\"},\n{\n\"prof_type\":\"gmal\"}]", InputFormat::json);
  EXPECT_EQ(later.row, 2U);
  EXPECT_EQ(later.line, 4U);
  const Read lines = read("{\"prof_type\":\n{}\n{\"prof_type\":\"gmail\"}\n", InputFormat::jsonl);
  EXPECT_EQ(lines.problems.size(), 1U) << "a broken line costs only itself";
  EXPECT_EQ(lines.rows.size(), 2U);
}

TEST(Intake, ReadsObjectsOneAfterTheOtherFromAJsonFile) {
  EXPECT_EQ(read("{\n \"prof_type\": \"gmail\"\n}\n{\"prof_type\":\"none\"}", InputFormat::json).rows.size(),
            2U);
}

TEST(Intake, HoldsLimitsOnDepthCellsAndRows) {
  std::string deep = R"({"note":)";
  for (int i = 0; i < 100; ++i) deep += "[";
  for (int i = 0; i < 100; ++i) deep += "]";
  EXPECT_EQ(problem(deep + "}", InputFormat::jsonl).row, 1U);
  const std::string long_text(10'000'000, 'x');
  EXPECT_EQ(problem("mbx_address\n" + long_text + "\n", InputFormat::csv).column, "mbx_address");
  EXPECT_EQ(problem("{\"mbx_address\":\"" + long_text + "\"}", InputFormat::jsonl).row, 1U);
  EXPECT_EQ(problem("[{\"mbx_address\":\"" + long_text + "\"}]", InputFormat::json).row, 1U);
  const std::string over_a_cell(kMaxCellOctets + 1, 'x');
  EXPECT_EQ(problem("{\"mbx_address\":\"" + over_a_cell + "\"}", InputFormat::jsonl).row, 1U);
}

TEST(Intake, GuessesTheFormat) {
  const auto guess = [](const std::string& text) {
    std::istringstream input{text};
    return guess_input_format(input);
  };
  EXPECT_EQ(guess("  [{}]"), InputFormat::json);
  EXPECT_EQ(guess("\xEF\xBB\xBF{}"), InputFormat::jsonl);
  EXPECT_EQ(guess("prof_type"), InputFormat::csv);
  EXPECT_EQ(guess(""), InputFormat::csv);
  EXPECT_EQ(input_format_of_file("a/b.JSON"), InputFormat::json);
  EXPECT_EQ(input_format_of_file("a/b"), std::nullopt);
}

TEST(Intake, DescribesAProblemSoThatItCanBeFound) {
  EXPECT_EQ((InputProblem{12, 3, "prof_type", "wrong", false}).describe("f.csv"),
            "f.csv:12: row 3, column prof_type: wrong");
  EXPECT_EQ((InputProblem{0, 0, "", "is empty", true}).describe("f.csv"), "f.csv: is empty");
  EXPECT_THAT(rules::quoted(std::string(500, 'a') + "\x1b"), HasSubstr("501 octets"));
  EXPECT_EQ(rules::quoted("a\x1b[31m"), "\"a\\x1b[31m\"");
}

}  // namespace
}  // namespace syncline::rules::testing
