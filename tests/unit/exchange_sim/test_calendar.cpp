// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include "tests/unit/exchange_sim/exchange_fixture.hpp"
#include "tools/exchange-sim/exchange/recurrence.hpp"
#include "tools/exchange-sim/exchange/zones.hpp"

namespace exchange_sim::test {
namespace {

constexpr std::string_view kNoMail = "SendMeetingInvitations=\"SendToNone\"";
constexpr std::string_view kBerlin =
    "<t:StartTimeZone Id=\"W. Europe Standard Time\"/><t:EndTimeZone Id=\"W. Europe Standard Time\"/>";

std::string weekly_series(std::string_view extra = "") {
  return "<t:CalendarItem><t:Subject>Weekly</t:Subject><t:Start>2026-03-16T09:00:00+01:00</t:Start>"
         "<t:End>2026-03-16T10:00:00+01:00</t:End>" +
         std::string(extra) +
         "<t:Recurrence><t:WeeklyRecurrence><t:Interval>1</t:Interval><t:DaysOfWeek>Monday</t:DaysOfWeek>"
         "</t:WeeklyRecurrence><t:NumberedRecurrence><t:StartDate>2026-03-16</"
         "t:StartDate><t:NumberOfOccurrences>4"
         "</t:NumberOfOccurrences></t:NumberedRecurrence></t:Recurrence>" +
         std::string(kBerlin) + "</t:CalendarItem>";
}

std::string attendees(std::string_view a, std::string_view b = "") {
  std::string out = "<t:RequiredAttendees>";
  for (const std::string_view address : {a, b})
    if (!address.empty())
      out += "<t:Attendee><t:Mailbox><t:EmailAddress>" + std::string(address) +
             "</t:EmailAddress></t:Mailbox></t:Attendee>";
  return out + "</t:RequiredAttendees>";
}

class CalendarTest : public ExchangeTest {
 protected:
  std::vector<Element> view(std::string_view from, std::string_view to,
                            std::string_view mailbox = "anna@example.com") {
    const Element message = first(
        "<m:FindItem "
        "Traversal=\"Shallow\"><m:ItemShape><t:BaseShape>AllProperties</t:BaseShape></"
        "m:ItemShape><m:CalendarView "
        "StartDate=\"" +
            std::string(from) + "\" EndDate=\"" + std::string(to) +
            "\"/><m:ParentFolderIds><t:DistinguishedFolderId "
            "Id=\"calendar\"/></m:ParentFolderIds></m:FindItem>",
        mailbox);
    EXPECT_EQ("NoError", code_of(message));
    const Element* items = at(message, "RootFolder/Items");
    return items == nullptr ? std::vector<Element>{} : items->children;
  }
  std::size_t mails(MailReason reason) {
    const auto all = service_.sent_mail();
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [&](const SentMail& m) { return m.reason == reason; }));
  }
};

Recurrence rule(std::string_view pattern, std::string_view range) {
  const auto root = parse_fragment(std::string(pattern) + std::string(range));
  return read_recurrence(*root, false).value();
}

std::vector<std::string> days(const Recurrence& r, std::size_t most = 100) {
  std::vector<std::string> out;
  walk(r, day_of(2060, 1, 1), [&](Day day, std::size_t) {
    out.push_back(format_day(day));
    return out.size() < most;
  });
  return out;
}

std::string numbered(std::string_view start, int count) {
  return "<t:NumberedRecurrence><t:StartDate>" + std::string(start) +
         "</t:StartDate><t:NumberOfOccurrences>" + std::to_string(count) +
         "</t:NumberOfOccurrences></t:NumberedRecurrence>";
}

