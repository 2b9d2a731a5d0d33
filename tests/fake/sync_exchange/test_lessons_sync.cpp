// SPDX-License-Identifier: GPL-3.0-or-later
// Faults that others have met in synchronisation (R-01 to R-11, R-20), through the whole engine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "auth/bearer.hpp"
#include "auth/oauth.hpp"
#include "exchange_organisation.hpp"
#include "store/journal.hpp"

namespace syncline::sync::testing {
namespace {

using exchange_sim::Action;
using exchange_sim::FaultRule;
using model::RecordKind;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::SizeIs;

class Lessons : public ::testing::Test {
 protected:
  ExchangeWorld server;
  ExchangeOrganisation organisation{server, anna};

  void fill(std::size_t messages, std::size_t octets = 300) {
    auto filled = server.service().generate(anna, {.messages = messages, .message_bytes = octets});
    ASSERT_TRUE(filled) << filled.error().describe();
  }
  void add_contacts(int from, int to) {
    for (int i = from; i < to; ++i)
      server.add(anna, "contacts",
                 "<t:Contact><t:Surname>c" + std::to_string(i) + "</t:Surname></t:Contact>");
  }
  std::string contact(const std::string& surname) {
    for (const auto& view : server.list(anna, "contacts"))
      if (server.property(anna, view.id, "contacts:Surname") == surname) return view.id;
    ADD_FAILURE() << "no contact " << surname;
    return {};
  }
  std::multiset<std::string> surnames() {
    std::multiset<std::string> all;
    for (const model::Record& record : organisation.records(RecordKind::contact))
      all.insert(field_text(record.fields, "surname"));
    return all;
  }
  std::map<model::RecordId, std::string> subjects_by_id() {
    std::map<model::RecordId, std::string> all;
    for (const model::Record& record : organisation.records(RecordKind::email))
      all.emplace(record.id, field_text(record.fields, "subject"));
    return all;
  }
};

TEST_F(Lessons, R01_ARefusedStateIsOneFullEnumerationThatKeepsRecordsAndReadsOnlyWhatChanged) {
  organisation.settings.policies.mail.keep_mime = false;
  fill(5000);
  organisation.must_run();
  auto before = subjects_by_id();
  ASSERT_THAT(before, SizeIs(5000));
  organisation.edit(before.begin()->first, {{"regarding", "1"}});
  const auto inbox = server.list(anna, "inbox");
  ASSERT_TRUE(server.service().delete_item(anna, inbox[17].id, true));
  server.edit(anna, inbox[18].id, "item:Importance", "High");
  server.deliver(anna, mail_from(bert, "new one", "<new@x>"));
  ASSERT_TRUE(server.service().invalidate_sync_states(anna, "inbox"));
  server.exchange.forget_requests();
  organisation.must_run();
  EXPECT_THAT(organisation.journal("full-resync"), ElementsAre("ErrorInvalidSyncStateData"));
  EXPECT_LE(server.exchange.requests("SyncFolderItems"), 5000u / 512 + 10);
  EXPECT_LE(server.exchange.requests("GetItem"), 6u) << "only what changed is read";
  const auto after = subjects_by_id();
  for (const auto& [id, subject] : before) EXPECT_EQ(after.count(id), 1u) << subject;
  EXPECT_THAT(after, SizeIs(5001)) << "mail that was deleted there stays here, unlinked";
  EXPECT_EQ(field_text(organisation.record(before.begin()->first).fields, "regarding"), "\"1\"");
  EXPECT_THAT(organisation.journal("unlinked"), SizeIs(1));
  EXPECT_THAT(organisation.alerts(), Not(Contains("resync-loop")));
  organisation.expect_quiet();
  // Twice in an hour is told, and no loop.
  ASSERT_TRUE(server.service().invalidate_sync_states(anna, "inbox"));
  organisation.must_run();
  EXPECT_THAT(organisation.alerts(), Contains("resync-loop"));
}

TEST_F(Lessons, R02_AShorterTreeDeletesNothing) {
  ASSERT_TRUE(server.service().add_folder(anna, "inbox", "Projects"));
  organisation.settings.tracked_folders = {"Projects"};
  ASSERT_TRUE(server.service().add_mime(anna, "inbox/Projects", mail_from(bert, "kept", "<k@x>")));
  organisation.must_run();
  ASSERT_THAT(organisation.records(RecordKind::email), SizeIs(1));
  const std::string before = organisation.dump();
  FaultRule hidden;
  hidden.action = Action::empty_listing;
  server.exchange.fault("FindFolder", hidden);
  static_cast<void>(organisation.run());
  EXPECT_EQ(organisation.dump(), before);
  server.exchange.heal();
  organisation.must_run();
  EXPECT_EQ(organisation.dump(), before);
  organisation.expect_quiet();
}

TEST_F(Lessons, R03_OneUnreadableItemIsQuarantinedAndItsBatchComesIn) {
  add_contacts(0, 20);
  const std::string bad = contact("c7");
  ASSERT_TRUE(server.service().set_unreadable(anna, bad, "ErrorItemCorrupt", false));
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::contact), SizeIs(19));
  EXPECT_THAT(organisation.journal("quarantined"), ElementsAre("ErrorItemCorrupt"));
  organisation.expect_quiet();
  // Readable again, and changed: it comes in.
  ASSERT_TRUE(server.service().set_unreadable(anna, bad, "", false));
  server.edit(anna, bad, "contacts:JobTitle", "Cook");
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::contact), SizeIs(20));
  organisation.expect_quiet();
}

