// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/rules/condition.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "routing/rules/catalogue.hpp"
#include "rows.hpp"

namespace syncline::rules::testing {
namespace {

using enum Field;
using enum Word;
using ::testing::ElementsAre;

TEST(Condition, NeverHoldsForAComparisonWithAnEmptyField) {
  FieldValues empty;
  for (const Condition& condition :
       {mbx_exchange_version == v2016, mbx_exchange_version != v2016,
        in(mbx_exchange_version, {v2016, v2019}), not_in(mbx_exchange_version, {v2016, v2019}),
        prof_in_port<1, prof_in_port <= 70000, prof_in_port> 0, prof_in_port >= 0,
        in_numbers(prof_in_port, {25}), not_in_numbers(prof_in_port, {25}),
        is_before(prof_process_from, env_as_of), is_before(env_as_of, prof_process_from),
        on_or_after(prof_process_from, "2020-01-01"), before(prof_process_from, "2020-01-01"),
        text_is(
            prof_in_host, [](std::string_view) { return true; }, "is anything"),
        is_set(prof_in_port)}) {
    EXPECT_FALSE(condition.holds(empty)) << condition.printed();
  }
  EXPECT_TRUE(is_empty(prof_in_port).holds(empty));
}

TEST(Condition, ComparesWithABoundOnBothSides) {
  FieldValues values;
  values.set_number(prof_min_poll, 5);
  EXPECT_TRUE((prof_min_poll <= 5).holds(values));
  EXPECT_TRUE((prof_min_poll >= 5).holds(values));
  EXPECT_FALSE((prof_min_poll < 5).holds(values));
  EXPECT_FALSE((prof_min_poll > 5).holds(values));
}

TEST(Condition, CountsDaysBackWithoutOverflow) {
  FieldValues values;
  values.set_number(env_as_of, *parse_day("9999-12-31"));
  values.set_number(prof_process_from, *parse_day("0001-01-01"));
  const Condition condition = is_further_back(prof_process_from, env_as_of, env_process_from_max_days);
  values.set_number(env_process_from_max_days, std::numeric_limits<std::int64_t>::max());
  EXPECT_FALSE(condition.holds(values));
  values.set_number(env_process_from_max_days, std::numeric_limits<std::int64_t>::min());
  EXPECT_TRUE(condition.holds(values));
}

TEST(Condition, NamesItsFieldsInOrderOfMentionThroughShorthand) {
  const Condition condition =
      named("short", mbx_kind == user && prof_type != gmail) && (prof_in_port > 3 || mbx_kind == queue);
  EXPECT_THAT(condition.fields(), ElementsAre(mbx_kind, prof_type, prof_in_port));
}

TEST(Condition, LooksAtFieldsFromLeftToRightUntilTheOutcomeIsCertain) {
  FieldValues values;
  values.set(mbx_kind, queue);
  values.set(prof_type, gmail);
  FieldSet read;
  EXPECT_FALSE((mbx_kind == user && prof_type == gmail).holds(values, read));
  EXPECT_TRUE(read.contains(mbx_kind));
  EXPECT_FALSE(read.contains(prof_type));
  read = {};
  EXPECT_TRUE((mbx_kind == queue || prof_type == gmail).holds(values, read));
  EXPECT_FALSE(read.contains(prof_type));
}

TEST(Condition, PrintsItselfAsTheCatalogueWritesIt) {
  EXPECT_EQ((prof_type == gmail && !(mbx_mfa == yes || prof_in_port > 3)).printed(),
            "prof_type = gmail ∧ ¬(mbx_mfa = yes ∨ prof_in_port > 3)");
  EXPECT_EQ(((prof_type == gmail || mbx_mfa == no) && not_in(mbx_kind, {queue, forward})).printed(),
            "(prof_type = gmail ∨ mbx_mfa = no) ∧ mbx_kind ∉ {queue, forward}");
  EXPECT_EQ(on_or_after(env_as_of, "2027-04-01").printed(), "env_as_of ≥ 2027-04-01");
  EXPECT_EQ(find_rule("GMAIL-OAUTH-USER-LIMIT")->condition.printed(),
            "gmail_mailbox ∧ (prof_auth_in = gmail_oauth ∨ prof_auth_out = gmail_oauth) ∧ prof_mailbox_count "
            "> 100");
}

TEST(Condition, RefusesAWordThatItsFieldDoesNotTake) {
  EXPECT_THROW(static_cast<void>(prof_type == ews), std::logic_error);
  EXPECT_THROW(static_cast<void>(prof_in_port == ews), std::logic_error);
  EXPECT_THROW(static_cast<void>(before(env_as_of, "2026-02-30")), std::logic_error);
}

}  // namespace
}  // namespace syncline::rules::testing
