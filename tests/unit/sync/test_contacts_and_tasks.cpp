// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "organisation.hpp"

namespace syncline::sync::testing {
namespace {

using model::RecordKind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Contacts : public ::testing::Test {
 protected:
  ManualClock clock;
  MemoryServer server{clock, "anna@example.com"};
  Organisation organisation{clock, server};

  MemoryItem& item(const std::string& id) { return *server.find(id); }
};

TEST_F(Contacts, ofTheServerBecomeRecordsOnce) {
  server.add("contacts", {{"givenName", "Marta"}, {"phoneNumbers", {{"BusinessPhone", "1"}}}});
  EXPECT_EQ(organisation.must_run().of(RecordKind::contact).came, 1u);
  EXPECT_EQ(organisation.only_record(RecordKind::contact).fields.at("givenName"), "Marta");
  const std::string before = organisation.dump();
  const MailboxSummary again = organisation.must_run();
  EXPECT_EQ(again.of(RecordKind::contact).came, 0u);
  EXPECT_EQ(organisation.dump(), before);
}

TEST_F(Contacts, ofTheOrganisationBecomeItemsOnce) {
  organisation.add(RecordKind::contact, {{"givenName", "Bert"}});
  EXPECT_EQ(organisation.must_run().of(RecordKind::contact).went, 1u);
  organisation.must_run();
  ASSERT_EQ(server.in("contacts").size(), 1u);
  EXPECT_EQ(server.in("contacts").front()->fields.at("givenName"), "Bert");
  EXPECT_EQ(server.requests["create"], 1u);
  EXPECT_EQ(server.requests["update"], 0u);
  EXPECT_EQ(organisation.records(RecordKind::contact).size(), 1u);
}

TEST_F(Contacts, invariant3AnEchoOfOurOwnWriteChangesNothing) {
  const model::Record record = organisation.add(RecordKind::contact, {{"givenName", "Bert"}});
  organisation.must_run();
  organisation.edit(record.id, {{"givenName", "Berta"}});
  organisation.must_run();
  const std::int64_t version = organisation.only_record(RecordKind::contact).version;
  const auto reads = server.requests["read"];
  organisation.must_run();
  EXPECT_EQ(organisation.only_record(RecordKind::contact).version, version);
  EXPECT_EQ(server.requests["read"], reads) << "its version was known";
  EXPECT_EQ(server.requests["update"], 1u);
}

TEST_F(Contacts, invariant9DifferentFieldsOfBothSidesAreMerged) {
  const std::string id =
      server.add("contacts", {{"givenName", "Marta"}, {"phoneNumbers", {{"BusinessPhone", "1"}}}}).id;
  organisation.must_run();
  const model::RecordId record = organisation.only_record(RecordKind::contact).id;
  organisation.edit(record, {{"jobTitle", "Head"}});
  server.edit(id, {{"givenName", "Martha"}, {"phoneNumbers", {{"HomePhone", "2"}}}});
  const MailboxSummary summary = organisation.must_run();
  EXPECT_EQ(summary.of(RecordKind::contact).merged, 1u);
  EXPECT_EQ(summary.of(RecordKind::contact).conflicts, 0u);
  const model::Fields& fields = organisation.only_record(RecordKind::contact).fields;
  EXPECT_EQ(fields.at("givenName"), "Martha");
  EXPECT_EQ(fields.at("jobTitle"), "Head");
  EXPECT_EQ(item(id).fields.at("jobTitle"), "Head");
  EXPECT_EQ(item(id).fields.at("phoneNumbers").as_object().size(), 2u);
}

TEST_F(Contacts, invariant9TheLoserOfAConflictStaysInTheJournal) {
  organisation.settings.policies.conflict.winner = model::ConflictWinner::record;
  const std::string id = server.add("contacts", {{"jobTitle", "Clerk"}}).id;
  organisation.must_run();
  organisation.edit(organisation.only_record(RecordKind::contact).id, {{"jobTitle", "Head"}});
  server.edit(id, {{"jobTitle", "Boss"}});
  EXPECT_EQ(organisation.must_run().of(RecordKind::contact).conflicts, 1u);
  EXPECT_EQ(item(id).fields.at("jobTitle"), "Head");
  EXPECT_THAT(organisation.journal("conflict"), ElementsAre("jobTitle"));
}

TEST_F(Contacts, invariant9AskLeavesBothAsTheyAreUntilSomebodyEdits) {
  organisation.settings.policies.conflict.winner = model::ConflictWinner::ask;
  const std::string id = server.add("contacts", {{"jobTitle", "Clerk"}}).id;
  organisation.must_run();
  const model::RecordId record = organisation.only_record(RecordKind::contact).id;
  organisation.edit(record, {{"jobTitle", "Head"}});
  server.edit(id, {{"jobTitle", "Boss"}});
  organisation.must_run();
  organisation.must_run();
  EXPECT_EQ(item(id).fields.at("jobTitle"), "Boss");
  EXPECT_EQ(organisation.only_record(RecordKind::contact).fields.at("jobTitle"), "Head");
  organisation.edit(record, {{"jobTitle", "Chief"}});
  organisation.must_run();
  EXPECT_EQ(item(id).fields.at("jobTitle"), "Chief");
  EXPECT_EQ(organisation.only_record(RecordKind::contact).fields.at("jobTitle"), "Chief");
}

TEST_F(Contacts, invariant19OnlyThoseWithTheCategoryComeByDefault) {
  organisation.settings.policies.sync.adopt_contacts = model::Adoption::category;
  server.add("contacts", {{"givenName", "A"}});
  server.add("contacts", {{"givenName", "B"}, {"categories", {"tracked by syncline"}}});
  server.add("contacts", {{"givenName", "C"}, {"categories", {"Tracked by Syncline"}}}).is_private = true;
  organisation.must_run();
  EXPECT_EQ(organisation.only_record(RecordKind::contact).fields.at("givenName"), "B");
  EXPECT_THAT(organisation.journal("not-tracked"), ::testing::UnorderedElementsAre("no-category", "private"));
}

TEST_F(Contacts, invariant19ALinkedItemThatBecomesPrivateIsParted) {
  const std::string id = server.add("contacts", {{"givenName", "A"}}).id;
  organisation.must_run();
  item(id).is_private = true;
  server.edit(id, {{"givenName", "secret"}});
  organisation.must_run();
  EXPECT_EQ(organisation.only_record(RecordKind::contact).fields.at("givenName"), "A");
  EXPECT_THAT(organisation.journal("unlinked"), ElementsAre("private"));
}

TEST_F(Contacts, invariant7AUsersCopyLosesOurMarkAndIsItsOwnRecord) {
  organisation.add(RecordKind::contact, {{"givenName", "Bert"}});
  organisation.must_run();
  MemoryItem& copy = server.copy(server.in("contacts").front()->id, "contacts");
  copy.search_key = "another";
  const std::string id = copy.id;
  organisation.must_run();
  EXPECT_FALSE(item(id).mark);
  EXPECT_EQ(organisation.records(RecordKind::contact).size(), 2u);
  organisation.must_run();
  EXPECT_EQ(organisation.records(RecordKind::contact).size(), 2u);
}

TEST_F(Contacts, r22AnUnreadableItemIsPutAsideAndTriedAgainWhenItChanges) {
  MemoryItem& bad = server.add("contacts", {{"givenName", "broken"}});
  bad.unreadable = true;
  const std::string id = bad.id;
  server.add("contacts", {{"givenName", "fine"}});
  EXPECT_EQ(organisation.must_run().of(RecordKind::contact).quarantined, 1u);
  EXPECT_EQ(organisation.records(RecordKind::contact).size(), 1u);
  item(id).unreadable = false;
  server.edit(id, {{"givenName", "mended"}});
  organisation.must_run();
  EXPECT_EQ(organisation.records(RecordKind::contact).size(), 2u);
}

TEST_F(Contacts, r22AnUnreadableItemIsTriedAgainAfterAWeek) {
  MemoryItem& bad = server.add("contacts", {{"givenName", "broken"}});
  bad.unreadable = true;
  const std::string id = bad.id;
  organisation.must_run();
  item(id).unreadable = false;
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::contact), IsEmpty());
  clock.advance(std::chrono::hours(24 * 8));
  organisation.must_run();
  EXPECT_EQ(organisation.records(RecordKind::contact).size(), 1u);
}