TEST_F(Lessons, R03_ADeletedFolderStopsNothing) {
  const auto folder = server.service().add_folder(anna, "inbox", "Projects");
  ASSERT_TRUE(folder);
  organisation.settings.tracked_folders = {"Projects"};
  ASSERT_TRUE(server.service().add_mime(anna, "inbox/Projects", mail_from(bert, "old", "<o@x>")));
  organisation.must_run();
  ASSERT_TRUE(server.service().delete_folder(anna, *folder));
  server.deliver(anna, mail_from(bert, "new", "<n@x>"));
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(2));
  organisation.expect_quiet();
}

TEST_F(Lessons, R04_ItemsOfOtherKindsAreNamedAndStopNothing) {
  server.add(anna, "contacts",
             "<t:DistributionList><t:Subject>All</t:Subject><t:DisplayName>All</t:DisplayName></"
             "t:DistributionList>");
  add_contacts(0, 3);
  server.add(
      anna, "inbox",
      "<t:Message><t:ItemClass>IPM.Note.Rules.Weird</t:ItemClass><t:Subject>odd</t:Subject></t:Message>");
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::contact), SizeIs(3));
  EXPECT_THAT(organisation.journal("not-tracked"), Contains("unknown-class"));
  organisation.expect_quiet();
}

TEST_F(Lessons, R05_AThousandReadFlagsComeInWithoutReadingAnItem) {
  organisation.settings.policies.mail.keep_mime = false;
  fill(1000);
  organisation.must_run();
  std::map<std::string, bool> wanted;
  for (const auto& view : server.list(anna, "inbox")) {
    wanted[view.id] = !view.is_read;
    ASSERT_TRUE(server.service().set_read(anna, view.id, !view.is_read));
  }
  server.exchange.forget_requests();
  organisation.must_run();
  EXPECT_EQ(server.exchange.requests("GetItem"), 0u);
  EXPECT_EQ(server.exchange.requests("UpdateItem"), 0u);
  std::size_t right = 0;
  for (const model::Record& record : organisation.records(RecordKind::email))
    right += record.fields.at("isRead") == wanted.at(organisation.links(record.id).at(0).remote_id) ? 1 : 0;
  EXPECT_EQ(right, 1000u);
  organisation.expect_quiet();
}

