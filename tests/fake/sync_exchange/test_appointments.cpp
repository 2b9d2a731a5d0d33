// SPDX-License-Identifier: GPL-3.0-or-later
// Appointments, series and meetings both ways through the whole engine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <chrono>
#include <cstdio>

#include "base/base64.hpp"
#include "exchange_organisation.hpp"
#include "model/field_catalogue.hpp"

namespace syncline::sync::testing {
namespace {

using model::RecordKind;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

model::Fields fields(std::string_view text) {
  return boost::json::parse(text).get_object();
}
std::string as_json(std::string_view text) {
  return field_text({{"x", boost::json::parse(text)}}, "x");
}

constexpr std::string_view meeting = R"({"subject":"Review","start":"2026-02-02T09:00:00Z",
  "end":"2026-02-02T10:00:00Z","startTimeZone":{"id":"W. Europe Standard Time"},
  "endTimeZone":{"id":"W. Europe Standard Time"},"location":"Room 1",
  "requiredAttendees":[{"mailbox":{"emailAddress":"bert@example.com"}}]})";
constexpr std::string_view full_appointment = R"({"subject":"Plan","start":"2026-03-20T11:00:00Z",
  "end":"2026-03-20T12:30:00Z","isAllDayEvent":false,"startTimeZone":{"id":"W. Europe Standard Time"},
  "endTimeZone":{"id":"Tokyo Standard Time"},"location":"Room 2","legacyFreeBusyStatus":"OOF",
  "importance":"High","sensitivity":"Personal","categories":["Blue","A & B"],"reminderIsSet":true,
  "reminderMinutesBeforeStart":45,"body":{"type":"text","value":"first\nsecond"}})";
constexpr std::string_view series = R"({"subject":"Jour fixe","start":"2026-03-09T09:00:00Z",
  "end":"2026-03-09T10:00:00Z","startTimeZone":{"id":"W. Europe Standard Time"},
  "endTimeZone":{"id":"W. Europe Standard Time"},
  "recurrence":{"pattern":{"type":"weekly","interval":1,"daysOfWeek":["Monday"]},
                "range":{"type":"numbered","startDate":"2026-03-09","numberOfOccurrences":52}},
  "modifiedOccurrences":[{"originalStart":"2026-03-16T09:00:00Z","start":"2026-03-17T09:00:00Z",
                          "end":"2026-03-17T09:30:00Z","subject":"Moved"}],
  "deletedOccurrences":["2026-03-30T08:00:00Z"]})";
constexpr std::string_view all_day_series = R"({"subject":"Shift","isAllDayEvent":true,"start":"2026-03-26",
  "end":"2026-03-27","startTimeZone":{"id":"W. Europe Standard Time"},
  "endTimeZone":{"id":"W. Europe Standard Time"},
  "recurrence":{"pattern":{"type":"daily","interval":1},
                "range":{"type":"numbered","startDate":"2026-03-26","numberOfOccurrences":14}},
  "modifiedOccurrences":[{"originalStart":"2026-03-30","start":"2026-04-10","end":"2026-04-11"}],
  "deletedOccurrences":["2026-03-29"]})";

