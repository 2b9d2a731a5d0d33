// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "organisation.hpp"
#include "store/configuration.hpp"

namespace syncline::sync::testing {
namespace {

using model::RecordKind;
using ::testing::Contains;
using ::testing::ElementsAre;

class Deletes : public ::testing::Test {
 protected:
  ManualClock clock;
  MemoryServer server{clock, "anna@example.com"};
  Organisation organisation{clock, server};

  std::vector<std::string> add_contacts(int count) {
    std::vector<std::string> ids;
    for (int i = 0; i < count; ++i)
      ids.push_back(server.add("contacts", {{"givenName", std::to_string(i)}}).id);
    return ids;
  }
};

TEST_F(Deletes, inExchangeDeleteTheRecordIfThePolicySaysSo) {
  const auto ids = add_contacts(3);
  organisation.must_run();
  server.remove(ids[1]);
  EXPECT_EQ(organisation.must_run().of(RecordKind::contact).removed_here, 1u);
  EXPECT_EQ(organisation.records(RecordKind::contact).size(), 2u);
}

TEST_F(Deletes, inExchangePartByDefault) {
  organisation.settings.policies.sync.deleted_in_exchange = model::DeleteRule::unlink;
  const auto ids = add_contacts(3);
  organisation.must_run();
  server.remove(ids[1]);
  organisation.must_run();
  EXPECT_EQ(organisation.records(RecordKind::contact).size(), 3u);
  EXPECT_THAT(organisation.journal("unlinked"), ElementsAre("deleted-in-exchange"));
}

TEST_F(Deletes, ofRecordsRemoveTheItem) {
  add_contacts(3);
  organisation.must_run();
  organisation.remove(organisation.records(RecordKind::contact).front().id);
  EXPECT_EQ(organisation.must_run().of(RecordKind::contact).removed_there, 1u);
  EXPECT_EQ(server.in("contacts").size(), 2u);
  EXPECT_EQ(server.in("deleted").size(), 1u) << "never hard";
}

TEST_F(Deletes, invariant4HalfOfAMoveIsNoDelete) {
  organisation.settings.tracked_folders = {"Projects"};
  server.add("inbox", {{"subject", "Hello"}, {"internetMessageId", "<1@x>"}});
  organisation.must_run();
  const std::string there = server.move(server.in("inbox").front()->id, "projects");
  organisation.must_run();
  organisation.must_run();
  EXPECT_EQ(organisation.records(RecordKind::email).size(), 1u);
  EXPECT_THAT(organisation.journal("moved"), ::testing::SizeIs(1));
  server.move(there, "inbox");
  organisation.must_run();
  EXPECT_EQ(organisation.records(RecordKind::email).size(), 1u) << "R-06: out and back is one record";
  EXPECT_THAT(organisation.journal("unlinked"), ::testing::IsEmpty());
}

TEST_F(Deletes, anItemThatStayedWhenItsRecordWentIsNobodysUnderAnotherIdToo) {
  organisation.settings.tracked_folders = {"Projects"};
  server.add("inbox", {{"subject", "Hello"}, {"internetMessageId", "<1@x>"}});
  organisation.must_run();
  organisation.remove(organisation.records(RecordKind::email).front().id);
  organisation.must_run();
  ASSERT_EQ(server.in("inbox").size(), 1u);
  for (const char* folder : {"projects", "inbox", "projects"}) {
    server.move(server.in(folder == std::string("inbox") ? "projects" : "inbox").front()->id, folder);
    organisation.must_run();
    organisation.must_run();
    EXPECT_THAT(organisation.records(RecordKind::email), ::testing::IsEmpty()) << folder;
    EXPECT_EQ(server.in(folder).size(), 1u);
  }
}

TEST_F(Deletes, invariant4WhereAllIdsAreOthersEveryCopyKeepsItsOwnRecord) {
  for (const std::string& id : add_contacts(12)) {
    server.edit(id, {{"companyName", "Of " + id}});
    server.edit(server.copy(id, "contacts").id, {{"companyName", "Copy of " + id}});
  }
  organisation.must_run();
  ASSERT_EQ(organisation.records(RecordKind::contact).size(), 24u);
  // Of some pairs one record goes, and its item stays.
  organisation.settings.policies.sync.deleted_in_record = model::DeleteRule::unlink;
  for (std::size_t i = 0; i < 24; i += 5)
    organisation.remove(organisation.records(RecordKind::contact)[i / 5 * 3].id);
  organisation.must_run();
  const auto before = organisation.records(RecordKind::contact);
  const std::string there = dump(server);
  server.give_new_ids();
  for (int i = 0; i < 2; ++i) {
    const MailboxSummary summary = organisation.must_run();
    const KindCounts& counts = summary.of(RecordKind::contact);
    EXPECT_EQ(counts.came + counts.changed_here + counts.merged + counts.removed_here + counts.unlinked, 0u);
    EXPECT_EQ(counts.went + counts.changed_there + counts.removed_there, 0u);
  }
  const auto after = organisation.records(RecordKind::contact);
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_EQ(after[i].version, before[i].version);
  EXPECT_EQ(dump(server), there);
}

TEST_F(Deletes, aFolderThatIsNotThereAnyMoreTakesItsLinksWithItButForWhatLivesElsewhere) {
  organisation.settings.tracked_folders = {"Projects"};
  server.add("inbox", {{"subject", "Stays"}, {"internetMessageId", "<0@x>"}});
  server.add("projects", {{"subject", "Goes"}, {"internetMessageId", "<1@x>"}});
  const std::string lives = server.add("projects", {{"subject", "Lives"}, {"internetMessageId", "<2@x>"}}).id;
  organisation.must_run();
  server.move(lives, "drafts");
  server.remove_folder("projects");
  organisation.must_run();
  EXPECT_EQ(organisation.records(RecordKind::email).size(), 3u);
  EXPECT_THAT(organisation.journal("unlinked"), ElementsAre("lost-folder"));
  EXPECT_THAT(organisation.journal("moved"), ::testing::SizeIs(1));
  organisation.must_run();
  EXPECT_THAT(organisation.journal("unlinked"), ::testing::SizeIs(1));
}

TEST_F(Deletes, invariant4AMoveIntoAFolderThatIsNotReadKeepsTheLink) {
  server.add("inbox", {{"subject", "Hello"}, {"internetMessageId", "<1@x>"}});
  organisation.must_run();
  server.move(server.in("inbox").front()->id, "projects");
  organisation.must_run();
  EXPECT_EQ(organisation.records(RecordKind::email).size(), 1u);
  EXPECT_THAT(organisation.journal("moved"), ::testing::SizeIs(1));
}

TEST_F(Deletes, invariant4TheBrakeStopsMassDeletesUntilItIsReleased) {
  const auto ids = add_contacts(40);
  organisation.must_run();
  for (int i = 0; i < 20; ++i) server.remove(ids[static_cast<std::size_t>(i)]);
  const MailboxSummary summary = organisation.must_run();
  EXPECT_TRUE(summary.brake);
  EXPECT_EQ(organisation.records(RecordKind::contact).size(), 40u);
  organisation.must_run();
  EXPECT_EQ(organisation.records(RecordKind::contact).size(), 40u);
}

TEST_F(Deletes, invariant4AReleasedBrakeLetsTheDeletesOfOneRunPass) {
  const auto ids = add_contacts(40);
  organisation.must_run();
  for (int i = 0; i < 20; ++i) server.remove(ids[static_cast<std::size_t>(i)]);
  organisation.must_run();
  ASSERT_TRUE(organisation.store().write<bool>([&](store::Transaction& transaction) -> Result<bool> {
    if (auto done = store::put_setting(transaction, "brake:anna@example.com", R"({"released":true})"); !done)
      return fail(std::move(done.error()));
    return true;
  }));
  EXPECT_FALSE(organisation.must_run().brake);
  EXPECT_EQ(organisation.records(RecordKind::contact).size(), 20u);
  for (int i = 20; i < 38; ++i) server.remove(ids[static_cast<std::size_t>(i)]);
  EXPECT_TRUE(organisation.must_run().brake) << "a release serves one run";
}

TEST_F(Deletes, invariant4TheBrakeStopsMassDeletesAmongRecords) {
  add_contacts(40);
  organisation.must_run();
  for (const model::Record& record : organisation.records(RecordKind::contact))
    organisation.remove(record.id);
  EXPECT_TRUE(organisation.must_run().brake);
  EXPECT_EQ(server.in("contacts").size(), 40u);
}

TEST_F(Deletes, invariant5AnEmptiedFolderPartsAndSaysSo) {
  const auto ids = add_contacts(4);
  organisation.must_run();
  for (const std::string& id : ids) server.remove(id);
  organisation.must_run();
  EXPECT_EQ(organisation.records(RecordKind::contact).size(), 4u);
  EXPECT_THAT(organisation.journal("unlinked"),
              ElementsAre("emptied-folder", "emptied-folder", "emptied-folder", "emptied-folder"));
}

class DeletesInFolders : public Deletes {
 protected:
  void SetUp() override {
    organisation.settings.tracked_folders = {"Contacts/Partners"};
    add_contacts(4);
  }
  std::vector<std::string> add_partners(int count) {
    std::vector<std::string> ids;
    for (int i = 0; i < count; ++i)
      ids.push_back(server.add("partners", {{"givenName", "Partner " + std::to_string(i)}}).id);
    return ids;
  }
  void expect_parted(const std::string& reason, std::size_t count) {
    EXPECT_THAT(organisation.journal("unlinked"),
                ::testing::AllOf(::testing::SizeIs(count), ::testing::Each(reason)));
    EXPECT_EQ(organisation.records(RecordKind::contact).size(), 4u + count);
  }
};

TEST_F(DeletesInFolders, invariant5OneEmptiedFolderOfSeveralPartsAndDeletesNothing) {
  const auto ids = add_partners(3);
  organisation.must_run();
  for (const std::string& id : ids) server.remove(id);
  organisation.must_run();
  expect_parted("emptied-folder", 3);
}

TEST_F(DeletesInFolders, invariant5AFolderThatIsNotListedAnyMorePartsEvenItsOnlyItem) {
  add_partners(1);
  organisation.must_run();
  server.remove_folder("partners");
  organisation.must_run();
  expect_parted("lost-folder", 1);
}

TEST_F(DeletesInFolders, invariant5AnEmptyListingPartsTheOnlyItemThatNobodySawDeleted) {
  const auto ids = add_partners(1);
  organisation.must_run();
  server.remove_unseen(ids[0]);
  organisation.options.audit_now = true;
  organisation.must_run();
  expect_parted("emptied-folder", 1);
}

TEST_F(DeletesInFolders, theOnlyItemOfAFolderThatStandsInTheDeletedItemsWasDeleted) {
  const auto ids = add_partners(1);
  organisation.must_run();
  server.remove(ids[0]);
  EXPECT_EQ(organisation.must_run().of(RecordKind::contact).removed_here, 1u);
  EXPECT_EQ(organisation.records(RecordKind::contact).size(), 4u);
}

TEST_F(DeletesInFolders, anEmptiedFolderIsPartedAlthoughOtherDeletesPullTheBrake) {
  const auto many = add_contacts(36);
  const auto ids = add_partners(3);
  organisation.must_run();
  for (std::size_t i = 0; i < 20; ++i) server.remove(many[i]);
  for (const std::string& id : ids) server.remove(id);
  EXPECT_TRUE(organisation.must_run().brake);
  EXPECT_THAT(organisation.journal("unlinked"),
              ElementsAre("emptied-folder", "emptied-folder", "emptied-folder"));
  EXPECT_EQ(organisation.records(RecordKind::contact).size(), 43u);
}

/// What the record of an appointment does when its item goes.
class DeletedAppointments : public Deletes {
 protected:
  std::size_t left_after_deleting(model::Fields fields) {
    fields["subject"] = "Review";
    const std::string id = server.add("calendar", std::move(fields)).id;
    server.add("calendar",
               {{"subject", "Another"}, {"start", "2027-01-01T09:00:00Z"}, {"end", "2027-01-01T10:00:00Z"}});
    organisation.must_run();
    server.remove(id);
    organisation.must_run();
    return organisation.records(RecordKind::appointment).size() - 1;
  }
  static model::Fields organized_by(const std::string& address) {
    return {{"start", "2026-09-01T09:00:00Z"},
            {"end", "2026-09-01T10:00:00Z"},
            {"organizer", {{"emailAddress", address}}},
            {"requiredAttendees", {{{"mailbox", {{"emailAddress", "carl@example.com"}}}}}}};
  }
};

TEST_F(DeletedAppointments, ofOursThatIsStillToComeDeleteTheRecord) {
  EXPECT_EQ(left_after_deleting(organized_by("Anna@example.com")), 0u);
}

TEST_F(DeletedAppointments, thatArePastKeepTheirRecord) {
  EXPECT_EQ(left_after_deleting({{"start", "2025-09-01T09:00:00Z"}, {"end", "2025-09-01T10:00:00Z"}}), 1u);
  EXPECT_THAT(organisation.journal("unlinked"), ElementsAre("past-meeting"));
}

TEST_F(DeletedAppointments, thatArePastDeleteTheRecordWherePastMeetingsAreChanged) {
  organisation.settings.policies.sync.change_past_meetings = true;
  EXPECT_EQ(left_after_deleting({{"start", "2025-09-01T09:00:00Z"}, {"end", "2025-09-01T10:00:00Z"}}), 0u);
}

TEST_F(DeletedAppointments, thatSomebodyElseOrganisesKeepTheirRecord) {
  EXPECT_EQ(left_after_deleting(organized_by("bert@example.com")), 1u);
  EXPECT_THAT(organisation.journal("unlinked"), ElementsAre("not-organizer"));
}

TEST_F(DeletedAppointments, thatWereCalledOffKeepTheirRecord) {
  model::Fields fields = organized_by("anna@example.com");
  fields["isCancelled"] = true;
  EXPECT_EQ(left_after_deleting(std::move(fields)), 1u);
  EXPECT_THAT(organisation.journal("unlinked"), ElementsAre("cancelled"));
}

TEST_F(Deletes, invariant8AnItemThatChangedIsNotRemovedBehindThePersonsBack) {
  add_contacts(3);
  organisation.must_run();
  const model::Record record = organisation.records(RecordKind::contact).front();
  std::string id;
  for (const MemoryItem* item : server.in("contacts"))
    if (item->fields.at("givenName") == record.fields.at("givenName")) id = item->id;
  organisation.remove(record.id);
  // The edit comes after the folder was read, and before the item is removed.
  bool edited = false;
  organisation.must_run([&](const std::string& request, FaultMoment) -> std::optional<Error> {
    if (request != "remove" || edited) return std::nullopt;
    edited = true;
    server.edit(id, {{"givenName", "edited"}});
    return Error{.domain = ErrorDomain::net, .code = "connection-refused", .retry = RetryClass::now};
  });
  ASSERT_TRUE(edited);
  EXPECT_EQ(server.in("contacts").size(), 3u);
  EXPECT_THAT(organisation.journal("unlinked"), ElementsAre("item-changed"));
}

TEST_F(Deletes, ofARecordThatChangedMeanwhilePart) {
  const auto ids = add_contacts(3);
  organisation.must_run();
  organisation.edit(organisation.records(RecordKind::contact).front().id, {{"jobTitle", "Head"}});
  server.remove(ids[0]);
  organisation.must_run();
  EXPECT_EQ(organisation.records(RecordKind::contact).size(), 3u);
  EXPECT_THAT(organisation.journal("unlinked"), Contains("record-changed"));
}

TEST_F(Deletes, r07TheAuditFindsWhatTheFeedNeverSaid) {
  const auto ids = add_contacts(6);
  organisation.must_run();
  server.add_unseen("contacts", {{"givenName", "unseen"}});
  server.remove_unseen(ids[2]);
  organisation.must_run();
  EXPECT_EQ(organisation.records(RecordKind::contact).size(), 6u) << "the feed says nothing";
  clock.advance(organisation.settings.policies.sync.audit_every + std::chrono::hours(1));
  organisation.must_run();
  std::vector<std::string> names;
  for (const model::Record& record : organisation.records(RecordKind::contact))
    names.emplace_back(record.fields.at("givenName").as_string());
  EXPECT_THAT(names, ::testing::UnorderedElementsAre("0", "1", "3", "4", "5", "unseen"));
}

}  // namespace
}  // namespace syncline::sync::testing