TEST_F(Lessons, R06_AMessageMovedAwayAndBackIsOneRecordInEitherOrderOfNews) {
  ASSERT_TRUE(server.service().add_folder(anna, "inbox", "Projects"));
  organisation.settings.tracked_folders = {"Projects"};
  const std::string first = server.deliver(anna, mail_from(bert, "wanderer", "<w@x>"));
  organisation.must_run();
  const model::Record record = organisation.only_record(RecordKind::email);
  organisation.edit(record.id, {{"regarding", "7"}});
  // The inbox is read before the other folder: first the delete, then the create …
  const auto there = server.service().move_item(anna, first, "inbox/Projects");
  ASSERT_TRUE(there);
  organisation.must_run();
  EXPECT_EQ(organisation.only_record(RecordKind::email).id, record.id);
  ASSERT_THAT(organisation.links(record.id), SizeIs(1));
  EXPECT_EQ(organisation.links(record.id)[0].remote_id, *there);
  // … and back: first the create.
  const auto back = server.service().move_item(anna, *there, "inbox");
  ASSERT_TRUE(back);
  organisation.must_run();
  EXPECT_EQ(organisation.only_record(RecordKind::email).id, record.id);
  EXPECT_EQ(organisation.links(record.id)[0].remote_id, *back);
  EXPECT_EQ(organisation.links(record.id)[0].state, store::LinkState::linked);
  EXPECT_EQ(field_text(organisation.record(record.id).fields, "regarding"), "\"7\"");
  EXPECT_THAT(organisation.journal("unlinked"), IsEmpty());
  organisation.expect_quiet();
}

TEST_F(Lessons, R06_WhatWasQueuedFollowsAContactThatWasMoved) {
  add_contacts(0, 3);
  organisation.must_run();
  const auto folder = server.service().add_folder(anna, "contacts", "Old", "IPF.Contact");
  ASSERT_TRUE(folder);
  const std::string id = contact("c1");
  model::RecordId record = 0;
  for (const model::Record& one : organisation.records(RecordKind::contact))
    if (field_text(one.fields, "surname") == "\"c1\"") record = one.id;
  organisation.edit(record, {{"jobTitle", "Cook"}});
  const auto moved = server.service().move_item(anna, id, *folder);
  ASSERT_TRUE(moved);
  organisation.settle();
  EXPECT_THAT(organisation.records(RecordKind::contact), SizeIs(3));
  EXPECT_EQ(server.property(anna, *moved, "contacts:JobTitle"), "Cook");
  organisation.expect_quiet();
}

TEST_F(Lessons, R07_HolesInTheFeedAreFoundByTheAudit) {
  add_contacts(0, 10);
  organisation.must_run();
  // The feed loses an arrival, a change and a delete for good.
  add_contacts(10, 11);
  server.edit(anna, contact("c3"), "contacts:JobTitle", "Cook");
  ASSERT_TRUE(server.service().delete_item(anna, contact("c5")));
  for (const char* element : {"Create", "Update", "Delete"}) {
    FaultRule hole;
    hole.operation = "SyncFolderItems";
    hole.action = Action::remove_element;
    hole.element = element;
    server.exchange.sim().faults().add(hole);
  }
  organisation.must_run();
  server.exchange.heal();
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::contact), SizeIs(10)) << "the holes are there";
  server.pass(organisation.settings.policies.sync.audit_every + std::chrono::hours(1));
  organisation.must_run();
  EXPECT_EQ(surnames().count("\"c10\""), 1u);
  EXPECT_EQ(surnames().count("\"c5\""), 0u);
  bool cook = false;
  for (const model::Record& record : organisation.records(RecordKind::contact))
    cook = cook || field_text(record.fields, "jobTitle") == "\"Cook\"";
  EXPECT_TRUE(cook);
  organisation.expect_quiet();
}

