// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What is said about a judged assignment: one JSON line a row, and the summary.
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "routing/router/route.hpp"
#include "routing/rules/intake/row_reader.hpp"
#include "routing/rules/messages.hpp"

namespace syncline::service {

/// A row with everything that was found out about it.
struct JudgedRow {
  const rules::InputRow& input;
  const rules::Assignment& assignment;
  const rules::Judgement& judgement;
  std::optional<router::Route> route;
  std::vector<std::string> notes;  ///< in the language of the report
};

/// Counts, in memory that does not grow with the rows.
class Tally {
 public:
  void add(const JudgedRow& row);
  void add_bad_row() { ++bad_rows_; }
  std::uint64_t rows() const noexcept { return verdicts_[0] + verdicts_[1] + verdicts_[2]; }
  std::uint64_t count(rules::Verdict verdict) const noexcept {
    return verdicts_[static_cast<std::size_t>(verdict)];
  }
  std::uint64_t bad_rows() const noexcept { return bad_rows_; }

  struct OfRule {
    const rules::Rule* rule;
    rules::Severity severity;
    std::uint64_t rows;
  };
  /// Rejects, warnings, infos; each by number of rows, then in catalogue order.
  std::vector<OfRule> by_rule() const;
  struct OfField {
    rules::Field field;
    std::uint64_t rows;
  };
  /// Assumed fields that a finding names, most rows first.
  std::vector<OfField> assumed() const;

 private:
  std::array<std::uint64_t, 3> verdicts_{};
  std::uint64_t bad_rows_ = 0;
  std::map<std::pair<const rules::Rule*, rules::Severity>, std::uint64_t> rules_;
  std::array<std::uint64_t, rules::kFieldCount> assumed_{};
};

/// {"incoming":{…},"outgoing":{…},"act":null}; null for none.
void append_json(std::string& out, const std::optional<router::Route>& route);
class JsonReport {
 public:
  explicit JsonReport(rules::Language language);
  void append(std::string& out, const JudgedRow& row) const;
  void append_summary(std::string& out, const Tally& tally) const;

 private:
  struct Texts {
    std::string message;  // encoded; empty if it has placeholders
    std::string remedy;
    std::string source;
  };
  void append_finding(std::string& out, const rules::Finding& finding,
                      const rules::Assignment& assignment) const;
  rules::Language language_;
  std::map<const rules::Rule*, Texts> texts_;
};

/// {"row","id","verdict","rejectedBy","route","notes"} and a line feed.
void append_route_line(std::string& out, const JudgedRow& row);

/// Judges rows one after the other, in memory that is used again.
class RowJudge {
 public:
  RowJudge(rules::Language language, rules::Day today) : language_(language), today_(today) {}
  /// Valid until the next call. `notes`: of the reader; what keeps an accepted row from having a route is
  /// added.
  JudgedRow judge(const rules::InputRow& row, std::vector<std::string> notes);

 private:
  rules::Language language_;
  rules::Day today_;
  rules::Assignment assignment_;
  rules::Judgement judgement_;
};

/// Every row of `input` as JSON lines. An error (input, "bad-row") says line, row and column of the first row
/// that cannot be read; nothing is given then. Error "too-many-rows" over `most_rows`.
struct CheckWishes {
  std::optional<rules::Day> as_of = std::nullopt;   ///< for rows that name no day
  std::optional<rules::Word> stage = std::nullopt;  ///< for rows that name none
  rules::Language language = rules::Language::en;
  bool routes_only = false;  ///< lines of append_route_line
  std::size_t most_rows = 100'000;
};
Result<std::string> check_lines(rules::RowReader& reader, const CheckWishes& wishes, rules::Day today);

}  // namespace syncline::service
