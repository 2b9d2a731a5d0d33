// SPDX-License-Identifier: GPL-3.0-or-later
// The three-way merge, case by case (invariants 3, 9, 11, 13).
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <string>

#include "sync/plan/merge.hpp"

namespace syncline::sync::plan {
namespace {

namespace json = boost::json;
using model::ConflictWinner;
using model::Direction;
using model::Fields;
using model::RecordKind;

Fields fields(std::string_view text) {
  return json::parse(text).as_object();
}

constexpr auto appointment = RecordKind::appointment;
constexpr auto contact = RecordKind::contact;
constexpr auto task = RecordKind::task;
constexpr auto email = RecordKind::email;

constexpr SystemTime noon{std::chrono::hours(12)};
constexpr SystemTime one{std::chrono::hours(13)};

enum class Newer { record, remote, unknown };

struct Case {
  std::string_view name;
  RecordKind kind;
  std::string_view base;
  std::string_view record;
  std::string_view remote;
  std::string_view to_record;
  std::string_view to_remote;
  std::string_view conflicts = "";  ///< names, with one blank between them
  ConflictWinner winner = ConflictWinner::newest;
  Newer newer = Newer::unknown;
};

void PrintTo(const Case& one_case, std::ostream* out) {
  *out << one_case.name;
}

constexpr auto exchange = ConflictWinner::exchange;
constexpr auto record = ConflictWinner::record;
constexpr auto newest = ConflictWinner::newest;
constexpr auto ask = ConflictWinner::ask;

constexpr Case cases[] = {
    // Texts, and what absent and null mean.
    {"nothing changed", task, R"({"subject":"a"})", R"({"subject":"a"})", R"({"subject":"a"})", "{}", "{}"},
    {"the item changed", task, R"({"subject":"a"})", R"({"subject":"a"})", R"({"subject":"b"})",
     R"({"subject":"b"})", "{}"},
    {"the record changed", task, R"({"subject":"a"})", R"({"subject":"b"})", R"({"subject":"a"})", "{}",
     R"({"subject":"b"})"},
    {"both changed alike", task, R"({"subject":"a"})", R"({"subject":"b"})", R"({"subject":"b "})", "{}",
     "{}"},
    {"the item was cleared with null", task, R"({"subject":"a"})", R"({"subject":"a"})",
     R"({"subject":null})", R"({"subject":null})", "{}"},
    {"the item lacks what the base has: cleared", task, R"({"subject":"a"})", R"({"subject":"a"})", "{}",
     R"({"subject":null})", "{}"},
    {"the record was cleared with null", task, R"({"subject":"a"})", R"({"subject":null})",
     R"({"subject":"a"})", "{}", R"({"subject":null})"},
    {"absent in the record is unknown, not cleared", task, R"({"subject":"a"})", "{}", R"({"subject":"a"})",
     "{}", "{}"},
    {"absent in the record takes what comes", task, R"({"subject":"a"})", "{}", R"({"subject":"b"})",
     R"({"subject":"b"})", "{}"},
    {"absent in item and base is unknown", task, "{}", R"({"subject":"a"})", "{}", "{}",
     R"({"subject":"a"})"},
    {"null and an empty text are one", task, R"({"subject":null})", R"({"subject":""})", R"({"subject":" "})",
     "{}", "{}"},
    {"fields outside the catalogue stay where they are", task, R"({"colour":"a"})", R"({"colour":"b"})",
     R"({"colour":"c"})", "{}", "{}"},
    {"a first meeting without a base takes the item's", task, "{}", "{}",
     R"({"subject":"a","dueDate":"2026-11-22"})", R"({"subject":"a","dueDate":"2026-11-22"})", "{}"},
    {"different fields changed on both sides", task, R"({"subject":"a","dueDate":"2026-11-22"})",
     R"({"subject":"b","dueDate":"2026-11-22"})", R"({"subject":"a","dueDate":"2026-11-23"})",
     R"({"dueDate":"2026-11-23"})", R"({"subject":"b"})"},
    // Other plain types.
    {"a boolean", appointment, R"({"reminderIsSet":true})", R"({"reminderIsSet":true})",
     R"({"reminderIsSet":false})", R"({"reminderIsSet":false})", "{}"},
    {"an integer", appointment, R"({"reminderMinutesBeforeStart":15})", R"({"reminderMinutesBeforeStart":0})",
     R"({"reminderMinutesBeforeStart":15})", "{}", R"({"reminderMinutesBeforeStart":0})"},
    {"a choice", appointment, R"({"legacyFreeBusyStatus":"Busy"})", R"({"legacyFreeBusyStatus":"Busy"})",
     R"({"legacyFreeBusyStatus":"OOF"})", R"({"legacyFreeBusyStatus":"OOF"})", "{}"},
    {"a date", contact, R"({"birthday":"2000-01-01"})", R"({"birthday":null})",
     R"({"birthday":"2000-01-01"})", "{}", R"({"birthday":null})"},
    {"a photo", contact, R"({"photo":{"sha256":"00"}})", R"({"photo":{"sha256":"00"}})",
     R"({"photo":{"sha256":"01"}})", R"({"photo":{"sha256":"01"}})", "{}"},
    // Directions.
    {"what only comes in never goes out", appointment, R"({"uid":"a"})", R"({"uid":"b"})", R"({"uid":"a"})",
     "{}", "{}"},
    {"what only comes in wins, and the loser is journalled", appointment, R"({"uid":"a"})", R"({"uid":"b"})",
     R"({"uid":"c"})", R"({"uid":"c"})", "{}", "uid", ask},
    {"what only goes out never comes in", task, R"({"reminderIsSet":true})", R"({"reminderIsSet":true})",
     R"({"reminderIsSet":false})", "{}", "{}"},
    {"what only goes out wins, and the loser is journalled", task,
     R"({"reminderDueBy":"2026-11-22T10:00:00Z"})", R"({"reminderDueBy":"2026-11-23T10:00:00Z"})",
     R"({"reminderDueBy":"2026-11-24T10:00:00Z"})", "{}", R"({"reminderDueBy":"2026-11-23T10:00:00Z"})",
     "reminderDueBy", ask},
    {"what goes no way stays", task, R"({"regarding":"1"})", R"({"regarding":"2"})", R"({"regarding":"3"})",
     "{}", "{}"},
    {"a message's body that was not read is no cleared body", email,
     R"({"body":{"type":"html","value":"a"}})", R"({"body":{"type":"html","value":"a"}})",
     R"({"isRead":true})", R"({"isRead":true})", "{}"},
    // Conflicts.
    {"newest, the record", task, R"({"subject":"a"})", R"({"subject":"b"})", R"({"subject":"c"})", "{}",
     R"({"subject":"b"})", "subject", newest, Newer::record},
    {"newest, the item", task, R"({"subject":"a"})", R"({"subject":"b"})", R"({"subject":"c"})",
     R"({"subject":"c"})", "{}", "subject", newest, Newer::remote},
    {"newest, but times are not known", task, R"({"subject":"a"})", R"({"subject":"b"})",
     R"({"subject":"c"})", R"({"subject":"c"})", "{}", "subject", newest, Newer::unknown},
    {"exchange", task, R"({"subject":"a"})", R"({"subject":"b"})", R"({"subject":"c"})", R"({"subject":"c"})",
     "{}", "subject", exchange, Newer::record},
    {"record", task, R"({"subject":"a"})", R"({"subject":"b"})", R"({"subject":"c"})", "{}",
     R"({"subject":"b"})", "subject", record, Newer::remote},
    {"ask", task, R"({"subject":"a"})", R"({"subject":"b"})", R"({"subject":"c"})", "{}", "{}", "subject",
     ask},
    {"edited here, cleared there", task, R"({"subject":"a"})", R"({"subject":"b"})", R"({"subject":null})",
     R"({"subject":null})", "{}", "subject", exchange},
    {"cleared here, edited there", task, R"({"subject":"a"})", R"({"subject":null})", R"({"subject":"c"})",
     "{}", R"({"subject":null})", "subject", record},
    // Bodies.
    {"a formatted body edited in Exchange", task, R"({"body":{"type":"html","value":"<b>a</b>"}})",
     R"({"body":{"type":"html","value":"<b>a</b>"}})", R"({"body":{"type":"html","value":"<b>b</b>"}})",
     R"({"body":{"type":"html","value":"<b>b</b>"}})", "{}"},
    {"only the formatting was edited in Exchange", task, R"({"body":{"type":"html","value":"<b>a</b>"}})",
     R"({"body":{"type":"html","value":"<b>a</b>"}})", R"({"body":{"type":"html","value":"<i>a</i>"}})",
     R"({"body":{"type":"html","value":"<i>a</i>"}})", "{}"},
    {"a formatted body comes back as plain text", task, R"({"body":{"type":"html","value":"<b>a</b> b"}})",
     R"({"body":{"type":"html","value":"<b>a</b> b"}})", R"({"body":{"type":"text","value":"a\nb"}})", "{}",
     "{}"},
    {"the record holds the plain copy of a formatted body", task,
     R"({"body":{"type":"html","value":"<b>a</b> b"}})", R"({"body":{"type":"text","value":"a b"}})",
     R"({"body":{"type":"html","value":"<b>a</b> b"}})", "{}", "{}"},
    {"the record is edited, the item comes back plain", task,
     R"({"body":{"type":"html","value":"<b>a</b>"}})", R"({"body":{"type":"html","value":"<b>b</b>"}})",
     R"({"body":{"type":"text","value":"a"}})", "{}", R"({"body":{"type":"html","value":"<b>b</b>"}})", "",
     exchange},
    {"a plain body gains formatting in Exchange", task, R"({"body":{"type":"text","value":"a"}})",
     R"({"body":{"type":"text","value":"a"}})", R"({"body":{"type":"html","value":"<b>a</b>"}})",
     R"({"body":{"type":"html","value":"<b>a</b>"}})", "{}"},
    {"the words were edited as plain text in Exchange", task,
     R"({"body":{"type":"html","value":"<b>a</b>"}})", R"({"body":{"type":"html","value":"<b>a</b>"}})",
     R"({"body":{"type":"text","value":"b"}})", R"({"body":{"type":"text","value":"b"}})", "{}"},
    {"both wrote the same words, here formatted", task, R"({"body":{"type":"text","value":"a"}})",
     R"({"body":{"type":"html","value":"<b>b</b>"}})", R"({"body":{"type":"text","value":"b"}})", "{}", "{}"},
    {"both wrote the same words, there formatted", task, R"({"body":{"type":"text","value":"a"}})",
     R"({"body":{"type":"text","value":"b"}})", R"({"body":{"type":"html","value":"<b>b</b>"}})",
     R"({"body":{"type":"html","value":"<b>b</b>"}})", "{}"},
    {"a body conflict", task, R"({"body":{"type":"html","value":"a"}})",
     R"({"body":{"type":"html","value":"b"}})", R"({"body":{"type":"html","value":"c"}})", "{}",
     R"({"body":{"type":"html","value":"b"}})", "body", record},
    // Sets.
    {"additions and removals of both sides meet", task, R"({"categories":["a","b"]})",
     R"({"categories":["b","c"]})", R"({"categories":["a","b","d"]})", R"({"categories":["b","d","c"]})",
     R"({"categories":["b","d","c"]})"},
    {"a set in another order is the same", task, R"({"categories":["a","b"]})", R"({"categories":["b","a"]})",
     R"({"categories":["a","b"]})", "{}", "{}"},
    {"a set cleared in the record", task, R"({"categories":["a"]})", R"({"categories":null})",
     R"({"categories":["a"]})", "{}", R"({"categories":[]})"},
    {"a set cleared in the item", task, R"({"categories":["a"]})", R"({"categories":["a"]})",
     R"({"categories":null})", R"({"categories":[]})", "{}"},
    {"a set unknown to the record", task, R"({"categories":["a"]})", "{}", R"({"categories":["a"]})", "{}",
     "{}"},
    {"a set unknown to the record changes", task, R"({"categories":["a"]})", "{}", R"({"categories":["b"]})",
     R"({"categories":["b"]})", "{}"},
    {"two sets without a base become one", task, "{}", R"({"categories":["a"]})", R"({"categories":["b"]})",
     R"({"categories":["b","a"]})", R"({"categories":["b","a"]})"},
    {"attendees: a new one here, an answer there", appointment,
     R"({"requiredAttendees":[{"mailbox":{"emailAddress":"a@x"}}]})",
     R"({"requiredAttendees":[{"mailbox":{"emailAddress":"A@X"}},{"mailbox":{"emailAddress":"b@x"}}]})",
     R"({"requiredAttendees":[{"mailbox":{"emailAddress":"a@x"},"responseType":"Accept"}]})",
     R"({"requiredAttendees":[{"mailbox":{"emailAddress":"a@x"},"responseType":"Accept"},
                              {"mailbox":{"emailAddress":"b@x"}}]})",
     R"({"requiredAttendees":[{"mailbox":{"emailAddress":"a@x"},"responseType":"Accept"},
                              {"mailbox":{"emailAddress":"b@x"}}]})"},
    {"attendees: only an answer came", appointment,
     R"({"requiredAttendees":[{"mailbox":{"emailAddress":"a@x"}}]})",
     R"({"requiredAttendees":[{"mailbox":{"emailAddress":"a@x"}}]})",
     R"({"requiredAttendees":[{"mailbox":{"emailAddress":"a@x"},"responseType":"Decline"}]})",
     R"({"requiredAttendees":[{"mailbox":{"emailAddress":"a@x"},"responseType":"Decline"}]})", "{}"},
    {"attendees in another case are the same", appointment,
     R"({"requiredAttendees":[{"mailbox":{"emailAddress":"a@x"}}]})",
     R"({"requiredAttendees":[{"mailbox":{"emailAddress":"A@X","name":"A"}}]})",
     R"({"requiredAttendees":[{"mailbox":{"emailAddress":"a@x"}}]})", "{}", "{}"},
    {"deleted occurrences add up", appointment, R"({"deletedOccurrences":["2026-11-22"]})",
     R"({"deletedOccurrences":["2026-11-22","2026-11-23"]})",
     R"({"deletedOccurrences":["2026-11-22","2026-11-24"]})",
     R"({"deletedOccurrences":["2026-11-22","2026-11-24","2026-11-23"]})",
     R"({"deletedOccurrences":["2026-11-22","2026-11-24","2026-11-23"]})"},
    // Dictionaries.
    {"entries are merged one by one", contact,
     R"({"phoneNumbers":{"HomePhone":"1","Pager":"2","Telex":"3"}})",
     R"({"phoneNumbers":{"HomePhone":"10","Pager":"2","Telex":null}})",
     R"({"phoneNumbers":{"HomePhone":"1","Pager":"20","Telex":"3","Isdn":"4"}})",
     R"({"phoneNumbers":{"Pager":"20","Isdn":"4"}})", R"({"phoneNumbers":{"HomePhone":"10","Telex":null}})"},
    {"an entry that the record does not name is unknown", contact,
     R"({"phoneNumbers":{"HomePhone":"1","Pager":"2"}})", R"({"phoneNumbers":{"HomePhone":"1"}})",
     R"({"phoneNumbers":{"HomePhone":"1","Pager":"2"}})", "{}", "{}"},
    {"an entry that the item does not name was cleared", contact,
     R"({"phoneNumbers":{"HomePhone":"1","Pager":"2"}})", R"({"phoneNumbers":{"HomePhone":"1","Pager":"2"}})",
     R"({"phoneNumbers":{"HomePhone":"1"}})", R"({"phoneNumbers":{"Pager":null}})", "{}"},
    {"a dictionary cleared in the record", contact, R"({"phoneNumbers":{"HomePhone":"1","Pager":"2"}})",
     R"({"phoneNumbers":null})", R"({"phoneNumbers":{"HomePhone":"1","Pager":"2"}})", "{}",
     R"({"phoneNumbers":{"HomePhone":null,"Pager":null}})"},
    {"an empty dictionary takes a new entry", contact, R"({"phoneNumbers":null})", R"({"phoneNumbers":null})",
     R"({"phoneNumbers":{"Pager":"2"}})", R"({"phoneNumbers":{"Pager":"2"}})", "{}"},
    {"a conflict is one entry's", contact, R"({"phoneNumbers":{"HomePhone":"1","Pager":"1"}})",
     R"({"phoneNumbers":{"HomePhone":"2","Pager":"2"}})", R"({"phoneNumbers":{"HomePhone":"3","Pager":"1"}})",
     R"({"phoneNumbers":{"HomePhone":"3"}})", R"({"phoneNumbers":{"Pager":"2"}})", "phoneNumbers.HomePhone",
     exchange},
    {"a person decides on one entry, others go on", contact, R"({"phoneNumbers":{"HomePhone":"1"}})",
     R"({"phoneNumbers":{"HomePhone":"2","Pager":"2"}})", R"({"phoneNumbers":{"HomePhone":"3","Telex":"3"}})",
     R"({"phoneNumbers":{"Telex":"3"}})", R"({"phoneNumbers":{"Pager":"2"}})", "phoneNumbers.HomePhone", ask},
    {"postal addresses by kind", contact, R"({"physicalAddresses":{"Home":{"city":"Kiel"}}})",
     R"({"physicalAddresses":{"Home":{"city":"Kiel"},"Other":{"city":"Ulm"}}})",
     R"({"physicalAddresses":{"Home":{"city":"Bonn"}}})", R"({"physicalAddresses":{"Home":{"city":"Bonn"}}})",
     R"({"physicalAddresses":{"Other":{"city":"Ulm"}}})"},
    // What belongs together.
    {"times are decided together", appointment,
     R"({"start":"2026-11-22T10:00:00Z","end":"2026-11-22T11:00:00Z"})",
     R"({"start":"2026-11-22T09:00:00Z","end":"2026-11-22T11:00:00Z"})",
     R"({"start":"2026-11-22T10:00:00Z","end":"2026-11-22T12:00:00Z"})", R"({})",
     R"({"start":"2026-11-22T09:00:00Z","end":"2026-11-22T11:00:00Z"})", "start", record},
    {"times are decided together for the item, too", appointment,
     R"({"start":"2026-11-22T10:00:00Z","end":"2026-11-22T11:00:00Z"})",
     R"({"start":"2026-11-22T09:00:00Z","end":"2026-11-22T11:00:00Z"})",
     R"({"start":"2026-11-22T10:00:00Z","end":"2026-11-22T12:00:00Z"})",
     R"({"start":"2026-11-22T10:00:00Z","end":"2026-11-22T12:00:00Z"})", "{}", "start", exchange},
    {"times a person decides on", appointment,
     R"({"start":"2026-11-22T10:00:00Z","end":"2026-11-22T11:00:00Z"})",
     R"({"start":"2026-11-22T09:00:00Z","end":"2026-11-22T11:00:00Z","subject":"b"})",
     R"({"start":"2026-11-22T10:00:00Z","end":"2026-11-22T12:00:00Z","location":"c"})", R"({"location":"c"})",
     R"({"subject":"b"})", "start", ask},
    {"a moved start goes with its end, but not with zone and recurrence", appointment,
     R"({"start":"2026-11-22T10:00:00Z","end":"2026-11-22T11:00:00Z","startTimeZone":{"id":"UTC"},
         "recurrence":{"pattern":{"type":"daily"},"range":{}}})",
     R"({"start":"2026-11-22T09:00:00Z","end":"2026-11-22T11:00:00Z","startTimeZone":{"id":"UTC"},
         "recurrence":{"pattern":{"type":"daily"},"range":{}}})",
     R"({"start":"2026-11-22T10:00:00Z","end":"2026-11-22T11:00:00Z","startTimeZone":{"id":"UTC"},
         "recurrence":{"pattern":{"type":"daily"},"range":{}}})",
     "{}", R"({"start":"2026-11-22T09:00:00Z","end":"2026-11-22T11:00:00Z"})"},
    {"times both changed alike", appointment, R"({"start":"2026-11-22T10:00:00Z"})",
     R"({"start":"2026-11-22T09:00:00Z"})", R"({"start":"2026-11-22T09:00:00Z"})", "{}", "{}"},
    {"a zone nobody else knows of stays", appointment, R"({"start":"2026-11-22T10:00:00Z"})",
     R"({"start":"2026-11-22T10:00:00Z","endTimeZone":null})", R"({"start":"2026-11-22T09:00:00Z"})",
     R"({"start":"2026-11-22T09:00:00Z"})", "{}"},
    {"a task's progress is one thing", task, R"({"status":"NotStarted","percentComplete":0.0})",
     R"({"status":"InProgress","percentComplete":50.0})",
     R"({"status":"Completed","percentComplete":100.0,"completeDate":"2026-11-22"})",
     R"({"status":"Completed","percentComplete":100.0,"completeDate":"2026-11-22"})", "{}", "status",
     exchange},
    {"a task is completed in Exchange", task, R"({"status":"NotStarted","percentComplete":0.0})",
     R"({"status":"NotStarted","percentComplete":0.0})", R"({"status":"Completed","percentComplete":100.0})",
     R"({"status":"Completed","percentComplete":100.0})", "{}"},
    // Exceptions of a series.
    {"exceptions of different days add up", appointment, "{}",
     R"({"modifiedOccurrences":[{"originalStart":"2026-11-22","subject":"a"}]})",
     R"({"modifiedOccurrences":[{"originalStart":"2026-11-23","subject":"b"}]})",
     R"({"modifiedOccurrences":[{"originalStart":"2026-11-22","subject":"a"},
                                {"originalStart":"2026-11-23","subject":"b"}]})",
     R"({"modifiedOccurrences":[{"originalStart":"2026-11-22","subject":"a"},
                                {"originalStart":"2026-11-23","subject":"b"}]})"},
    {"an exception was taken back in Exchange", appointment,
     R"({"modifiedOccurrences":[{"originalStart":"2026-11-22","subject":"a"}]})",
     R"({"modifiedOccurrences":[{"originalStart":"2026-11-22","subject":"a"}]})",
     R"({"modifiedOccurrences":[]})", R"({"modifiedOccurrences":[]})", "{}"},
    {"one day's exception in conflict", appointment,
     R"({"modifiedOccurrences":[{"originalStart":"2026-11-22","subject":"a"}]})",
     R"({"modifiedOccurrences":[{"originalStart":"2026-11-22","subject":"b"}]})",
     R"({"modifiedOccurrences":[{"originalStart":"2026-11-22","subject":"c"}]})", "{}",
     R"({"modifiedOccurrences":[{"originalStart":"2026-11-22","subject":"b"}]})",
     "modifiedOccurrences.2026-11-22", record},
    {"one day's exception a person decides on", appointment,
     R"({"modifiedOccurrences":[{"originalStart":"2026-11-22","subject":"a"}]})",
     R"({"modifiedOccurrences":[{"originalStart":"2026-11-22","subject":"b"}]})",
     R"({"modifiedOccurrences":[{"originalStart":"2026-11-22","subject":"c"},
                                {"originalStart":"2026-11-23","subject":"d"}]})",
     R"({"modifiedOccurrences":[{"originalStart":"2026-11-22","subject":"b"},
                                {"originalStart":"2026-11-23","subject":"d"}]})",
     "{}", "modifiedOccurrences.2026-11-22", ask},
    {"a place cleared for one day only", appointment,
     R"({"modifiedOccurrences":[{"originalStart":"2026-11-22","subject":"a"}]})",
     R"({"modifiedOccurrences":[{"originalStart":"2026-11-22","subject":"a"}]})",
     R"({"modifiedOccurrences":[{"originalStart":"2026-11-22","subject":"a","location":null}]})",
     R"({"modifiedOccurrences":[{"originalStart":"2026-11-22","subject":"a","location":null}]})", "{}"},
};

