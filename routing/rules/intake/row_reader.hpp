// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Rows of a file, one at a time, whatever its format. What is wrong with a file is said with line, row and
// column.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/expected.hpp"
#include "routing/rules/field_values.hpp"

namespace syncline::rules {

/// Limits on what a file may hold; above them it is bad input.
inline constexpr std::size_t kMaxCellOctets = std::size_t{1} << 20U;
inline constexpr std::size_t kMaxRowOctets = std::size_t{4} << 20U;
inline constexpr std::size_t kMaxColumns = 1000;

struct InputRow {
  std::uint64_t number = 0;       ///< records from 1, a header not counted
  std::uint64_t line = 0;         ///< where it begins, from 1
  std::optional<std::string> id;  ///< case_id or id, as given
  FieldValues given;
};

struct InputProblem {
  std::uint64_t line = 0;
  std::uint64_t row = 0;  ///< 0: the file or its header
  std::string column;     ///< name of the field or of the column; empty: the row as a whole
  std::string reason;     ///< safe to print
  bool fatal = false;     ///< nothing after it can be read

  /// "file:12: row 3, column prof_type: …"
  std::string describe(std::string_view file) const;
};

class RowReader {
 public:
  RowReader() = default;
  RowReader(const RowReader&) = delete;
  RowReader& operator=(const RowReader&) = delete;
  virtual ~RowReader() = default;
  /// Replaces `row` by the next one; false at the end. After a problem that is not fatal the next row can be
  /// asked for.
  virtual expected<bool, InputProblem> next(InputRow& row) = 0;
};

}  // namespace syncline::rules
