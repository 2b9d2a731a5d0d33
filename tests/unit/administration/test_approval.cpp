// SPDX-License-Identifier: GPL-3.0-or-later
#include "organisation_fixture.hpp"
#include "service/organisation/person_roles.hpp"

namespace syncline::service {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ApprovalTest : public testing::OrganisationFixture {
 protected:
  const std::string m0 = "m0@contoso.example";
  model::Approval approval() { return stored().mailboxes.at(m0).approval; }
};

TEST_F(ApprovalTest, SaysWhoWhenAndWhy) {
  applied(testing::mail_host_file(1));
  ASSERT_FALSE(act(MailboxAct::approve, m0, {"vera", "ticket 4711"}, "system_admin").obstacle);
  EXPECT_EQ(approval().by, "vera");
  EXPECT_EQ(approval().at, clock.time);
  EXPECT_EQ(approval().reason, "ticket 4711");
  EXPECT_EQ(approval().role, "system_admin");
  EXPECT_THAT(audit(), Contains("vera mailbox.approve mailbox " + m0 + ": ticket 4711"));
}

TEST_F(ApprovalTest, OnceRolesAreHeldOnlyWhoHoldsOneDecides) {
  applied(testing::mail_host_file(1));
  ASSERT_EQ(grant_role(*organisation, "vera", "delegated_approver", {"admin", "ticket 1"}), true);
  EXPECT_EQ(grant_role(*organisation, "vera", "delegated_approver", {"admin"}), false);
  EXPECT_EQ(grant_role(*organisation, "vera", "king", {"admin"}).error().code, "bad-role");
  EXPECT_THAT(audit(), Contains("admin role.grant person vera: delegated_approver: ticket 1"));

  EXPECT_EQ(act(MailboxAct::approve, m0, {"otto"}).obstacle->code, "not-an-approver");
  EXPECT_EQ(act(MailboxAct::reject, m0, {"otto"}).obstacle->code, "not-an-approver");
  EXPECT_EQ(act(MailboxAct::approve, m0, {"vera"}, "global_admin").obstacle->code, "role-not-held");
  EXPECT_EQ(approval().status, model::ApprovalStatus::pending);
  ASSERT_FALSE(act(MailboxAct::approve, m0, {"vera"}).obstacle);
  EXPECT_EQ(approval().role, "delegated_approver") << "the one they hold";

  ASSERT_EQ(grant_role(*organisation, "vera", "system_admin", {"admin"}), true);
  ASSERT_EQ(grant_role(*organisation, "vera", "exchange_admin", {"admin"}), true);
  ASSERT_FALSE(act(MailboxAct::approve, m0, {"vera"}).obstacle);
  EXPECT_EQ(approval().role, "exchange_admin") << "the strongest";
  for (const std::string_view role : approver_roles)
    (void)revoke_role(*organisation, "vera", role, {"admin"});
  EXPECT_TRUE(
      looked<PersonRoles>([](store::Transaction& transaction) { return load_roles(transaction); }).empty());
}

TEST_F(ApprovalTest, OfARoleThatDoesNotCountOnExchangeOnlineIsNotWrittenDown) {
  applied(
      "[[profile]]\nname = \"Cloud\"\ntype = \"exchange_online\"\ntenant_id = \"t\"\nclient_id = \"c\"\n"
      "[[mailbox]]\naddress = \"m0@contoso.example\"\nprofile = \"Cloud\"\n");
  const MailboxActOutcome refused = act(MailboxAct::approve, m0, {"otto"}, "system_admin");
  ASSERT_TRUE(refused.obstacle);
  EXPECT_EQ(refused.obstacle->code, "approver-role");
  ASSERT_TRUE(refused.obstacle->judged);
  EXPECT_EQ(approval().status, model::ApprovalStatus::pending);
  EXPECT_FALSE(act(MailboxAct::approve, m0, {"otto"}, "exchange_admin").obstacle);
  EXPECT_EQ(approval().status, model::ApprovalStatus::approved);
}

TEST_F(ApprovalTest, IsSwitchedOffWithAWarningARecordAndAnAlertUntilItIsOnAgain) {
  applied(testing::mail_host_file(1));
  const std::string off = testing::mail_host_file(1, "require_user_approval = false\n");
  const ApplyOutcome preview = applied(off, true);
  ASSERT_EQ(preview.warnings.size(), 1U);
  EXPECT_THAT(preview.warnings[0], HasSubstr("users' mailboxes is switched off"));
  EXPECT_TRUE(alerts().empty());

  EXPECT_EQ(applied(off).warnings.size(), 1U);
  EXPECT_THAT(audit(), Contains("admin approval.off users: because"));
  ASSERT_EQ(alerts().size(), 1U);
  EXPECT_EQ(alerts()[0].code, "approval-off-users");
  EXPECT_THAT(alerts()[0].text, HasSubstr("because"));
  EXPECT_TRUE(applied(off).warnings.empty()) << "it is said when it happens";

  // Queues are another switch.
  EXPECT_EQ(
      applied(testing::mail_host_file(1, "require_user_approval = false\nrequire_queue_approval = false\n"))
          .warnings.size(),
      1U);
  EXPECT_THAT(audit(), Contains("admin approval.off queues: because"));
  applied(testing::mail_host_file(1));
  EXPECT_THAT(audit(), Contains("admin approval.on users: because"));
  EXPECT_TRUE(alerts().empty());
}

}  // namespace
}  // namespace syncline::service