Merge merged(const Case& one_case, const Fields& base) {
  const Fields ours = fields(one_case.record);
  const Fields theirs = fields(one_case.remote);
  model::Policies policies;
  policies.conflict.winner = one_case.winner;
  MergeInput input{.kind = one_case.kind, .base = base, .record = ours, .remote = theirs};
  if (one_case.newer != Newer::unknown) {
    input.record_changed_at = one_case.newer == Newer::record ? one : noon;
    input.remote_changed_at = one_case.newer == Newer::record ? noon : one;
  }
  return merge(input, policies);
}

class Invariant9 : public testing::TestWithParam<Case> {};

TEST_P(Invariant9, EachFieldIsMergedAgainstTheBase) {
  const Case& one_case = GetParam();
  const Merge result = merged(one_case, fields(one_case.base));
  EXPECT_EQ(result.to_record, fields(one_case.to_record)) << json::serialize(result.to_record);
  EXPECT_EQ(result.to_remote, fields(one_case.to_remote)) << json::serialize(result.to_remote);
  std::string names;
  for (const FieldConflict& conflict : result.conflicts)
    names.append(names.empty() ? "" : " ").append(conflict.field);
  EXPECT_EQ(names, one_case.conflicts);
}

/// Nothing was applied: the same merge against the new base asks for the same write again.
TEST_P(Invariant9, AWriteThatWasNotMadeIsAskedForAgain) {
  const Case& one_case = GetParam();
  const Merge first = merged(one_case, fields(one_case.base));
  const Fields record_after = patched(one_case.kind, fields(one_case.record), first.to_record);
  const Fields remote = fields(one_case.remote);
  model::Policies policies;
  policies.conflict.winner = one_case.winner;
  const Merge second =
      merge({.kind = one_case.kind, .base = first.base, .record = record_after, .remote = remote}, policies);
  EXPECT_EQ(second.to_remote, first.to_remote) << json::serialize(second.to_remote);
  EXPECT_EQ(second.to_record, Fields()) << json::serialize(second.to_record);
}

