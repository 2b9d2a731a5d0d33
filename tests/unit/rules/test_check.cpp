// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/rules/check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "routing/rules/messages.hpp"
#include "rows.hpp"

namespace syncline::rules::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(Check, AcceptsARowOnWhichOnlyInfoRulesFire) {
  const Judgement judgement = judge(row_of("prof_type=exchange_online"));
  EXPECT_EQ(judgement.verdict, Verdict::accept);
  EXPECT_THAT(ids(judgement, Severity::info), ElementsAre("EWS-RETIRE-NOTICE"));
}

TEST(Check, RejectsWhenARejectingRuleFiresBesideWarnings) {
  const Judgement judgement =
      judge(row_of("prof_type=pop3_smtp prof_in_host=a.b prof_out_host=a.b req_act=sss"));
  EXPECT_EQ(judgement.verdict, Verdict::reject);
  EXPECT_THAT(ids(judgement, Severity::reject), ElementsAre("ACT-MAIL-ONLY-PROFILE"));
  EXPECT_THAT(ids(judgement, Severity::warn), ElementsAre("MAILSYS-UNTESTED", "FIPS-SERVER-UNKNOWN"));
}

TEST(Check, PutsRejectsBeforeWarningsBeforeInfosEachInCatalogueOrder) {
  const Judgement judgement = judge(row_of(
      "prof_type=imap_smtp prof_in_port=1 prof_out_port=0 req_purpose=bulk_marketing mbx_dup=on_contact"));
  EXPECT_THAT(ids(judgement, Severity::reject),
              ElementsAre("REQ-BULK-MARKETING", "PROFILE-LOCATION-MISSING", "PORT-RANGE"));
  EXPECT_EQ(judgement.findings.front().rule->id, "REQ-BULK-MARKETING");
  EXPECT_EQ(judgement.findings.back().rule->id, "PORT-NONSTANDARD");
  for (std::size_t i = 1; i < judgement.findings.size(); ++i) {
    EXPECT_LE(judgement.findings[i - 1].severity, judgement.findings[i].severity);
  }
}

TEST(Check, ResolvesStageRulesByTheStep) {
  EXPECT_EQ(judge(row_of("prof_type=gmail mbx_state=inactive")).verdict, Verdict::warn);
  const Judgement enabling = judge(row_of("stage=enable prof_type=gmail mbx_state=inactive"));
  EXPECT_EQ(enabling.verdict, Verdict::reject);
  EXPECT_THAT(ids(enabling, Severity::reject), ElementsAre("MBX-INACTIVE"));
}

TEST(Check, JudgesOnlyTheMailboxAndTheMissingProfileWithoutAProfile) {
  const Judgement judgement =
      judge(row_of("prof_type=none prof_state=inactive env_encryption_gateway=yes mbx_state=inactive"));
  EXPECT_THAT(ids(judgement, Severity::reject), ElementsAre("PROFILE-MISSING"));
  EXPECT_THAT(ids(judgement, Severity::warn), ElementsAre("MBX-INACTIVE"));
  EXPECT_TRUE(judgement.read.contains(Field::prof_type));
  EXPECT_FALSE(judgement.read.contains(Field::prof_state));
}

TEST(Check, ReportsARuleOnceEvenIfBothLegsFire) {
  const Judgement judgement = judge(row_of("prof_type=gmail prof_in_port=0 prof_out_port=0"));
  EXPECT_EQ(std::count_if(judgement.findings.begin(), judgement.findings.end(),
                          [](const Finding& finding) { return finding.rule->id == "PORT-RANGE"; }),
            1);
}

TEST(Check, AssumesOnlyFieldsThatWereNotGivenAndThatARuleHadToLookAt) {
  const Assignment exchange = row_of("prof_type=exchange_hybrid");
  const FieldSet of_exchange = assumed(judge(exchange), exchange);
  EXPECT_TRUE(of_exchange.contains(Field::mbx_mfa));
  EXPECT_FALSE(of_exchange.contains(Field::prof_type));
  EXPECT_FALSE(of_exchange.contains(Field::mbx_address));
  EXPECT_FALSE(of_exchange.contains(Field::mbx_exchange_version))
      << "it has no default: it is empty, not assumed";
  // Multi-factor authentication is asked of Exchange profiles only.
  const Assignment google = row_of("prof_type=gmail");
  EXPECT_FALSE(assumed(judge(google), google).contains(Field::mbx_mfa));
  // A hosted deployment requires FIPS whatever the switch says, so the switch is not looked at.
  EXPECT_FALSE(judge(google).read.contains(Field::env_fips));
  EXPECT_TRUE(judge(row_of("prof_type=gmail env_deployment=onprem")).read.contains(Field::env_fips));
}

TEST(Check, NamesTheFieldToChangeFirst) {
  const Assignment row = row_of("prof_type=exchange_hybrid prof_out_protocol=smtp");
  const Rule& rule = *find_rule("PROFILE-EXCHANGE-SMTP-MIX");
  EXPECT_THAT(fields_of(rule, row), ElementsAre(Field::prof_out_protocol, Field::prof_in_protocol));
  const Fix fix = fix_for(rule, row);
  EXPECT_THAT(fix.fields, ElementsAre(Field::prof_out_protocol));
  EXPECT_TRUE(fix.values.is(Field::prof_out_protocol, Word::ews));
}

TEST(Check, PointsAtTheLegThatIsWrong) {
  const Rule& rule = *find_rule("TLS-PLAINTEXT-CREDENTIALS");
  EXPECT_EQ(field_to_change(rule, row_of("prof_type=imap_smtp prof_out_tls=none")), Field::prof_out_tls);
  EXPECT_EQ(field_to_change(rule, row_of("prof_type=imap_smtp prof_in_tls=none")), Field::prof_in_tls);
}

TEST(Check, FixesAMixTowardsThePairThatTheTypeAllows) {
  const Rule& rule = *find_rule("PROFILE-EXCHANGE-SMTP-MIX");
  const Fix fix = fix_for(rule, row_of("prof_type=pop3_smtp prof_in_protocol=ews"));
  EXPECT_THAT(fix.fields, ElementsAre(Field::prof_in_protocol));
  EXPECT_TRUE(fix.values.is(Field::prof_in_protocol, Word::pop3));
}

TEST(Check, NamesTheAllowedPairsInTheMessageOfARefusedMix) {
  const Assignment row = row_of("prof_type=gmail prof_out_protocol=ews");
  const Judgement judgement = judge(row);
  ASSERT_THAT(ids(judgement, Severity::reject), Contains("PROFILE-IMAP-EXCHANGE-MIX"));
  EXPECT_THAT(message_of(*find_rule("PROFILE-IMAP-EXCHANGE-MIX"), row.values, Language::en),
              ::testing::HasSubstr("gmail allows pop3+smtp, imap+smtp"));
}

TEST(Check, GivesTheProofOfAcceptanceOnlyToRowsThatAreNotRejected) {
  EXPECT_FALSE(checked(row_of("prof_type=gmail req_act=sss")).has_value());
  const auto proof = checked(row_of("prof_type=gmail prof_min_poll=1"));
  ASSERT_TRUE(proof.has_value()) << "a warning does not take it away";
  EXPECT_EQ(proof->stage(), Word::assign);
  EXPECT_TRUE(proof->given(Field::prof_min_poll));
  EXPECT_FALSE(proof->given(Field::prof_max_conn));
}

}  // namespace
}  // namespace syncline::rules::testing
