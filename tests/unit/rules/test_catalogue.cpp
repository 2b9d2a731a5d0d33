// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "routing/rules/catalogue.hpp"
#include "rows.hpp"

namespace syncline::rules::testing {
namespace {

TEST(Catalogue, HasAllRulesOfEveryGroup) {
  std::map<char, std::size_t> sizes;
  for (const Group& group : groups()) sizes[group.letter] = group.rules.size();
  EXPECT_EQ(sizes, (std::map<char, std::size_t>{
                       {'A', 23}, {'B', 13}, {'C', 16}, {'D', 43}, {'E', 14}, {'F', 8}, {'G', 6}, {'H', 5}}));
  EXPECT_EQ(all_rules().size(), 128U);
}

TEST(Catalogue, GivesEveryRuleAnIdOfItsOwnAndTextsAndFields) {
  std::set<std::string_view> seen;
  for (const Rule* rule : all_rules()) {
    EXPECT_TRUE(seen.insert(rule->id).second) << rule->id;
    EXPECT_FALSE(rule->message.empty()) << rule->id;
    EXPECT_FALSE(rule->remedy.empty()) << rule->id;
    EXPECT_FALSE(rule->source.empty()) << rule->id;
    EXPECT_FALSE(rule->fields.empty()) << rule->id;
    EXPECT_FALSE(rule->change.empty()) << rule->id << " does not say what to change";
  }
}

TEST(Catalogue, PointsOnlyAtFieldsThatTheConditionNames) {
  for (const Rule* rule : all_rules()) {
    for (const Change& change : rule->change) {
      const bool named =
          std::find(rule->fields.begin(), rule->fields.end(), change.field) != rule->fields.end();
      // A new port brings the TLS mode that belongs to it.
      const bool follows = change.field == Field::prof_in_tls || change.field == Field::prof_out_tls;
      EXPECT_TRUE(named || follows) << rule->id << " " << name_of(change.field);
    }
  }
}

TEST(Catalogue, HasRowsThatShowEveryRule) {
  std::set<std::string> shown;
  for (const RuleRow& row : rule_rows()) shown.insert(row.rule);
  for (const Rule* rule : all_rules()) EXPECT_TRUE(shown.contains(std::string{rule->id})) << rule->id;
  EXPECT_EQ(shown.size(), all_rules().size());
}

TEST(Catalogue, FiresOnItsRowsAndFallsSilentWhenOneFieldDiffers) {
  for (const RuleRow& shown : rule_rows()) {
    const Rule* rule = find_rule(shown.rule);
    ASSERT_NE(rule, nullptr) << shown.rule;
    Assignment row = row_of(shown.firing);
    EXPECT_TRUE(fires(*rule, row)) << shown.rule << ": " << shown.firing;
    state(row.values, shown.differing);
    EXPECT_FALSE(fires(*rule, row)) << shown.rule << ": " << shown.firing << " but " << shown.differing;
  }
}

TEST(Catalogue, FindsARuleWhateverTheCaseOfItsId) {
  ASSERT_NE(find_rule("mbx-two-profiles"), nullptr);
  EXPECT_EQ(find_rule("mbx-two-profiles")->id, "MBX-TWO-PROFILES");
  EXPECT_EQ(find_rule("NO-SUCH-RULE"), nullptr);
  EXPECT_EQ(find_rule(""), nullptr);
}

TEST(Catalogue, AllowsOnlyPairsThatAProfileTypeHas) {
  EXPECT_EQ(allowed_pairs(Word::gmail).size(), 2U);
  EXPECT_EQ(allowed_pairs(Word::exchange_server).size(), 1U);
  EXPECT_TRUE(allowed_pairs(Word::none).empty());
}

}  // namespace
}  // namespace syncline::rules::testing
