// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/exchange/fields.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <cctype>
#include <unordered_map>

namespace exchange_sim {
namespace {

constexpr FieldDefinition kFields[] = {
    {f_mime_content, "item:MimeContent", "MimeContent", ValueKind::computed, true, false, false, true},
    {f_item_id, "item:ItemId", "ItemId", ValueKind::computed, false, true, false, true},
    {f_parent_folder_id, "item:ParentFolderId", "ParentFolderId", ValueKind::computed, false, false, false,
     true},
    {f_item_class, "item:ItemClass", "ItemClass", ValueKind::text, false, false, false, false},
    {f_subject, "item:Subject", "Subject", ValueKind::text, false, true, false, false},
    {f_sensitivity, "item:Sensitivity", "Sensitivity", ValueKind::text, false, true, false, false},
    {f_body, "item:Body", "Body", ValueKind::body, true, true, false, false},
    {f_attachments, "item:Attachments", "Attachments", ValueKind::computed, true, true, false, true},
    {f_received, "item:DateTimeReceived", "DateTimeReceived", ValueKind::time, false, true, false, true},
    {f_size, "item:Size", "Size", ValueKind::computed, false, true, false, true},
    {f_categories, "item:Categories", "Categories", ValueKind::xml, false, false, false, false},
    {f_importance, "item:Importance", "Importance", ValueKind::text, false, false, false, false},
    {f_in_reply_to, "item:InReplyTo", "InReplyTo", ValueKind::text, false, false, false, false},
    {f_is_submitted, "item:IsSubmitted", "IsSubmitted", ValueKind::computed, false, false, false, true},
    {f_is_draft, "item:IsDraft", "IsDraft", ValueKind::computed, false, false, false, true},
    {f_is_from_me, "item:IsFromMe", "IsFromMe", ValueKind::computed, false, false, false, true},
    {f_is_resend, "item:IsResend", "IsResend", ValueKind::computed, false, false, false, true},
    {f_is_unmodified, "item:IsUnmodified", "IsUnmodified", ValueKind::computed, false, false, false, true},
    {f_internet_headers, "item:InternetMessageHeaders", "InternetMessageHeaders", ValueKind::xml, true, false,
     false, false},
    {f_sent, "item:DateTimeSent", "DateTimeSent", ValueKind::time, false, true, false, true},
    {f_created, "item:DateTimeCreated", "DateTimeCreated", ValueKind::time, false, false, false, true},
    {f_response_objects, "item:ResponseObjects", "ResponseObjects", ValueKind::computed, true, true, false,
     true},
    {f_reminder_due, "item:ReminderDueBy", "ReminderDueBy", ValueKind::time, false, false, false, false},
    {f_reminder_set, "item:ReminderIsSet", "ReminderIsSet", ValueKind::boolean, false, false, false, false},
    {f_reminder_next, "item:ReminderNextTime", "ReminderNextTime", ValueKind::time, false, false, false,
     false},
    {f_reminder_minutes, "item:ReminderMinutesBeforeStart", "ReminderMinutesBeforeStart", ValueKind::text,
     false, false, false, false},
    {f_display_cc, "item:DisplayCc", "DisplayCc", ValueKind::computed, false, false, false, true},
    {f_display_to, "item:DisplayTo", "DisplayTo", ValueKind::computed, false, false, false, true},
    {f_display_bcc, "item:DisplayBcc", "DisplayBcc", ValueKind::computed, false, false, false, true},
    {f_has_attachments, "item:HasAttachments", "HasAttachments", ValueKind::computed, false, true, false,
     true},
    {f_culture, "item:Culture", "Culture", ValueKind::text, false, false, false, false},
    {f_effective_rights, "item:EffectiveRights", "EffectiveRights", ValueKind::computed, false, false, false,
     true},
    {f_modified_name, "item:LastModifiedName", "LastModifiedName", ValueKind::computed, false, false, false,
     true},
    {f_modified, "item:LastModifiedTime", "LastModifiedTime", ValueKind::computed, false, false, false, true},
    {f_is_associated, "item:IsAssociated", "IsAssociated", ValueKind::computed, false, false, false, true},
    {f_conversation_id, "item:ConversationId", "ConversationId", ValueKind::computed, false, false, false,
     true},
    {f_unique_body, "item:UniqueBody", "UniqueBody", ValueKind::computed, true, false, true, true},
    {f_flag, "item:Flag", "Flag", ValueKind::xml, false, false, false, false},
    {f_instance_key, "item:InstanceKey", "InstanceKey", ValueKind::computed, false, false, true, true},
    {f_normalized_body, "item:NormalizedBody", "NormalizedBody", ValueKind::computed, true, false, true,
     true},
    {f_preview, "item:Preview", "Preview", ValueKind::computed, false, false, true, true},
    {f_text_body, "item:TextBody", "TextBody", ValueKind::computed, true, false, true, true},
    {f_search_key, "item:SearchKey", "SearchKey", ValueKind::computed, false, false, true, true},
    {f_sender, "message:Sender", "Sender", ValueKind::xml, false, false, false, true},
    {f_to, "message:ToRecipients", "ToRecipients", ValueKind::xml, true, true, false, false},
    {f_cc, "message:CcRecipients", "CcRecipients", ValueKind::xml, true, true, false, false},
    {f_bcc, "message:BccRecipients", "BccRecipients", ValueKind::xml, true, true, false, false},
    {f_read_receipt, "message:IsReadReceiptRequested", "IsReadReceiptRequested", ValueKind::boolean, false,
     true, false, false},
    {f_delivery_receipt, "message:IsDeliveryReceiptRequested", "IsDeliveryReceiptRequested",
     ValueKind::boolean, false, true, false, false},
    {f_conversation_index, "message:ConversationIndex", "ConversationIndex", ValueKind::text, false, false,
     false, true},
    {f_conversation_topic, "message:ConversationTopic", "ConversationTopic", ValueKind::text, false, false,
     false, true},
    {f_from, "message:From", "From", ValueKind::xml, false, true, false, false},
    {f_internet_message_id, "message:InternetMessageId", "InternetMessageId", ValueKind::text, false, false,
     false, false},
    {f_is_read, "message:IsRead", "IsRead", ValueKind::boolean, false, true, false, false},
    {f_message_response_requested, "message:IsResponseRequested", "IsResponseRequested", ValueKind::boolean,
     false, false, false, false},
    {f_references, "message:References", "References", ValueKind::text, false, false, false, false},
    {f_reply_to, "message:ReplyTo", "ReplyTo", ValueKind::xml, true, false, false, false},
    {f_received_by, "message:ReceivedBy", "ReceivedBy", ValueKind::computed, false, false, false, true},
    {f_received_representing, "message:ReceivedRepresenting", "ReceivedRepresenting", ValueKind::computed,
     false, false, false, true},
    {f_associated_item, "meeting:AssociatedCalendarItemId", "AssociatedCalendarItemId", ValueKind::computed,
     true, false, false, true},
    {f_is_delegated, "meeting:IsDelegated", "IsDelegated", ValueKind::boolean, false, false, false, false},
    {f_is_out_of_date, "meeting:IsOutOfDate", "IsOutOfDate", ValueKind::boolean, false, false, false, false},
    {f_has_been_processed, "meeting:HasBeenProcessed", "HasBeenProcessed", ValueKind::boolean, false, false,
     false, false},
    {f_meeting_response_type, "meeting:ResponseType", "ResponseType", ValueKind::text, false, false, false,
     false},
    {f_proposed_start, "meeting:ProposedStart", "ProposedStart", ValueKind::time, false, false, false, false},
    {f_proposed_end, "meeting:ProposedEnd", "ProposedEnd", ValueKind::time, false, false, false, false},
    {f_meeting_request_type, "meetingRequest:MeetingRequestType", "MeetingRequestType", ValueKind::text,
     false, false, false, false},
    {f_intended_free_busy, "meetingRequest:IntendedFreeBusyStatus", "IntendedFreeBusyStatus", ValueKind::text,
     false, false, false, false},
    {f_uid, "calendar:UID", "UID", ValueKind::text, false, false, false, false},
    {f_recurrence_id, "calendar:RecurrenceId", "RecurrenceId", ValueKind::time, false, false, false, false},
    {f_date_time_stamp, "calendar:DateTimeStamp", "DateTimeStamp", ValueKind::time, false, false, false,
     false},
    {f_start, "calendar:Start", "Start", ValueKind::time, false, true, false, false},
    {f_end, "calendar:End", "End", ValueKind::time, false, true, false, false},
    {f_original_start, "calendar:OriginalStart", "OriginalStart", ValueKind::computed, false, false, false,
     true},
    {f_all_day, "calendar:IsAllDayEvent", "IsAllDayEvent", ValueKind::boolean, false, false, false, false},
    {f_free_busy, "calendar:LegacyFreeBusyStatus", "LegacyFreeBusyStatus", ValueKind::text, false, true,
     false, false},
    {f_location, "calendar:Location", "Location", ValueKind::text, false, true, false, false},
    {f_when, "calendar:When", "When", ValueKind::text, false, false, false, false},
    {f_is_meeting, "calendar:IsMeeting", "IsMeeting", ValueKind::computed, false, false, false, true},
    {f_is_cancelled, "calendar:IsCancelled", "IsCancelled", ValueKind::computed, false, false, false, true},
    {f_is_recurring, "calendar:IsRecurring", "IsRecurring", ValueKind::computed, false, false, false, true},
    {f_request_was_sent, "calendar:MeetingRequestWasSent", "MeetingRequestWasSent", ValueKind::boolean, false,
     false, false, true},
    {f_response_requested, "calendar:IsResponseRequested", "IsResponseRequested", ValueKind::boolean, false,
     false, false, false},
    {f_calendar_item_type, "calendar:CalendarItemType", "CalendarItemType", ValueKind::computed, false, true,
     false, true},
    {f_my_response, "calendar:MyResponseType", "MyResponseType", ValueKind::computed, false, false, false,
     true},
    {f_organizer, "calendar:Organizer", "Organizer", ValueKind::xml, false, true, false, true},
    {f_required, "calendar:RequiredAttendees", "RequiredAttendees", ValueKind::xml, true, false, false,
     false},
    {f_optional, "calendar:OptionalAttendees", "OptionalAttendees", ValueKind::xml, true, false, false,
     false},
    {f_resources, "calendar:Resources", "Resources", ValueKind::xml, true, false, false, false},
    {f_conflicting_count, "calendar:ConflictingMeetingCount", "ConflictingMeetingCount", ValueKind::computed,
     true, false, true, true},
    {f_adjacent_count, "calendar:AdjacentMeetingCount", "AdjacentMeetingCount", ValueKind::computed, true,
     false, true, true},
    {f_duration, "calendar:Duration", "Duration", ValueKind::computed, false, false, false, true},
    {f_time_zone_name, "calendar:TimeZone", "TimeZone", ValueKind::computed, false, false, false, true},
    {f_reply_time, "calendar:AppointmentReplyTime", "AppointmentReplyTime", ValueKind::time, false, false,
     false, true},
    {f_sequence, "calendar:AppointmentSequenceNumber", "AppointmentSequenceNumber", ValueKind::text, false,
     false, false, true},
    {f_appointment_state, "calendar:AppointmentState", "AppointmentState", ValueKind::computed, false, false,
     false, true},
    {f_recurrence, "calendar:Recurrence", "Recurrence", ValueKind::xml, true, false, false, false},
    {f_first_occurrence, "calendar:FirstOccurrence", "FirstOccurrence", ValueKind::computed, true, false,
     false, true},
    {f_last_occurrence, "calendar:LastOccurrence", "LastOccurrence", ValueKind::computed, true, false, false,
     true},
    {f_modified_occurrences, "calendar:ModifiedOccurrences", "ModifiedOccurrences", ValueKind::computed, true,
     false, false, true},
    {f_deleted_occurrences, "calendar:DeletedOccurrences", "DeletedOccurrences", ValueKind::computed, true,
     false, false, true},
    {f_meeting_time_zone, "calendar:MeetingTimeZone", "MeetingTimeZone", ValueKind::xml, true, false, false,
     false},
    {f_start_zone, "calendar:StartTimeZone", "StartTimeZone", ValueKind::xml, true, false, false, false},
    {f_end_zone, "calendar:EndTimeZone", "EndTimeZone", ValueKind::xml, true, false, false, false},
    {f_conference_type, "calendar:ConferenceType", "ConferenceType", ValueKind::text, false, false, false,
     false},
    {f_allow_new_time, "calendar:AllowNewTimeProposal", "AllowNewTimeProposal", ValueKind::boolean, false,
     false, false, false},
    {f_online_meeting, "calendar:IsOnlineMeeting", "IsOnlineMeeting", ValueKind::boolean, false, false, false,
     false},
    {f_workspace_url, "calendar:MeetingWorkspaceUrl", "MeetingWorkspaceUrl", ValueKind::text, false, false,
     false, false},
    {f_net_show_url, "calendar:NetShowUrl", "NetShowUrl", ValueKind::text, false, false, false, false},
    {f_start_wall, "calendar:StartWallClock", "StartWallClock", ValueKind::computed, false, false, false,
     true},
    {f_end_wall, "calendar:EndWallClock", "EndWallClock", ValueKind::computed, false, false, false, true},
    {f_start_zone_id, "calendar:StartTimeZoneId", "StartTimeZoneId", ValueKind::computed, false, false, false,
     true},
    {f_end_zone_id, "calendar:EndTimeZoneId", "EndTimeZoneId", ValueKind::computed, false, false, false,
     true},
    {f_is_organizer, "calendar:IsOrganizer", "IsOrganizer", ValueKind::computed, false, false, false, true},
    {f_file_as, "contacts:FileAs", "FileAs", ValueKind::text, false, true, false, false},
    {f_file_as_mapping, "contacts:FileAsMapping", "FileAsMapping", ValueKind::text, false, false, false,
     false},
    {f_display_name, "contacts:DisplayName", "DisplayName", ValueKind::text, false, true, false, false},
    {f_given_name, "contacts:GivenName", "GivenName", ValueKind::text, false, false, false, false},
    {f_initials, "contacts:Initials", "Initials", ValueKind::text, false, false, false, false},
    {f_middle_name, "contacts:MiddleName", "MiddleName", ValueKind::text, false, false, false, false},
    {f_nickname, "contacts:Nickname", "Nickname", ValueKind::text, false, false, false, false},
    {f_complete_name, "contacts:CompleteName", "CompleteName", ValueKind::computed, false, true, false, true},
    {f_company_name, "contacts:CompanyName", "CompanyName", ValueKind::text, false, true, false, false},
    {f_email_addresses, "contacts:EmailAddresses", "EmailAddresses", ValueKind::dictionary, false, true,
     false, false},
    {f_physical_addresses, "contacts:PhysicalAddresses", "PhysicalAddresses", ValueKind::dictionary, false,
     true, false, false},
    {f_phone_numbers, "contacts:PhoneNumbers", "PhoneNumbers", ValueKind::dictionary, false, true, false,
     false},
    {f_assistant_name, "contacts:AssistantName", "AssistantName", ValueKind::text, false, false, false,
     false},
    {f_birthday, "contacts:Birthday", "Birthday", ValueKind::time, false, false, false, false},
    {f_home_page, "contacts:BusinessHomePage", "BusinessHomePage", ValueKind::text, false, false, false,
     false},
    {f_children, "contacts:Children", "Children", ValueKind::xml, false, false, false, false},
    {f_contact_companies, "contacts:Companies", "Companies", ValueKind::xml, false, false, false, false},
    {f_contact_source, "contacts:ContactSource", "ContactSource", ValueKind::text, false, false, false, true},
    {f_department, "contacts:Department", "Department", ValueKind::text, false, false, false, false},
    {f_generation, "contacts:Generation", "Generation", ValueKind::text, false, false, false, false},
    {f_im_addresses, "contacts:ImAddresses", "ImAddresses", ValueKind::dictionary, false, true, false, false},
    {f_job_title, "contacts:JobTitle", "JobTitle", ValueKind::text, false, true, false, false},
    {f_manager, "contacts:Manager", "Manager", ValueKind::text, false, false, false, false},
    {f_contact_mileage, "contacts:Mileage", "Mileage", ValueKind::text, false, false, false, false},
    {f_office_location, "contacts:OfficeLocation", "OfficeLocation", ValueKind::text, false, false, false,
     false},
    {f_postal_index, "contacts:PostalAddressIndex", "PostalAddressIndex", ValueKind::text, false, false,
     false, false},
    {f_profession, "contacts:Profession", "Profession", ValueKind::text, false, false, false, false},
    {f_spouse_name, "contacts:SpouseName", "SpouseName", ValueKind::text, false, false, false, false},
    {f_surname, "contacts:Surname", "Surname", ValueKind::text, false, false, false, false},
    {f_anniversary, "contacts:WeddingAnniversary", "WeddingAnniversary", ValueKind::time, false, false, false,
     false},
    {f_has_picture, "contacts:HasPicture", "HasPicture", ValueKind::computed, false, true, false, true},
    {f_phonetic_full, "contacts:PhoneticFullName", "PhoneticFullName", ValueKind::text, false, false, false,
     false},
    {f_phonetic_first, "contacts:PhoneticFirstName", "PhoneticFirstName", ValueKind::text, false, false,
     false, false},
    {f_phonetic_last, "contacts:PhoneticLastName", "PhoneticLastName", ValueKind::text, false, false, false,
     false},
    {f_alias, "contacts:Alias", "Alias", ValueKind::text, false, false, true, false},
    {f_notes, "contacts:Notes", "Notes", ValueKind::computed, true, false, true, true},
    {f_photo, "contacts:Photo", "Photo", ValueKind::computed, true, false, true, true},
    {f_members, "distributionlist:Members", "Members", ValueKind::xml, true, false, false, false},
    {f_actual_work, "task:ActualWork", "ActualWork", ValueKind::text, false, false, false, false},
    {f_assigned_time, "task:AssignedTime", "AssignedTime", ValueKind::time, false, false, false, true},
    {f_billing, "task:BillingInformation", "BillingInformation", ValueKind::text, false, false, false, false},
    {f_change_count, "task:ChangeCount", "ChangeCount", ValueKind::computed, false, false, false, true},
    {f_task_companies, "task:Companies", "Companies", ValueKind::xml, false, false, false, false},
    {f_complete_date, "task:CompleteDate", "CompleteDate", ValueKind::time, false, true, false, false},
    {f_task_contacts, "task:Contacts", "Contacts", ValueKind::xml, false, false, false, false},
    {f_delegation_state, "task:DelegationState", "DelegationState", ValueKind::text, false, false, false,
     true},
    {f_delegator, "task:Delegator", "Delegator", ValueKind::text, false, false, false, true},
    {f_due_date, "task:DueDate", "DueDate", ValueKind::time, false, true, false, false},
    {f_assignment_editable, "task:IsAssignmentEditable", "IsAssignmentEditable", ValueKind::text, false,
     false, false, true},
    {f_is_complete, "task:IsComplete", "IsComplete", ValueKind::computed, false, false, false, true},
    {f_task_is_recurring, "task:IsRecurring", "IsRecurring", ValueKind::computed, false, false, false, true},
    {f_is_team_task, "task:IsTeamTask", "IsTeamTask", ValueKind::boolean, false, false, false, true},
    {f_task_mileage, "task:Mileage", "Mileage", ValueKind::text, false, false, false, false},
    {f_owner, "task:Owner", "Owner", ValueKind::text, false, false, false, false},
    {f_percent, "task:PercentComplete", "PercentComplete", ValueKind::text, false, true, false, false},
    {f_task_recurrence, "task:Recurrence", "Recurrence", ValueKind::xml, true, false, false, false},
    {f_start_date, "task:StartDate", "StartDate", ValueKind::time, false, true, false, false},
    {f_status, "task:Status", "Status", ValueKind::text, false, true, false, false},
    {f_status_description, "task:StatusDescription", "StatusDescription", ValueKind::computed, false, false,
     false, true},
    {f_total_work, "task:TotalWork", "TotalWork", ValueKind::text, false, false, false, false},
    {f_posted_time, "postitem:PostedTime", "PostedTime", ValueKind::time, false, false, false, true},
};
static_assert(std::size(kFields) == f_count);

/// Schema order of a derived type: the base type's elements first.
template <std::size_t first_count, std::size_t more_count>
constexpr std::array<Field, first_count + more_count> followed_by(const std::array<Field, first_count>& first,
                                                                  const Field (&more)[more_count]) {
  std::array<Field, first_count + more_count> out{};
  std::copy(first.begin(), first.end(), out.begin());
  std::copy(std::begin(more), std::end(more), out.begin() + first_count);
  return out;
}

constexpr std::array k_item{f_mime_content,
                            f_item_id,
                            f_parent_folder_id,
                            f_item_class,
                            f_subject,
                            f_sensitivity,
                            f_body,
                            f_attachments,
                            f_received,
                            f_size,
                            f_categories,
                            f_importance,
                            f_in_reply_to,
                            f_is_submitted,
                            f_is_draft,
                            f_is_from_me,
                            f_is_resend,
                            f_is_unmodified,
                            f_internet_headers,
                            f_sent,
                            f_created,
                            f_response_objects,
                            f_reminder_due,
                            f_reminder_set,
                            f_reminder_next,
                            f_reminder_minutes,
                            f_display_cc,
                            f_display_to,
                            f_display_bcc,
                            f_has_attachments,
                            f_extended_place,
                            f_culture,
                            f_effective_rights,
                            f_modified_name,
                            f_modified,
                            f_is_associated,
                            f_conversation_id,
                            f_unique_body,
                            f_flag,
                            f_instance_key,
                            f_normalized_body,
                            f_preview,
                            f_text_body,
                            f_search_key};
constexpr auto k_message = followed_by(
    k_item, {f_sender, f_to, f_cc, f_bcc, f_read_receipt, f_delivery_receipt, f_conversation_index,
             f_conversation_topic, f_from, f_internet_message_id, f_is_read, f_message_response_requested,
             f_references, f_reply_to, f_received_by, f_received_representing});
constexpr auto k_calendar_item = followed_by(k_item, {f_uid,
                                                      f_recurrence_id,
                                                      f_date_time_stamp,
                                                      f_start,
                                                      f_end,
                                                      f_original_start,
                                                      f_all_day,
                                                      f_free_busy,
                                                      f_location,
                                                      f_when,
                                                      f_is_meeting,
                                                      f_is_cancelled,
                                                      f_is_recurring,
                                                      f_request_was_sent,
                                                      f_response_requested,
                                                      f_calendar_item_type,
                                                      f_my_response,
                                                      f_organizer,
                                                      f_required,
                                                      f_optional,
                                                      f_resources,
                                                      f_conflicting_count,
                                                      f_adjacent_count,
                                                      f_duration,
                                                      f_time_zone_name,
                                                      f_reply_time,
                                                      f_sequence,
                                                      f_appointment_state,
                                                      f_recurrence,
                                                      f_first_occurrence,
                                                      f_last_occurrence,
                                                      f_modified_occurrences,
                                                      f_deleted_occurrences,
                                                      f_meeting_time_zone,
                                                      f_start_zone,
                                                      f_end_zone,
                                                      f_conference_type,
                                                      f_allow_new_time,
                                                      f_online_meeting,
                                                      f_workspace_url,
                                                      f_net_show_url,
                                                      f_start_wall,
                                                      f_end_wall,
                                                      f_start_zone_id,
                                                      f_end_zone_id,
                                                      f_is_organizer});
/// MeetingMessageType, which the three below extend.
constexpr auto k_meeting = followed_by(
    k_message, {f_associated_item, f_is_delegated, f_is_out_of_date, f_has_been_processed,
                f_meeting_response_type, f_uid, f_recurrence_id, f_date_time_stamp, f_is_organizer});
constexpr auto k_meeting_request = followed_by(k_meeting, {f_meeting_request_type,
                                                           f_intended_free_busy,
                                                           f_start,
                                                           f_end,
                                                           f_original_start,
                                                           f_all_day,
                                                           f_free_busy,
                                                           f_location,
                                                           f_when,
                                                           f_is_meeting,
                                                           f_is_cancelled,
                                                           f_is_recurring,
                                                           f_request_was_sent,
                                                           f_calendar_item_type,
                                                           f_my_response,
                                                           f_organizer,
                                                           f_required,
                                                           f_optional,
                                                           f_resources,
                                                           f_conflicting_count,
                                                           f_adjacent_count,
                                                           f_duration,
                                                           f_time_zone_name,
                                                           f_reply_time,
                                                           f_sequence,
                                                           f_appointment_state,
                                                           f_recurrence,
                                                           f_first_occurrence,
                                                           f_last_occurrence,
                                                           f_modified_occurrences,
                                                           f_deleted_occurrences,
                                                           f_meeting_time_zone,
                                                           f_start_zone,
                                                           f_end_zone,
                                                           f_conference_type,
                                                           f_allow_new_time,
                                                           f_online_meeting,
                                                           f_workspace_url,
                                                           f_net_show_url,
                                                           f_start_wall,
                                                           f_end_wall,
                                                           f_start_zone_id,
                                                           f_end_zone_id});
constexpr auto k_meeting_response = followed_by(
    k_meeting,
    {f_start, f_end, f_location, f_recurrence, f_calendar_item_type, f_proposed_start, f_proposed_end});
constexpr auto k_meeting_cancellation =
    followed_by(k_meeting, {f_start, f_end, f_location, f_recurrence, f_calendar_item_type});
constexpr auto k_contact = followed_by(k_item, {f_file_as,
                                                f_file_as_mapping,
                                                f_display_name,
                                                f_given_name,
                                                f_initials,
                                                f_middle_name,
                                                f_nickname,
                                                f_complete_name,
                                                f_company_name,
                                                f_email_addresses,
                                                f_physical_addresses,
                                                f_phone_numbers,
                                                f_assistant_name,
                                                f_birthday,
                                                f_home_page,
                                                f_children,
                                                f_contact_companies,
                                                f_contact_source,
                                                f_department,
                                                f_generation,
                                                f_im_addresses,
                                                f_job_title,
                                                f_manager,
                                                f_contact_mileage,
                                                f_office_location,
                                                f_postal_index,
                                                f_profession,
                                                f_spouse_name,
                                                f_surname,
                                                f_anniversary,
                                                f_has_picture,
                                                f_phonetic_full,
                                                f_phonetic_first,
                                                f_phonetic_last,
                                                f_alias,
                                                f_notes,
                                                f_photo});
constexpr auto k_distribution_list =
    followed_by(k_item, {f_display_name, f_file_as, f_contact_source, f_members});
constexpr auto k_task = followed_by(k_item, {f_actual_work,
                                             f_assigned_time,
                                             f_billing,
                                             f_change_count,
                                             f_task_companies,
                                             f_complete_date,
                                             f_task_contacts,
                                             f_delegation_state,
                                             f_delegator,
                                             f_due_date,
                                             f_assignment_editable,
                                             f_is_complete,
                                             f_task_is_recurring,
                                             f_is_team_task,
                                             f_task_mileage,
                                             f_owner,
                                             f_percent,
                                             f_task_recurrence,
                                             f_start_date,
                                             f_status,
                                             f_status_description,
                                             f_total_work});
constexpr auto k_post_item =
    followed_by(k_item, {f_conversation_index, f_conversation_topic, f_from, f_internet_message_id, f_is_read,
                         f_posted_time, f_references, f_sender});

struct Kind {
  std::string_view element;
  std::string_view item_class;
  std::span<const Field> fields;
};
const Kind kKinds[] = {
    {"Item", "IPM.Note", k_item},
    {"Message", "IPM.Note", k_message},
    {"CalendarItem", "IPM.Appointment", k_calendar_item},
    {"MeetingRequest", "IPM.Schedule.Meeting.Request", k_meeting_request},
    {"MeetingResponse", "IPM.Schedule.Meeting.Resp.Pos", k_meeting_response},
    {"MeetingCancellation", "IPM.Schedule.Meeting.Canceled", k_meeting_cancellation},
    {"Contact", "IPM.Contact", k_contact},
    {"DistributionList", "IPM.DistList", k_distribution_list},
    {"Task", "IPM.Task", k_task},
    {"PostItem", "IPM.Post", k_post_item},
};

const Kind& kind_of(ItemKind kind) noexcept {
  return kKinds[static_cast<std::size_t>(kind)];
}

bool class_is(std::string_view item_class, std::string_view prefix) noexcept {
  if (item_class.size() < prefix.size()) return false;
  for (std::size_t i = 0; i < prefix.size(); ++i)
    if (std::tolower(static_cast<unsigned char>(item_class[i])) !=
        std::tolower(static_cast<unsigned char>(prefix[i])))
      return false;
  return item_class.size() == prefix.size() || item_class[prefix.size()] == '.';
}

}  // namespace

const FieldDefinition& field_definition(Field field) noexcept {
  return kFields[field];
}

std::optional<Field> field_by_uri(std::string_view uri) noexcept {
  static const auto index = [] {
    std::unordered_map<std::string_view, Field> made;
    for (const FieldDefinition& f : kFields) made.emplace(f.uri, f.id);
    return made;
  }();
  const auto at = index.find(uri);
  return at == index.end() ? std::nullopt : std::optional<Field>(at->second);
}

bool is_known_uri_prefix(std::string_view uri) noexcept {
  constexpr std::string_view kPrefixes[] = {"item:",           "message:",  "calendar:",         "meeting:",
                                            "meetingRequest:", "contacts:", "distributionlist:", "task:",
                                            "postitem:",       "folder:",   "sharingMessage:"};
  return std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                     [&](std::string_view p) { return uri.size() > p.size() && uri.starts_with(p); });
}

