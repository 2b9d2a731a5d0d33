// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One full-blown request of every operation, and of every shape that the codec writes: each must be valid.
#include <string>
#include <utility>
#include <vector>

#include "ews/codec/codec.hpp"

namespace syncline::ews::test {

inline const PropertyPath subject_path = FieldUri{"item:Subject"};
inline const PropertyPath our_path =
    ExtendedFieldUri{.property_set_id = "c11ff724-aa03-4555-9952-8fa248a11c3e",
                     .property_name = "Operation",
                     .property_type = MapiPropertyType::string};

inline EmailAddress address(const std::string& smtp) {
  return {.name = "Somebody", .address = smtp, .routing_type = "SMTP", .mailbox_type = MailboxType::mailbox};
}

inline TimeZoneDefinition berlin() {
  TimeZoneDefinition zone{.id = "W. Europe Standard Time", .name = "(UTC+01:00) Berlin"};
  zone.periods = {{.bias = Duration::of_seconds(-3600), .name = "Standard", .id = "std"},
                  {.bias = Duration::of_seconds(-7200), .name = "Daylight", .id = "dlt"}};
  zone.groups = {{.id = "0",
                  .transitions = {{.target_kind = TransitionTarget::period,
                                   .target = "std",
                                   .when = RecurringDayTransition{.time_offset = Duration::of_seconds(10800),
                                                                  .month = 10,
                                                                  .day_of_week = DayOfWeek::sunday,
                                                                  .occurrence = -1}},
                                  {.target_kind = TransitionTarget::period,
                                   .target = "dlt",
                                   .when = RecurringDateTransition{
                                       .time_offset = Duration::of_seconds(7200), .month = 3, .day = 28}}}}};
  zone.transitions = {{.target_kind = TransitionTarget::group, .target = "0", .when = InitialTransition{}},
                      {.target_kind = TransitionTarget::group,
                       .target = "0",
                       .when = AbsoluteDateTransition{DateTime::wall_clock(1'000'000'000'000)}}};
  return zone;
}

inline Item full_message() {
  Item item{.kind = ItemKind::message};
  item.mime_content = MimeContent{.octets = "From: a@b\r\n\r\nbody \xff", .character_set = "UTF-8"};
  item.item_class = "IPM.Note";
  item.subject =
      "<Gr\xc3\xbc\xc3\x9f"
      "e> & \x01";
  item.sensitivity = Sensitivity::private_;
  item.body = Body{.type = BodyType::html, .value = "<p>]]></p>"};
  item.categories = {"Red", "Blue & green"};
  item.importance = Importance::high;
  item.extended_properties = {
      {.uri = std::get<ExtendedFieldUri>(our_path), .values = {"op-1"}},
      {.uri = {.property_tag = "0x3FFD", .property_type = MapiPropertyType::string_array},
       .values = {"one", "two"},
       .is_array = true},
      {.uri = {.distinguished_property_set = PropertySet::public_strings,
               .property_id = 34051,
               .property_type = MapiPropertyType::integer},
       .values = {"7"}}};
  item.culture = "de-DE";
  item.flag = Flag{.status = FlagStatus::flagged,
                   .start_date = DateTime::at(1'700'000'000'000),
                   .due_date = DateTime::at(1'700'100'000'000)};
  auto& message = item.message.get_or_make();
  message.sender = address("sender@example.com");
  message.to_recipients = {address("a@example.com"), address("b@example.com")};
  message.cc_recipients = {address("c@example.com")};
  message.bcc_recipients = {address("d@example.com")};
  message.is_read_receipt_requested = false;
  message.is_delivery_receipt_requested = true;
  message.from = address("from@example.com");
  message.internet_message_id = "<1@example.com>";
  message.is_read = true;
  message.references = "<0@example.com>";
  message.reply_to = {address("reply@example.com")};
  return item;
}

inline std::vector<RecurrencePattern> appointment_patterns() {
  return {RelativeYearlyPattern{{DayOfWeek::monday}, DayOfWeekIndex::last, Month::may},
          AbsoluteYearlyPattern{29, Month::february},
          RelativeMonthlyPattern{2, {DayOfWeek::weekend_day}, DayOfWeekIndex::first},
          AbsoluteMonthlyPattern{1, 31},
          WeeklyPattern{2, {DayOfWeek::monday, DayOfWeek::friday}, DayOfWeek::sunday},
          DailyPattern{3}};
}
inline std::vector<RecurrencePattern> task_patterns() {
  auto all = appointment_patterns();
  for (const auto unit : {RegeneratingPattern::Unit::day, RegeneratingPattern::Unit::week,
                          RegeneratingPattern::Unit::month, RegeneratingPattern::Unit::year})
    all.emplace_back(RegeneratingPattern{unit, 2});
  return all;
}
inline std::vector<RecurrenceRange> ranges() {
  return {NoEndRange{Date::of(2026, 1, 31)}, EndDateRange{Date::of(2026, 1, 31), Date::of(2027, 1, 31)},
          NumberedRange{Date::of(2026, 1, 31), 12}};
}

inline Item appointment(const RecurrencePattern& pattern, const RecurrenceRange& range) {
  Item item{.kind = ItemKind::calendar_item};
  item.subject = "Planning";
  item.body = Body{.type = BodyType::text, .value = "agenda"};
  item.reminder_is_set = true;
  item.reminder_minutes_before_start = 15;
  auto& calendar = item.calendar.get_or_make();
  calendar.uid = "uid-1";
  calendar.start = DateTime::at(1'769'875'200'000);
  calendar.end = DateTime::at(1'769'878'800'123);
  calendar.is_all_day_event = false;
  calendar.legacy_free_busy_status = FreeBusyStatus::busy;
  calendar.location = "Room 1";
  calendar.is_response_requested = true;
  calendar.required_attendees = {{.mailbox = address("r@example.com")}};
  calendar.optional_attendees = {
      {.mailbox = address("o@example.com"), .response_type = ResponseType::accept}};
  calendar.resources = {{.mailbox = address("room@example.com")}};
  calendar.recurrence = Recurrence{pattern, range};
  calendar.start_time_zone = berlin();
  calendar.end_time_zone = TimeZoneDefinition{.id = "UTC"};
  return item;
}

inline Item contact() {
  Item item{.kind = ItemKind::contact};
  auto& contact = item.contact.get_or_make();
  contact.file_as = "Doe, Jane";
  contact.file_as_mapping = FileAsMapping::last_comma_first;
  contact.display_name = "Jane Doe";
  contact.given_name = "Jane";
  contact.initials = "J.D.";
  contact.middle_name = "M";
  contact.nickname = "JD";
  contact.company_name = "Example";
  contact.email_addresses = {{.key = "EmailAddress1", .value = "jane@example.com"}};
  contact.physical_addresses = {
      {.key = "Business", .street = "1 Main", .city = "Town", .postal_code = "12345"}};
  contact.phone_numbers = {{.key = "BusinessPhone", .value = "+49 1"},
                           {.key = "MobilePhone", .value = "+49 2"}};
  contact.birthday = DateTime::at(0);
  contact.business_home_page = "https://example.com/";
  contact.children = {"A", "B"};
  contact.im_addresses = {{.key = "ImAddress1", .value = "im:jane"}};
  contact.job_title = "Boss";
  contact.surname = "Doe";
  contact.wedding_anniversary = DateTime::at(-2'208'988'800'000);
  return item;
}

inline Item task(const RecurrencePattern& pattern, const RecurrenceRange& range) {
  Item item{.kind = ItemKind::task};
  item.subject = "Do it";
  auto& task = item.task.get_or_make();
  task.actual_work = 30;
  task.companies = {"Example"};
  task.due_date = DateTime::at(1'769'875'200'000);
  task.percent_complete = 12.5;
  task.recurrence = Recurrence{pattern, range};
  task.start_date = DateTime::at(1'769'788'800'000);
  task.status = TaskStatus::in_progress;
  task.total_work = 60;
  return item;
}

inline Item distribution_list() {
  Item item{.kind = ItemKind::distribution_list};
  auto& list = item.distribution_list.get_or_make();
  list.display_name = "All";
  list.members = {{.mailbox = address("m@example.com"), .status = MemberStatus::normal, .key = "k"}};
  return item;
}

/// Calls `visit(request)` with requests of every operation.
template <class Visit>
void for_each_request(Visit&& visit) {
  const FolderRef inbox = DistinguishedFolderId{"inbox", "owner@example.com"};
  const FolderRef folder = FolderId{"AAMk", "CQ=="};
  const ItemId item_id{"AAMkItem=", "DwAAA"};
  const FolderShape folder_shape{BaseShape::default_, {FieldUri{"folder:DisplayName"}, our_path}};
  const ItemShape shape{
      .base = BaseShape::id_only,
      .include_mime_content = true,
      .body_type = BodyShape::best,
      .filter_html_content = false,
      .convert_html_code_page_to_utf8 = true,
      .additional = {subject_path, our_path, IndexedFieldUri{"contacts:EmailAddress", "EmailAddress1"}}};
  const Restriction equal{Comparison{ComparisonOperator::is_equal_to, our_path, "x<&>"}};
  const Restriction everything{
      Or{{Restriction{And{{equal, Restriction{Not{{Restriction{Exists{subject_path}}}}}}}},
          Restriction{
              Contains{subject_path, "sub", ContainmentMode::substring, ContainmentComparison::ignore_case}},
          Restriction{Excludes{our_path, 255}},
          Restriction{Comparison{ComparisonOperator::is_greater_than, FieldUri{"item:DateTimeReceived"},
                                 PropertyPath(FieldUri{"item:DateTimeSent"})}},
          Restriction{Comparison{ComparisonOperator::is_not_equal_to, subject_path, "a"}},
          Restriction{Comparison{ComparisonOperator::is_greater_than_or_equal_to, subject_path, "a"}},
          Restriction{Comparison{ComparisonOperator::is_less_than, subject_path, "a"}},
          Restriction{Comparison{ComparisonOperator::is_less_than_or_equal_to, subject_path, "a"}}}}};

  visit(GetFolderRequest{folder_shape, {inbox, folder}});
  visit(FindFolderRequest{.shape = folder_shape,
                          .traversal = FolderTraversal::deep,
                          .view = IndexedView{100, 50, BasePoint::beginning},
                          .restriction = everything,
                          .parents = {DistinguishedFolderId{"msgfolderroot"}}});
  CreateFolderRequest create_folder{inbox, {}};
  for (const auto kind : {FolderKind::folder, FolderKind::calendar, FolderKind::contacts, FolderKind::tasks})
    create_folder.folders.push_back(
        Folder{.kind = kind, .folder_class = "IPF.Note", .display_name = "New & old"});
  visit(create_folder);
  visit(SyncFolderHierarchyRequest{folder_shape, inbox, "H4sI="});
  visit(SyncFolderHierarchyRequest{});
  visit(SyncFolderItemsRequest{shape, inbox, "H4sI=", {item_id}, 512, SyncScope::normal_items});
  visit(FindItemRequest{
      .shape = shape,
      .view = IndexedView{0, 1000, BasePoint::end},
      .restriction = everything,
      .sort = {{subject_path, SortDirection::descending}, {our_path, SortDirection::ascending}},
      .parents = {inbox}});
  visit(FindItemRequest{.view = CalendarView{DateTime::at(0), DateTime::at(86'400'000), 100},
                        .parents = {inbox}});
  visit(FindItemRequest{
      .traversal = ItemTraversal::associated, .parents = {folder}, .query_string = "subject:x"});
  visit(GetItemRequest{shape,
                       {item_id, OccurrenceItemId{"AAMkMaster", 3}, RecurringMasterItemId{"AAMkOcc", "k"}}});

  for (const auto& range : ranges()) {
    CreateItemRequest calendar{
        .saved_item_folder = inbox, .items = {}, .send_meeting_invitations = SendInvitations::send_to_none};
    for (const auto& pattern : appointment_patterns())
      calendar.items.emplace_back(appointment(pattern, range));
    visit(calendar);
    CreateItemRequest tasks{.saved_item_folder = DistinguishedFolderId{"tasks"}, .items = {}};
    for (const auto& pattern : task_patterns()) tasks.items.emplace_back(task(pattern, range));
    visit(tasks);
  }
  CreateItemRequest others{.items = {full_message(), contact(), distribution_list()},
                           .message_disposition = MessageDisposition::save_only};
  for (const auto kind :
       {ItemKind::item, ItemKind::post_item, ItemKind::meeting_message, ItemKind::meeting_request,
        ItemKind::meeting_response, ItemKind::meeting_cancellation}) {
    Item item{.kind = kind};
    item.subject = "Kind";
    others.items.emplace_back(item);
  }
  visit(others);
  CreateItemRequest answers{.items = {}, .message_disposition = MessageDisposition::send_and_save_copy};
  using Kind = ResponseObject::Kind;
  for (const auto kind : {Kind::accept, Kind::tentatively_accept, Kind::decline}) {
    ResponseObject answer{kind, item_id};
    answer.body = Body{.value = "fine"};
    answer.to_recipients = {address("o@example.com")};
    answer.proposed_start = DateTime::at(1'769'875'200'000);
    answer.proposed_end = DateTime::at(1'769'878'800'000);
    answers.items.emplace_back(answer);
  }
  for (const auto kind : {Kind::reply, Kind::reply_all, Kind::forward, Kind::cancel_calendar_item}) {
    ResponseObject answer{kind, item_id};
    answer.subject = "Re: x";
    answer.to_recipients = {address("o@example.com")};
    answer.cc_recipients = {address("p@example.com")};
    answer.bcc_recipients = {address("q@example.com")};
    answer.new_body_content = Body{.type = BodyType::html, .value = "<b>x</b>"};
    answers.items.emplace_back(answer);
  }
  for (const auto kind : {Kind::remove_item, Kind::suppress_read_receipt})
    answers.items.emplace_back(ResponseObject{kind, item_id});
  visit(answers);

  Item new_subject{.kind = ItemKind::message};
  new_subject.subject = "changed";
  Item new_mail{.kind = ItemKind::contact};
  new_mail.contact.get_or_make().email_addresses = {{.key = "EmailAddress1", .value = "new@example.com"}};
  Item new_property{.kind = ItemKind::task};
  new_property.extended_properties = {{.uri = std::get<ExtendedFieldUri>(our_path), .values = {"op-2"}}};
  Item more_attendees{.kind = ItemKind::calendar_item};
  more_attendees.calendar.get_or_make().required_attendees = {{.mailbox = address("more@example.com")}};
  visit(UpdateItemRequest{
      .saved_item_folder = inbox,
      .changes = {{item_id,
                   {SetItemField{subject_path, new_subject}, DeleteItemField{FieldUri{"item:Categories"}}}},
                  {OccurrenceItemId{"AAMkMaster", 2, "k"},
                   {AppendToItemField{FieldUri{"calendar:RequiredAttendees"}, more_attendees},
                    SetItemField{our_path, new_property}}},
                  {RecurringMasterItemId{"AAMkOcc"},
                   {SetItemField{IndexedFieldUri{"contacts:EmailAddress", "EmailAddress1"}, new_mail}}}},
      .message_disposition = MessageDisposition::save_only,
      .send_meeting_invitations_or_cancellations = SendInvitationsOrCancellations::send_to_none,
      .suppress_read_receipts = true});
  visit(DeleteItemRequest{.ids = {item_id},
                          .send_meeting_cancellations = SendInvitations::send_to_all_and_save_copy,
                          .affected_task_occurrences = AffectedTaskOccurrences::all_occurrences,
                          .suppress_read_receipts = false});
  visit(MoveItemRequest{folder, {item_id}});
  visit(SendItemRequest{{item_id}, true, DistinguishedFolderId{"sentitems"}});

  Attachment file{
      .name = "../\xe2\x80\xae.txt", .content_type = "text/plain", .content_id = "c", .is_inline = true};
  file.content = FileContent{.is_contact_photo = false, .content = "hello"};
  Attachment nested{.name = "message"};
  nested.content = ItemContent{full_message()};
  Attachment link{.name = "link"};
  link.content = ReferenceContent{.path = "https://example.com/f",
                                  .provider_type = "OneDrivePro",
                                  .permission_type = 2,
                                  .is_folder = false};
  visit(CreateAttachmentRequest{item_id, {file, nested, link}});
  visit(GetAttachmentRequest{.ids = {"att1", "att2"}});
  visit(GetAttachmentRequest{.ids = {"att1"},
                             .include_mime_content = true,
                             .body_type = BodyShape::text,
                             .additional = {subject_path}});
  visit(DeleteAttachmentRequest{{"att1"}});
  visit(SubscribeRequest{
      .folders = {inbox, folder},
      .events = {EventKind::new_mail_event, EventKind::created_event, EventKind::deleted_event,
                 EventKind::modified_event, EventKind::moved_event, EventKind::copied_event}});
  visit(SubscribeRequest{.all_folders = true,
                         .events = {EventKind::free_busy_changed_event},
                         .kind = PullSubscription{1440, "AQA="}});
  visit(GetEventsRequest{"sub", "AQA="});
  visit(GetStreamingEventsRequest{{"s1", "s2"}, 30});
  visit(UnsubscribeRequest{"s1"});
  visit(ResolveNamesRequest{
      "Jane", {inbox}, true, ResolveNamesScope::active_directory_contacts, BaseShape::all_properties});
  visit(GetServerTimeZonesRequest{{"UTC", "W. Europe Standard Time"}, true});
  visit(GetServerTimeZonesRequest{});
  visit(ConvertIdRequest{{{IdFormat::entry_id, "AAAA", "o@example.com", true}}, IdFormat::ews_id});
}

}  // namespace syncline::ews::test
