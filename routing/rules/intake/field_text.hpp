// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// From the words of a file to values of fields: the one place that knows what a column may be called and
// hold.
#include <optional>
#include <string>
#include <string_view>

#include "routing/rules/intake/row_reader.hpp"

namespace syncline::rules {

/// What a column or key stands for.
struct ColumnMeaning {
  enum class Kind : std::uint8_t { field, id, ignored, unknown } kind = Kind::unknown;
  Field field{};
};
ColumnMeaning meaning_of(std::string_view name) noexcept;
/// "unknown field \"prof_typ\" (did you mean prof_type?)"
std::string unknown_field(std::string_view name);

/// Sets `field` from text; an empty text leaves it not given. What is wrong with the value, or nothing.
std::optional<std::string> set_from_text(FieldValues& values, Field field, std::string_view text);
std::optional<std::string> set_from_bool(FieldValues& values, Field field, bool value);
std::optional<std::string> set_from_int(FieldValues& values, Field field, std::int64_t value);
std::optional<std::string> set_from_double(FieldValues& values, Field field, double value);

/// Text of a file in a message: escaped, at most 60 octets, in quotes.
std::string quoted(std::string_view text);

}  // namespace syncline::rules
