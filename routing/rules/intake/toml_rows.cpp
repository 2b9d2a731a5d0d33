// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/rules/intake/toml_rows.hpp"

#include "routing/rules/intake/toml_value.hpp"

namespace syncline::rules {
namespace {

class TomlRows : public RowReader {
 public:
  explicit TomlRows(std::istream& input) {
    auto parsed = parse_toml(input);
    if (!parsed) {
      broken_ = std::move(parsed).error();
      return;
    }
    document_ = std::move(*parsed);
    for (const auto& [key, value] : document_) {
      if (key.str() != "assignment") {
        broken_ =
            InputProblem{line_of(value), 0, "",
                         fmt::format("unknown key {}; [[assignment]] is expected", quoted(key.str())), true};
        return;
      }
    }
    rows_ = document_["assignment"].as_array();
    if (rows_ == nullptr)
      broken_ = InputProblem{0, 0, "", "[[assignment]] is expected: one table a row", true};
  }

  expected<bool, InputProblem> next(InputRow& row) override {
    if (broken_) return unexpected<InputProblem>{*broken_};
    if (at_ == rows_->size()) return false;
    const toml::node& node = *rows_->get(at_);
    row.number = ++at_;
    row.line = line_of(node);
    const toml::table* table = node.as_table();
    if (table == nullptr) return problem(row, node, "", "a table is expected");
    RowBuilder builder{row};
    for (const auto& [key, value] : *table) {
      const auto prefix = prefix_of_group(key.str());
      if (!prefix) {
        if (auto reason = take_toml(builder, "", key.str(), value))
          return problem(row, value, builder.current(), *reason);
        continue;
      }
      const toml::table* group = value.as_table();
      if (group == nullptr) return problem(row, value, std::string{key.str()}, "a table is expected");
      for (const auto& [inner, inner_value] : *group) {
        if (auto reason = take_toml(builder, *prefix, inner.str(), inner_value)) {
          return problem(row, inner_value, builder.current(), *reason);
        }
      }
    }
    return true;
  }

 private:
  static unexpected<InputProblem> problem(const InputRow& row, const toml::node& node, std::string column,
                                          std::string reason) {
    return unexpected<InputProblem>{{line_of(node), row.number, std::move(column), std::move(reason), false}};
  }

  toml::table document_;
  const toml::array* rows_ = nullptr;
  std::size_t at_ = 0;
  std::optional<InputProblem> broken_;
};

}  // namespace

std::unique_ptr<RowReader> read_toml_rows(std::istream& input) {
  return std::make_unique<TomlRows>(input);
}

}  // namespace syncline::rules
