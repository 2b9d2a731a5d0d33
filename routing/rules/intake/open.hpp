// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <istream>
#include <memory>
#include <optional>
#include <string_view>

#include "routing/rules/intake/row_reader.hpp"

namespace syncline::rules {

enum class InputFormat : std::uint8_t { csv, json, jsonl, toml };
/// "csv", "json", "jsonl", "toml".
std::optional<InputFormat> input_format_from(std::string_view name) noexcept;
/// By the ending of the file's name; nullopt if it says nothing.
std::optional<InputFormat> input_format_of_file(std::string_view file) noexcept;
/// By the first octet that is not white space: `[` array, `{` lines, otherwise CSV. Nothing is consumed but
/// white space.
InputFormat guess_input_format(std::istream& input);

/// `input` must outlive the reader.
std::unique_ptr<RowReader> open_rows(std::istream& input, InputFormat format);

}  // namespace syncline::rules