class Appointments : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_THAT(server.exchange.schema_violations(), IsEmpty()); }

  ExchangeWorld server{{.schema_folder = SYNCLINE_SOURCE_DIR "/wsdl"}};
  ExchangeOrganisation organisation{server, anna};

  void expect_round_trip(std::string_view given_json, const std::string& reader_zone = "Europe/Berlin") {
    const model::Fields given = fields(given_json);
    organisation.settings.claim = false;
    organisation.add(RecordKind::appointment, given);
    organisation.must_run();
    organisation.expect_quiet();
    const auto before = server.exchange.items(anna, "calendar");
    ExchangeOrganisation other(server, anna, 2);
    other.settings.claim = false;
    other.time_zone = reader_zone;
    other.must_run();
    const model::Record arrived = other.only_record(RecordKind::appointment);
    for (const auto& [name, value] : given) {
      const model::FieldInfo* info = model::find_field(RecordKind::appointment, name);
      ASSERT_NE(info, nullptr) << name;
      const auto* read = arrived.fields.if_contains(name);
      EXPECT_TRUE(read != nullptr && model::same_value(*info, value, *read))
          << name << " arrived as " << field_text(arrived.fields, name);
    }
    other.expect_quiet();
    EXPECT_EQ(server.exchange.items(anna, "calendar"), before) << "reading changes no item";
  }
  /// When the occurrences of the calendar begin, as the server expands them; in order.
  std::vector<std::string> starts_in_calendar() {
    const std::string reply = server.request(
        anna,
        R"(<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>)"
        R"(<t:FieldURI FieldURI="calendar:Start"/></t:AdditionalProperties></m:ItemShape>)"
        R"(<m:CalendarView StartDate="2026-01-01T00:00:00Z" EndDate="2027-12-01T00:00:00Z"/>)"
        R"(<m:ParentFolderIds><t:DistinguishedFolderId Id="calendar"/></m:ParentFolderIds></m:FindItem>)");
    std::vector<std::string> starts;
    constexpr std::string_view tag = "<t:Start>";
    for (std::size_t at = reply.find(tag); at != std::string::npos; at = reply.find(tag, at)) {
      at += tag.size();
      starts.push_back(reply.substr(at, reply.find('<', at) - at));
    }
    std::sort(starts.begin(), starts.end());
    return starts;
  }
  /// One occurrence of the only series, by its number from 1, as a user in Outlook.
  void delete_occurrence(const std::string& master, int nth) {
    server.request(
        anna,
        R"(<m:DeleteItem DeleteType="MoveToDeletedItems" SendMeetingCancellations="SendToNone"><m:ItemIds>)"
        R"(<t:OccurrenceItemId RecurringMasterId=")" +
            master + R"(" InstanceIndex=")" + std::to_string(nth) + R"("/></m:ItemIds></m:DeleteItem>)");
  }
  void change_occurrence(const std::string& master, int nth, const std::string& uri, const std::string& xml) {
    server.request(
        anna,
        R"(<m:UpdateItem ConflictResolution="AlwaysOverwrite" SendMeetingInvitationsOrCancellations="SendToNone">)"
        R"(<m:ItemChanges><t:ItemChange><t:OccurrenceItemId RecurringMasterId=")" +
            master + R"(" InstanceIndex=")" + std::to_string(nth) +
            R"("/><t:Updates><t:SetItemField><t:FieldURI FieldURI=")" + uri + R"("/><t:CalendarItem>)" + xml +
            R"(</t:CalendarItem></t:SetItemField></t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>)");
  }
};

TEST_F(Appointments, AllFieldsArriveOnTheOtherSide) {
  expect_round_trip(full_appointment);
}
TEST_F(Appointments, R26_ASeriesArrivesWithItsExceptions) {
  expect_round_trip(series);
}
TEST_F(Appointments, R25_AWholeDaySeriesFromBerlinKeepsItsDatesInWinnipeg) {
  expect_round_trip(all_day_series, "America/Winnipeg");
}

