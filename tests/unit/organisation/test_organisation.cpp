// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/organisation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "service/organisation/apply.hpp"
#include "service/organisation/apply_file.hpp"
#include "service/organisation/damaged_secret.hpp"
#include "service/organisation/mailbox_administration.hpp"
#include "service/organisation/mailbox_gate.hpp"
#include "service/organisation/outbound_backlog.hpp"
#include "store/cursors.hpp"
#include "store/journal.hpp"
#include "store/operations.hpp"
#include "store/records.hpp"
#include "sync/plan/outbound.hpp"
#include "sync/plan/outbound_mark.hpp"

namespace syncline::service {
namespace {

namespace fs = std::filesystem;

// Invariant 20: nobody but the gate makes one.
static_assert(!std::is_default_constructible_v<EnabledMailbox>);
static_assert(
    !std::is_constructible_v<EnabledMailbox, store::MailboxId, model::Mailbox, model::Profile,
                             model::Policies, model::Approval, rules::CheckedAssignment, router::Route>);

class FixedClock final : public Clock {
 public:
  SystemTime time = std::chrono::sys_days{std::chrono::year{2026} / 11 / 22};
  SystemTime now() const override { return time; }
  SteadyTime steady_now() const override { return SteadyTime{}; }
};

/// Lets `left` durable writes pass, and stops before or after the next.
class StoppingWrites final : public store::DurableWrites {
 public:
  int left = -1;
  bool after_write = false;
  Result<void> before(std::string_view) override { return after_write ? Result<void>{} : count(); }
  Result<void> after(std::string_view) override { return after_write ? count() : Result<void>{}; }

 private:
  Result<void> count() {
    if (left == 0) return fail(ErrorDomain::local, "killed", "The process was killed");
    if (left > 0) --left;
    return {};
  }
};

const char* const config = R"(
[[profile]]
name = "Basement"
type = "exchange_hybrid"
in_host = "https://mail.contoso.example/EWS/Exchange.asmx"
out_host = "https://mail.contoso.example/EWS/Exchange.asmx"
autodiscover = false
user_name = "service@contoso.example"
[[mailbox]]
address = "ana@contoso.example"
profile = "Basement"
exchange_version = "2019"
[[mailbox]]
address = "bruno@contoso.example"
profile = "Basement"
exchange_version = "2019"
)";

class OrganisationTest : public testing::Test {
 protected:
  void SetUp() override {
    OrganisationOptions options;
    options.folder = (folder / "contoso").string();
    options.key = (folder / "key").string();
    options.durable_writes = &writes;
    fs::create_directories(folder);
    auto created = Organisation::create(options, "Contoso", clock, random);
    ASSERT_TRUE(created) << created.error().describe();
    organisation = std::move(created->organisation);
  }
  void TearDown() override {
    organisation.reset();
    fs::remove_all(folder);
  }
  Configuration wanted(const std::string& text = config) {
    std::istringstream input(text);
    auto read = read_apply_file(input);
    EXPECT_TRUE(read);
    return read ? *read : Configuration{};
  }
  ApplyOutcome applied(const std::string& text = config) {
    auto outcome = apply(*organisation, wanted(text), false, {"test"});
    EXPECT_TRUE(outcome) << outcome.error().describe();
    return outcome ? std::move(*outcome) : ApplyOutcome{};
  }
  void act(MailboxAct which, const std::string& address) {
    auto outcomes = administer(*organisation, which, {address}, {"test"});
    ASSERT_TRUE(outcomes) << outcomes.error().describe();
    ASSERT_FALSE(outcomes->front().obstacle) << outcomes->front().obstacle->message;
  }
  std::string obstacle(const std::string& address) {
    auto mailboxes = enabled_mailboxes(*organisation, {address});
    EXPECT_TRUE(mailboxes);
    return mailboxes->not_ready.empty() ? "" : mailboxes->not_ready.front().code;
  }

