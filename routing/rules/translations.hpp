// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The table that po/compile.py makes from the .po files; for messages.cpp and its tests alone.
#include <span>
#include <string_view>

namespace syncline::rules {

struct Translation {
  std::string_view english;
  std::string_view text;
};
/// Sorted by `english`; empty if there is no file for `language` ("it", "ja", "pt").
std::span<const Translation> translations(std::string_view language) noexcept;

}  // namespace syncline::rules
