// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Text laid out for a terminal of 80 columns: width of what is printed, wrapping, padding. East Asian wide
// characters take two columns and may be broken between.
#include <string>
#include <string_view>

namespace syncline::cli {

inline constexpr std::size_t kColumns = 80;

/// Columns that `text` takes.
std::size_t display_width(std::string_view text);
/// With spaces up to `width` columns; longer text stays whole.
std::string padded(std::string_view text, std::size_t width);
/// Appends `first` and then `text`, wrapped to 80 columns; later lines begin with as many spaces as `first`
/// is wide. Ends with a line feed.
void append_wrapped(std::string& out, std::string_view first, std::string_view text);

}  // namespace syncline::cli