TEST_F(Appointments, AttachmentsGoBothWaysWhereThePolicyAsksForIt) {
  organisation.settings.policies.directions[{RecordKind::appointment, "attachments"}] =
      model::Direction::both;
  const auto names_there = [&] {
    std::vector<std::string> names;
    const std::string id = server.only_item(anna, "calendar");
    const RemoteItem item = organisation.read(RecordKind::appointment, id);
    const auto* list = item.fields.if_contains("attachments");
    if (list == nullptr || !list->is_array()) return names;
    for (const auto& one : list->get_array()) names.emplace_back(model::text_of(one.get_object(), "name"));
    std::sort(names.begin(), names.end());
    return names;
  };
  const auto attach_in_outlook = [&](const std::string& name, std::string_view content) {
    server.request(anna, R"(<m:CreateAttachment><m:ParentItemId Id=")" + server.only_item(anna, "calendar") +
                             R"("/><m:Attachments><t:FileAttachment><t:Name>)" + name +
                             "</t:Name><t:ContentType>text/plain</t:ContentType><t:Content>" +
                             base64_encode(content) +
                             "</t:Content></t:FileAttachment></m:Attachments></m:CreateAttachment>");
  };
  const auto file = [&](const char* name, std::string_view content) {
    return boost::json::object{{"name", name},
                               {"contentType", "text/plain"},
                               {"size", content.size()},
                               {"sha256", organisation.add_content(content)}};
  };
  // From a record: one with the appointment, one later.
  model::Fields given = fields(full_appointment);
  given["attachments"] = boost::json::array{file("agenda.txt", "one, two")};
  const model::RecordId id = organisation.add(RecordKind::appointment, given).id;
  organisation.must_run();
  EXPECT_THAT(names_there(), ElementsAre("agenda.txt"));
  organisation.expect_quiet();
  model::Fields changes;
  changes["attachments"] = organisation.record(id).fields.at("attachments");
  changes["attachments"].get_array().push_back(file("map.txt", "to the left"));
  organisation.edit(id, changes);
  organisation.must_run();
  EXPECT_THAT(names_there(), ElementsAre("agenda.txt", "map.txt"));
  organisation.expect_quiet();

  // From Outlook; what was there is not fetched again, and what the record's user adds meanwhile stays.
  attach_in_outlook("menu.txt", "soup");
  changes["attachments"] = organisation.record(id).fields.at("attachments");
  changes["attachments"].get_array().push_back(file("list.txt", "who comes"));
  organisation.edit(id, changes);
  organisation.must_run();
  EXPECT_THAT(names_there(), ElementsAre("agenda.txt", "list.txt", "map.txt", "menu.txt"));
  const model::Record merged = organisation.record(id);
  ASSERT_THAT(merged.fields.at("attachments").get_array(), SizeIs(4));
  for (const auto& one : merged.fields.at("attachments").get_array()) {
    if (model::text_of(one.get_object(), "name") != "menu.txt") continue;
    EXPECT_EQ(organisation.content_of(model::text_of(one.get_object(), "sha256")), "soup");
  }
  organisation.expect_quiet();

  // Removed on one side each: ours that has no id in our books, and one that came from there.
  changes["attachments"] = boost::json::array{};
  for (const auto& one : merged.fields.at("attachments").get_array()) {
    const std::string_view name = model::text_of(one.get_object(), "name");
    if (name != "list.txt" && name != "menu.txt") changes["attachments"].get_array().push_back(one);
  }
  organisation.edit(id, changes);
  organisation.must_run();
  EXPECT_THAT(names_there(), ElementsAre("agenda.txt", "map.txt"));
  organisation.expect_quiet();
}

TEST_F(Appointments, AttachmentsStayWhereTheyAreByDefault) {
  model::Fields given = fields(full_appointment);
  given["attachments"] = boost::json::array{
      boost::json::object{{"name", "agenda.txt"}, {"sha256", organisation.add_content("one, two")}}};
  organisation.add(RecordKind::appointment, given);
  organisation.must_run();
  const RemoteItem item = organisation.read(RecordKind::appointment, server.only_item(anna, "calendar"));
  EXPECT_FALSE(item.fields.contains("attachments") && item.fields.at("attachments").is_array());
  organisation.expect_quiet();
}

