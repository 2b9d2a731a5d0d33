// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// TOML for the readers here.
#include <fmt/format.h>

#include <istream>
#include <optional>
#include <string>
#include <string_view>

#include "routing/rules/intake/row_builder.hpp"
#include "routing/rules/intake/toml_library.hpp"

namespace syncline::rules {

/// TOML cannot be read as a stream: a file may have at most this much.
inline constexpr std::size_t kMaxTomlOctets = std::size_t{64} << 20U;

inline std::uint64_t line_of(const toml::node& node) {
  return node.source().begin.line;
}

/// The whole document.
inline expected<toml::table, InputProblem> parse_toml(std::istream& input) {
  std::string text;
  char buffer[65536];
  while (input.read(buffer, sizeof buffer) || input.gcount() > 0) {
    text.append(buffer, static_cast<std::size_t>(input.gcount()));
    if (text.size() > kMaxTomlOctets) {
      return unexpected<InputProblem>{
          {0, 0, "", fmt::format("TOML files may have at most {} octets", kMaxTomlOctets), true}};
    }
  }
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
    return unexpected<InputProblem>{{0, 0, "", "the file is empty", true}};
  }
  auto parsed = parse_toml_text(text);
  if (!parsed) {
    const TomlProblem& error = parsed.error();
    return unexpected<InputProblem>{{error.line, 0, fmt::format("{}", error.column),
                                     fmt::format("not valid TOML: {}", error.reason), true}};
  }
  return std::move(*parsed);
}

/// Gives one named value to the builder. What is wrong with it, or nothing.
inline std::optional<std::string> take_toml(RowBuilder& builder, std::string_view prefix,
                                            std::string_view name, const toml::node& value) {
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

}  // namespace syncline::rules