TEST_F(Lessons, R08_AnItemThatMovedOnMeanwhileIsReadAndMergedAgain) {
  add_contacts(0, 1);
  organisation.must_run();
  const model::Record record = organisation.only_record(RecordKind::contact);
  organisation.edit(record.id, {{"jobTitle", "Cook"}});
  // The server refuses our key twice, as its own agents make it do.
  FaultRule stale;
  stale.action = Action::response_code;
  stale.code = "ErrorIrresolvableConflict";
  stale.times = 2;
  server.exchange.fault("UpdateItem", stale);
  organisation.settle();
  EXPECT_EQ(server.property(anna, server.only_item(anna, "contacts"), "contacts:JobTitle"), "Cook");
  organisation.expect_quiet();
}

TEST_F(Lessons, R08_BothSidesChangedOneFieldAndBothValuesAreInTheJournal) {
  add_contacts(0, 1);
  organisation.settings.policies.conflict.winner = model::ConflictWinner::exchange;
  organisation.must_run();
  const model::Record record = organisation.only_record(RecordKind::contact);
  organisation.edit(record.id, {{"jobTitle", "Cook"}});
  server.edit(anna, server.only_item(anna, "contacts"), "contacts:JobTitle", "Baker");
  organisation.must_run();
  EXPECT_EQ(field_text(organisation.record(record.id).fields, "jobTitle"), "\"Baker\"");
  EXPECT_EQ(server.property(anna, server.only_item(anna, "contacts"), "contacts:JobTitle"), "Baker");
  auto entries = organisation.store()
                     .read<std::vector<store::JournalEntry>>([&](store::Transaction& transaction) {
                       return store::list_journal(transaction, {.event = "conflict", .most = 10});
                     })
                     .value();
  ASSERT_THAT(entries, SizeIs(1));
  EXPECT_NE(entries[0].detail.find("Cook"), std::string::npos);
  EXPECT_NE(entries[0].detail.find("Baker"), std::string::npos);
  organisation.expect_quiet();
}

TEST_F(Lessons, R09_APublicFolderIsReadByTheTimesOfItsChangesAndItsDeletesByTheAudit) {
  organisation.store_kind = ews::StoreKind::public_folders;
  organisation.settings.claim = false;
  organisation.settings.tracked_folders = {"Requests"};
  organisation.settings.policies.mail.keep_mime = false;
  ASSERT_TRUE(server.service().add_folder(anna, "publicfoldersroot", "Requests"));
  std::vector<std::string> ids;
  const auto add = [&](int n) {
    auto id = server.service().add_mime(
        anna, "publicfoldersroot/Requests",
        mail_from(bert, "m" + std::to_string(n), "<" + std::to_string(n) + "@x>"), false);
    ASSERT_TRUE(id);
    ids.push_back(*id);
  };
  // More than a page, and many in one second.
  for (int n = 0; n < 700; ++n) add(n);
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(700));
  organisation.expect_quiet();
  server.pass(std::chrono::minutes(5));
  add(700);
  server.edit(anna, ids[3], "item:Categories", "<t:String>Red</t:String>");
  ASSERT_TRUE(server.service().delete_item(anna, ids[5], true));
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(701));
  std::size_t red = 0;
  for (const model::Record& record : organisation.records(RecordKind::email))
    red += field_text(record.fields, "categories") == R"(["Red"])" ? 1 : 0;
  EXPECT_EQ(red, 1u);
  EXPECT_THAT(organisation.journal("unlinked"), IsEmpty());
  server.pass(organisation.settings.policies.sync.audit_every + std::chrono::hours(1));
  organisation.must_run();
  EXPECT_THAT(organisation.journal("unlinked"), SizeIs(1));
  organisation.expect_quiet();
  EXPECT_EQ(server.exchange.requests("SyncFolderItems"), 0u) << "by the kind of store, not by an error";
}

TEST_F(Lessons, R10_AllItemsComeWhateverThePagesAre) {
  organisation.settings.policies.mail.keep_mime = false;
  fill(2345, 200);
  FaultRule pages;
  pages.action = Action::partial_page;
  pages.operation = "SyncFolderItems";
  // A size of its own for each page.
  SeededRandom random(10);
  for (std::uint64_t page = 0; page < 200; ++page) {
    pages.skip = page;
    pages.times = 1;
    pages.limit = 1 + random.below(150);
    server.exchange.sim().faults().add(pages);
  }
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(2345));
  EXPECT_GE(server.exchange.requests("SyncFolderItems"), 2345u / 150);
}

