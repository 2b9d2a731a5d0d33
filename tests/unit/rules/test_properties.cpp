// SPDX-License-Identifier: GPL-3.0-or-later
// What must hold for every rule and any row. Rows are made up by a generator that is the same in every run.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "routing/rules/proposal.hpp"
#include "rows.hpp"

namespace syncline::rules::testing {
namespace {

using Random = std::mt19937;

std::size_t below(Random& random, std::size_t bound) {
  return random() % bound;
}

void make_up(FieldValues& values, Field field, Random& random) {
  const FieldInfo& about = info(field);
  static constexpr std::array<std::int64_t, 24> kNumbers{-1,  0,   1,   4,   5,   10,   11,    25,
                                                         26,  27,  28,  80,  100, 101,  110,   143,
                                                         443, 465, 587, 993, 995, 1440, 65535, 100001};
  static constexpr std::array<const char*, 8> kDays{"2020-10-13", "2022-05-29", "2024-09-16", "2025-06-02",
                                                    "2025-10-14", "2026-10-01", "2027-03-31", "2027-04-01"};
  static constexpr std::array<const char*, 6> kTexts{
      "ana@contoso.example", "https://mail.contoso.example/EWS", "x", "bob@gmail.com", "http://a.b", "a@b"};
  if (about.may_be_empty && below(random, 4) == 0) {
    values.clear(field);
    return;
  }
  switch (about.kind) {
    case FieldKind::word:
      values.set(field, about.domain[below(random, about.domain.size())]);
      break;
    case FieldKind::integer:
      values.set_number(field, kNumbers[below(random, kNumbers.size())]);
      break;
    case FieldKind::date:
      values.set_number(field, *parse_day(kDays[below(random, kDays.size())]));
      break;
    case FieldKind::text:
      values.set_text(field, kTexts[below(random, kTexts.size())]);
      break;
  }
}

// Near the firing row of one rule, with a few other fields made up: rows that are random throughout hardly
// ever get past the first condition.
Assignment made_up_row(Random& random) {
  const RuleRow& near = rule_rows()[below(random, rule_rows().size())];
  FieldValues given;
  given.set_text(Field::mbx_address, "ana@contoso.example");
  state(given, near.firing);
  for (std::size_t i = below(random, 8); i > 0; --i)
    make_up(given, all_fields()[below(random, kFieldCount)], random);
  return with_defaults(given, kToday);
}

TEST(Properties, ChangingAFieldThatAConditionDoesNotNameNeverChangesWhetherItFires) {
  Random random{20250602};
  std::size_t fired = 0;
  for (int round = 0; round < 60; ++round) {
    const Assignment row = made_up_row(random);
    for (const Field field : all_fields()) {
      FieldValues changed = row.values;
      make_up(changed, field, random);
      for (const Rule* rule : all_rules()) {
        if (std::find(rule->fields.begin(), rule->fields.end(), field) != rule->fields.end()) continue;
        const bool before = rule->condition.holds(row.values);
        fired += before ? 1 : 0;
        ASSERT_EQ(before, rule->condition.holds(changed)) << rule->id << " and " << name_of(field);
      }
    }
  }
  EXPECT_GT(fired, 1000U);
}

TEST(Properties, ChangingAFieldThatNoRuleLookedAtChangesNothing) {
  Random random{7};
  for (int round = 0; round < 60; ++round) {
    const Assignment row = made_up_row(random);
    const Judgement judgement = judge(row);
    for (const Field field : all_fields()) {
      if (judgement.read.contains(field)) continue;
      Assignment changed = row;
      make_up(changed.values, field, random);
      const Judgement again = judge(changed);
      ASSERT_EQ(judgement.verdict, again.verdict) << name_of(field);
      ASSERT_EQ(judgement.findings.size(), again.findings.size()) << name_of(field);
    }
  }
}

TEST(Properties, AFixRemovesItsFindingAndStaysInsideTheDomains) {
  Random random{42};
  std::map<std::string_view, std::size_t> fixed;
  const auto check = [&](const Assignment& row) {
    for (const Finding& finding : judge(row).findings) {
      const Fix fix = fix_for(*finding.rule, row);
      const Field first = field_to_change(*finding.rule, row);
      EXPECT_NE(std::find(finding.rule->fields.begin(), finding.rule->fields.end(), first),
                finding.rule->fields.end())
          << finding.rule->id;
      if (fix.fields.empty()) continue;
      ++fixed[finding.rule->id];
      EXPECT_EQ(fix.fields.front(), first) << finding.rule->id;
      for (const Field field : fix.fields) {
        ASSERT_FALSE(fix.values.is_empty(field)) << finding.rule->id;
        if (info(field).kind == FieldKind::word) {
          ASSERT_LT(fix.values.index(field), info(field).domain.size());
        }
      }
      ASSERT_FALSE(finding.rule->condition.holds(fix.values)) << finding.rule->id;
    }
  };
  for (const RuleRow& shown : rule_rows()) check(row_of(shown.firing));
  for (int round = 0; round < 1500; ++round) check(made_up_row(random));
  // Every rule that can be fixed was, at least once.
  for (const Rule* rule : all_rules()) {
    const bool can = std::any_of(rule->change.begin(), rule->change.end(),
                                 [](const Change& c) { return c.to.has_value(); });
    EXPECT_EQ(fixed.contains(rule->id), can) << rule->id;
  }
}

TEST(Properties, AFixTouchesChoicesOnly) {
  for (const Rule* rule : all_rules()) {
    for (const Change& change : rule->change) {
      if (!change.to) continue;
      const std::string_view name = name_of(change.field);
      const bool of_mailbox = name.starts_with("mbx_");
      EXPECT_TRUE(!of_mailbox || change.field == Field::mbx_state || change.field == Field::mbx_delete_after)
          << rule->id;
      EXPECT_NE(change.field, Field::req_privileges) << rule->id;
      EXPECT_NE(change.field, Field::prof_oauth_data) << rule->id;
    }
  }
}

TEST(Properties, TheOrderOfRowsDoesNotMatter) {
  Random random{3};
  std::vector<FieldValues> rows;
  for (int i = 0; i < 300; ++i) {
    FieldValues given;
    given.set_text(Field::mbx_address, "m" + std::to_string(below(random, 120)) + "@contoso.example");
    given.set_text(Field::prof_name, "p" + std::to_string(below(random, 4)));
    make_up(given, Field::mbx_kind, random);
    make_up(given, Field::req_act, random);
    given.set(Field::prof_type, Word::exchange_online);
    rows.push_back(given);
  }
  const auto judged = [](const std::vector<FieldValues>& in_order) {
    Proposal proposal;
    for (const FieldValues& given : in_order) proposal.add(with_defaults(given, kToday));
    proposal.close();
    std::map<std::string, std::multiset<std::string>> found;
    for (FieldValues given : in_order) {
      const std::string key = given.printed(Field::mbx_address) + given.printed(Field::prof_name) +
                              given.printed(Field::mbx_kind) + given.printed(Field::req_act);
      fill_from(proposal, given, kToday);
      const Judgement judgement = judge(with_defaults(given, kToday));
      std::string findings;
      for (const Finding& finding : judgement.findings) findings.append(finding.rule->id).append(" ");
      found[key].insert(findings);
    }
    return found;
  };
  const auto expected = judged(rows);
  for (int round = 0; round < 5; ++round) {
    std::shuffle(rows.begin(), rows.end(), random);
    EXPECT_EQ(judged(rows), expected);
  }
}

}  // namespace
}  // namespace syncline::rules::testing
