// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/rules/words.hpp"

#include <array>

namespace syncline::rules {
namespace {

constexpr auto kTexts = std::to_array<std::string_view>({
#define SYNCLINE_WORD(identifier, text) text,
    SYNCLINE_RULE_WORDS(SYNCLINE_WORD)
#undef SYNCLINE_WORD
});

}  // namespace

std::string_view to_string(Word word) noexcept {
  return kTexts[static_cast<std::size_t>(word)];
}

std::optional<Word> word_from(std::string_view text) noexcept {
  for (std::size_t i = 0; i < kTexts.size(); ++i) {
    if (kTexts[i] == text) return static_cast<Word>(i);
  }
  return std::nullopt;
}

}  // namespace syncline::rules
