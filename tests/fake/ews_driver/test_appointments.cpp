// SPDX-License-Identifier: GPL-3.0-or-later
// Appointments as records' fields: times, zones, whole days (R-24, R-25), series and their exceptions (R-26),
// attendees, privacy.
#include "tests/fake/ews_driver/driver_fixture.hpp"

namespace syncline::ews {
namespace {

using model::RecordKind;
using testing::anna;
using testing::as_json;
using testing::at;

class DriverAppointments : public testing::DriverFixture {
 protected:
  std::string add_event(const std::string& properties) {
    return add("calendar", "<t:CalendarItem>" + properties + "</t:CalendarItem>");
  }

  /// What a user does to one day of a series.
  void change_occurrence(const std::string& master, int index, std::vector<ItemUpdate> updates) {
    GetItemRequest get{.ids = {OccurrenceItemId{.recurring_master_id = master, .instance_index = index}}};
    const auto got = run(client_.call(std::move(get)));
    ASSERT_TRUE(got && got->messages.at(0).ok());
    ItemChange change{.id = *got->messages[0].value.at(0).item_id, .updates = std::move(updates)};
    UpdateItemRequest request{.changes = {std::move(change)}};
    request.send_meeting_invitations_or_cancellations = SendInvitationsOrCancellations::send_to_none;
    const auto updated = run(client_.call(std::move(request)));
    ASSERT_TRUE(updated) << updated.error().describe();
    ASSERT_TRUE(updated->messages.at(0).ok()) << updated->messages[0].code << updated->messages[0].text;
  }
  void delete_occurrence(const std::string& master, int index) {
    DeleteItemRequest request{
        .ids = {OccurrenceItemId{.recurring_master_id = master, .instance_index = index}}};
    request.send_meeting_cancellations = SendInvitations::send_to_none;
    const auto deleted = run(client_.call(std::move(request)));
    ASSERT_TRUE(deleted && deleted->messages.at(0).ok());
  }
  static SetItemField set_start(std::string_view when) {
    Item item{.kind = ItemKind::calendar_item};
    item.calendar.get_or_make().start = DateTime::parse(when);
    return {.path = FieldUri{"calendar:Start"}, .item = std::move(item)};
  }
  static SetItemField set_end(std::string_view when) {
    Item item{.kind = ItemKind::calendar_item};
    item.calendar.get_or_make().end = DateTime::parse(when);
    return {.path = FieldUri{"calendar:End"}, .item = std::move(item)};
  }
  static SetItemField set_location(std::string_view where) {
    Item item{.kind = ItemKind::calendar_item};
    item.calendar.get_or_make().location = where;
    return {.path = FieldUri{"calendar:Location"}, .item = std::move(item)};
  }
};

constexpr const char* berlin = "<t:StartTimeZone Id=\"W. Europe Standard Time\"/>";

TEST_F(DriverAppointments, FieldsComeInTheirShapes) {
  const std::string id = add_event(
      "<t:Subject>Plan</t:Subject><t:Sensitivity>Normal</t:Sensitivity>"
      "<t:Body BodyType=\"HTML\">&lt;p&gt;hi&lt;/p&gt;</t:Body>"
      "<t:Categories><t:String>Blue</t:String><t:String>Tracked</t:String></t:Categories>"
      "<t:Importance>High</t:Importance><t:ReminderIsSet>true</t:ReminderIsSet>"
      "<t:ReminderMinutesBeforeStart>15</t:ReminderMinutesBeforeStart>"
      "<t:Start>2026-03-02T10:00:00+01:00</t:Start><t:End>2026-03-02T11:30:00+01:00</t:End>"
      "<t:LegacyFreeBusyStatus>Tentative</t:LegacyFreeBusyStatus><t:Location>Room 1</t:Location>"
      "<t:RequiredAttendees><t:Attendee><t:Mailbox><t:Name>Bert</t:Name>"
      "<t:EmailAddress>bert@example.com</t:EmailAddress></t:Mailbox></t:Attendee></t:RequiredAttendees>" +
      std::string(berlin));
  const auto item = read(RecordKind::appointment, id);
  const model::Fields& fields = item.fields;
  EXPECT_EQ(at(fields, "subject"), "\"Plan\"");
  EXPECT_EQ(at(fields, "body"), as_json(R"({"type":"html","value":"<p>hi</p>"})"));
  EXPECT_EQ(at(fields, "start"), "\"2026-03-02T09:00:00Z\"");
  EXPECT_EQ(at(fields, "end"), "\"2026-03-02T10:30:00Z\"");
  EXPECT_EQ(at(fields, "isAllDayEvent"), "false");
  EXPECT_EQ(at(fields, "location"), "\"Room 1\"");
  EXPECT_EQ(at(fields, "legacyFreeBusyStatus"), "\"Tentative\"");
  EXPECT_EQ(at(fields, "importance"), "\"High\"");
  EXPECT_EQ(at(fields, "categories"), as_json(R"(["Blue","Tracked"])"));
  EXPECT_EQ(at(fields, "reminderMinutesBeforeStart"), "15");
  EXPECT_EQ(fields.at("startTimeZone").at("id"), "W. Europe Standard Time");
  EXPECT_EQ(at(fields, "recurrence"), "null");
  EXPECT_EQ(at(fields, "modifiedOccurrences"), "null");
  EXPECT_EQ(at(fields, "deletedOccurrences"), "null");
  EXPECT_EQ(at(fields, "optionalAttendees"), "null");
  ASSERT_EQ(fields.at("requiredAttendees").as_array().size(), 1u);
  EXPECT_EQ(json::serialize(fields.at("requiredAttendees").at(0).at("mailbox")),
            as_json(R"({"name":"Bert","emailAddress":"bert@example.com"})"));
  EXPECT_NE(at(fields, "uid"), "null");
  EXPECT_TRUE(item.is_organizer);
  EXPECT_FALSE(item.is_private);
}

TEST_F(DriverAppointments, R24_ADefinitionIsKeptWhole) {
  const std::string definition =
      R"(<t:StartTimeZone Id="Customized Time Zone" Name="(UTC+01:00) Our House"><t:Periods>)"
      R"(<t:Period Bias="-PT60M" Name="Standard" Id="std"/><t:Period Bias="-PT2H" Name="Daylight" Id="dst"/>)"
      R"(</t:Periods><t:TransitionsGroups><t:TransitionsGroup Id="0"><t:RecurringDayTransition>)"
      R"(<t:To Kind="Period">dst</t:To><t:TimeOffset>PT2H</t:TimeOffset><t:Month>3</t:Month>)"
      R"(<t:DayOfWeek>Sunday</t:DayOfWeek><t:Occurrence>-1</t:Occurrence></t:RecurringDayTransition>)"
      R"(<t:RecurringDayTransition><t:To Kind="Period">std</t:To><t:TimeOffset>PT3H</t:TimeOffset>)"
      R"(<t:Month>10</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek><t:Occurrence>-1</t:Occurrence>)"
      R"(</t:RecurringDayTransition></t:TransitionsGroup></t:TransitionsGroups><t:Transitions><t:Transition>)"
      R"(<t:To Kind="Group">0</t:To></t:Transition></t:Transitions></t:StartTimeZone>)";
  const std::string id = add_event(
      "<t:Subject>s</t:Subject><t:Start>2026-07-01T08:00:00Z</t:Start><t:End>2026-07-01T09:00:00Z</t:End>" +
      definition);
  const auto item = read(RecordKind::appointment, id);
  EXPECT_EQ(
      item.fields.at("startTimeZone"),
      json::parse(
          R"({"id":"Customized Time Zone","definition":{"id":"Customized Time Zone","name":"(UTC+01:00) Our House",
              "periods":[{"id":"std","name":"Standard","bias":"-PT60M"},{"id":"dst","name":"Daylight","bias":"-PT2H"}],
              "transitionsGroups":[{"id":"0","transitions":[
                {"type":"recurringDayTransition","to":{"kind":"Period","id":"dst"},"timeOffset":"PT2H","month":"3",
                 "dayOfWeek":"Sunday","occurrence":"-1"},
                {"type":"recurringDayTransition","to":{"kind":"Period","id":"std"},"timeOffset":"PT3H","month":"10",
                 "dayOfWeek":"Sunday","occurrence":"-1"}]}],
              "transitions":[{"type":"transition","to":{"kind":"Group","id":"0"}}]}})"));
}

TEST_F(DriverAppointments, R25_AWholeDayKeepsItsDateWhoeverReadsIt) {
  const std::string id = add_event(
      "<t:Subject>fair</t:Subject><t:Start>2026-07-01T00:00:00+02:00</t:Start>"
      "<t:End>2026-07-03T00:00:00+02:00</t:End><t:IsAllDayEvent>true</t:IsAllDayEvent>" +
      std::string(berlin));
  for (const char* zone : {"Europe/Berlin", "America/Winnipeg", "Pacific/Auckland", "no such zone"}) {
    EwsDriver reader(client_, {.mailbox = anna, .time_zone = zone});
    std::vector<std::string> ids{id};
    const auto items = run(reader.read(RecordKind::appointment, ids, true));
    ASSERT_TRUE(items && items->front()) << zone;
    EXPECT_EQ(at(items->front()->fields, "start"), "\"2026-07-01\"") << zone;
    EXPECT_EQ(at(items->front()->fields, "end"), "\"2026-07-03\"") << zone << ": exclusive";
  }
}

TEST_F(DriverAppointments, R25_AWholeDaySeriesKeepsTheDatesOfItsExceptions) {
  const std::string id = add_event(
      "<t:Subject>duty</t:Subject><t:Start>2026-03-23T00:00:00+01:00</t:Start>"
      "<t:End>2026-03-24T00:00:00+01:00</t:End><t:IsAllDayEvent>true</t:IsAllDayEvent>"
      "<t:Recurrence><t:DailyRecurrence><t:Interval>1</t:Interval></t:DailyRecurrence><t:NumberedRecurrence>"
      "<t:StartDate>2026-03-23</t:StartDate><t:NumberOfOccurrences>14</t:NumberOfOccurrences>"
      "</t:NumberedRecurrence></t:Recurrence>" +
      std::string(berlin));
  delete_occurrence(id, 3);
  // After the clocks went forward on the 29th.
  change_occurrence(id, 9, {set_location("elsewhere")});
  EwsDriver reader(client_, {.mailbox = anna, .time_zone = "America/Winnipeg"});
  std::vector<std::string> ids{id};
  const auto items = run(reader.read(RecordKind::appointment, ids, true));
  ASSERT_TRUE(items && items->front());
  const model::Fields& fields = items->front()->fields;
  EXPECT_EQ(at(fields, "deletedOccurrences"), as_json(R"(["2026-03-25"])"));
  EXPECT_EQ(at(fields, "modifiedOccurrences"),
            as_json(R"([{"originalStart":"2026-03-31","location":"elsewhere"}])"));
}

TEST_F(DriverAppointments, R26_ExceptionsArePatchesOverTheirMaster) {
  const std::string id = add_event(
      "<t:Subject>weekly</t:Subject><t:Body BodyType=\"Text\">agenda</t:Body>"
      "<t:Start>2026-01-05T09:30:00+01:00</t:Start><t:End>2026-01-05T10:30:00+01:00</t:End>"
      "<t:Location>Room 1</t:Location>"
      "<t:Recurrence><t:WeeklyRecurrence><t:Interval>1</t:Interval><t:DaysOfWeek>Monday</t:DaysOfWeek>"
      "</t:WeeklyRecurrence><t:NoEndRecurrence><t:StartDate>2026-01-05</t:StartDate></t:NoEndRecurrence>"
      "</t:Recurrence>" +
      std::string(berlin));
  delete_occurrence(id, 2);
  change_occurrence(id, 3, {set_location("Room 2")});
  change_occurrence(id, 14, {set_start("2026-04-07T08:00:00Z"), set_end("2026-04-07T09:00:00Z")});
  exchange_.forget_requests();
  const auto item = read(RecordKind::appointment, id);
  EXPECT_EQ(requests("GetItem"), 2u) << "one for the master, one for all of its exceptions";
  const model::Fields& fields = item.fields;
  EXPECT_EQ(fields.at("recurrence").at("pattern").at("type"), "weekly");
  EXPECT_EQ(fields.at("recurrence").at("range").at("type"), "noEnd");
  EXPECT_EQ(at(fields, "deletedOccurrences"), as_json(R"(["2026-01-12T08:30:00Z"])"));
  EXPECT_EQ(at(fields, "modifiedOccurrences"),
            as_json(R"([{"originalStart":"2026-01-19T08:30:00Z","location":"Room 2"},
                        {"originalStart":"2026-04-06T07:30:00Z","start":"2026-04-07T08:00:00Z",
                         "end":"2026-04-07T09:00:00Z"}])"));
}

TEST_F(DriverAppointments, AnExceptionThatCannotBeReadKeepsTheSeriesOut) {
  const std::string id = add_event(
      "<t:Subject>weekly</t:Subject><t:Start>2026-01-05T09:30:00+01:00</t:Start>"
      "<t:End>2026-01-05T10:30:00+01:00</t:End>"
      "<t:Recurrence><t:DailyRecurrence><t:Interval>1</t:Interval></t:DailyRecurrence><t:NoEndRecurrence>"
      "<t:StartDate>2026-01-05</t:StartDate></t:NoEndRecurrence></t:Recurrence>" +
      std::string(berlin));
  change_occurrence(id, 3, {set_location("Room 2")});
  exchange_sim::FaultRule rule;
  rule.action = exchange_sim::Action::response_code;
  rule.code = "ErrorCorruptData";
  rule.skip = 1;
  exchange_.fault("GetItem", rule);
  EXPECT_EQ(read_error(RecordKind::appointment, id).retry, RetryClass::quarantine);
  rule.code = "ErrorItemNotFound";
  exchange_.fault("GetItem", rule);
  const auto item = read(RecordKind::appointment, id);
  EXPECT_EQ(at(item.fields, "modifiedOccurrences"), as_json(R"([{"originalStart":"2026-01-07T08:30:00Z"}])"))
      << "taken back meanwhile";
}

TEST_F(DriverAppointments, Invariant11_AnAttendeeIsNoOrganizer) {
  Item meeting{.kind = ItemKind::calendar_item, .subject = "meet"};
  auto& part = meeting.calendar.get_or_make();
  part.start = DateTime::parse("2026-02-02T10:00:00Z");
  part.end = DateTime::parse("2026-02-02T11:00:00Z");
  part.required_attendees.push_back({.mailbox = {.address = testing::bert}});
  CreateItemRequest request{.items = {}};
  request.send_meeting_invitations = SendInvitations::send_to_all_and_save_copy;
  request.items.emplace_back(std::move(meeting));
  const auto made = run(client_.call(std::move(request)));
  ASSERT_TRUE(made && made->messages.at(0).ok());
  const auto ours = read(RecordKind::appointment, made->messages[0].value.at(0).item_id->id);
  EXPECT_TRUE(ours.is_organizer);
  EXPECT_EQ(at(ours.fields, "myResponseType"), "\"Organizer\"");

  EwsClient berts_client = make_client(testing::bert);
  EwsDriver berts(berts_client, {.mailbox = testing::bert});
  const auto listed = service_.list(testing::bert, "calendar");
  ASSERT_TRUE(listed && listed->size() == 1);
  std::vector<std::string> ids{listed->front().id};
  const auto theirs = run(berts.read(RecordKind::appointment, ids, true));
  ASSERT_TRUE(theirs && theirs->front());
  EXPECT_FALSE(theirs->front()->is_organizer);
  EXPECT_EQ(theirs->front()->fields.at("organizer").at("emailAddress"), anna);
}

TEST_F(DriverAppointments, Invariant19_OfPrivateItemsNothingIsRead) {
  for (const char* sensitivity : {"Private", "Confidential", "Personal"}) {
    const std::string id = add_event(
        "<t:Subject>secret</t:Subject><t:Sensitivity>" + std::string(sensitivity) +
        "</t:Sensitivity><t:Start>2026-03-02T10:00:00Z</t:Start><t:End>2026-03-02T11:00:00Z</t:End>");
    const auto item = read(RecordKind::appointment, id);
    const bool is_private = std::string_view(sensitivity) != "Personal";
    EXPECT_EQ(item.is_private, is_private) << sensitivity;
    EXPECT_EQ(item.fields.empty(), is_private) << sensitivity;
  }
}

TEST_F(DriverAppointments, TimesThatExchangeMeansAsNoneAreNull) {
  const std::string id = add_event(
      "<t:Subject>s</t:Subject><t:Start>2026-03-02T10:00:00Z</t:Start><t:End>2026-03-02T11:00:00Z</t:End>");
  exchange_sim::FaultRule rule;
  rule.action = exchange_sim::Action::set_text;
  rule.element = "End";
  rule.value = "4501-01-01T00:00:00Z";
  exchange_.fault("GetItem", rule);
  EXPECT_EQ(at(read(RecordKind::appointment, id).fields, "end"), "null");
  rule.value = "tomorrow";
  exchange_.fault("GetItem", rule);
  EXPECT_EQ(at(read(RecordKind::appointment, id).fields, "end"), "absent") << "unknown, not empty";
}

}  // namespace
}  // namespace syncline::ews
