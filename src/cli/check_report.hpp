// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What `syncline check` prints: one JSON line a row, or a table for people, and the summary of both.
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "routing/router/route.hpp"
#include "routing/rules/intake/row_reader.hpp"
#include "routing/rules/messages.hpp"

namespace syncline::cli {

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
/// "IMAP imap.gmail.com:993 (implicit TLS, xoauth2)"
std::string printed(const router::LegRoute& leg, rules::Language language);

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

class TextReport {
 public:
  explicit TextReport(rules::Language language) : language_(language) {}
  void append_header(std::string& out) const;
  void append(std::string& out, const JudgedRow& row) const;
  void append_summary(std::string& out, const Tally& tally) const;

 private:
  std::string_view tr(std::string_view english) const { return rules::translated(language_, english); }
  void append_finding(std::string& out, const rules::Finding& finding,
                      const rules::Assignment& assignment) const;
  rules::Language language_;
};

}  // namespace syncline::cli