TEST(RecurrenceWalk, KnowsEveryPattern) {
  using V = std::vector<std::string>;
  EXPECT_EQ((V{"2026-01-01", "2026-01-04", "2026-01-07"}),
            days(rule("<t:DailyRecurrence><t:Interval>3</t:Interval></t:DailyRecurrence>",
                      numbered("2026-01-01", 3))));
  EXPECT_EQ((V{"2026-01-01", "2026-01-13", "2026-01-15", "2026-01-27"}),
            days(rule("<t:WeeklyRecurrence><t:Interval>2</t:Interval><t:DaysOfWeek>Tuesday "
                      "Thursday</t:DaysOfWeek></t:WeeklyRecurrence>",
                      numbered("2026-01-01", 4))));
  EXPECT_EQ((V{"2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"}),
            days(rule("<t:AbsoluteMonthlyRecurrence><t:Interval>1</t:Interval><t:DayOfMonth>31</"
                      "t:DayOfMonth></t:AbsoluteMonthlyRecurrence>",
                      numbered("2026-01-31", 4))));
  EXPECT_EQ((V{"2026-01-30", "2026-02-27", "2026-03-31"}),
            days(rule("<t:RelativeMonthlyRecurrence><t:Interval>1</t:Interval><t:DaysOfWeek>Weekday</"
                      "t:DaysOfWeek><t:DayOfWeekIndex>Last"
                      "</t:DayOfWeekIndex></t:RelativeMonthlyRecurrence>",
                      numbered("2026-01-05", 3))));
  EXPECT_EQ((V{"2028-02-29", "2029-02-28"}),
            days(rule("<t:AbsoluteYearlyRecurrence><t:DayOfMonth>29</t:DayOfMonth><t:Month>February</"
                      "t:Month></t:AbsoluteYearlyRecurrence>",
                      numbered("2028-01-01", 2))));
  EXPECT_EQ((V{"2026-11-26", "2027-11-25"}),
            days(rule("<t:RelativeYearlyRecurrence><t:DaysOfWeek>Thursday</"
                      "t:DaysOfWeek><t:DayOfWeekIndex>Fourth</t:DayOfWeekIndex>"
                      "<t:Month>November</t:Month></t:RelativeYearlyRecurrence>",
                      numbered("2026-01-01", 2))));
}

TEST(Zones, CountHoursAcrossBothChanges) {
  const Zone& berlin = *find_zone("W. Europe Standard Time");
  const auto utc = [](const char* text) { return parse_time(text)->utc(); };
  EXPECT_EQ(60, berlin.offset_at_utc(utc("2026-03-29T00:59:59Z")));
  EXPECT_EQ(120, berlin.offset_at_utc(utc("2026-03-29T01:00:00Z")));
  EXPECT_EQ(120, berlin.offset_at_utc(utc("2026-10-25T00:59:59Z")));
  EXPECT_EQ(60, berlin.offset_at_utc(utc("2026-10-25T01:00:00Z")));
  EXPECT_EQ(utc("2026-10-25T01:30:00Z"), berlin.to_utc(utc("2026-10-25T02:30:00Z")))
      << "twice: standard time";
  EXPECT_EQ(utc("2026-03-29T01:30:00Z"), berlin.to_utc(utc("2026-03-29T02:30:00Z")))
      << "skipped: moves forward";
  const Zone& sydney = *find_zone("AUS Eastern Standard Time");
  EXPECT_EQ(660, sydney.offset_at_utc(utc("2026-01-01T00:00:00Z")));
  EXPECT_EQ(600, sydney.offset_at_utc(utc("2026-07-01T00:00:00Z")));
  const Zone& eastern = *find_zone("Eastern Standard Time");
  EXPECT_EQ(-300, eastern.offset_at_utc(utc("2006-03-20T12:00:00Z"))) << "rules before 2007";
  EXPECT_EQ(-240, eastern.offset_at_utc(utc("2007-03-20T12:00:00Z")));
}

TEST(Zones, AreTheSameAfterWritingAndReading) {
  for (const Zone& zone : all_zones()) {
    std::string xml;
    write_zone(xml, zone, true);
    const auto root = parse_fragment(xml);
    ASSERT_TRUE(root);
    const auto read = read_zone(root->children.front());
    ASSERT_TRUE(read) << zone.id;
    for (int month = 1; month <= 12; ++month) {
      const Seconds when = day_of(2026, month, 15) * kDaySeconds;
      EXPECT_EQ(zone.offset_at_utc(when), read->offset_at_utc(when)) << zone.id << ' ' << month;
    }
  }
}

TEST_F(CalendarTest, ServerTimeZonesAreGivenWithAndWithoutRules) {
  const Element full = first("<m:GetServerTimeZones ReturnFullTimeZoneData=\"true\"/>");
  EXPECT_GT(full.child("TimeZoneDefinitions")->children.size(), 130U);
  const Element one = first(
      "<m:GetServerTimeZones ReturnFullTimeZoneData=\"false\"><m:Ids><t:Id>Tokyo Standard Time</t:Id></m:Ids>"
      "</m:GetServerTimeZones>");
  ASSERT_EQ(1U, one.child("TimeZoneDefinitions")->children.size());
  EXPECT_TRUE(one.child("TimeZoneDefinitions")->children[0].children.empty());
}