TEST_F(Lessons, R10_AllItemsOfAStartDateComeWhateverThePagesAre) {
  organisation.settings.policies.mail.keep_mime = false;
  organisation.settings.policies.mail.process_from = SystemTime{};
  fill(2345, 200);
  FaultRule pages;
  pages.action = Action::partial_page;
  pages.limit = 250;
  server.exchange.fault("FindItem", pages);
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(2345));
  organisation.expect_quiet();
}

TEST_F(Lessons, R11_AfterAKillNoCommittedPageIsFetchedAgainAndTheNewestComeFirst) {
  organisation.settings.policies.mail.keep_mime = false;
  fill(3000, 200);
  organisation.settings.claim = false;
  // Whole, to know what it takes.
  {
    ExchangeOrganisation whole(server, anna, 9);
    whole.settings.claim = false;
    whole.settings.policies.mail.keep_mime = false;
    whole.must_run();
  }
  const std::uint64_t reads = server.service().items_read();
  ASSERT_GE(reads, 3000u);
  // Stopped after each durable write until one has brought messages.
  for (int write = 0; write < 10 && organisation.records(RecordKind::email).empty(); ++write) {
    StopAt stop(0, StopAt::Moment::after);
    organisation.reopen(&stop);
    EXPECT_FALSE(organisation.run());
    EXPECT_TRUE(stop.stopped());
    organisation.reopen();
  }
  const std::uint64_t read_before_the_kill = server.service().items_read() - reads;
  const auto arrived = organisation.records(RecordKind::email);
  EXPECT_GE(arrived.size(), 128u);
  EXPECT_LT(arrived.size(), 3000u);
  // The newest are there.
  std::set<std::string> newest;
  const auto all = server.list(anna, "inbox");
  for (std::size_t i = 0; i < 100; ++i) newest.insert(all[all.size() - 1 - i].id);
  std::size_t found = 0;
  for (const model::Record& record : arrived)
    found += newest.count(organisation.links(record.id)[0].remote_id);
  EXPECT_EQ(found, newest.size());
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(3000));
  // Only what was under way and not committed comes again.
  const std::uint64_t read_in_all = server.service().items_read() - reads;
  const std::uint64_t lost = read_before_the_kill - arrived.size() * reads / 3000;
  EXPECT_LE(read_in_all, reads + lost);
  EXPECT_THAT(organisation.progress, Not(IsEmpty()));
}

TEST_F(Lessons, R20_ARefusedPasswordStopsTheMailboxAtOnce) {
  add_contacts(0, 1);
  organisation.must_run();
  organisation.edit(organisation.only_record(RecordKind::contact).id, {{"jobTitle", "Cook"}});
  server.exchange.forget_requests();
  organisation.password = "old";
  const auto refused = organisation.run();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().retry, RetryClass::reauthenticate) << refused.error().describe();
  std::size_t requests = 0;
  for (const auto& [_, times] : server.exchange.requests()) requests += times;
  EXPECT_LE(requests, 2u) << "no loop";
  organisation.password = "secret";
  organisation.must_run();
  EXPECT_EQ(server.property(anna, server.only_item(anna, "contacts"), "contacts:JobTitle"), "Cook");
}

TEST_F(Lessons, R20_ACredentialThatDiesWhileItWritesLosesNothing) {
  organisation.add(RecordKind::contact, {{"surname", "x"}});
  organisation.add(RecordKind::contact, {{"surname", "y"}});
  FaultRule unauthorized;
  unauthorized.action = Action::unauthorized;
  unauthorized.skip = 1;
  server.exchange.fault("CreateItem", unauthorized);
  const auto refused = organisation.run();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().retry, RetryClass::reauthenticate) << refused.error().describe();
  server.exchange.heal();
  organisation.settle();
  EXPECT_EQ(server.count(anna, "contacts"), 2u);
  organisation.expect_quiet();
}

