// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/rules/messages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "routing/rules/report_texts.hpp"
#include "routing/rules/translations.hpp"
#include "rows.hpp"

namespace syncline::rules::testing {
namespace {

using ::testing::ElementsAre;

std::set<std::string_view> all_texts() {
  std::set<std::string_view> all{texts::kAll.begin(), texts::kAll.end()};
  for (const Group& group : groups()) all.insert(group.title);
  for (const Rule* rule : all_rules()) {
    all.insert(rule->message);
    all.insert(rule->remedy);
  }
  return all;
}

std::multiset<std::string_view> names(std::string_view text) {
  const auto found = placeholders(text);
  return {found.begin(), found.end()};
}

class Translations : public ::testing::TestWithParam<std::string_view> {};

TEST_P(Translations, LackNoMessageAndAgreeInTheirPlaceholders) {
  std::set<std::string_view> translated_texts;
  for (const Translation& entry : translations(GetParam())) {
    translated_texts.insert(entry.english);
    EXPECT_EQ(names(entry.english), names(entry.text)) << entry.english;
    EXPECT_FALSE(entry.text.empty()) << entry.english;
    // Rule ids and codes are read by programs: they stand in the translation as they are.
    EXPECT_EQ(entry.text.find("  "), std::string_view::npos) << entry.text;
  }
  for (const std::string_view text : all_texts())
    EXPECT_TRUE(translated_texts.contains(text)) << "lacks: " << text;
  for (const std::string_view text : translated_texts)
    EXPECT_TRUE(all_texts().contains(text)) << "stale: " << text;
}

INSTANTIATE_TEST_SUITE_P(EveryLanguage, Translations, ::testing::Values("it", "ja", "pt"));

TEST(Messages, AreFilledFromTheRow) {
  for (const Rule* rule : all_rules()) {
    for (const std::string_view name : placeholders(rule->message)) {
      const bool known = name == "allowed_pairs" || field_from(name).has_value();
      EXPECT_TRUE(known) << rule->id << " " << name;
    }
    EXPECT_TRUE(placeholders(rule->remedy).empty())
        << rule->id << ": the summary prints remedies without a row";
  }
  for (const RuleRow& shown : rule_rows()) {
    const Assignment row = row_of(shown.firing);
    for (const Language language : {Language::en, Language::it, Language::ja, Language::pt}) {
      const std::string message = message_of(*find_rule(shown.rule), row.values, language);
      EXPECT_EQ(message.find('{'), std::string::npos) << message;
      EXPECT_EQ(message.find('}'), std::string::npos) << message;
    }
  }
}

TEST(Messages, DifferByLanguage) {
  const Rule& rule = *find_rule("REQ-BULK-MARKETING");
  const FieldValues& values = row_of("").values;
  std::set<std::string> different;
  for (const Language language : {Language::en, Language::it, Language::ja, Language::pt}) {
    different.insert(message_of(rule, values, language));
  }
  EXPECT_EQ(different.size(), 4U);
}

TEST(Messages, KeepBracesThatAreNoPlaceholders) {
  const Argument arguments[] = {{"a", "1"}};
  EXPECT_EQ(filled("{a} {b} {", arguments), "1 {b} {");
  EXPECT_EQ(filled("", arguments), "");
  EXPECT_THAT(placeholders("x {one} y {two}"), ElementsAre("one", "two"));
}

TEST(Language, ComesFromTheOptionOrTheLocale) {
  EXPECT_EQ(language_from("pt"), Language::pt);
  EXPECT_EQ(language_from("pt_BR.UTF-8"), Language::pt);
  EXPECT_EQ(language_from("IT"), Language::it);
  EXPECT_EQ(language_from("de"), std::nullopt);
  EXPECT_EQ(language_from("italian"), std::nullopt);
  EXPECT_EQ(language_from(""), std::nullopt);
  EXPECT_EQ(language_of_locale("", "", "ja_JP.UTF-8"), Language::ja);
  EXPECT_EQ(language_of_locale("it_IT", "", "ja_JP.UTF-8"), Language::it);
  EXPECT_EQ(language_of_locale("C", "", "ja_JP.UTF-8"), Language::en) << "LC_ALL decides, also for English";
  EXPECT_EQ(language_of_locale("", "", ""), Language::en);
}

}  // namespace
}  // namespace syncline::rules::testing