TEST_F(CalendarTest, ASeriesKeepsItsWallClockAcrossTheChange) {
  create(weekly_series(), kNoMail);
  const auto items = view("2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z");
  ASSERT_EQ(4U, items.size());
  EXPECT_EQ("2026-03-16T08:00:00Z", text_at(items[0], "Start"));
  EXPECT_EQ("2026-03-23T08:00:00Z", text_at(items[1], "Start"));
  EXPECT_EQ("2026-03-30T07:00:00Z", text_at(items[2], "Start"));
  EXPECT_EQ("Occurrence", text_at(items[2], "CalendarItemType"));
}

TEST_F(CalendarTest, AnExceptionIsAPatchAndADeletedDayStaysDeleted) {
  const std::string id = create(weekly_series(), kNoMail);
  const std::string change =
      "<m:UpdateItem ConflictResolution=\"AlwaysOverwrite\" "
      "SendMeetingInvitationsOrCancellations=\"SendToNone\"><m:ItemChanges>"
      "<t:ItemChange><t:OccurrenceItemId RecurringMasterId=\"" +
      id +
      "\" InstanceIndex=\"2\"/><t:Updates><t:SetItemField><t:FieldURI "
      "FieldURI=\"calendar:Start\"/><t:CalendarItem><t:Start>2026-03-24T12:00:00Z</t:Start></"
      "t:CalendarItem></t:SetItemField>"
      "</t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>";
  EXPECT_EQ("NoError", code_of(first(change)));
  EXPECT_EQ("NoError",
            code_of(first(
                "<m:DeleteItem DeleteType=\"HardDelete\" SendMeetingCancellations=\"SendToNone\"><m:ItemIds>"
                "<t:OccurrenceItemId RecurringMasterId=\"" +
                id + "\" InstanceIndex=\"3\"/></m:ItemIds></m:DeleteItem>")));
  const auto items = view("2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z");
  ASSERT_EQ(3U, items.size());
  EXPECT_EQ("Exception", text_at(items[1], "CalendarItemType"));
  EXPECT_EQ("2026-03-24T12:00:00Z", text_at(items[1], "Start"));
  EXPECT_EQ("2026-03-24T13:00:00Z", text_at(items[1], "End"));
  EXPECT_EQ("2026-03-23T08:00:00Z", text_at(items[1], "OriginalStart"));
  EXPECT_EQ("Weekly", text_at(items[1], "Subject")) << "what was not changed is the master's";
  const Element master = get(id);
  EXPECT_EQ("RecurringMaster", text_at(master, "CalendarItemType"));
  EXPECT_EQ("2026-03-30T07:00:00Z", text_at(master, "DeletedOccurrences/DeletedOccurrence/Start"));
  EXPECT_EQ("2026-03-24T12:00:00Z", text_at(master, "ModifiedOccurrences/Occurrence/Start"));
  EXPECT_EQ("2026-04-06T07:00:00Z", text_at(master, "LastOccurrence/Start"));
  const Element deleted = first(
      "<m:GetItem><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape><m:ItemIds><t:OccurrenceItemId "
      "RecurringMasterId=\"" +
      id + "\" InstanceIndex=\"3\"/></m:ItemIds></m:GetItem>");
  EXPECT_EQ("ErrorCalendarOccurrenceIsDeletedFromRecurrence", code_of(deleted));
  const Element beyond = first(
      "<m:GetItem><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape><m:ItemIds><t:OccurrenceItemId "
      "RecurringMasterId=\"" +
      id + "\" InstanceIndex=\"5\"/></m:ItemIds></m:GetItem>");
  EXPECT_EQ("ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange", code_of(beyond));
  const Element back = first(
      "<m:GetItem><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></"
      "m:ItemShape><m:ItemIds><t:RecurringMasterItemId "
      "OccurrenceId=\"" +
      id_in(items[0]) + "\"/></m:ItemIds></m:GetItem>");
  EXPECT_EQ(id, id_in(*at(back, "Items/CalendarItem")));
}