INSTANTIATE_TEST_SUITE_P(Cases, Invariant9, testing::ValuesIn(cases));

TEST(Invariant9Journal, BothValuesOfAConflictAreKept) {
  const Fields base = fields(R"({"subject":"a"})");
  const Fields ours = fields(R"({"subject":"b"})");
  const Fields theirs = fields(R"({"subject":"c"})");
  model::Policies policies;
  policies.conflict.by_field[{task, "subject"}] = ConflictWinner::record;
  policies.conflict.winner = ConflictWinner::ask;
  const Merge result = merge({.kind = task, .base = base, .record = ours, .remote = theirs}, policies);
  ASSERT_EQ(result.conflicts.size(), 1U);
  EXPECT_EQ(result.conflicts[0].record, json::value("b"));
  EXPECT_EQ(result.conflicts[0].remote, json::value("c"));
  EXPECT_EQ(result.conflicts[0].winner, ConflictWinner::record);
  EXPECT_TRUE(result.conflicts[0].record_won);
  EXPECT_FALSE(result.asks());
}

TEST(Invariant9Journal, AGroupKeepsAllItsValues) {
  const Fields base = fields(R"({"start":"2026-11-22T10:00:00Z","end":"2026-11-22T11:00:00Z"})");
  const Fields ours = fields(R"({"start":"2026-11-22T09:00:00Z","end":"2026-11-22T11:00:00Z"})");
  const Fields theirs = fields(R"({"start":"2026-11-22T10:00:00Z","end":"2026-11-22T12:00:00Z"})");
  model::Policies policies;
  policies.conflict.winner = ConflictWinner::ask;
  const Merge result = merge({.kind = appointment, .base = base, .record = ours, .remote = theirs}, policies);
  ASSERT_TRUE(result.asks());
  EXPECT_EQ(result.conflicts[0].record.at("start"), json::value("2026-11-22T09:00:00Z"));
  EXPECT_EQ(result.conflicts[0].remote.at("end"), json::value("2026-11-22T12:00:00Z"));
  EXPECT_EQ(result.base.at("start"), json::value("2026-11-22T10:00:00Z"));
  EXPECT_EQ(result.base.at("end"), json::value("2026-11-22T11:00:00Z"));
}

