// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The words by which the values of an enumeration are known in files and output.
#include <optional>
#include <string_view>

namespace syncline::model {

template <class E>
struct EnumWord {
  E value;
  std::string_view word;
};

/// Specialised with `static constexpr EnumWord<E> all[]`, in the order in which people read them.
template <class E>
struct EnumWords;

template <class E>
concept Worded = requires {
  EnumWords<E>::all;
};

/// Empty for a value that is none.
template <Worded E>
constexpr std::string_view word_of(E value) noexcept {
  for (const auto& entry : EnumWords<E>::all) {
    if (entry.value == value) return entry.word;
  }
  return {};
}

template <Worded E>
constexpr std::optional<E> from_word(std::string_view word) noexcept {
  for (const auto& entry : EnumWords<E>::all) {
    if (entry.word == word) return entry.value;
  }
  return std::nullopt;
}

}  // namespace syncline::model