TEST_F(CalendarTest, AutoResolveTellsTheDaysOfASeriesApart) {
  create(weekly_series(), kNoMail);
  const auto days = view("2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z");
  ASSERT_EQ(4U, days.size());
  ASSERT_TRUE(service_.edit_item("anna@example.com", id_in(days[1]), "calendar:Location", "theirs"));
  const auto conflicts = [&](const Element& day, const char* uri, const char* element) {
    const std::string name(element);
    const Element message = first(
        "<m:UpdateItem ConflictResolution=\"AutoResolve\" "
        "SendMeetingInvitationsOrCancellations=\"SendToNone\">"
        "<m:ItemChanges><t:ItemChange><t:ItemId Id=\"" +
        id_in(day) + "\" ChangeKey=\"" + key_in(day) +
        "\"/><t:Updates><t:SetItemField><t:FieldURI FieldURI=\"" + uri + "\"/><t:CalendarItem><t:" + name +
        ">ours</t:" + name +
        "></t:CalendarItem></t:SetItemField></t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>");
    return code_of(message) + ' ' + text_at(message, "ConflictResults/Count");
  };
  EXPECT_EQ("NoError 0", conflicts(days[2], "calendar:Location", "Location")) << "another day";
  EXPECT_EQ("NoError 0", conflicts(days[1], "item:Subject", "Subject")) << "another property";
  EXPECT_EQ("theirs", service_.property("anna@example.com", id_in(days[1]), "calendar:Location").value());
  EXPECT_EQ("NoError 1", conflicts(days[1], "calendar:Location", "Location"));
  EXPECT_EQ("ours", service_.property("anna@example.com", id_in(days[1]), "calendar:Location").value());
}

TEST_F(CalendarTest, AnAllDaySeriesKeepsItsDates) {
  create(
      "<t:CalendarItem><t:Subject>days</t:Subject><t:Start>2026-03-27T00:00:00</"
      "t:Start><t:End>2026-03-28T00:00:00</t:End>"
      "<t:IsAllDayEvent>true</t:IsAllDayEvent><t:Recurrence><t:DailyRecurrence><t:Interval>1</t:Interval></"
      "t:DailyRecurrence>"
      "<t:NumberedRecurrence><t:StartDate>2026-03-27</t:StartDate><t:NumberOfOccurrences>4</"
      "t:NumberOfOccurrences>"
      "</t:NumberedRecurrence></t:Recurrence></t:CalendarItem>",
      kNoMail);
  const Element message = first(
      "<m:CreateItem "
      "SendMeetingInvitations=\"SendToNone\"><m:Items><t:CalendarItem><t:Subject>berlin</t:Subject>"
      "<t:Start>2026-03-28T00:00:00</t:Start><t:End>2026-03-30T00:00:00</t:End><t:IsAllDayEvent>true"
      "</t:IsAllDayEvent></t:CalendarItem></m:Items></m:CreateItem>",
      "ben@example.com", "W. Europe Standard Time");
  ASSERT_EQ("NoError", code_of(message));
  EXPECT_EQ(4U, view("2026-03-20T00:00:00Z", "2026-04-20T00:00:00Z").size());
  const auto ben = view("2026-03-20T00:00:00Z", "2026-04-20T00:00:00Z", "ben@example.com");
  ASSERT_EQ(1U, ben.size());
  EXPECT_EQ("2026-03-27T23:00:00Z", text_at(ben[0], "Start"));
  EXPECT_EQ("2026-03-29T22:00:00Z", text_at(ben[0], "End")) << "47 hours: the clock changes in between";
}