TEST(Invariant9Groups, AMemberThatGoesNoWayIsNotWrittenWithItsGroup) {
  const Fields base = fields(R"({"status":"NotStarted","percentComplete":0.0,"completeDate":null})");
  const Fields ours = fields(R"({"status":"InProgress","percentComplete":40.0,"completeDate":null})");
  const Fields theirs =
      fields(R"({"status":"NotStarted","percentComplete":10.0,"completeDate":"2026-11-22"})");
  model::Policies policies;
  policies.directions[{task, "percentComplete"}] = Direction::none;
  policies.directions[{task, "completeDate"}] = Direction::to_exchange;
  const Merge result = merge({.kind = task, .base = base, .record = ours, .remote = theirs}, policies);
  EXPECT_EQ(result.to_record, Fields()) << json::serialize(result.to_record);
  EXPECT_FALSE(result.to_remote.contains("percentComplete"));
  EXPECT_EQ(result.to_remote.at("status"), json::value("InProgress"));
}

TEST(MergeDirections, AReminderDismissedInExchangeDoesNotComeBack) {
  const Fields base = fields(R"({"reminderIsSet":true})");
  const Fields dismissed = fields(R"({"reminderIsSet":false})");
  const Merge first = merge({.kind = task, .base = base, .record = base, .remote = dismissed}, {});
  const Merge second = merge({.kind = task, .base = first.base, .record = base, .remote = dismissed}, {});
  EXPECT_EQ(second.to_remote, Fields());
}

