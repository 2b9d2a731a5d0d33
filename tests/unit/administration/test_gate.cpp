// SPDX-License-Identifier: GPL-3.0-or-later
#include "organisation_fixture.hpp"
#include "service/mailbox_test/mailbox_tester.hpp"
#include "service/organisation/mailbox_gate.hpp"

namespace syncline::service {
namespace {

using ::testing::ElementsAre;

// Invariant 20: nobody but the gate makes one, and what may only be tested cannot be taken for enabled.
static_assert(!std::is_default_constructible_v<AdmittedMailbox>);
static_assert(!std::is_default_constructible_v<MailboxUnderTest>);
static_assert(!std::is_constructible_v<MailboxUnderTest, AdmittedMailbox>);
static_assert(!std::is_constructible_v<EnabledMailbox, AdmittedMailbox>);
static_assert(!std::is_constructible_v<EnabledMailbox, MailboxUnderTest>);
static_assert(!std::is_convertible_v<const MailboxUnderTest&, const EnabledMailbox&>);

class GateForTests : public testing::OrganisationFixture {
 protected:
  const std::string m0 = "m0@contoso.example";
  std::string obstacle() {
    const StoredOrganisation now = stored();
    const auto admitted = MailboxGate(now, organisation->today()).admit_for_test(m0);
    return admitted ? "" : admitted.error().code;
  }
};

TEST_F(GateForTests, Invariant20AMailboxUnderTestIsApprovedAndAcceptedThoughNotEnabled) {
  applied(testing::mail_host_file(1));
  EXPECT_EQ(obstacle(), "not-approved");
  act(MailboxAct::approve, m0);
  EXPECT_EQ(obstacle(), "rejected-by-rules") << "a secret is missing";
  ASSERT_TRUE(organisation->secrets().put("mailbox/" + m0 + "/password", Secret(std::string_view("x"))));
  EXPECT_EQ(obstacle(), "");
  EXPECT_FALSE(stored().mailboxes.at(m0).enabled);
  act(MailboxAct::reject, m0);
  EXPECT_EQ(obstacle(), "rejected-address");
}

TEST_F(GateForTests, TestsAreAskedForOnlyOfThoseThatMayBeTestedAndWaitInTheStore) {
  applied(testing::mail_host_file(2));
  ASSERT_TRUE(organisation->secrets().put("mailbox/" + m0 + "/password", Secret(std::string_view("x"))));
  act(MailboxAct::approve, m0);
  auto refused =
      request_tests(*organisation,
                    {.addresses = {m0, "M0@contoso.example", "m1@contoso.example", "nobody@contoso.example"},
                     .enable = true},
                    {"vera", "ticket 9"});
  ASSERT_TRUE(refused) << refused.error().describe();
  ASSERT_EQ(refused->size(), 2U);
  EXPECT_EQ((*refused)[0].code, "not-approved");
  EXPECT_EQ((*refused)[1].code, "no-mailbox");
  EXPECT_EQ(audit().back(), "vera mailbox.test-and-enable mailbox " + m0 + ": ticket 9");

  const auto tests = looked<std::vector<store::MailboxTestRow>>(
      [](store::Transaction& transaction) { return store::list_mailbox_tests(transaction); });
  ASSERT_EQ(tests.size(), 1U);
  EXPECT_EQ(tests[0].state, store::TestState::waiting);
  EXPECT_TRUE(tests[0].enable);
  // Taken by its own runner, once.
  const auto take = [&](std::string_view runner) {
    auto taken = organisation->store().write<std::optional<store::MailboxTestRow>>(
        [&](store::Transaction& transaction) { return store::take_due_mailbox_test(transaction, runner); });
    EXPECT_TRUE(taken);
    return taken && taken->has_value();
  };
  EXPECT_FALSE(take("process 1"));
  EXPECT_TRUE(take(background_tester));
  EXPECT_FALSE(take(background_tester));
  written([](store::Transaction& transaction) {
    return store::requeue_mailbox_tests(transaction, background_tester);
  });
  EXPECT_TRUE(take(background_tester)) << "what was at work when its process ended begins again";
  // With the mailbox goes its test.
  applied(testing::mail_host_file(0));
  EXPECT_TRUE(looked<std::vector<store::MailboxTestRow>>([](store::Transaction& transaction) {
                return store::list_mailbox_tests(transaction);
              }).empty());
}

}  // namespace
}  // namespace syncline::service