TEST_F(CalendarTest, AnInvitationIsAnsweredAndTheOrganiserLearnsOfIt) {
  const std::string id = create(
      "<t:CalendarItem><t:Subject>Plan</t:Subject><t:Start>2026-03-10T09:00:00Z</"
      "t:Start><t:End>2026-03-10T10:00:00Z"
      "</t:End>" +
          attendees("ben@example.com", "out@elsewhere.example") + "</t:CalendarItem>",
      "SendMeetingInvitations=\"SendToAllAndSaveCopy\"");
  EXPECT_EQ(2U, mails(MailReason::invitation));
  EXPECT_EQ(1U, service_.list("anna@example.com", "sentitems")->size());
  const auto inbox = service_.list("ben@example.com", "inbox").value();
  ASSERT_EQ(1U, inbox.size());
  EXPECT_EQ("MeetingRequest", inbox[0].element);
  const Element request = get(inbox[0].id, "ben@example.com");
  EXPECT_EQ("NewMeetingRequest", text_at(request, "MeetingRequestType"));
  const auto calendar = service_.list("ben@example.com", "calendar").value();
  ASSERT_EQ(1U, calendar.size());
  EXPECT_EQ("Tentative",
            service_.property("ben@example.com", calendar[0].id, "calendar:LegacyFreeBusyStatus").value());
  EXPECT_EQ("NoResponseReceived",
            service_.property("ben@example.com", calendar[0].id, "calendar:MyResponseType").value());
  const Element answer = first(
      "<m:CreateItem MessageDisposition=\"SendAndSaveCopy\"><m:Items><t:AcceptItem><t:ReferenceItemId Id=\"" +
          inbox[0].id + "\" ChangeKey=\"" + inbox[0].change_key +
          "\"/></t:AcceptItem></m:Items></m:CreateItem>",
      "ben@example.com");
  ASSERT_EQ("NoError", code_of(answer)) << answer.child_text("MessageText");
  EXPECT_EQ(1U, mails(MailReason::response));
  const Element own = get(id);
  EXPECT_EQ("Accept", text_at(own, "RequiredAttendees/Attendee/ResponseType"));
  EXPECT_EQ("Organizer", text_at(own, "MyResponseType"));
  EXPECT_EQ("MeetingResponse", service_.list("anna@example.com", "inbox")->at(0).element);
  EXPECT_TRUE(service_.list("ben@example.com", "inbox")->empty());
  EXPECT_EQ("Accept",
            service_.property("ben@example.com", calendar[0].id, "calendar:MyResponseType").value());
  EXPECT_EQ("Busy",
            service_.property("ben@example.com", calendar[0].id, "calendar:LegacyFreeBusyStatus").value());
}

TEST_F(CalendarTest, TheFirstMailingByUpdateIsTheInvitation) {
  const std::string id = create(
      "<t:CalendarItem><t:Subject>Plan</t:Subject><t:Start>2026-03-10T09:00:00Z</"
      "t:Start><t:End>2026-03-10T10:00:00Z"
      "</t:End>" +
          attendees("ben@example.com") + "</t:CalendarItem>",
      kNoMail);
  EXPECT_TRUE(service_.sent_mail().empty());
  EXPECT_TRUE(service_.list("ben@example.com", "calendar")->empty());
  const std::string mark =
      "<t:SetItemField><t:ExtendedFieldURI DistinguishedPropertySetId=\"PublicStrings\" "
      "PropertyName=\"mailed\" "
      "PropertyType=\"String\"/><t:CalendarItem><t:ExtendedProperty><t:ExtendedFieldURI "
      "DistinguishedPropertySetId=\"PublicStrings\" PropertyName=\"mailed\" "
      "PropertyType=\"String\"/><t:Value>1</t:Value>"
      "</t:ExtendedProperty></t:CalendarItem></t:SetItemField>";
  const std::string all =
      "ConflictResolution=\"NeverOverwrite\" SendMeetingInvitationsOrCancellations=\"SendToAllAndSaveCopy\"";
  const std::string key = key_in(get(id));
  EXPECT_EQ("NoError", update(id, key, mark, all));
  EXPECT_EQ(1U, mails(MailReason::invitation));
  EXPECT_EQ("ErrorIrresolvableConflict", update(id, key, mark, all)) << "the repeated request mails nobody";
  EXPECT_EQ(1U, service_.sent_mail().size());
  EXPECT_EQ(1U, service_.list("ben@example.com", "calendar")->size());
}

