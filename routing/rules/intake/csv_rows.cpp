// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/rules/intake/csv_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/text.hpp"
#include "routing/rules/intake/csv.hpp"
#include "routing/rules/intake/field_text.hpp"

namespace syncline::rules {
namespace {

bool is_ascii(std::string_view text) noexcept {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

class CsvRows : public RowReader {
 public:
  explicit CsvRows(std::istream& input) : csv_(input, {kMaxCellOctets, kMaxColumns}) {}

  expected<bool, InputProblem> next(InputRow& row) override {
    if (columns_.empty()) {
      if (auto problem = read_header()) return unexpected<InputProblem>{std::move(*problem)};
    }
    auto more = csv_.next();
    ++number_;
    if (!more) {
      const auto& problem = more.error();
      return unexpected<InputProblem>{
          {problem.line, number_, column_name(problem.column), problem.reason, problem.fatal}};
    }
    if (!*more) return false;
    row.number = number_;
    row.line = csv_.line();
    row.id.reset();
    row.given.clear_all();
    if (csv_.size() != columns_.size()) {
      return problem_at(csv_.size(),
                        fmt::format("the row has {} cells, the header has {}", csv_.size(), columns_.size()));
    }
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const std::string_view cell = csv_.cell(i);
      if (!is_ascii(cell) && !text::is_valid_utf8(cell)) return problem_at(i, "not valid UTF-8");
      if (columns_[i].meaning.kind == ColumnMeaning::Kind::id) {
        if (!cell.empty()) row.id = std::string{cell};
      } else if (columns_[i].meaning.kind == ColumnMeaning::Kind::field) {
        if (auto reason = set_from_text(row.given, columns_[i].meaning.field, cell)) {
          return problem_at(i, std::move(*reason));
        }
      }
    }
    return true;
  }

 private:
  struct Column {
    std::string name;
    ColumnMeaning meaning;
  };

  std::string column_name(std::size_t index) const {
    return index < columns_.size() ? columns_[index].name : fmt::format("{}", index + 1);
  }
  unexpected<InputProblem> problem_at(std::size_t column, std::string reason) const {
    return unexpected<InputProblem>{{csv_.line(), number_, column_name(column), std::move(reason), false}};
  }

  std::optional<InputProblem> read_header() {
    csv_.choose_separator();
    auto more = csv_.next();
    if (!more) {
      const auto& problem = more.error();
      return InputProblem{problem.line, 0, fmt::format("{}", problem.column + 1), problem.reason, true};
    }
    if (!*more)
      return InputProblem{0, 0, "", "the file is empty: a header with the names of fields is expected", true};
    for (std::size_t i = 0; i < csv_.size(); ++i) {
      const std::string_view name = text::trim(csv_.cell(i));
      const auto wrong = [&](std::string reason) {
        return InputProblem{csv_.line(), 0, fmt::format("{}", i + 1), std::move(reason), true};
      };
      if (name.starts_with("\xFF\xFE") || name.starts_with("\xFE\xFF")) {
        return wrong("the file is UTF-16; save it as UTF-8 (exports of Exchange: use --from-exchange)");
      }
      if (!text::is_valid_utf8(name)) return wrong("the header is not valid UTF-8");
      Column column{std::string{name}, meaning_of(name)};
      if (column.meaning.kind == ColumnMeaning::Kind::unknown) return wrong(unknown_field(name));
      const bool seen = std::any_of(columns_.begin(), columns_.end(), [&](const Column& other) {
        return other.name == column.name || (other.meaning.kind == ColumnMeaning::Kind::id &&
                                             column.meaning.kind == ColumnMeaning::Kind::id);
      });
      if (seen) return wrong(fmt::format("column {} is there twice", quoted(name)));
      columns_.push_back(std::move(column));
    }
    return std::nullopt;
  }

  CsvReader csv_;
  std::vector<Column> columns_;
  std::uint64_t number_ = 0;
};

}  // namespace

std::unique_ptr<RowReader> read_csv_rows(std::istream& input) {
  return std::make_unique<CsvRows>(input);
}

}  // namespace syncline::rules
