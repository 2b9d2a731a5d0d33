// SPDX-License-Identifier: GPL-3.0-or-later
// Whether a write to an appointment is made, and whom it mails (invariant 11).
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <chrono>
#include <string>

#include "sync/plan/meeting.hpp"

namespace syncline::sync::plan {
namespace {

namespace json = boost::json;
using model::Fields;

Fields fields(std::string_view text) {
  return json::parse(text).as_object();
}

constexpr SystemTime now{std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + std::chrono::hours(12)};

Fields meeting(std::string_view start, bool with_attendees = true) {
  Fields made{{"subject", "Plan"}, {"start", start}, {"end", start}};
  if (with_attendees) made["requiredAttendees"] = json::parse(R"([{"mailbox":{"emailAddress":"bob@x"}}])");
  return made;
}

struct Case {
  std::string_view name;
  MeetingWrite write;
  bool organizer;
  Fields fields;
  Fields changes;
  bool written;
  bool mailed;
  std::string_view reason;
};

TEST(Invariant11Meetings, EachDecisionHasItsReason) {
  const Fields later = meeting("2026-11-23T10:00:00Z");
  const Fields past = meeting("2026-11-21T10:00:00Z");
  const Fields alone = meeting("2026-11-23T10:00:00Z", false);
  const Fields alone_past = meeting("2026-11-21T10:00:00Z", false);
  const Fields place = fields(R"({"location":"Room 1"})");
  const Fields own = fields(R"({"categories":["a"],"reminderIsSet":true,"legacyFreeBusyStatus":"OOF"})");
  const Case cases[] = {
      {"invitation", MeetingWrite::create, true, later, {}, true, true, "attendees"},
      {"no attendees", MeetingWrite::create, true, alone, {}, true, false, "no-attendees"},
      {"a meeting of the past is written quietly",
       MeetingWrite::create,
       true,
       past,
       {},
       true,
       false,
       "past-meeting"},
      {"somebody else's meeting mails nobody",
       MeetingWrite::create,
       false,
       later,
       {},
       true,
       false,
       "not-organizer"},
      {"update", MeetingWrite::update, true, later, place, true, true, "attendees"},
      {"attendees do not see a category", MeetingWrite::update, true, later, own, true, false,
       "nothing-to-tell"},
      {"a past meeting is left alone", MeetingWrite::update, true, past, place, false, false, "past-meeting"},
      {"a past appointment of one's own", MeetingWrite::update, true, alone_past, place, true, false,
       "no-attendees"},
      {"an attendee's own fields", MeetingWrite::update, false, later, own, true, false, "not-organizer"},
      {"an attendee cannot move it", MeetingWrite::update, false, later, place, false, false,
       "not-organizer"},
      {"cancellation", MeetingWrite::remove, true, later, {}, true, true, "attendees"},
      {"an appointment goes", MeetingWrite::remove, true, alone, {}, true, false, "no-attendees"},
      {"the past stays", MeetingWrite::remove, true, past, {}, false, false, "past-meeting"},
      {"the past stays without attendees",
       MeetingWrite::remove,
       true,
       alone_past,
       {},
       false,
       false,
       "past-meeting"},
      {"somebody else's meeting stays",
       MeetingWrite::remove,
       false,
       later,
       {},
       false,
       false,
       "not-organizer"},
      {"whoever was taken off is told", MeetingWrite::update, true, alone,
       fields(R"({"requiredAttendees":[]})"), true, true, "attendees"},
  };
  for (const Case& one : cases) {
    const MeetingDecision made = decide_meeting(
        {.write = one.write, .is_organizer = one.organizer, .fields = one.fields, .changes = one.changes}, {},
        now);
    EXPECT_EQ(made.write, one.written) << one.name;
    EXPECT_EQ(made.mail, one.mailed) << one.name;
    EXPECT_EQ(made.reason, one.reason) << one.name;
  }
}

TEST(Invariant11Meetings, OnlyTheOrganizersMailboxEverMails) {
  const Fields all[] = {meeting("2026-11-23T10:00:00Z"), meeting("2026-11-21T10:00:00Z")};
  const Fields changes[] = {{}, fields(R"({"location":"a"})"), fields(R"({"requiredAttendees":null})")};
  for (const MeetingWrite write : {MeetingWrite::create, MeetingWrite::update, MeetingWrite::remove})
    for (const Fields& one : all)
      for (const Fields& change : changes)
        for (const bool past : {false, true})
          EXPECT_FALSE(
              decide_meeting({.write = write, .is_organizer = false, .fields = one, .changes = change},
                             {.change_past_meetings = past}, now)
                  .mail);
}

TEST(MeetingPolicies, PastMeetingsMayBeChangedQuietly) {
  const Fields past = meeting("2026-11-21T10:00:00Z");
  const Fields change = fields(R"({"location":"a"})");
  const MeetingDecision made =
      decide_meeting({.write = MeetingWrite::update, .fields = past, .changes = change},
                     {.change_past_meetings = true}, now);
  EXPECT_TRUE(made.write);
  EXPECT_FALSE(made.mail);
}

TEST(MeetingPolicies, InvitationsCanBeSwitchedOff) {
  const Fields later = meeting("2026-11-23T10:00:00Z");
  const MeetingDecision made =
      decide_meeting({.fields = later, .changes = later}, {.send_invitations = false}, now);
  EXPECT_TRUE(made.write);
  EXPECT_FALSE(made.mail);
  EXPECT_EQ(made.reason, "invitations-off");
}

bool mails(Fields one) {
  one["requiredAttendees"] = json::parse(R"([{"mailbox":{"emailAddress":"bob@x"}}])");
  return decide_meeting({.fields = one, .changes = one}, {}, now).mail;
}

TEST(MeetingTimes, AnAllDayEventIsPastWhenItsDayIs) {
  EXPECT_TRUE(mails(fields(R"({"start":"2026-11-22","isAllDayEvent":true})")));
  EXPECT_FALSE(mails(fields(R"({"start":"2026-11-21","isAllDayEvent":true})")));
  EXPECT_FALSE(mails(fields(R"({"start":"2026-11-22T11:59:59Z"})")));
  EXPECT_TRUE(mails(fields(R"({"start":"2026-11-22T12:00:01Z"})")));
}

TEST(MeetingTimes, ASeriesIsPastAfterTheLastDayThatItsRangeTells) {
  const auto series = [](std::string_view range) {
    Fields made{{"start", "2020-01-01T10:00:00Z"}};
    made["recurrence"] = json::object{{"pattern", {{"type", "daily"}}}, {"range", json::parse(range)}};
    return made;
  };
  EXPECT_TRUE(mails(series(R"({"type":"noEnd"})")));
  EXPECT_TRUE(mails(series(R"({"type":"numbered","numberOfOccurrences":3})")));
  EXPECT_TRUE(mails(series(R"({"type":"endDate","endDate":"2026-11-22"})")));
  EXPECT_FALSE(mails(series(R"({"type":"endDate","endDate":"2026-11-20"})")));
  EXPECT_TRUE(mails(series(R"({"type":"endDate","endDate":"9999-12-31"})")));
}

TEST(MeetingTimes, TimesThatCannotBeReadAreNotPast) {
  for (const char* start :
       {R"(null)", R"("")", R"("2026-99-99T10:00:00Z")", R"(5)", R"("-000-00-00-00")", R"("xxxx-xx-xx")"}) {
    Fields odd;
    odd["start"] = json::parse(start);
    EXPECT_TRUE(mails(odd)) << start;
  }
}

TEST(MeetingAttendees, AreCountedOverAllLists) {
  EXPECT_EQ(
      count_attendees(fields(R"({"requiredAttendees":[{},{}],"optionalAttendees":[{}],"resources":null})")),
      3U);
  EXPECT_EQ(count_attendees({}), 0U);
}

}  // namespace
}  // namespace syncline::sync::plan
