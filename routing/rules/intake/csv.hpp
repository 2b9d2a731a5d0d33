// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// CSV as RFC 4180 has it, read as a stream: LF beside CRLF, separator chosen by the header, memory for one
// record.
#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.hpp"

namespace syncline::rules {

class CsvReader {
 public:
  struct Limits {
    std::size_t cell_octets;
    std::size_t columns;
  };
  struct Problem {
    std::uint64_t line;  ///< where the offending cell begins
    std::size_t column;  ///< from 0
    std::string reason;
    bool fatal;  ///< the rest of the input cannot be split into records
  };

  /// `input` must outlive the reader. A byte order mark is skipped.
  CsvReader(std::istream& input, Limits limits);

  /// Chooses among `,` `;` tab the one that the first line has most of outside quotes (`,` if none). Before
  /// the first `next`.
  char choose_separator();

  /// Skips lines above the header that are not CSV: PowerShell's `#TYPE …`, spreadsheets' `sep=…`. Before
  /// `choose_separator`.
  void skip_preamble();

  /// Next record into cell(…); false at the end. Lines without anything on them are no records.
  expected<bool, Problem> next();

  std::size_t size() const noexcept { return ends_.size(); }
  std::string_view cell(std::size_t index) const noexcept {
    const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
    return std::string_view{bytes_}.substr(begin, ends_[index] - begin);
  }
  /// Line of the record's first octet, from 1.
  std::uint64_t line() const noexcept { return record_line_; }

 private:
  bool fill();
  int peek();
  void take_plain();
  std::optional<Problem> take_quoted();
  void append(const char* from, std::size_t count);
  void close_cell();
  void skip_to_line_end();
  void take_line_end();
  std::optional<Problem> cell_problem(std::string reason, bool fatal = false) const;

  std::istream& input_;
  Limits limits_;
  char separator_ = ',';
  std::vector<char> buffer_;
  std::size_t position_ = 0;
  std::size_t filled_ = 0;
  std::uint64_t line_ = 1;
  std::uint64_t record_line_ = 1;
  std::uint64_t cell_line_ = 1;
  std::string bytes_;
  std::vector<std::size_t> ends_;
  bool cell_too_long_ = false;
};

}  // namespace syncline::rules
