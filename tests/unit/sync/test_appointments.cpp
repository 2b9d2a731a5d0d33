// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "organisation.hpp"
#include "store/configuration.hpp"

namespace syncline::sync::testing {
namespace {

using model::RecordKind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Appointments : public ::testing::Test {
 protected:
  ManualClock clock;
  MemoryServer server{clock, "anna@example.com"};
  Organisation organisation{clock, server};

  static model::Fields meeting(const std::string& day = "2026-02-02", bool with_attendees = true) {
    model::Fields fields{{"subject", "Review"},
                         {"start", day + "T09:00:00Z"},
                         {"end", day + "T10:00:00Z"},
                         {"startTimeZone", {{"id", "W. Europe Standard Time"}}},
                         {"endTimeZone", {{"id", "W. Europe Standard Time"}}}};
    if (with_attendees) fields["requiredAttendees"] = {{{"mailbox", {{"emailAddress", "bert@example.com"}}}}};
    return fields;
  }
};

TEST_F(Appointments, invariant6AnInvitationIsMailedOnceWhateverIsLost) {
  for (const FaultMoment moment : {FaultMoment::before, FaultMoment::after}) {
    const std::size_t mailed = server.mailed().size();
    organisation.add(RecordKind::appointment, meeting());
    bool faulted = false;
    organisation.must_run([&](const std::string& request, FaultMoment when) -> std::optional<Error> {
      if (request != "mail" || when != moment || faulted) return std::nullopt;
      faulted = true;
      return Error{.domain = ErrorDomain::net, .code = "connection-reset", .retry = RetryClass::now};
    });
    organisation.must_run();
    EXPECT_TRUE(faulted);
    EXPECT_EQ(server.mailed().size(), mailed + 1);
  }
  EXPECT_THAT(server.in("calendar"), SizeIs(2));
}

TEST_F(Appointments, nobodyIsMailedForAPastMeetingOrWithoutAttendees) {
  organisation.add(RecordKind::appointment, meeting("2025-02-02"));
  organisation.add(RecordKind::appointment, meeting("2026-02-02", false));
  organisation.must_run();
  EXPECT_THAT(server.in("calendar"), SizeIs(2));
  EXPECT_THAT(server.mailed(), IsEmpty());
}

TEST_F(Appointments, pastMeetingsAreNotChanged) {
  const model::Record record = organisation.add(RecordKind::appointment, meeting("2026-01-06"));
  organisation.must_run();
  clock.advance(std::chrono::hours(24 * 30));
  organisation.edit(record.id, {{"location", "Room 2"}});
  organisation.must_run();
  EXPECT_EQ(server.requests["update"], 0u);
  EXPECT_THAT(organisation.journal("not-written"), ElementsAre("past-meeting"));
  organisation.must_run();
  EXPECT_THAT(organisation.journal("not-written"), SizeIs(1)) << "said once";
}

TEST_F(Appointments, invariant11AnAttendeesCopyIsNotWritten) {
  MemoryItem& copy = server.add("calendar", meeting());
  copy.is_organizer = false;
  copy.fields["organizer"] = {{"emailAddress", "bert@example.com"}};
  organisation.must_run();
  organisation.edit(organisation.only_record(RecordKind::appointment).id, {{"location", "Room 2"}});
  organisation.must_run();
  EXPECT_EQ(server.requests["update"], 0u);
  EXPECT_THAT(organisation.journal("not-written"), ElementsAre("not-organizer"));
}

TEST_F(Appointments, invariant13AChangedTimeIsWrittenWhole) {
  const model::Record record = organisation.add(RecordKind::appointment, meeting("2026-02-02", false));
  organisation.must_run();
  const std::string id = server.in("calendar").front()->id;
  organisation.edit(record.id, {{"start", "2026-02-02T09:30:00Z"}});
  model::Fields written;
  server.on_update = [&](const model::Fields& fields) { written = fields; };
  organisation.must_run();
  EXPECT_EQ(server.find(id)->fields.at("start"), "2026-02-02T09:30:00Z");
  EXPECT_TRUE(written.contains("end"));
}

TEST_F(Appointments, removedRecordsCancelTheMeeting) {
  organisation.add(RecordKind::appointment, meeting());
  organisation.add(RecordKind::appointment, meeting("2026-03-03", false));
  organisation.must_run();
  ASSERT_THAT(server.mailed(), SizeIs(1));
  for (const model::Record& record : organisation.records(RecordKind::appointment))
    if (record.fields.contains("requiredAttendees")) organisation.remove(record.id);
  organisation.must_run();
  EXPECT_THAT(server.in("calendar"), SizeIs(1));
  EXPECT_THAT(server.mailed(), SizeIs(2));
}

TEST_F(Appointments, attendeesAnswersComeIntoTheRecord) {
  organisation.add(RecordKind::appointment, meeting());
  organisation.must_run();
  const std::string id = server.in("calendar").front()->id;
  server.edit(id, {{"requiredAttendees",
                    {{{"mailbox", {{"emailAddress", "bert@example.com"}}}, {"responseType", "Accept"}}}}});
  organisation.must_run();
  EXPECT_EQ(organisation.only_record(RecordKind::appointment)
                .fields.at("requiredAttendees")
                .at(0)
                .at("responseType"),
            "Accept");
  EXPECT_EQ(server.requests["update"], 0u);
}

TEST_F(Appointments, theCopiesOfOneMeetingInSeveralMailboxesAreOneRecord) {
  model::Fields fields = meeting();
  fields["uid"] = "040000008200E000";
  const std::string organisers = server.add("calendar", fields).id;
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::appointment), SizeIs(1));
  // The attendee's mailbox, in the same organisation.
  organisation.settings.mailbox =
      organisation.store()
          .write<store::MailboxId>([&](store::Transaction& transaction) -> Result<store::MailboxId> {
            auto profiles = store::list_profiles(transaction);
            if (!profiles) return fail(std::move(profiles.error()));
            return store::put_mailbox(transaction, {.address = "bert@example.com",
                                                    .profile = profiles->front().id,
                                                    .enabled = true,
                                                    .json = "{}",
                                                    .state = "{}"});
          })
          .value();
  organisation.settings.address = "bert@example.com";
  server.remove_unseen(organisers);
  server.add("calendar", fields).is_organizer = false;
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::appointment), SizeIs(1));
}

TEST_F(Appointments, twoOfOneMailboxUnderOneUidStayTwo) {
  model::Fields fields = meeting();
  fields["uid"] = "040000008200E000";
  server.add("calendar", fields);
  server.add("calendar", fields);
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::appointment), SizeIs(2));
}

}  // namespace
}  // namespace syncline::sync::testing