TEST_F(Appointments, R26_WhatAUserDoesToOneDayLeavesTheOthersAlone) {
  model::Fields plain = fields(series);
  plain.erase("modifiedOccurrences");
  plain.erase("deletedOccurrences");
  const model::Record record = organisation.add(RecordKind::appointment, plain);
  organisation.must_run();
  const std::string id = server.only_item(anna, "calendar");
  delete_occurrence(id, 3);
  change_occurrence(id, 5, "calendar:Location", "<t:Location>Garden</t:Location>");
  organisation.must_run();
  const model::Record now = organisation.record(record.id);
  EXPECT_EQ(field_text(now.fields, "deletedOccurrences"), as_json(R"(["2026-03-23T09:00:00Z"])"));
  EXPECT_EQ(field_text(now.fields, "modifiedOccurrences"),
            as_json(R"([{"originalStart":"2026-04-06T08:00:00Z","location":"Garden"}])"));
  EXPECT_EQ(field_text(now.fields, "subject"), "\"Jour fixe\"");
  organisation.expect_quiet();
  // And back: another day is moved in the record, the user's two stay.
  model::Fields changes;
  auto modified = now.fields.at("modifiedOccurrences").get_array();
  modified.push_back(fields(R"({"originalStart":"2026-04-13T08:00:00Z","start":"2026-04-14T08:00:00Z",
                                "end":"2026-04-14T09:00:00Z"})"));
  changes["modifiedOccurrences"] = modified;
  organisation.edit(record.id, changes);
  organisation.must_run();
  const auto item = server.exchange.items(anna, "calendar").at(0);
  EXPECT_EQ(item.properties.count("DeletedOccurrences/DeletedOccurrence/Start"), 1u);
  EXPECT_EQ(item.properties.count("ModifiedOccurrences/Occurrence/Start"), 1u);
  EXPECT_EQ(item.properties.count("ModifiedOccurrences/Occurrence[1]/Start"), 1u);
  organisation.expect_quiet();
  EXPECT_EQ(field_text(organisation.record(record.id).fields, "deletedOccurrences"),
            as_json(R"(["2026-03-23T09:00:00Z"])"));
}

TEST_F(Appointments, invariant12ANewTimeKeepsTheExceptions) {
  const model::Record record = organisation.add(RecordKind::appointment, fields(series));
  organisation.must_run();
  organisation.edit(record.id, {{"start", "2026-03-09T13:00:00Z"}, {"end", "2026-03-09T14:00:00Z"}});
  organisation.settle();
  const model::Record now = organisation.record(record.id);
  EXPECT_EQ(field_text(now.fields, "modifiedOccurrences"),
            as_json(R"([{"originalStart":"2026-03-16T13:00:00Z","start":"2026-03-17T09:00:00Z",
                         "end":"2026-03-17T09:30:00Z","subject":"Moved"}])"));
  EXPECT_EQ(field_text(now.fields, "deletedOccurrences"), as_json(R"(["2026-03-30T12:00:00Z"])"));
  // 52 Mondays at 14:00 in Berlin, but for the one that is deleted and the one that is moved.
  using namespace std::chrono;
  std::vector<std::string> expected;
  for (int week = 0; week < 52; ++week) {
    const sys_days day = sys_days(year(2026) / 3 / 9) + days(7 * week);
    if (week == 3) continue;
    const bool is_summer = day >= sys_days(year(2026) / 3 / 29) && day < sys_days(year(2026) / 10 / 25);
    const year_month_day date(week == 1 ? day + days(1) : day);
    char text[32];
    std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:00:00Z", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  week == 1 ? 9 : (is_summer ? 12 : 13));
    expected.push_back(text);
  }
  EXPECT_EQ(starts_in_calendar(), expected);
  EXPECT_THAT(organisation.journal("conflict"), IsEmpty());
  organisation.expect_quiet();
}

TEST_F(Appointments, invariant12AnExceptionThatTheNewPatternHasNoDayForIsAConflictInTheJournal) {
  const model::Record record = organisation.add(RecordKind::appointment, fields(series));
  organisation.must_run();
  organisation.edit(record.id, fields(R"({"start":"2026-03-10T09:00:00Z","end":"2026-03-10T10:00:00Z",
    "recurrence":{"pattern":{"type":"weekly","interval":1,"daysOfWeek":["Tuesday"]},
                  "range":{"type":"numbered","startDate":"2026-03-10","numberOfOccurrences":52}}})"));
  organisation.settle();
  EXPECT_THAT(organisation.journal("conflict"), Contains("recurrence"));
  organisation.expect_quiet();
}

