// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Texts for people, in four languages. The English text is the key; codes, field names and values are never
// translated.
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "routing/rules/check.hpp"

namespace syncline::rules {

enum class Language : std::uint8_t { en, it, ja, pt };
std::string_view to_string(Language language) noexcept;
/// "it", "IT", "pt_BR.UTF-8": what `--lang` and the locale's variables hold. nullopt for other languages.
std::optional<Language> language_from(std::string_view text) noexcept;
/// From LC_ALL, LC_MESSAGES, LANG as given (first that is set decides); English for any other language.
Language language_of_locale(std::string_view lc_all, std::string_view lc_messages,
                            std::string_view lang) noexcept;

/// The translation, or `english` itself if there is none (English, or a text that nobody translated).
std::string_view translated(Language language, std::string_view english) noexcept;

/// Names in braces, in order: "{prof_type}" → "prof_type".
std::vector<std::string_view> placeholders(std::string_view text);
struct Argument {
  std::string_view name;
  std::string_view value;
};
/// `text` with each {name} replaced; a name that is not among `arguments` stays as it is.
std::string filled(std::string_view text, std::span<const Argument> arguments);
/// `text` with each {field} replaced by the row's value and {allowed_pairs} by the pairs of its profile type.
std::string filled(std::string_view text, const FieldValues& values);

std::string message_of(const Rule& rule, const FieldValues& values, Language language);
std::string remedy_of(const Rule& rule, const FieldValues& values, Language language);

}  // namespace syncline::rules