TEST(MergeBodies, APlainCopyLeavesTheFormattedBodyInTheBase) {
  const Fields rich = fields(R"({"body":{"type":"html","value":"<b>a</b>"}})");
  const Fields plain = fields(R"({"body":{"type":"text","value":"a"}})");
  const Merge result = merge({.kind = task, .base = rich, .record = rich, .remote = plain}, {});
  EXPECT_EQ(result.base, rich);
}

TEST(MergePolicy, WithoutThreeAddressesOnlyTheBusinessAddressIsSynchronised) {
  const Fields ours = fields(R"({"physicalAddresses":{"Home":{"city":"Kiel"},"Business":{"city":"Ulm"}}})");
  const Fields theirs = fields(R"({"physicalAddresses":{"Other":{"city":"Bonn"}}})");
  model::Policies policies;
  policies.sync.three_addresses = false;
  const Merge result = merge({.kind = contact, .base = {}, .record = ours, .remote = theirs}, policies);
  EXPECT_EQ(result.to_remote, fields(R"({"physicalAddresses":{"Business":{"city":"Ulm"}}})"));
  EXPECT_EQ(result.to_record, Fields());
  EXPECT_EQ(for_remote(contact, ours, policies), result.to_remote);
  EXPECT_EQ(for_record(contact, theirs, policies), fields(R"({"physicalAddresses":{}})"));
}

