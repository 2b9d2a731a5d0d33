// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// TOML for the readers here: the one header that includes the library, for two source files.
#define TOML_EXCEPTIONS 0
#include <fmt/format.h>
#include <toml++/toml.h>

#include <istream>
#include <optional>
#include <string>
#include <string_view>

#include "routing/rules/intake/row_builder.hpp"

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
  toml::parse_result parsed = toml::parse(std::string_view{text});
  if (!parsed) {
    const auto& error = parsed.error();
    return unexpected<InputProblem>{{error.source().begin.line, 0,
                                     fmt::format("{}", error.source().begin.column),
                                     fmt::format("not valid TOML: {}", error.description()), true}};
  }
  return std::move(parsed).table();
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