/// A refresh token that survives its process, as the vault keeps one.
class MemorySecrets final : public auth::SecretStore {
 public:
  Result<std::optional<Secret>> get(std::string_view key) override {
    const auto found = secrets_.find(key);
    if (found == secrets_.end()) return std::nullopt;
    return found->second;
  }
  Result<void> put(std::string_view key, const Secret& secret) override {
    secrets_.insert_or_assign(std::string(key), secret);
    return {};
  }

 private:
  std::map<std::string, Secret, std::less<>> secrets_;
};

/// Anna's mailbox, reached with a token that her sign-in gave.
class SignIn : public ::testing::Test {
 protected:
  static constexpr std::string_view refresh_token = "refresh-1";

  SignIn() {
    EXPECT_TRUE(secrets.put("anna", Secret(refresh_token)));
    organisation.authenticator = auth::make_bearer(tokens);
    server.add(anna, "contacts", "<t:Contact><t:Surname>x</t:Surname></t:Contact>");
    organisation.must_run();
    server.exchange.forget_requests();
  }
  static exchange_sim::OAuth oauth() {
    exchange_sim::OAuth given;
    given.applications.push_back({.client_id = "app"});
    given.refresh_tokens.push_back({.token = Secret(refresh_token), .client_id = "app", .address = anna});
    given.rotation = exchange_sim::RefreshRotation::keep;
    return given;
  }
  std::size_t all_requests() {
    std::size_t sum = 0;
    for (const auto& [_, times] : server.exchange.requests()) sum += times;
    return sum;
  }

  ExchangeWorld server{{.oauth = oauth()}};
  ExchangeOrganisation organisation{server, anna};
  MemorySecrets secrets;
  std::unique_ptr<net::HttpClient> http = net::make_http_client(server.world.environment()).value();
  std::shared_ptr<auth::TokenSource> tokens =
      auth::make_refresh_grant({.executor = server.world.executor(),
                                .http = *http,
                                .clock = server.world.environment().clock,
                                .random = server.world.environment().random},
                               {.url = net::parse_url(server.exchange.token_url()).value(),
                                .scope = "https://outlook.office365.com/.default",
                                .client_id = "app",
                                .proof = {}},
                               secrets, "anna")
          .value();
};

TEST_F(SignIn, R20_ADeadSignInIsToldOnceAndNothingIsSentUntilItIsRenewed) {
  organisation.edit(organisation.only_record(RecordKind::contact).id, {{"jobTitle", "Cook"}});
  server.pass(std::chrono::hours(2));  // the access token's hour is over
  FaultRule dead;
  dead.action = Action::status;
  dead.http_status = 400;
  dead.text =
      R"({"error":"invalid_grant","error_description":"AADSTS700082: The refresh token has expired."})";
  dead.content_type = "application/json";
  server.exchange.fault("token", dead);
  for (int run = 0; run < 4; ++run) {
    const auto refused = organisation.run();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "invalid_grant") << refused.error().describe();
    EXPECT_EQ(refused.error().retry, RetryClass::reauthenticate);
  }
  EXPECT_EQ(server.exchange.requests("token"), 1u);
  EXPECT_EQ(all_requests(), 1u) << "neither the token endpoint nor the server is asked again";
  EXPECT_THAT(organisation.alerts(), ElementsAre("needs-sign-in"));
  // Signed in again: what waited goes, and nobody is told any more.
  server.exchange.heal();
  ASSERT_TRUE(secrets.put("anna", Secret(refresh_token)));
  tokens->credentials_changed();
  organisation.settle();
  EXPECT_EQ(server.property(anna, server.only_item(anna, "contacts"), "contacts:JobTitle"), "Cook");
  EXPECT_THAT(organisation.alerts(), IsEmpty());
  organisation.expect_quiet();
}

