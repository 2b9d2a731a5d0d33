// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// toml++, the same in every file that uses it. Its parser takes some malformed texts ("[[[", "x = [}") for
// impossible and asserts, which without assertions is undefined behaviour: here an assertion is an exception
// that parse_toml_text turns into an error.
#include <algorithm>
#include <cassert>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace syncline::rules {
struct TomlAssertion {};
}  // namespace syncline::rules

#define TOML_EXCEPTIONS 0
#define TOML_ASSERT(expression) \
  (static_cast<bool>(expression) ? static_cast<void>(0) : throw ::syncline::rules::TomlAssertion{})
#ifdef NDEBUG
#define SYNCLINE_NDEBUG_WAS_DEFINED
#undef NDEBUG
#endif
// In functions that are noexcept an assertion ends the program all the same: those are about our own calls.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wterminate"
#elif defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wexceptions"
#endif
#include <toml++/toml.h>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#elif defined(__clang__)
#pragma clang diagnostic pop
#endif
#ifdef SYNCLINE_NDEBUG_WAS_DEFINED
#undef SYNCLINE_NDEBUG_WAS_DEFINED
#define NDEBUG
#endif

#include "base/expected.hpp"

namespace syncline::rules {

struct TomlProblem {
  std::uint64_t line = 0;  ///< 0: not known
  std::uint64_t column = 0;
  std::string reason;
};

namespace toml_detail {
/// nullopt: an assertion.
inline std::optional<toml::parse_result> try_parse(std::string_view text) {
  try {
    return toml::parse(text);
  } catch (const TomlAssertion&) {
    return std::nullopt;
  }
}
}  // namespace toml_detail

/// The library goes as deep as a dotted key is long, whatever its limit on nested values: "a.a.a…".
inline std::optional<std::uint64_t> line_of_long_key(std::string_view text) {
  constexpr unsigned most_dots = 128;
  std::uint64_t line = 1;
  unsigned dots = 0;
  for (const char c : text) {
    if (c == '\n') ++line;
    if (std::string_view("=,{}[]#\n").find(c) != std::string_view::npos) dots = 0;
    if (c == '.' && ++dots > most_dots) return line;
  }
  return std::nullopt;
}

inline expected<toml::table, TomlProblem> parse_toml_text(std::string_view text) {
  if (const auto line = line_of_long_key(text))
    return unexpected<TomlProblem>({*line, 1, "more than 128 dots in one key or value"});
  if (auto parsed = toml_detail::try_parse(text)) {
    if (*parsed) return std::move(*parsed).table();
    const auto& error = parsed->error();
    return unexpected<TomlProblem>(
        {error.source().begin.line, error.source().begin.column, std::string(error.description())});
  }
  // An assertion does not say where. The parser goes from front to back: the shortest beginning of the text
  // that it stumbles over ends at the place.
  std::size_t good = 0;
  std::size_t bad = text.size();
  while (good + 1 < bad) {
    const std::size_t middle = good + (bad - good) / 2;
    (toml_detail::try_parse(text.substr(0, middle)) ? good : bad) = middle;
  }
  const std::string_view before = text.substr(0, good);
  const auto line = static_cast<std::uint64_t>(std::count(before.begin(), before.end(), '\n')) + 1;
  const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
  return unexpected<TomlProblem>({line, good - line_begin + 1, "this character does not belong here"});
}

}  // namespace syncline::rules