std::optional<Field> field_by_element(ItemKind kind, std::string_view element) noexcept {
  for (const Field field : kind_of(kind).fields)
    if (field != f_extended_place && kFields[field].element == element) return field;
  return std::nullopt;
}

std::span<const Field> fields_of(ItemKind kind) noexcept {
  return kind_of(kind).fields;
}

bool has_field(ItemKind kind, Field field) noexcept {
  static const auto sets = [] {
    std::array<std::bitset<f_count + 1>, std::size(kKinds)> made;
    for (std::size_t i = 0; i < made.size(); ++i)
      for (const Field f : kKinds[i].fields) made[i].set(f);
    return made;
  }();
  return field <= f_count && sets[static_cast<std::size_t>(kind)].test(field);
}

std::string_view element_of(ItemKind kind) noexcept {
  return kind_of(kind).element;
}

std::optional<ItemKind> kind_by_element(std::string_view element) noexcept {
  for (std::size_t i = 0; i < std::size(kKinds); ++i)
    if (kKinds[i].element == element) return static_cast<ItemKind>(i);
  return std::nullopt;
}

ItemKind kind_by_class(std::string_view item_class) noexcept {
  if (class_is(item_class, "IPM.Schedule.Meeting.Request")) return ItemKind::meeting_request;
  if (class_is(item_class, "IPM.Schedule.Meeting.Resp")) return ItemKind::meeting_response;
  if (class_is(item_class, "IPM.Schedule.Meeting.Canceled")) return ItemKind::meeting_cancellation;
  if (class_is(item_class, "IPM.Appointment")) return ItemKind::calendar_item;
  if (class_is(item_class, "IPM.Contact")) return ItemKind::contact;
  if (class_is(item_class, "IPM.DistList")) return ItemKind::distribution_list;
  if (class_is(item_class, "IPM.Task")) return ItemKind::task;
  if (class_is(item_class, "IPM.Post")) return ItemKind::post_item;
  // Whatever else there is (IPM.Note and its kin, reports, foreign classes) reads as a message, as on the
  // server.
  return class_is(item_class, "IPM.StickyNote") || class_is(item_class, "IPM.Activity") ? ItemKind::item
                                                                                        : ItemKind::message;
}

std::string_view default_class(ItemKind kind) noexcept {
  return kind_of(kind).item_class;
}

}  // namespace exchange_sim