TEST_F(CalendarTest, AnUpdateMovesTheCopiesAndACancellationReachesThem) {
  const std::string id = create(
      "<t:CalendarItem><t:Subject>Plan</t:Subject><t:Start>2026-03-10T09:00:00Z</"
      "t:Start><t:End>2026-03-10T10:00:00Z"
      "</t:End>" +
          attendees("ben@example.com", "cleo@cloud.example") + "</t:CalendarItem>",
      "SendMeetingInvitations=\"SendOnlyToAll\"");
  const std::string move =
      "<t:SetItemField><t:FieldURI "
      "FieldURI=\"calendar:Start\"/><t:CalendarItem><t:Start>2026-03-11T09:00:00Z</t:Start>"
      "</t:CalendarItem></t:SetItemField><t:SetItemField><t:FieldURI "
      "FieldURI=\"calendar:End\"/><t:CalendarItem>"
      "<t:End>2026-03-11T10:00:00Z</t:End></t:CalendarItem></t:SetItemField>";
  EXPECT_EQ(
      "NoError",
      update(
          id, key_in(get(id)), move,
          "ConflictResolution=\"NeverOverwrite\" SendMeetingInvitationsOrCancellations=\"SendOnlyToAll\""));
  EXPECT_EQ(2U, mails(MailReason::update));
  const std::string copy = service_.list("cleo@cloud.example", "calendar")->at(0).id;
  EXPECT_EQ("2026-03-11T09:00:00Z", service_.property("cleo@cloud.example", copy, "calendar:Start").value());
  EXPECT_EQ(
      "NoError",
      code_of(first(
          "<m:DeleteItem DeleteType=\"MoveToDeletedItems\" SendMeetingCancellations=\"SendToAllAndSaveCopy\">"
          "<m:ItemIds><t:ItemId Id=\"" +
          id + "\"/></m:ItemIds></m:DeleteItem>")));
  EXPECT_EQ(2U, mails(MailReason::cancellation));
  EXPECT_EQ("true", service_.property("cleo@cloud.example", copy, "calendar:IsCancelled").value());
  const auto inbox = service_.list("cleo@cloud.example", "inbox").value();
  ASSERT_EQ(3U, inbox.size());
  EXPECT_EQ("MeetingCancellation", inbox[2].element);
  get(inbox[2].id, "cleo@cloud.example");
  EXPECT_EQ("ErrorItemNotFound",
            code_of(first(
                "<m:GetItem><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape><m:ItemIds><t:ItemId "
                "Id=\"" +
                id + "\"/></m:ItemIds></m:GetItem>")));
  EXPECT_EQ(1U, service_.list("anna@example.com", "deleteditems")->size());
}

TEST_F(CalendarTest, TheOrganiserCancelsAndTheAttendeeRemovesIt) {
  const std::string id = create(
      "<t:CalendarItem><t:Subject>Plan</t:Subject><t:Start>2026-03-10T09:00:00Z</t:Start>"
      "<t:End>2026-03-10T10:00:00Z</t:End>" +
          attendees("ben@example.com", "out@elsewhere.example") + "</t:CalendarItem>",
      "SendMeetingInvitations=\"SendOnlyToAll\"");
  const auto answer = [&](const char* name, const std::string& item, const char* more, const char* mailbox) {
    const std::string element(name);
    return code_of(first("<m:CreateItem MessageDisposition=\"SendAndSaveCopy\"><m:Items><t:" + element +
                             "><t:ReferenceItemId Id=\"" + item + "\"/>" + more + "</t:" + element +
                             "></m:Items></m:CreateItem>",
                         mailbox));
  };
  const std::string copy = service_.list("ben@example.com", "calendar")->at(0).id;
  EXPECT_EQ("ErrorCalendarIsNotOrganizer", answer("CancelCalendarItem", copy, "", "ben@example.com"));
  const std::string invitation = service_.list("ben@example.com", "inbox")->at(0).id;
  EXPECT_EQ("ErrorInvalidItemForOperationRemoveItem",
            answer("RemoveItem", invitation, "", "ben@example.com"));
  EXPECT_EQ("ErrorInvalidItemForOperationCancelItem",
            answer("CancelCalendarItem", invitation, "", "ben@example.com"));
  EXPECT_EQ("NoError",
            answer("CancelCalendarItem", id, "<t:NewBodyContent BodyType=\"Text\">no room</t:NewBodyContent>",
                   "anna@example.com"));
  EXPECT_EQ(2U, mails(MailReason::cancellation));
  EXPECT_EQ(1U, service_.list("anna@example.com", "sentitems")->size());
  EXPECT_TRUE(service_.list("anna@example.com", "calendar")->empty());
  EXPECT_EQ("true", service_.property("ben@example.com", copy, "calendar:IsCancelled").value());
  const auto inbox = service_.list("ben@example.com", "inbox").value();
  ASSERT_EQ(2U, inbox.size());
  ASSERT_EQ("MeetingCancellation", inbox[1].element);
  const Element cancellation = get(inbox[1].id, "ben@example.com");
  EXPECT_EQ("no room", text_at(cancellation, "Body"));
  EXPECT_EQ(copy, at(cancellation, "AssociatedCalendarItemId")->attribute_or("Id", ""));
  EXPECT_EQ("NoError", answer("RemoveItem", inbox[1].id, "", "ben@example.com"));
  EXPECT_TRUE(service_.list("ben@example.com", "calendar")->empty());
  EXPECT_EQ(1U, service_.list("ben@example.com", "inbox")->size());
  EXPECT_EQ(2U, service_.list("ben@example.com", "deleteditems")->size());
  EXPECT_EQ(2U, mails(MailReason::cancellation)) << "removing mails nobody";
  EXPECT_EQ(0U, mails(MailReason::response));
}

