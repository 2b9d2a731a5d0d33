// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Items of every kind as one value: what all have, and boxes for what only some have. An absent property is
// nullopt (or an empty list): not asked for, or not set. A value that could not be read is absent too, except
// date-times, which keep their text.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ews/types/attachment.hpp"
#include "ews/types/boxed.hpp"
#include "ews/types/date_time.hpp"
#include "ews/types/folder.hpp"
#include "ews/types/ids.hpp"
#include "ews/types/property_path.hpp"
#include "ews/types/recurrence.hpp"
#include "ews/types/time_zone.hpp"

namespace syncline::ews {

enum class ItemKind {
  item,  ///< element Item: a class the server has no element for, and posts and notes of old servers
  message,
  calendar_item,
  contact,
  distribution_list,
  meeting_message,
  meeting_request,
  meeting_response,
  meeting_cancellation,
  task,
  post_item,
  opaque,  ///< an element we do not know (R-04): only element_name, item_id, item_class are set
};
/// The element's name; "" for opaque.
std::string_view element_name_of(ItemKind kind) noexcept;

struct Body {
  Open<BodyType> type = BodyType::text;
  std::string value = {};
  std::optional<bool> is_truncated = std::nullopt;
  bool operator==(const Body&) const = default;
};

struct MimeContent {
  std::string octets;  ///< the message, decoded
  std::optional<std::string> character_set =
      std::nullopt;  ///< as the server says; of no meaning for the octets
  bool operator==(const MimeContent&) const = default;
};

struct InternetHeader {
  std::string name;
  std::string value;
  bool operator==(const InternetHeader&) const = default;
};

struct Flag {
  Open<FlagStatus> status = FlagStatus::not_flagged;
  std::optional<DateTime> start_date = std::nullopt;
  std::optional<DateTime> due_date = std::nullopt;
  std::optional<DateTime> complete_date = std::nullopt;
  bool operator==(const Flag&) const = default;
};

/// What the server says may be done with the item: element names of response objects, "AcceptItem", …
using ResponseObjectNames = std::vector<std::string>;

/// Message, and all meeting messages and posts.
struct MessagePart {
  std::optional<EmailAddress> sender = std::nullopt;
  std::vector<EmailAddress> to_recipients = {};
  std::vector<EmailAddress> cc_recipients = {};
  std::vector<EmailAddress> bcc_recipients = {};
  std::optional<bool> is_read_receipt_requested = std::nullopt;
  std::optional<bool> is_delivery_receipt_requested = std::nullopt;
  std::optional<std::string> conversation_index = std::nullopt;  ///< base64
  std::optional<std::string> conversation_topic = std::nullopt;
  std::optional<EmailAddress> from = std::nullopt;
  std::optional<std::string> internet_message_id = std::nullopt;
  std::optional<bool> is_read = std::nullopt;
  std::optional<bool> is_response_requested = std::nullopt;
  std::optional<std::string> references = std::nullopt;
  std::vector<EmailAddress> reply_to = {};
  std::optional<EmailAddress> received_by = std::nullopt;
  std::optional<EmailAddress> received_representing = std::nullopt;
  bool operator==(const MessagePart&) const = default;
};

struct Attendee {
  EmailAddress mailbox;
  std::optional<Open<ResponseType>> response_type = std::nullopt;
  std::optional<DateTime> last_response_time = std::nullopt;
  std::optional<DateTime> proposed_start = std::nullopt;
  std::optional<DateTime> proposed_end = std::nullopt;
  bool operator==(const Attendee&) const = default;
};

/// CalendarItem; the properties of a meeting that its request, response and cancellation repeat.
struct CalendarPart {
  std::optional<std::string> uid = std::nullopt;
  std::optional<DateTime> recurrence_id = std::nullopt;
  std::optional<DateTime> date_time_stamp = std::nullopt;
  std::optional<DateTime> start = std::nullopt;
  std::optional<DateTime> end = std::nullopt;
  std::optional<DateTime> original_start = std::nullopt;
  std::optional<bool> is_all_day_event = std::nullopt;
  std::optional<Open<FreeBusyStatus>> legacy_free_busy_status = std::nullopt;
  std::optional<std::string> location = std::nullopt;
  std::optional<std::string> when = std::nullopt;
  std::optional<bool> is_meeting = std::nullopt;
  std::optional<bool> is_cancelled = std::nullopt;
  std::optional<bool> is_recurring = std::nullopt;
  std::optional<bool> meeting_request_was_sent = std::nullopt;
  std::optional<bool> is_response_requested = std::nullopt;  ///< of a calendar item; messages have their own
  std::optional<Open<CalendarItemKind>> calendar_item_type = std::nullopt;
  std::optional<Open<ResponseType>> my_response_type = std::nullopt;
  std::optional<EmailAddress> organizer = std::nullopt;
  std::vector<Attendee> required_attendees = {};
  std::vector<Attendee> optional_attendees = {};
  std::vector<Attendee> resources = {};
  std::optional<std::string> duration = std::nullopt;   ///< xs:duration
  std::optional<std::string> time_zone = std::nullopt;  ///< a display name; never to be relied on
  std::optional<DateTime> appointment_reply_time = std::nullopt;
  std::optional<std::int64_t> appointment_sequence_number = std::nullopt;
  std::optional<std::int64_t> appointment_state = std::nullopt;  ///< MS-OXOCAL 2.2.1.10
  std::optional<Recurrence> recurrence = std::nullopt;
  std::optional<Occurrence> first_occurrence = std::nullopt;
  std::optional<Occurrence> last_occurrence = std::nullopt;
  std::vector<Occurrence> modified_occurrences = {};
  std::vector<DateTime> deleted_occurrences = {};  ///< original starts
  std::optional<TimeZoneDefinition> start_time_zone = std::nullopt;
  std::optional<TimeZoneDefinition> end_time_zone = std::nullopt;
  std::optional<std::int64_t> conference_type = std::nullopt;
  std::optional<bool> allow_new_time_proposal = std::nullopt;
  std::optional<bool> is_online_meeting = std::nullopt;
  std::optional<std::string> meeting_workspace_url = std::nullopt;
  std::optional<std::string> net_show_url = std::nullopt;
  std::optional<DateTime> start_wall_clock = std::nullopt;
  std::optional<DateTime> end_wall_clock = std::nullopt;
  std::optional<std::string> start_time_zone_id = std::nullopt;
  std::optional<std::string> end_time_zone_id = std::nullopt;
  std::optional<Open<FreeBusyStatus>> intended_free_busy_status = std::nullopt;
  std::optional<std::string> join_online_meeting_url = std::nullopt;
  std::optional<bool> is_organizer = std::nullopt;
  bool operator==(const CalendarPart&) const = default;
};

/// What only meeting messages have. Their times, place and recurrence are in CalendarPart.
struct MeetingPart {
  std::optional<ItemId> associated_calendar_item_id = std::nullopt;
  std::optional<bool> is_delegated = std::nullopt;
  std::optional<bool> is_out_of_date = std::nullopt;
  std::optional<bool> has_been_processed = std::nullopt;
  std::optional<Open<ResponseType>> response_type = std::nullopt;
  std::optional<Open<MeetingRequestKind>> meeting_request_type = std::nullopt;
  std::optional<DateTime> proposed_start = std::nullopt;
  std::optional<DateTime> proposed_end = std::nullopt;
  bool operator==(const MeetingPart&) const = default;
};

struct CompleteName {
  std::optional<std::string> title = std::nullopt;
  std::optional<std::string> first_name = std::nullopt;
  std::optional<std::string> middle_name = std::nullopt;
  std::optional<std::string> last_name = std::nullopt;
  std::optional<std::string> suffix = std::nullopt;
  std::optional<std::string> initials = std::nullopt;
  std::optional<std::string> full_name = std::nullopt;
  std::optional<std::string> nickname = std::nullopt;
  std::optional<std::string> yomi_first_name = std::nullopt;
  std::optional<std::string> yomi_last_name = std::nullopt;
  bool operator==(const CompleteName&) const = default;
};

/// One entry of a contact's dictionaries.
struct DictionaryEntry {
  std::string key;  ///< "EmailAddress1", "BusinessPhone", "ImAddress1"
  std::string value;
  std::optional<std::string> name = std::nullopt;          ///< e-mail addresses in replies
  std::optional<std::string> routing_type = std::nullopt;  ///< e-mail addresses in replies
  std::optional<Open<MailboxType>> mailbox_type = std::nullopt;
  bool operator==(const DictionaryEntry&) const = default;
};

struct PhysicalAddress {
  std::string key;  ///< "Home", "Business", "Other"
  std::optional<std::string> street = std::nullopt;
  std::optional<std::string> city = std::nullopt;
  std::optional<std::string> state = std::nullopt;
  std::optional<std::string> country_or_region = std::nullopt;
  std::optional<std::string> postal_code = std::nullopt;
  bool operator==(const PhysicalAddress&) const = default;
};

struct ContactPart {
  std::optional<std::string> file_as = std::nullopt;
  std::optional<Open<FileAsMapping>> file_as_mapping = std::nullopt;
  std::optional<std::string> display_name = std::nullopt;
  std::optional<std::string> given_name = std::nullopt;
  std::optional<std::string> initials = std::nullopt;
  std::optional<std::string> middle_name = std::nullopt;
  std::optional<std::string> nickname = std::nullopt;
  std::optional<CompleteName> complete_name = std::nullopt;
  std::optional<std::string> company_name = std::nullopt;
  std::vector<DictionaryEntry> email_addresses = {};
  std::vector<PhysicalAddress> physical_addresses = {};
  std::vector<DictionaryEntry> phone_numbers = {};
  std::optional<std::string> assistant_name = std::nullopt;
  std::optional<DateTime> birthday = std::nullopt;
  std::optional<std::string> business_home_page = std::nullopt;
  std::vector<std::string> children = {};
  std::vector<std::string> companies = {};
  std::optional<Open<ContactSource>> contact_source = std::nullopt;
  std::optional<std::string> department = std::nullopt;
  std::optional<std::string> generation = std::nullopt;
  std::vector<DictionaryEntry> im_addresses = {};
  std::optional<std::string> job_title = std::nullopt;
  std::optional<std::string> manager = std::nullopt;
  std::optional<std::string> mileage = std::nullopt;
  std::optional<std::string> office_location = std::nullopt;
  std::optional<std::string> postal_address_index = std::nullopt;
  std::optional<std::string> profession = std::nullopt;
  std::optional<std::string> spouse_name = std::nullopt;
  std::optional<std::string> surname = std::nullopt;
  std::optional<DateTime> wedding_anniversary = std::nullopt;
  std::optional<bool> has_picture = std::nullopt;
  std::optional<std::string> phonetic_full_name = std::nullopt;
  std::optional<std::string> phonetic_first_name = std::nullopt;
  std::optional<std::string> phonetic_last_name = std::nullopt;
  std::optional<std::string> alias = std::nullopt;
  std::optional<std::string> notes = std::nullopt;
  std::optional<std::string> photo = std::nullopt;  ///< octets, decoded
  std::optional<std::string> directory_id = std::nullopt;
  bool operator==(const ContactPart&) const = default;
};

struct DistributionListMember {
  std::optional<EmailAddress> mailbox = std::nullopt;
  std::optional<Open<MemberStatus>> status = std::nullopt;
  std::optional<std::string> key = std::nullopt;
  bool operator==(const DistributionListMember&) const = default;
};

struct DistributionListPart {
  std::optional<std::string> display_name = std::nullopt;
  std::optional<std::string> file_as = std::nullopt;
  std::optional<Open<ContactSource>> contact_source = std::nullopt;
  std::vector<DistributionListMember> members = {};
  bool operator==(const DistributionListPart&) const = default;
};

struct TaskPart {
  std::optional<std::int64_t> actual_work = std::nullopt;  ///< minutes
  std::optional<DateTime> assigned_time = std::nullopt;
  std::optional<std::string> billing_information = std::nullopt;
  std::optional<std::int64_t> change_count = std::nullopt;
  std::vector<std::string> companies = {};
  std::optional<DateTime> complete_date = std::nullopt;
  std::vector<std::string> contacts = {};
  std::optional<Open<DelegationState>> delegation_state = std::nullopt;
  std::optional<std::string> delegator = std::nullopt;
  std::optional<DateTime> due_date = std::nullopt;
  std::optional<std::int64_t> is_assignment_editable = std::nullopt;
  std::optional<bool> is_complete = std::nullopt;
  std::optional<bool> is_recurring = std::nullopt;
  std::optional<bool> is_team_task = std::nullopt;
  std::optional<std::string> mileage = std::nullopt;
  std::optional<std::string> owner = std::nullopt;
  std::optional<double> percent_complete = std::nullopt;
  std::optional<Recurrence> recurrence = std::nullopt;
  std::optional<DateTime> start_date = std::nullopt;
  std::optional<Open<TaskStatus>> status = std::nullopt;
  std::optional<std::string> status_description = std::nullopt;
  std::optional<std::int64_t> total_work = std::nullopt;  ///< minutes
  bool operator==(const TaskPart&) const = default;
};

struct Item {
  ItemKind kind = ItemKind::item;
  std::string element_name = {};  ///< local name, for ItemKind::opaque

