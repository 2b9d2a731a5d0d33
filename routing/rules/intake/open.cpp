// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/rules/intake/open.hpp"

#include "base/text.hpp"
#include "routing/rules/intake/csv_rows.hpp"
#include "routing/rules/intake/json_rows.hpp"
#include "routing/rules/intake/toml_rows.hpp"

namespace syncline::rules {

std::optional<InputFormat> input_format_from(std::string_view name) noexcept {
  if (name == "csv") return InputFormat::csv;
  if (name == "json") return InputFormat::json;
  if (name == "jsonl") return InputFormat::jsonl;
  if (name == "toml") return InputFormat::toml;
  return std::nullopt;
}

std::optional<InputFormat> input_format_of_file(std::string_view file) noexcept {
  const auto dot = file.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const std::string ending = text::to_lower_ascii(file.substr(dot + 1));
  if (ending == "tsv") return InputFormat::csv;
  if (ending == "ndjson") return InputFormat::jsonl;
  return input_format_from(ending);
}

InputFormat guess_input_format(std::istream& input) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  for (const char octet : kMark) {
    if (input.peek() != static_cast<unsigned char>(octet)) break;
    input.get();
  }
  int c = input.peek();
  while (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
    input.get();
    c = input.peek();
  }
  if (c == '[') return InputFormat::json;
  if (c == '{') return InputFormat::jsonl;
  return InputFormat::csv;
}

std::unique_ptr<RowReader> open_rows(std::istream& input, InputFormat format) {
  switch (format) {
    case InputFormat::csv:
      return read_csv_rows(input);
    case InputFormat::json:
      return read_json_rows(input);
    case InputFormat::jsonl:
      return read_json_lines(input);
    case InputFormat::toml:
      return read_toml_rows(input);
  }
  return nullptr;
}

}  // namespace syncline::rules