TEST_F(Appointments, invariant13ANewTimeKeepsTheZonesByteForByte) {
  const std::string zone =
      R"(<t:Periods><t:Period Bias="-PT60M" Name="Standard" Id="std"/></t:Periods><t:TransitionsGroups>)"
      R"(<t:TransitionsGroup Id="0"><t:Transition><t:To Kind="Period">std</t:To></t:Transition></t:TransitionsGroup>)"
      R"(</t:TransitionsGroups><t:Transitions><t:Transition><t:To Kind="Group">0</t:To></t:Transition></t:Transitions>)";
  server.add(
      anna, "calendar",
      R"(<t:CalendarItem><t:Subject>Old</t:Subject><t:Start>2026-07-01T08:00:00Z</t:Start>)"
      R"(<t:End>2026-07-01T09:00:00Z</t:End><t:StartTimeZone Id="Customized Time Zone" Name="(UTC+01:00) Our House">)" +
          zone + R"(</t:StartTimeZone></t:CalendarItem>)");
  const auto before = server.exchange.items(anna, "calendar").at(0).properties;
  organisation.must_run();
  organisation.edit(organisation.only_record(RecordKind::appointment).id,
                    {{"start", "2026-07-01T08:30:00Z"}});
  organisation.must_run();
  const auto after = server.exchange.items(anna, "calendar").at(0).properties;
  EXPECT_EQ(after.at("Start"), "2026-07-01T08:30:00Z");
  EXPECT_EQ(after.at("End"), "2026-07-01T09:00:00Z");
  int compared = 0;
  for (const auto& [name, value] : before)
    if (name.find("TimeZone") != std::string::npos) {
      ++compared;
      ASSERT_EQ(after.count(name), 1u) << name;
      EXPECT_EQ(after.at(name), value) << name;
    }
  EXPECT_GT(compared, 0);
  organisation.expect_quiet();
}

TEST_F(Appointments, invariant11AnInvitationItsAnswerAnUpdateAndACancellationAreMailedOnceEach) {
  ExchangeOrganisation berts(server, bert, 2);
  const model::Record record = organisation.add(RecordKind::appointment, fields(meeting));
  organisation.must_run();
  EXPECT_EQ(server.mails(), (std::map<std::string, int>{{"invitation bert@example.com Review", 1}}));
  berts.must_run();
  const model::Record theirs = berts.only_record(RecordKind::appointment);
  EXPECT_EQ(field_text(theirs.fields, "location"), "\"Room 1\"");
  EXPECT_EQ(theirs.fields.at("organizer").at("emailAddress"), anna);
  ASSERT_TRUE(server.service().respond(bert, server.only_item(bert, "calendar"), "Accept"));
  organisation.must_run();
  berts.must_run();
  const model::Record answered = organisation.record(record.id);
  EXPECT_EQ(answered.fields.at("requiredAttendees").at(0).at("responseType"), "Accept");
  EXPECT_EQ(field_text(berts.only_record(RecordKind::appointment).fields, "myResponseType"), "\"Accept\"");
  organisation.edit(record.id, {{"location", "Room 7"}});
  organisation.must_run();
  berts.must_run();
  EXPECT_EQ(field_text(berts.only_record(RecordKind::appointment).fields, "location"), "\"Room 7\"");
  // Bert's own edit of the copy stays his: nobody but the organiser's mailbox mails.
  berts.edit(berts.only_record(RecordKind::appointment).id, {{"location", "Elsewhere"}});
  berts.must_run();
  EXPECT_THAT(berts.journal("not-written"), Contains("not-organizer"));
  organisation.remove(record.id);
  organisation.must_run();
  const auto mails = server.mails();
  EXPECT_EQ(mails.at("invitation bert@example.com Review"), 1);
  EXPECT_EQ(mails.at("update bert@example.com Review"), 1);
  int cancellations = 0;
  for (const auto& [what, times] : mails)
    if (what.starts_with("cancellation ")) cancellations += times;
  EXPECT_EQ(cancellations, 1);
  organisation.expect_quiet();
  berts.must_run();
  berts.expect_quiet();
}