TEST_F(SignIn, R20_AFreshTokenThatIsRefusedMakesNoLoop) {
  FaultRule refused;
  refused.action = Action::unauthorized;
  server.exchange.fault("FindFolder", refused);
  server.exchange.fault("GetFolder", refused);
  const auto outcome = organisation.run();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().retry, RetryClass::reauthenticate) << outcome.error().describe();
  EXPECT_LE(server.exchange.requests("token"), 1u);
  EXPECT_LE(all_requests(), 4u);
  EXPECT_THAT(organisation.alerts(), ElementsAre("needs-sign-in"));
}

TEST_F(SignIn, R20_ATokenIsRenewedBeforeItEndsAndOnceForAll) {
  server.pass(std::chrono::seconds(3590));
  for (int worker = 0; worker < 20; ++worker)
    server.world.spawn([](std::shared_ptr<auth::TokenSource> source) -> net::asio::awaitable<void> {
      auto token = co_await source->token();
      EXPECT_TRUE(token);
    }(tokens));
  server.pass(std::chrono::seconds(5));
  EXPECT_EQ(server.exchange.requests("token"), 1u);
  organisation.must_run();
  EXPECT_EQ(server.exchange.requests("token"), 1u);
  for (const auto& entry : server.exchange.sim().log().entries())
    EXPECT_NE(entry.status, 401) << entry.operation;
}

TEST_F(Lessons, aSynchronisationWhereNothingChangedAsksLittle) {
  std::vector<std::string> tracked;
  for (int i = 0; i < 50; ++i) {
    const std::string name = "Folder " + std::to_string(i);
    ASSERT_TRUE(server.service().add_folder(anna, "inbox", name));
    ASSERT_TRUE(server.service().add_mime(anna, "inbox/" + name,
                                          mail_from(bert, name, "<" + std::to_string(i) + "@x>")));
    if (tracked.size() < tracked_folders_limit) tracked.push_back(name);
  }
  organisation.settings.tracked_folders = tracked;
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(tracked.size()));
  server.exchange.forget_requests();
  const MailboxSummary summary = organisation.must_run();
  std::size_t requests = 0;
  for (const auto& [_, times] : server.exchange.requests()) requests += times;
  // One for each of the folders that are read; claim, tree and sign-in beside them.
  EXPECT_LE(requests, tracked.size() + 5 + 6);
  EXPECT_LE(summary.requests, 55u);
}

TEST_F(Lessons, invariant22ASecondOrganisationIsKeptOutUntilItTakesOver) {
  add_contacts(0, 1);
  organisation.must_run();
  ExchangeOrganisation other(server, anna, 2);
  const auto refused = other.run();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "mailbox-claimed");
  EXPECT_THAT(other.records(RecordKind::contact), IsEmpty());
  other.settings.take_over = true;
  other.must_run();
  EXPECT_THAT(other.records(RecordKind::contact), SizeIs(1));
  EXPECT_FALSE(organisation.run());
}

TEST_F(Lessons, invariant5AnEmptyListingIsAWipeAndDeletesNothing) {
  add_contacts(0, 12);
  organisation.must_run();
  for (const auto& view : server.list(anna, "contacts"))
    ASSERT_TRUE(server.service().delete_item(anna, view.id, true));
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::contact), SizeIs(12));
  EXPECT_THAT(organisation.journal("unlinked"), SizeIs(12));
}

TEST_F(Lessons, invariant7AUsersCopyOfOurItemIsTheUsers) {
  organisation.add(RecordKind::contact, {{"surname", "x"}, {"givenName", "Ada"}});
  organisation.must_run();
  server.request(anna, R"(<m:CopyItem><m:ToFolderId><t:DistinguishedFolderId Id="contacts"/></m:ToFolderId>)"
                       R"(<m:ItemIds><t:ItemId Id=")" +
                           server.only_item(anna, "contacts") + R"("/></m:ItemIds></m:CopyItem>)");
  organisation.must_run();
  EXPECT_EQ(server.count(anna, "contacts"), 2u);
  EXPECT_THAT(organisation.records(RecordKind::contact), SizeIs(2));
  organisation.expect_quiet();
}

}  // namespace
}  // namespace syncline::sync::testing