TEST_F(CalendarTest, ACancelledDayIsRemovedAloneFromTheAttendeesSeries) {
  create(weekly_series(attendees("ben@example.com")), "SendMeetingInvitations=\"SendToAllAndSaveCopy\"");
  const auto days = view("2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z");
  ASSERT_EQ(4U, days.size());
  EXPECT_EQ("NoError",
            code_of(first("<m:CreateItem MessageDisposition=\"SendOnly\"><m:Items>"
                          "<t:CancelCalendarItem><t:ReferenceItemId Id=\"" +
                          id_in(days[2]) + "\"/></t:CancelCalendarItem></m:Items></m:CreateItem>")));
  EXPECT_EQ(3U, view("2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z").size());
  EXPECT_EQ(4U, view("2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z", "ben@example.com").size());
  const auto inbox = service_.list("ben@example.com", "inbox").value();
  ASSERT_EQ(2U, inbox.size());
  EXPECT_EQ("NoError", code_of(first("<m:CreateItem MessageDisposition=\"SaveOnly\"><m:Items><t:RemoveItem>"
                                     "<t:ReferenceItemId Id=\"" +
                                         inbox[1].id + "\"/></t:RemoveItem></m:Items></m:CreateItem>",
                                     "ben@example.com")));
  const auto left = view("2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z", "ben@example.com");
  ASSERT_EQ(3U, left.size());
  EXPECT_EQ("2026-03-23T08:00:00Z", text_at(left[1], "Start"));
  EXPECT_EQ("2026-04-06T07:00:00Z", text_at(left[2], "Start"));
}

TEST_F(CalendarTest, DecliningOneDayLeavesTheOthers) {
  create(weekly_series(attendees("ben@example.com")), "SendMeetingInvitations=\"SendToAllAndSaveCopy\"");
  const auto before = view("2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z", "ben@example.com");
  ASSERT_EQ(4U, before.size());
  ASSERT_TRUE(service_.respond("ben@example.com", id_in(before[1]), "Decline"));
  EXPECT_EQ(3U, view("2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z", "ben@example.com").size());
  EXPECT_EQ(4U, view("2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z").size());
  EXPECT_EQ("2026-03-23T08:00:00Z", service_.sent_mail("ben@example.com").at(0).recurrence_id);
}

TEST_F(CalendarTest, AnAttendeesCopyMailsNobody) {
  create(
      "<t:CalendarItem><t:Subject>Plan</t:Subject><t:Start>2026-03-10T09:00:00Z</"
      "t:Start><t:End>2026-03-10T10:00:00Z</t:End>" +
          attendees("ben@example.com") + "</t:CalendarItem>",
      "SendMeetingInvitations=\"SendToAllAndSaveCopy\"");
  const std::size_t sent = service_.sent_mail().size();
  const auto copy = service_.list("ben@example.com", "calendar")->at(0);
  EXPECT_EQ(
      "NoError",
      code_of(first(
          "<m:DeleteItem DeleteType=\"MoveToDeletedItems\" SendMeetingCancellations=\"SendToAllAndSaveCopy\">"
          "<m:ItemIds><t:ItemId Id=\"" +
              copy.id + "\"/></m:ItemIds></m:DeleteItem>",
          "ben@example.com")));
  EXPECT_EQ(sent, service_.sent_mail().size());
}

TEST_F(CalendarTest, TasksCoupleStatusPercentAndDate) {
  const std::string id = create(
      "<t:Task><t:Subject>t</t:Subject><t:DueDate>2026-03-20T00:00:00+05:00</t:DueDate><t:PercentComplete>50"
      "</t:PercentComplete></t:Task>",
      "");
  EXPECT_EQ("InProgress", text_at(get(id), "Status"));
  EXPECT_EQ("2026-03-20T00:00:00Z", text_at(get(id), "DueDate")) << "a date is a date";
  EXPECT_EQ("NoError",
            update(id, key_in(get(id)),
                   "<t:SetItemField><t:FieldURI FieldURI=\"task:Status\"/><t:Task><t:Status>Completed"
                   "</t:Status></t:Task></t:SetItemField>"));
  const Element done = get(id);
  EXPECT_EQ("100", text_at(done, "PercentComplete"));
  EXPECT_EQ("2026-03-02T00:00:00Z", text_at(done, "CompleteDate"));
  EXPECT_EQ("true", text_at(done, "IsComplete"));
}

