// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/rules/intake/toml_rows.hpp"

#define TOML_EXCEPTIONS 0
#include <fmt/format.h>

#include <toml++/toml.h>

#include "routing/rules/intake/row_builder.hpp"

namespace syncline::rules {
namespace {

std::uint64_t line_of(const toml::node& node) {
  return node.source().begin.line;
}

class TomlRows : public RowReader {
 public:
  explicit TomlRows(std::istream& input) {
    std::string text;
    char buffer[65536];
    while (input.read(buffer, sizeof buffer) || input.gcount() > 0) {
      text.append(buffer, static_cast<std::size_t>(input.gcount()));
      if (text.size() > kMaxTomlOctets) {
        broken_ = InputProblem{0, 0, "", fmt::format("TOML files may have at most {} octets", kMaxTomlOctets),
                               true};
        return;
      }
    }
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
      broken_ = InputProblem{0, 0, "", "the file is empty", true};
      return;
    }
    toml::parse_result parsed = toml::parse(std::string_view{text});
    if (!parsed) {
      const auto& error = parsed.error();
      broken_ = InputProblem{error.source().begin.line, 0, fmt::format("{}", error.source().begin.column),
                             fmt::format("not valid TOML: {}", error.description()), true};
      return;
    }
    document_ = std::move(parsed).table();
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
        if (auto reason = take(builder, "", key.str(), value))
          return problem(row, value, builder.current(), *reason);
        continue;
      }
      const toml::table* group = value.as_table();
      if (group == nullptr) return problem(row, value, std::string{key.str()}, "a table is expected");
      for (const auto& [inner, inner_value] : *group) {
        if (auto reason = take(builder, *prefix, inner.str(), inner_value)) {
          return problem(row, inner_value, builder.current(), *reason);
        }
      }
    }
    return true;
  }

 private:
  static std::optional<std::string> take(RowBuilder& builder, std::string_view prefix, std::string_view name,
                                         const toml::node& value) {
    if (auto reason = builder.name(prefix, name)) return reason;
    if (builder.ignores_value()) return std::nullopt;
    if (const auto* text = value.as_string()) return builder.text(text->get());
    if (const auto* integer = value.as_integer()) return builder.integer(integer->get());
    if (const auto* real = value.as_floating_point()) return builder.real(real->get());
    if (const auto* boolean = value.as_boolean()) return builder.boolean(boolean->get());
    if (const auto* date = value.as_date()) {
      return builder.text(
          fmt::format("{:04}-{:02}-{:02}", date->get().year, date->get().month, date->get().day));
    }
    return "a text, a number, true or false is expected";
  }
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