TEST(MergeSides, OnlyFieldsOfTheirDirectionGoIntoANewRecordOrItem) {
  const Fields all = fields(R"({"subject":"a","uid":"u","regarding":"1","location":null,"colour":"x"})");
  EXPECT_EQ(for_record(appointment, all, {}), fields(R"({"subject":"a","uid":"u","location":null})"));
  EXPECT_EQ(for_remote(appointment, all, {}), fields(R"({"subject":"a"})"));
}

TEST(MergeSides, PatchesReachSingleEntriesOfADictionary) {
  const Fields before = fields(R"({"phoneNumbers":{"HomePhone":"1","Pager":"2"},"title":"Dr"})");
  EXPECT_EQ(patched(contact, before, fields(R"({"phoneNumbers":{"Pager":null},"title":null})")),
            fields(R"({"phoneNumbers":{"HomePhone":"1","Pager":null},"title":null})"));
  EXPECT_EQ(patched(contact, before, fields(R"({"phoneNumbers":null})")).at("phoneNumbers"), json::value());
}

TEST(MergeLimits, TenThousandElementsAreMergedAtOnce) {
  json::array base;
  json::array ours;
  json::array theirs;
  json::array exceptions;
  for (int i = 0; i < 10'000; ++i) {
    base.push_back(json::value("b" + std::to_string(i)));
    ours.push_back(json::value("o" + std::to_string(i)));
    theirs.push_back(json::value("t" + std::to_string(i)));
    exceptions.push_back(json::object{{"originalStart", "x" + std::to_string(i)}, {"subject", "a"}});
  }
  const Fields before{{"categories", base}};
  const Fields record_now{{"categories", ours}, {"modifiedOccurrences", exceptions}};
  const Fields remote_now{{"categories", theirs}, {"modifiedOccurrences", exceptions}};
  const Merge result =
      merge({.kind = appointment, .base = before, .record = record_now, .remote = remote_now}, {});
  EXPECT_EQ(result.to_record.at("categories").as_array().size(), 20'000U);
}

}  // namespace
}  // namespace syncline::sync::plan
