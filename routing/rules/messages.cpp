// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/rules/messages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "routing/rules/translations.hpp"

namespace syncline::rules {
namespace {

constexpr std::array kLanguages{Language::en, Language::it, Language::ja, Language::pt};

std::string printed_pairs(const FieldValues& values) {
  std::string text;
  if (values.is_empty(Field::prof_type)) return text;
  for (const ProtocolPair& pair : allowed_pairs(values.word(Field::prof_type))) {
    if (!text.empty()) text += ", ";
    text += fmt::format("{}+{}", to_string(pair.incoming), to_string(pair.outgoing));
  }
  return text;
}

// Calls of_text for what stands between placeholders and of_name for each name.
template <class OfText, class OfName>
void walk(std::string_view text, OfText of_text, OfName of_name) {
  while (!text.empty()) {
    const auto open = text.find('{');
    const auto close = open == std::string_view::npos ? open : text.find('}', open);
    if (close == std::string_view::npos) break;
    of_text(text.substr(0, open));
    of_name(text.substr(open + 1, close - open - 1));
    text.remove_prefix(close + 1);
  }
  of_text(text);
}

}  // namespace

std::string_view to_string(Language language) noexcept {
  switch (language) {
    case Language::en:
      return "en";
    case Language::it:
      return "it";
    case Language::ja:
      return "ja";
    case Language::pt:
      return "pt";
  }
  return {};
}

std::optional<Language> language_from(std::string_view text) noexcept {
  const std::string_view code = text.substr(0, 2);
  if (text.size() > 2 && text[2] != '_' && text[2] != '-' && text[2] != '.' && text[2] != '@')
    return std::nullopt;
  for (const Language language : kLanguages) {
    if (text::equals_ignore_case(code, to_string(language))) return language;
  }
  return std::nullopt;
}

Language language_of_locale(std::string_view lc_all, std::string_view lc_messages,
                            std::string_view lang) noexcept {
  for (const std::string_view value : {lc_all, lc_messages, lang}) {
    if (!value.empty()) return language_from(value).value_or(Language::en);
  }
  return Language::en;
}

std::string_view translated(Language language, std::string_view english) noexcept {
  const auto table = translations(to_string(language));
  const auto found =
      std::lower_bound(table.begin(), table.end(), english,
                       [](const Translation& entry, std::string_view key) { return entry.english < key; });
  return found != table.end() && found->english == english ? found->text : english;
}

std::vector<std::string_view> placeholders(std::string_view text) {
  std::vector<std::string_view> names;
  walk(
      text, [](std::string_view) {}, [&](std::string_view name) { names.push_back(name); });
  return names;
}

std::string filled(std::string_view text, std::span<const Argument> arguments) {
  std::string result;
  walk(
      text, [&](std::string_view part) { result += part; },
      [&](std::string_view name) {
        const auto found = std::find_if(arguments.begin(), arguments.end(),
                                        [&](const Argument& a) { return a.name == name; });
        if (found != arguments.end()) {
          result += found->value;
        } else {
          result.append("{").append(name).append("}");
        }
      });
  return result;
}

std::string filled(std::string_view text, const FieldValues& values) {
  std::string result;
  walk(
      text, [&](std::string_view part) { result += part; },
      [&](std::string_view name) {
        if (name == "allowed_pairs") {
          result += printed_pairs(values);
        } else if (const auto field = field_from(name)) {
          result += values.printed(*field);
        } else {
          result.append("{").append(name).append("}");
        }
      });
  return result;
}

std::string message_of(const Rule& rule, const FieldValues& values, Language language) {
  return filled(translated(language, rule.message), values);
}

std::string remedy_of(const Rule& rule, const FieldValues& values, Language language) {
  return filled(translated(language, rule.remedy), values);
}

}  // namespace syncline::rules