TEST_F(Contacts, r01ARefusedStateReadsAllAgainAndKeepsRecords) {
  for (int i = 0; i < 23; ++i) server.add("contacts", {{"givenName", std::to_string(i)}});
  organisation.must_run();
  const std::string before = organisation.dump();
  const auto reads = server.requests["read"];
  server.invalidate_cursors();
  organisation.must_run();
  EXPECT_EQ(organisation.dump(), before);
  EXPECT_EQ(server.requests["read"], reads) << "nothing had changed: nothing is read";
  EXPECT_FALSE(organisation.journal("full-resync").empty());
}

TEST_F(Contacts, r01WhatWentAwayUnseenIsFoundByARefusedState) {
  std::vector<std::string> ids;
  for (int i = 0; i < 23; ++i) ids.push_back(server.add("contacts", {{"givenName", std::to_string(i)}}).id);
  organisation.must_run();
  server.remove(ids[7]);
  server.invalidate_cursors();
  organisation.must_run();
  EXPECT_EQ(organisation.records(RecordKind::contact).size(), 22u);
}

TEST_F(Contacts, invariant22AMailboxOfAnotherOrganisationIsLeftAlone) {
  server.claimed_by = "somebody else";
  server.add("contacts", {{"givenName", "A"}});
  auto summary = organisation.run();
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().code, "mailbox-claimed");
  organisation.settings.take_over = true;
  organisation.must_run();
  EXPECT_EQ(organisation.records(RecordKind::contact).size(), 1u);
}

TEST_F(Contacts, aRecordThatNoFilterWantsAnyMoreIsPartedNotDeleted) {
  organisation.settings.policies.sync.send_contacts = {
      {.kind = model::OutboundFilter::Kind::expression, .expression = R"(jobTitle = "Head")"}};
  const model::Record record =
      organisation.add(RecordKind::contact, {{"givenName", "Bert"}, {"jobTitle", "Head"}});
  organisation.must_run();
  ASSERT_EQ(server.in("contacts").size(), 1u);
  organisation.edit(record.id, {{"jobTitle", "Clerk"}});
  organisation.must_run();
  EXPECT_EQ(server.in("contacts").size(), 1u);
  EXPECT_THAT(organisation.journal("unlinked"), ElementsAre("filter"));
}

TEST_F(Contacts, tasksGoBothWays) {
  const std::string id =
      server.add("tasks", {{"subject", "Call"}, {"status", "NotStarted"}, {"percentComplete", 0.0}}).id;
  organisation.must_run();
  organisation.edit(organisation.only_record(RecordKind::task).id,
                    {{"status", "Completed"}, {"percentComplete", 100.0}});
  organisation.must_run();
  EXPECT_EQ(item(id).fields.at("status"), "Completed");
  EXPECT_EQ(item(id).fields.at("percentComplete"), 100.0);
}

}  // namespace
}  // namespace syncline::sync::testing