  fs::path folder = fs::path(testing::TempDir()) / ("organisation-" + system_random().uuid());
  FixedClock clock;
  SeededRandom random{20};
  StoppingWrites writes;
  std::unique_ptr<Organisation> organisation;
};

TEST_F(OrganisationTest, Invariant20OnlyApprovedEnabledAcceptedMailboxesPassTheGate) {
  ASSERT_TRUE(applied().applied);
  const std::string ana = "ana@contoso.example";
  EXPECT_EQ(obstacle("nobody@contoso.example"), "no-mailbox");
  EXPECT_EQ(obstacle(ana), "not-enabled");
  auto refused = administer(*organisation, MailboxAct::enable, {ana}, {"test"});
  EXPECT_EQ(refused->front().obstacle->code, "not-approved");
  act(MailboxAct::approve, ana);
  refused = administer(*organisation, MailboxAct::enable, {ana}, {"test"});
  EXPECT_EQ(refused->front().obstacle->code, "rejected-by-rules");
  ASSERT_TRUE(organisation->secrets().put("profile/Basement/password", Secret(std::string_view("x"))));
  act(MailboxAct::enable, ana);
  EXPECT_EQ(obstacle(ana), "");
  auto mailboxes = enabled_mailboxes(*organisation);
  ASSERT_EQ(mailboxes->ready.size(), 1U);
  const EnabledMailbox& mailbox = mailboxes->ready.front();
  EXPECT_EQ(mailbox.address(), ana);
  EXPECT_EQ(mailbox.profile().name, "Basement");
  EXPECT_EQ(mailbox.assignment().stage(), rules::Word::enable);
  ASSERT_TRUE(mailbox.route().act);
  EXPECT_EQ(mailbox.route().act->location, "https://mail.contoso.example/EWS/Exchange.asmx");
  EXPECT_TRUE(mailbox.route().act->impersonation);
  // What was admitted once is asked again: approval withdrawn, a secret gone.
  act(MailboxAct::reject, ana);
  EXPECT_EQ(obstacle(ana), "not-enabled");
  act(MailboxAct::approve, ana);
  act(MailboxAct::enable, ana);
  auto gone = organisation->store().write<void>([](store::Transaction& transaction) {
    SealedRows rows(transaction);
    return vault::remove_secret(rows, {{"profile", "Basement"}, "password"});
  });
  ASSERT_TRUE(gone);
  EXPECT_EQ(obstacle(ana), "rejected-by-rules");
}

TEST_F(OrganisationTest, AnApplyThatIsKilledLeavesAllOrNothing) {
  applied();
  const std::string before = write_apply_file(organisation->load()->configuration);
  const std::string next = std::string(config) +
                           "[[mailbox]]\naddress = \"carla@contoso.example\"\nprofile = "
                           "\"Basement\"\nexchange_version = \"2019\"\n[policy.mail]\ntrack = \"all\"\n";
  writes.left = 0;
  EXPECT_EQ(apply(*organisation, wanted(next), false, {"test"}).error().code, "killed");
  writes.left = -1;
  EXPECT_EQ(write_apply_file(organisation->load()->configuration), before);
  writes.left = 0;
  writes.after_write = true;
  EXPECT_EQ(apply(*organisation, wanted(next), false, {"test"}).error().code, "killed");
  writes.left = -1;
  EXPECT_EQ(organisation->load()->configuration.mailboxes.size(), 3U);
  EXPECT_TRUE(applied(next).changes.empty());
}

TEST_F(OrganisationTest, ARejectedAssignmentKeepsEverythingAsItWas) {
  applied();
  const std::string before = write_apply_file(organisation->load()->configuration);
  auto outcome =
      applied(std::string(config) +
              "[[profile]]\nname = \"G\"\ntype = \"gmail\"\nclient_id = \"x\"\n[[mailbox]]\naddress = "
              "\"c@gmail.com\"\nprofile = \"G\"\nact = \"sss\"\n");
  EXPECT_FALSE(outcome.applied);
  ASSERT_EQ(outcome.refusals.size(), 1U);
  EXPECT_EQ(outcome.refusals[0].address, "c@gmail.com");
  EXPECT_EQ(write_apply_file(organisation->load()->configuration), before);
}

TEST_F(OrganisationTest, ApprovalsAndTheEnginesStateOutliveAnApply) {
  applied();
  act(MailboxAct::approve, "ana@contoso.example");
  const auto id = organisation->load()->mailboxes.at("ana@contoso.example").id;
  ASSERT_TRUE(organisation->store().write<void>(
      [&](store::Transaction& t) { return store::put_mailbox_state(t, id, R"({"lag":3})"); }));
  ASSERT_TRUE(
      applied(std::string(config) + "folders = [\"Sent to CRM\"]\n" + "[policy.mail]\ntrack = \"all\"\n")
          .applied);
  ASSERT_TRUE(applied(std::string(config).replace(std::string(config).find("2019"), 4, "2016")).applied);
  const auto stored = organisation->load();
  EXPECT_EQ(stored->mailboxes.at("ana@contoso.example").approval.status, model::ApprovalStatus::approved);
  EXPECT_EQ(stored->mailboxes.at("ana@contoso.example").id, id);
  EXPECT_EQ(stored->mailboxes.at("ana@contoso.example").state, R"({"lag":3})");
}

TEST_F(OrganisationTest, SecretsOutliveTheProcessAndTheRotationOfTheKey) {
  applied();
  auth::SecretStore& secrets = organisation->secrets();
  ASSERT_TRUE(secrets.put("mailbox/ana@contoso.example/token", Secret(std::string_view("refresh"))));
  EXPECT_FALSE(secrets.get("mailbox/bruno@contoso.example/token").value());
  EXPECT_EQ(secrets.get("no-such-shape").error().code, "bad-secret-name");
  const auto read_anew = [&]() -> std::string {
    OrganisationOptions options;
    options.folder = organisation->store().folder();
    options.key = (folder / "key").string();
    auto again = Organisation::open(options, clock, random);
    if (!again) return again.error().code;
    auto secret = (*again)->secrets().get("mailbox/ana@contoso.example/token");
    return secret ? std::string((*secret)->reveal()) : secret.error().code;
  };
  EXPECT_EQ(read_anew(), "refresh");
  // Killed before the data keys are wrapped anew, then run again.
  writes.left = 0;
  EXPECT_EQ(rotate_master_key(*organisation).error().code, "killed");
  writes.left = -1;
  EXPECT_EQ(read_anew(), "refresh");
  EXPECT_EQ(rotate_master_key(*organisation).value(), 1U);
  EXPECT_EQ(read_anew(), "refresh");
}

TEST_F(OrganisationTest, ADamagedSecretKeepsTheOldKeyUntilItIsSetAgain) {
  applied();
  const std::string ana = "mailbox/ana@contoso.example/token", bruno = "mailbox/bruno@contoso.example/token";
  auth::SecretStore& secrets = organisation->secrets();
  for (const std::string& name : {ana, bruno})
    ASSERT_TRUE(secrets.put(name, Secret(std::string_view("refresh"))));
  auto good = organisation->store().write<std::string>([](store::Transaction& t) -> Result<std::string> {
    auto row = store::find_sealed(t, "key/mailbox/ana@contoso.example");
    if (!row) return fail(std::move(row.error()));
    if (auto put = store::put_sealed(t, "key/mailbox/ana@contoso.example", "cut"); !put)
      return fail(std::move(put.error()));
    return **row;
  });
  ASSERT_TRUE(good);
  const auto opened = [&](const std::string& name) -> std::string {
    OrganisationOptions options;
    options.folder = organisation->store().folder();
    options.key = (folder / "key").string();
    auto again = Organisation::open(options, clock, random);
    if (!again) return again.error().code;
    auto secret = (*again)->secrets().get(name);
    return secret ? std::string((*secret)->reveal()) : secret.error().code;
  };
  EXPECT_EQ(rotate_master_key(*organisation).value(), 1U);
  EXPECT_EQ(damaged_accounts(*organisation).value(),
            (std::vector<vault::Account>{{"mailbox", "ana@contoso.example"}}));
  EXPECT_EQ(opened(bruno), "refresh");
  EXPECT_EQ(opened(ana), "secret-damaged");
  // The row comes back from a backup: the key it was sealed with is still there.
  ASSERT_TRUE(organisation->store().write<void>(
      [&](store::Transaction& t) { return store::put_sealed(t, "key/mailbox/ana@contoso.example", *good); }));
  EXPECT_EQ(opened(ana), "refresh");
  EXPECT_EQ(rotate_master_key(*organisation).value(), 1U);
  EXPECT_TRUE(damaged_accounts(*organisation)->empty());
  auto keys = vault::read_keys(organisation->key_place());
  ASSERT_TRUE(keys);
  EXPECT_FALSE(keys->previous);
  for (const std::string& name : {ana, bruno}) EXPECT_EQ(opened(name), "refresh");
}

TEST_F(OrganisationTest, MailboxesWithoutAProfileFollowTheDefaultOne) {
  const std::string text =
      std::string(config) + "[[mailbox]]\naddress = \"d@contoso.example\"\nexchange_version = \"2019\"\n";
  const ApplyOutcome without = applied(text);
  EXPECT_FALSE(without.applied);
  ASSERT_EQ(without.refusals.size(), 1U);
  EXPECT_EQ(without.refusals[0].address, "d@contoso.example");
  std::string with_default = text;
  with_default.insert(with_default.find("autodiscover"), "is_default = true\n");
  ASSERT_TRUE(applied(with_default).applied);
  auto row = organisation->store().read<std::optional<store::MailboxRow>>(
      [](store::Transaction& t) { return store::find_mailbox(t, "d@contoso.example"); });
  EXPECT_EQ((*row)->profile, organisation->load()->profiles.at("Basement"));
}

TEST_F(OrganisationTest, ExchangeIsSignedInToOnceSoNoOutgoingSecretIsAskedFor) {
  std::string text = config;
  text.insert(text.find("user_name"),
              "auth_out = \"profile_credentials\"\nout_user_name = \"service@contoso.example\"\n");
  ASSERT_TRUE(applied(text).applied);
  ASSERT_TRUE(organisation->secrets().put("profile/Basement/password", Secret(std::string_view("x"))));
  act(MailboxAct::approve, "ana@contoso.example");
  act(MailboxAct::enable, "ana@contoso.example");
  EXPECT_EQ(obstacle("ana@contoso.example"), "");
  // Nor by another way than a file.
  const auto contradicting = apply(*organisation,
                                   [](const Configuration& present) -> Result<Configuration> {
                                     Configuration wanted = present;
                                     wanted.profiles[0].same_settings_for_outgoing = false;
                                     return wanted;
                                   },
                                   false, {"test"});
  ASSERT_FALSE(contradicting);
  EXPECT_EQ(contradicting.error().code, "bad-value");
}

TEST_F(OrganisationTest, WhatASettingDoesNotDoIsSaid) {
  EXPECT_THAT(applied().warnings, testing::IsEmpty());
  std::string text = config;
  text.insert(text.find("user_name"), "move_undelivered = true\n");
  const ApplyOutcome outcome = applied(text);
  EXPECT_TRUE(outcome.applied);
  EXPECT_THAT(outcome.warnings, testing::ElementsAre(testing::HasSubstr("move_undelivered")));
}

TEST_F(OrganisationTest, Invariant19FiltersAreCountedBeforeTheyAreSwitchedOn) {
  applied();
  const auto people = [](const char* address) {
    return boost::json::array{boost::json::object{{"mailbox", {{"emailAddress", address}}}}};
  };
  ASSERT_TRUE(organisation->store().write<void>([&](store::Transaction& t) -> Result<void> {
    const auto add = [&](model::RecordKind kind, const std::string& owner, model::Fields fields) {
      EXPECT_TRUE(store::insert_record(t, {.kind = kind, .owner = owner, .fields = std::move(fields)}));
    };
    // More than a batch.
    for (int i = 0; i < 1005; ++i) add(model::RecordKind::contact, "Ana@contoso.example", {{"surname", "x"}});
    add(model::RecordKind::contact, "bruno@contoso.example", {{"surname", "y"}, {"jobTitle", "Cook"}});
    add(model::RecordKind::appointment, "", {{"requiredAttendees", people("BRUNO@contoso.example")}});
    add(model::RecordKind::task, "ana@contoso.example", {});
    return {};
  }));
  using Counts = std::vector<OutboundCount>;
  const auto counts = [](const Result<ApplyOutcome>& outcome) {
    return outcome ? outcome->outbound : Counts{};
  };
  const std::string ana = "ana@contoso.example";
  const std::string bruno = "bruno@contoso.example";
  using enum model::RecordKind;

  const std::string owners =
      std::string(config) +
      "[policy.sync]\nsend_contacts = [\"owner\"]\nsend_appointments = [\"attendee\"]\n";
  const Counts expected = {
      {ana, appointment, 0, 0}, {ana, contact, 0, 1005}, {bruno, appointment, 0, 1}, {bruno, contact, 0, 1}};
  EXPECT_EQ(counts(apply(*organisation, wanted(owners), true, {"test"})), expected);
  EXPECT_EQ(applied(owners).outbound, expected);
  EXPECT_EQ(applied(owners).outbound, Counts{}) << "nothing changes";
  // For one mailbox alone, and an expression, which is the same for everybody.
  const std::string cooks = std::string(owners) +
                            "[[mailbox]]\naddress = \"carla@contoso.example\"\nprofile = \"Basement\"\n"
                            "exchange_version = \"2019\"\npolicy.sync.send_appointments = []\n"
                            "policy.sync.send_contacts = [{ expression = 'jobTitle = \"Cook\"' }]\n";
  EXPECT_EQ(applied(cooks).outbound, (Counts{{"carla@contoso.example", contact, 0, 1}}));
  EXPECT_EQ(applied().outbound, (Counts{{ana, appointment, 0, 0},
                                        {ana, contact, 1005, 0},
                                        {bruno, appointment, 1, 0},
                                        {bruno, contact, 1, 0}}));
}

TEST_F(OrganisationTest, WhatIsNewToAMailboxIsCountedAsItsRunWillFindIt) {
  applied();
  using enum model::RecordKind;
  const std::string ana = "ana@contoso.example", bruno = "bruno@contoso.example";
  const auto stored = organisation->load();
  const store::MailboxId of_ana = stored->mailboxes.at(ana).id, of_bruno = stored->mailboxes.at(bruno).id;
  model::SyncPolicy owners, everybody;
  owners.send_contacts = owners.send_appointments = {{.kind = model::OutboundFilter::Kind::owner}};
  everybody.send_contacts = {{.kind = model::OutboundFilter::Kind::expression, .expression = "surname"}};
  std::vector<OutboundMailbox> mailboxes = {{of_ana, ana, owners}, {of_bruno, bruno, everybody}};
  const auto add = [&](model::RecordKind kind, const std::string& owner, model::Fields fields) {
    auto added = organisation->store().write<model::Record>([&](store::Transaction& t) {
      return store::insert_record(t, {.kind = kind, .owner = owner, .fields = std::move(fields)});
    });
    EXPECT_TRUE(added);
    return added ? added->id : 0;
  };
  const auto waiting = [&](store::MailboxId id, int most = most_changes_looked_at) {
    auto counts = organisation->store().read<std::map<store::MailboxId, std::optional<std::int64_t>>>(
        [&](store::Transaction& t) { return count_new_outbound(t, mailboxes, most); });
    EXPECT_TRUE(counts) << counts.error().describe();
    return counts ? counts->at(id) : std::nullopt;
  };
  const auto looked = [&](store::MailboxId id, const model::SyncPolicy& policy) {
    ASSERT_TRUE(organisation->store().write<void>([&](store::Transaction& t) -> Result<void> {
      auto last = store::last_change(t);
      auto rules = sync::plan::OutboundRules::make(policy);
      for (const model::RecordKind kind : {contact, appointment})
        if (auto put = store::put_cursor(t, {.mailbox = id,
                                             .folder = sync::plan::outbound_mark(kind),
                                             .text = std::to_string(*last),
                                             .notes = rules->version_of(kind)});
            !put)
          return put;
      return {};
    }));
  };
  EXPECT_EQ(waiting(of_ana), 0);
  const auto first = add(contact, ana, {{"surname", "x"}});
  add(contact, bruno, {{"surname", "y"}});
  add(task, ana, {});
  EXPECT_EQ(waiting(of_ana), 1);
  EXPECT_EQ(waiting(of_bruno), 2);
  // What it has, or has had, is not new to it; nor what an operation makes there now.
  ASSERT_TRUE(organisation->store().write<store::Link>([&](store::Transaction& t) {
    return store::insert_link(t, {.record = first,
                                  .mailbox = of_bruno,
                                  .kind = contact,
                                  .folder = "c",
                                  .remote_id = "1",
                                  .state = store::LinkState::unlinked});
  }));
  EXPECT_EQ(waiting(of_bruno), 1);
  ASSERT_TRUE(organisation->store().write<void>([&](store::Transaction& t) {
    return store::insert_operation(t, {.id = "o", .mailbox = of_ana, .record = first, .what = "create"});
  }));
  EXPECT_EQ(waiting(of_ana), 0);
  // A meeting stands in the organiser's mailbox alone.
  add(appointment, ana,
      {{"organizer", {{"emailAddress", bruno}}},
       {"requiredAttendees", boost::json::array{boost::json::object{{"mailbox", {{"emailAddress", ana}}}}}}});
  EXPECT_EQ(waiting(of_ana), 0);
  add(appointment, ana, {{"subject", "alone"}});
  EXPECT_EQ(waiting(of_ana), 1);
  // What the run has looked at is not looked at again, unless the filters are others.
  looked(of_ana, owners);
  looked(of_bruno, everybody);
  EXPECT_EQ(waiting(of_ana), 0);
  EXPECT_EQ(waiting(of_bruno), 0);
  add(contact, ana, {{"surname", "z"}});
  EXPECT_EQ(waiting(of_ana), 1);
  EXPECT_EQ(waiting(of_bruno), 1);
  mailboxes[1].policy = owners;
  EXPECT_EQ(waiting(of_bruno), 1) << "of all records";
  // Who is far behind is not counted, and costs the others nothing.
  EXPECT_EQ(waiting(of_bruno, 2), std::nullopt);
  EXPECT_EQ(waiting(of_ana, 2), 1);
  EXPECT_EQ(waiting(of_ana, 0), std::nullopt);
}

TEST_F(OrganisationTest, WhoseMailIsWhoseTheEnabledMailboxesTell) {
  applied();
  const auto owner = [&](const std::string& address) {
    auto found = organisation->store().read<std::optional<std::string>>(
        [&](store::Transaction& t) { return enabled_mailbox_owner(t, address); });
    EXPECT_TRUE(found) << found.error().describe();
    return found && *found ? **found : "nobody";
  };
  EXPECT_EQ(owner("ana@contoso.example"), "nobody") << "not enabled";
  ASSERT_TRUE(organisation->secrets().put("profile/Basement/password", Secret(std::string_view("x"))));
  act(MailboxAct::approve, "ana@contoso.example");
  act(MailboxAct::enable, "ana@contoso.example");
  EXPECT_EQ(owner("Ana@Contoso.example"), "ana@contoso.example");
  EXPECT_EQ(owner("bruno@contoso.example"), "nobody");
  EXPECT_EQ(owner("stranger@example.org"), "nobody");
}

TEST_F(OrganisationTest, EveryActIsAudited) {
  applied();
  act(MailboxAct::approve, "ana@contoso.example");
  auto entries = organisation->store().read<std::vector<store::AuditEntry>>(
      [](store::Transaction& t) { return store::list_audit(t, 0, 100); });
  std::vector<std::string> acts;
  for (const auto& entry : *entries) acts.push_back(entry.act + " " + entry.object);
  EXPECT_THAT(acts, testing::ElementsAre(
                        testing::StartsWith("apply.change organisation"), "apply.add profile Basement",
                        "apply.add mailbox ana@contoso.example", "apply.add mailbox bruno@contoso.example",
                        "mailbox.approve mailbox ana@contoso.example"));
}

}  // namespace
}  // namespace syncline::service