  std::optional<MimeContent> mime_content = std::nullopt;
  std::optional<ItemId> item_id = std::nullopt;
  std::optional<FolderId> parent_folder_id = std::nullopt;
  std::optional<std::string> item_class = std::nullopt;
  std::optional<std::string> subject = std::nullopt;
  std::optional<Open<Sensitivity>> sensitivity = std::nullopt;
  std::optional<Body> body = std::nullopt;
  std::vector<Attachment> attachments = {};
  std::optional<DateTime> date_time_received = std::nullopt;
  std::optional<std::int64_t> size = std::nullopt;  ///< octets
  std::vector<std::string> categories = {};
  std::optional<Open<Importance>> importance = std::nullopt;
  std::optional<std::string> in_reply_to = std::nullopt;
  std::optional<bool> is_submitted = std::nullopt;
  std::optional<bool> is_draft = std::nullopt;
  std::optional<bool> is_from_me = std::nullopt;
  std::optional<bool> is_resend = std::nullopt;
  std::optional<bool> is_unmodified = std::nullopt;
  std::vector<InternetHeader> internet_message_headers = {};
  std::optional<DateTime> date_time_sent = std::nullopt;
  std::optional<DateTime> date_time_created = std::nullopt;
  ResponseObjectNames response_objects = {};
  std::optional<DateTime> reminder_due_by = std::nullopt;
  std::optional<bool> reminder_is_set = std::nullopt;
  std::optional<std::int64_t> reminder_minutes_before_start = std::nullopt;
  std::optional<std::string> display_cc = std::nullopt;
  std::optional<std::string> display_to = std::nullopt;
  std::optional<bool> has_attachments = std::nullopt;
  std::vector<ExtendedProperty> extended_properties = {};
  std::optional<std::string> culture = std::nullopt;
  std::optional<EffectiveRights> effective_rights = std::nullopt;
  std::optional<std::string> last_modified_name = std::nullopt;
  std::optional<DateTime> last_modified_time = std::nullopt;
  std::optional<bool> is_associated = std::nullopt;
  std::optional<std::string> web_client_read_form_query_string = std::nullopt;
  std::optional<ItemId> conversation_id = std::nullopt;
  std::optional<Body> unique_body = std::nullopt;
  std::optional<Flag> flag = std::nullopt;
  std::optional<std::string> instance_key = std::nullopt;  ///< base64
  std::optional<std::string> preview = std::nullopt;
  std::optional<Body> text_body = std::nullopt;