TEST_F(CalendarTest, UpdatingARecurringTaskGivesANewOneOff) {
  const std::string id = create(
      "<t:Task><t:Subject>t</t:Subject><t:DueDate>2026-03-02T00:00:00Z</"
      "t:DueDate><t:Recurrence><t:DailyRegeneration>"
      "<t:Interval>3</t:Interval></t:DailyRegeneration><t:NoEndRecurrence><t:StartDate>2026-03-02</"
      "t:StartDate>"
      "</t:NoEndRecurrence></t:Recurrence></t:Task>",
      "");
  const Element message =
      first("<m:UpdateItem ConflictResolution=\"AutoResolve\"><m:ItemChanges><t:ItemChange><t:ItemId Id=\"" +
            id + "\" ChangeKey=\"" + key_in(get(id)) +
            "\"/><t:Updates><t:SetItemField><t:FieldURI FieldURI=\"task:Status\"/>"
            "<t:Task><t:Status>Completed</t:Status></t:Task></t:SetItemField></t:Updates></t:ItemChange></"
            "m:ItemChanges></m:UpdateItem>");
  ASSERT_EQ("NoError", code_of(message));
  const std::string one = id_in(*at(message, "Items/Task"));
  EXPECT_NE(id, one);
  EXPECT_EQ("Completed", text_at(get(one), "Status"));
  EXPECT_EQ("NotStarted", text_at(get(id), "Status"));
  EXPECT_EQ("2026-03-05T00:00:00Z", text_at(get(id), "DueDate"));
}

TEST_F(CalendarTest, ContactsKeepTheirEntriesOneByOne) {
  const std::string id = create(
      "<t:Contact><t:FileAsMapping>LastCommaFirst</t:FileAsMapping><t:GivenName>Eva</"
      "t:GivenName><t:EmailAddresses><t:Entry "
      "Key=\"EmailAddress1\">eva@example.com</t:Entry></t:EmailAddresses><t:PhysicalAddresses><t:Entry "
      "Key=\"Business\"><t:Street>Way 1"
      "</t:Street><t:City>Bonn</t:City></t:Entry></t:PhysicalAddresses><t:PhoneNumbers><t:Entry "
      "Key=\"MobilePhone\">1</t:Entry><t:Entry "
      "Key=\"HomePhone\">2</t:Entry></t:PhoneNumbers><t:Surname>Stone</t:Surname></t:Contact>",
      "");
  Element contact = get(id);
  EXPECT_EQ("Stone, Eva", text_at(contact, "FileAs"));
  EXPECT_EQ("Eva Stone", text_at(contact, "DisplayName"));
  EXPECT_EQ(2U, contact.child("PhoneNumbers")->children.size());
  EXPECT_EQ("NoError", update(id, key_in(contact),
                              "<t:DeleteItemField><t:IndexedFieldURI FieldURI=\"contacts:PhoneNumber\" "
                              "FieldIndex=\"HomePhone\"/></t:DeleteItemField>"
                              "<t:SetItemField><t:IndexedFieldURI FieldURI=\"contacts:PhysicalAddress:City\" "
                              "FieldIndex=\"Business\"/><t:Contact>"
                              "<t:PhysicalAddresses><t:Entry "
                              "Key=\"Business\"><t:City>Ulm</t:City></t:Entry></t:PhysicalAddresses></"
                              "t:Contact></t:SetItemField>"));
  contact = get(id);
  EXPECT_EQ(1U, contact.child("PhoneNumbers")->children.size());
  EXPECT_EQ("Way 1", text_at(contact, "PhysicalAddresses/Entry/Street"));
  EXPECT_EQ("Ulm", text_at(contact, "PhysicalAddresses/Entry/City"));
  first("<m:CreateAttachment><m:ParentItemId Id=\"" + id +
        "\"/><m:Attachments><t:FileAttachment><t:Name>ContactPicture.jpg</t:Name>"
        "<t:IsContactPhoto>true</t:IsContactPhoto><t:Content>/9j/</t:Content></t:FileAttachment></"
        "m:Attachments></m:CreateAttachment>");
  EXPECT_EQ("true", text_at(get(id), "HasPicture"));
}

}  // namespace
}  // namespace exchange_sim::test