TEST_F(Appointments, invariant11TheSameAttendeesInAnotherCaseAreNoChange) {
  const model::Record record = organisation.add(RecordKind::appointment, fields(meeting));
  organisation.must_run();
  ASSERT_TRUE(server.service().respond(bert, server.only_item(bert, "calendar"), "Decline"));
  organisation.must_run();
  const std::size_t writes = server.writes();
  organisation.edit(record.id,
                    fields(R"({"requiredAttendees":[{"mailbox":{"emailAddress":"BERT@Example.com"}}]})"));
  organisation.must_run();
  EXPECT_EQ(server.writes(), writes);
}

TEST_F(Appointments, R24_ANewSubjectNeverAltersStartEndOrZone) {
  const std::string id = server.add(
      anna, "calendar",
      R"(<t:CalendarItem><t:Subject>Old</t:Subject><t:Start>2026-07-01T08:00:00Z</t:Start>)"
      R"(<t:End>2026-07-01T09:00:00Z</t:End><t:StartTimeZone Id="Customized Time Zone" Name="(UTC+01:00) Our House">)"
      R"(<t:Periods><t:Period Bias="-PT60M" Name="Standard" Id="std"/></t:Periods><t:TransitionsGroups>)"
      R"(<t:TransitionsGroup Id="0"><t:Transition><t:To Kind="Period">std</t:To></t:Transition></t:TransitionsGroup>)"
      R"(</t:TransitionsGroups><t:Transitions><t:Transition><t:To Kind="Group">0</t:To></t:Transition></t:Transitions>)"
      R"(</t:StartTimeZone></t:CalendarItem>)");
  const auto before = server.exchange.items(anna, "calendar").at(0).properties;
  organisation.must_run();
  organisation.edit(organisation.only_record(RecordKind::appointment).id, {{"subject", "New"}});
  organisation.must_run();
  const auto after = server.exchange.items(anna, "calendar").at(0).properties;
  EXPECT_EQ(after.at("Subject"), "New");
  for (const auto& [name, value] : before)
    if (name.starts_with("Start") || name.starts_with("End") || name.find("TimeZone") != std::string::npos) {
      ASSERT_EQ(after.count(name), 1u) << name;
      EXPECT_EQ(after.at(name), value) << name;
    }
  organisation.expect_quiet();
}

TEST_F(Appointments, invariant19WhatBecomesPrivateIsParted) {
  const std::string id =
      server.add(anna, "calendar",
                 "<t:CalendarItem><t:Subject>Dentist</t:Subject><t:Start>2026-02-03T08:00:00Z</t:Start>"
                 "<t:End>2026-02-03T09:00:00Z</t:End></t:CalendarItem>");
  server.add(anna, "calendar",
             "<t:CalendarItem><t:Subject>Secret</t:Subject><t:Sensitivity>Private</t:Sensitivity>"
             "<t:Start>2026-02-03T08:00:00Z</t:Start><t:End>2026-02-03T09:00:00Z</t:End></t:CalendarItem>");
  organisation.must_run();
  const model::Record record = organisation.only_record(RecordKind::appointment);
  EXPECT_EQ(field_text(record.fields, "subject"), "\"Dentist\"");
  server.edit(anna, id, "item:Sensitivity", "Confidential");
  server.edit(anna, id, "item:Subject", "Operation");
  organisation.must_run();
  EXPECT_EQ(field_text(organisation.record(record.id).fields, "subject"), "\"Dentist\"");
  EXPECT_THAT(organisation.journal("unlinked"), Contains("private"));
  organisation.expect_quiet();
}

}  // namespace
}  // namespace syncline::sync::testing