  Boxed<MessagePart> message = {};
  Boxed<CalendarPart> calendar = {};
  Boxed<MeetingPart> meeting = {};
  Boxed<ContactPart> contact = {};
  Boxed<DistributionListPart> distribution_list = {};
  Boxed<TaskPart> task = {};

  bool operator==(const Item&) const = default;
};

inline bool ItemContent::operator==(const ItemContent& other) const {
  return item == other.item;
}

/// What CreateItem takes beside items: answers to one that is there.
struct ResponseObject {
  enum class Kind {
    accept,
    tentatively_accept,
    decline,
    reply,
    reply_all,
    forward,
    cancel_calendar_item,
    remove_item,
    suppress_read_receipt,
  };
  Kind kind = Kind::accept;
  ItemId reference;  ///< id and change key of the item that is answered

  std::optional<std::string> subject = std::nullopt;    ///< reply, reply_all, forward, cancel
  std::optional<Body> body = std::nullopt;              ///< accept, tentatively_accept, decline
  std::optional<Body> new_body_content = std::nullopt;  ///< reply, reply_all, forward, cancel
  std::vector<EmailAddress> to_recipients = {};
  std::vector<EmailAddress> cc_recipients = {};
  std::vector<EmailAddress> bcc_recipients = {};
  std::optional<DateTime> proposed_start =
      std::nullopt;  ///< accept, tentatively_accept, decline; Exchange 2013
  std::optional<DateTime> proposed_end = std::nullopt;
  bool operator==(const ResponseObject&) const = default;
};
std::string_view element_name_of(ResponseObject::Kind kind) noexcept;

}  // namespace syncline::ews
