// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The enumerations of our EWS profile. On the wire they are strings ("open" ones where a server sends them).
#include <array>
#include <string_view>

#include "ews/types/open_enum.hpp"

namespace syncline::ews {

enum class ResponseClass { success, warning, error };
template <>
struct EnumNames<ResponseClass> {
  static constexpr std::array<std::string_view, 3> names{"Success", "Warning", "Error"};
};

enum class BaseShape { id_only, default_, all_properties };
template <>
struct EnumNames<BaseShape> {
  static constexpr std::array<std::string_view, 3> names{"IdOnly", "Default", "AllProperties"};
};

enum class BodyType { html, text };
template <>
struct EnumNames<BodyType> {
  static constexpr std::array<std::string_view, 2> names{"HTML", "Text"};
};

enum class BodyShape { best, html, text };
template <>
struct EnumNames<BodyShape> {
  static constexpr std::array<std::string_view, 3> names{"Best", "HTML", "Text"};
};

enum class MailboxType {
  unknown,
  one_off,
  mailbox,
  public_dl,
  private_dl,
  contact,
  public_folder,
  group_mailbox,
  implicit_contact
};
template <>
struct EnumNames<MailboxType> {
  static constexpr std::array<std::string_view, 9> names{"Unknown",      "OneOff",       "Mailbox",
                                                         "PublicDL",     "PrivateDL",    "Contact",
                                                         "PublicFolder", "GroupMailbox", "ImplicitContact"};
};

enum class Sensitivity { normal, personal, private_, confidential };
template <>
struct EnumNames<Sensitivity> {
  static constexpr std::array<std::string_view, 4> names{"Normal", "Personal", "Private", "Confidential"};
};

enum class Importance { low, normal, high };
template <>
struct EnumNames<Importance> {
  static constexpr std::array<std::string_view, 3> names{"Low", "Normal", "High"};
};

enum class FlagStatus { not_flagged, flagged, complete };
template <>
struct EnumNames<FlagStatus> {
  static constexpr std::array<std::string_view, 3> names{"NotFlagged", "Flagged", "Complete"};
};

enum class FreeBusyStatus { free, tentative, busy, oof, working_elsewhere, no_data };
template <>
struct EnumNames<FreeBusyStatus> {
  static constexpr std::array<std::string_view, 6> names{"Free", "Tentative",        "Busy",
                                                         "OOF",  "WorkingElsewhere", "NoData"};
};

enum class CalendarItemKind { single, occurrence, exception, recurring_master };
template <>
struct EnumNames<CalendarItemKind> {
  static constexpr std::array<std::string_view, 4> names{"Single", "Occurrence", "Exception",
                                                         "RecurringMaster"};
};

enum class ResponseType { unknown, organizer, tentative, accept, decline, no_response_received };
template <>
struct EnumNames<ResponseType> {
  static constexpr std::array<std::string_view, 6> names{"Unknown", "Organizer", "Tentative",
                                                         "Accept",  "Decline",   "NoResponseReceived"};
};

enum class MeetingRequestKind {
  none,
  full_update,
  informational_update,
  new_meeting_request,
  outdated,
  silent_update,
  principal_wants_copy
};
template <>
struct EnumNames<MeetingRequestKind> {
  static constexpr std::array<std::string_view, 7> names{
      "None",     "FullUpdate",   "InformationalUpdate", "NewMeetingRequest",
      "Outdated", "SilentUpdate", "PrincipalWantsCopy"};
};

enum class TaskStatus { not_started, in_progress, completed, waiting_on_others, deferred };
template <>
struct EnumNames<TaskStatus> {
  static constexpr std::array<std::string_view, 5> names{"NotStarted", "InProgress", "Completed",
                                                         "WaitingOnOthers", "Deferred"};
};

enum class DelegationState { no_match, own_new, owned, accepted, declined, max };
template <>
struct EnumNames<DelegationState> {
  static constexpr std::array<std::string_view, 6> names{"NoMatch",  "OwnNew",   "Owned",
                                                         "Accepted", "Declined", "Max"};
};

enum class DayOfWeek {
  sunday,
  monday,
  tuesday,
  wednesday,
  thursday,
  friday,
  saturday,
  day,
  weekday,
  weekend_day
};
template <>
struct EnumNames<DayOfWeek> {
  static constexpr std::array<std::string_view, 10> names{"Sunday",   "Monday",    "Tuesday",  "Wednesday",
                                                          "Thursday", "Friday",    "Saturday", "Day",
                                                          "Weekday",  "WeekendDay"};
};

enum class DayOfWeekIndex { first, second, third, fourth, last };
template <>
struct EnumNames<DayOfWeekIndex> {
  static constexpr std::array<std::string_view, 5> names{"First", "Second", "Third", "Fourth", "Last"};
};

enum class Month {
  january,
  february,
  march,
  april,
  may,
  june,
  july,
  august,
  september,
  october,
  november,
  december
};
template <>
struct EnumNames<Month> {
  static constexpr std::array<std::string_view, 12> names{"January",   "February", "March",    "April",
                                                          "May",       "June",     "July",     "August",
                                                          "September", "October",  "November", "December"};
};

enum class TransitionTarget { period, group };
template <>
struct EnumNames<TransitionTarget> {
  static constexpr std::array<std::string_view, 2> names{"Period", "Group"};
};

enum class FileAsMapping {
  none,
  last_comma_first,
  first_space_last,
  company,
  last_comma_first_company,
  company_last_first,
  last_first,
  last_first_company,
  company_last_comma_first,
  last_first_suffix,
  last_space_first_company,
  company_last_space_first,
  last_space_first,
  display_name,
  first_name,
  last_first_middle_suffix,
  last_name,
  empty
};
template <>
struct EnumNames<FileAsMapping> {
  static constexpr std::array<std::string_view, 18> names{"None",
                                                          "LastCommaFirst",
                                                          "FirstSpaceLast",
                                                          "Company",
                                                          "LastCommaFirstCompany",
                                                          "CompanyLastFirst",
                                                          "LastFirst",
                                                          "LastFirstCompany",
                                                          "CompanyLastCommaFirst",
                                                          "LastFirstSuffix",
                                                          "LastSpaceFirstCompany",
                                                          "CompanyLastSpaceFirst",
                                                          "LastSpaceFirst",
                                                          "DisplayName",
                                                          "FirstName",
                                                          "LastFirstMiddleSuffix",
                                                          "LastName",
                                                          "Empty"};
};

enum class ContactSource { active_directory, store };
template <>
struct EnumNames<ContactSource> {
  static constexpr std::array<std::string_view, 2> names{"ActiveDirectory", "Store"};
};

enum class MemberStatus { unrecognized, normal, demoted };
template <>
struct EnumNames<MemberStatus> {
  static constexpr std::array<std::string_view, 3> names{"Unrecognized", "Normal", "Demoted"};
};

enum class MapiPropertyType {
  application_time,
  application_time_array,
  binary,
  binary_array,
  boolean,
  clsid,
  clsid_array,
  currency,
  currency_array,
  double_,
  double_array,
  error,
  float_,
  float_array,
  integer,
  integer_array,
  long_,
  long_array,
  null,
  object,
  object_array,
  short_,
  short_array,
  system_time,
  system_time_array,
  string,
  string_array
};
template <>
struct EnumNames<MapiPropertyType> {
  static constexpr std::array<std::string_view, 27> names{"ApplicationTime",
                                                          "ApplicationTimeArray",
                                                          "Binary",
                                                          "BinaryArray",
                                                          "Boolean",
                                                          "CLSID",
                                                          "CLSIDArray",
                                                          "Currency",
                                                          "CurrencyArray",
                                                          "Double",
                                                          "DoubleArray",
                                                          "Error",
                                                          "Float",
                                                          "FloatArray",
                                                          "Integer",
                                                          "IntegerArray",
                                                          "Long",
                                                          "LongArray",
                                                          "Null",
                                                          "Object",
                                                          "ObjectArray",
                                                          "Short",
                                                          "ShortArray",
                                                          "SystemTime",
                                                          "SystemTimeArray",
                                                          "String",
                                                          "StringArray"};
};

enum class PropertySet {
  meeting,
  appointment,
  common,
  public_strings,
  address,
  internet_headers,
  calendar_assistant,
  unified_messaging,
  task,
  sharing
};
template <>
struct EnumNames<PropertySet> {
  static constexpr std::array<std::string_view, 10> names{
      "Meeting",         "Appointment",       "Common",           "PublicStrings", "Address",
      "InternetHeaders", "CalendarAssistant", "UnifiedMessaging", "Task",          "Sharing"};
};

enum class FolderTraversal { shallow, deep, soft_deleted };
template <>
struct EnumNames<FolderTraversal> {
  static constexpr std::array<std::string_view, 3> names{"Shallow", "Deep", "SoftDeleted"};
};

enum class ItemTraversal { shallow, soft_deleted, associated };
template <>
struct EnumNames<ItemTraversal> {
  static constexpr std::array<std::string_view, 3> names{"Shallow", "SoftDeleted", "Associated"};
};

enum class BasePoint { beginning, end };
template <>
struct EnumNames<BasePoint> {
  static constexpr std::array<std::string_view, 2> names{"Beginning", "End"};
};

enum class SortDirection { ascending, descending };
template <>
struct EnumNames<SortDirection> {
  static constexpr std::array<std::string_view, 2> names{"Ascending", "Descending"};
};

enum class ContainmentMode { full_string, prefixed, substring, prefix_on_words, exact_phrase };
template <>
struct EnumNames<ContainmentMode> {
  static constexpr std::array<std::string_view, 5> names{"FullString", "Prefixed", "Substring",
                                                         "PrefixOnWords", "ExactPhrase"};
};

enum class ContainmentComparison {
  exact,
  ignore_case,
  ignore_non_spacing_characters,
  loose,
  ignore_case_and_non_spacing_characters,
  loose_and_ignore_case,
  loose_and_ignore_non_space,
  loose_and_ignore_case_and_ignore_non_space
};
template <>
struct EnumNames<ContainmentComparison> {
  static constexpr std::array<std::string_view, 8> names{"Exact",
                                                         "IgnoreCase",
                                                         "IgnoreNonSpacingCharacters",
                                                         "Loose",
                                                         "IgnoreCaseAndNonSpacingCharacters",
                                                         "LooseAndIgnoreCase",
                                                         "LooseAndIgnoreNonSpace",
                                                         "LooseAndIgnoreCaseAndIgnoreNonSpace"};
};

enum class MessageDisposition { save_only, send_only, send_and_save_copy };
template <>
struct EnumNames<MessageDisposition> {
  static constexpr std::array<std::string_view, 3> names{"SaveOnly", "SendOnly", "SendAndSaveCopy"};
};

enum class SendInvitations { send_to_none, send_only_to_all, send_to_all_and_save_copy };
template <>
struct EnumNames<SendInvitations> {
  static constexpr std::array<std::string_view, 3> names{"SendToNone", "SendOnlyToAll",
                                                         "SendToAllAndSaveCopy"};
};

enum class SendInvitationsOrCancellations {
  send_to_none,
  send_only_to_all,
  send_only_to_changed,
  send_to_all_and_save_copy,
  send_to_changed_and_save_copy
};
template <>
struct EnumNames<SendInvitationsOrCancellations> {
  static constexpr std::array<std::string_view, 5> names{"SendToNone", "SendOnlyToAll", "SendOnlyToChanged",
                                                         "SendToAllAndSaveCopy", "SendToChangedAndSaveCopy"};
};

enum class ConflictResolution { never_overwrite, auto_resolve, always_overwrite };
template <>
struct EnumNames<ConflictResolution> {
  static constexpr std::array<std::string_view, 3> names{"NeverOverwrite", "AutoResolve", "AlwaysOverwrite"};
};

enum class DeleteKind { hard_delete, soft_delete, move_to_deleted_items };
template <>
struct EnumNames<DeleteKind> {
  static constexpr std::array<std::string_view, 3> names{"HardDelete", "SoftDelete", "MoveToDeletedItems"};
};

enum class AffectedTaskOccurrences { all_occurrences, specified_occurrence_only };
template <>
struct EnumNames<AffectedTaskOccurrences> {
  static constexpr std::array<std::string_view, 2> names{"AllOccurrences", "SpecifiedOccurrenceOnly"};
};

enum class SyncScope { normal_items, normal_and_associated_items };
template <>
struct EnumNames<SyncScope> {
  static constexpr std::array<std::string_view, 2> names{"NormalItems", "NormalAndAssociatedItems"};
};

enum class EventKind {
  copied_event,
  created_event,
  deleted_event,
  modified_event,
  moved_event,
  new_mail_event,
  status_event,
  free_busy_changed_event
};
template <>
struct EnumNames<EventKind> {
  static constexpr std::array<std::string_view, 8> names{
      "CopiedEvent", "CreatedEvent", "DeletedEvent", "ModifiedEvent",
      "MovedEvent",  "NewMailEvent", "StatusEvent",  "FreeBusyChangedEvent"};
};

enum class ConnectionStatus { ok, closed };
template <>
struct EnumNames<ConnectionStatus> {
  static constexpr std::array<std::string_view, 2> names{"OK", "Closed"};
};

enum class ResolveNamesScope {
  active_directory,
  active_directory_contacts,
  contacts,
  contacts_active_directory
};
template <>
struct EnumNames<ResolveNamesScope> {
  static constexpr std::array<std::string_view, 4> names{"ActiveDirectory", "ActiveDirectoryContacts",
                                                         "Contacts", "ContactsActiveDirectory"};
};

enum class IdFormat { ews_legacy_id, ews_id, entry_id, hex_entry_id, store_id, owa_id };
template <>
struct EnumNames<IdFormat> {
  static constexpr std::array<std::string_view, 6> names{"EwsLegacyId", "EwsId",   "EntryId",
                                                         "HexEntryId",  "StoreId", "OwaId"};
};

}  // namespace syncline::ews
