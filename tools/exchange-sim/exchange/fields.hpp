// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The properties of EWS items: their FieldURIs, how their values are kept, and the order in which each kind
// of item writes them (the order of the protocol's schema).
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tools/exchange-sim/exchange/property_bag.hpp"

namespace exchange_sim {

/// Named as C++ sees them; the FieldURIs are in fields.cpp. Ids of properties that are kept without being EWS
/// properties follow; ids from `kFirstDynamic` on belong to extended properties and to entries of
/// dictionaries.
enum Field : PropertyId {
  f_mime_content,
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
  f_search_key,
  f_sender,
  f_to,
  f_cc,
  f_bcc,
  f_read_receipt,
  f_delivery_receipt,
  f_conversation_index,
  f_conversation_topic,
  f_from,
  f_internet_message_id,
  f_is_read,
  f_message_response_requested,
  f_references,
  f_reply_to,
  f_received_by,
  f_received_representing,
  f_associated_item,
  f_is_delegated,
  f_is_out_of_date,
  f_has_been_processed,
  f_meeting_response_type,
  f_proposed_start,
  f_proposed_end,
  f_meeting_request_type,
  f_intended_free_busy,
  f_uid,
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
  f_is_organizer,
  f_file_as,
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
  f_photo,
  f_members,
  f_actual_work,
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
  f_total_work,
  f_posted_time,
  f_count,
  f_extended_place = f_count,  ///< where ExtendedProperty stands in the order
  f_body_type,                 ///< "Text" or "HTML"
  f_exceptions,                ///< of a series: see calendar_item.hpp
  f_global_id,                 ///< series-wide id of a meeting, for its copies
  f_reason_mailed,             ///< the last mailing of the meeting, for updates
  f_parent_occurrence,
  f_attendee_times,
  f_state_flags,
};
inline constexpr PropertyId kFirstDynamic = 0x1000;

enum class ValueKind : std::uint8_t {
  text,        ///< kept unescaped
  boolean,     ///< "true" or "false"
  time,        ///< UTC, "2026-03-01T08:00:00Z": sorts as text
  xml,         ///< the XML inside the element, prefix t
  body,        ///< text, with f_body_type beside it
  dictionary,  ///< entries, each under an id of its own
  computed,    ///< made when it is asked for
};

struct FieldDefinition {
  Field id;
  std::string_view uri;
  std::string_view element;
  ValueKind kind;
  bool get_only;    ///< FindItem does not give it
  bool in_default;  ///< BaseShape Default
  bool on_request;  ///< not even in AllProperties
  bool read_only;   ///< clients may not set it
};

enum class ItemKind : std::uint8_t {
  item,
  message,
  calendar_item,
  meeting_request,
  meeting_response,
  meeting_cancellation,
  contact,
  distribution_list,
  task,
  post_item,
};

const FieldDefinition& field_definition(Field field) noexcept;
std::optional<Field> field_by_uri(std::string_view uri) noexcept;
/// Whether the protocol knows this FieldURI, kept here or not, judged by its prefix.
bool is_known_uri_prefix(std::string_view uri) noexcept;
/// The field of this element name in this kind of item.
std::optional<Field> field_by_element(ItemKind kind, std::string_view element) noexcept;
/// Schema order, f_extended_place at its place.
std::span<const Field> fields_of(ItemKind kind) noexcept;
bool has_field(ItemKind kind, Field field) noexcept;

std::string_view element_of(ItemKind kind) noexcept;
std::optional<ItemKind> kind_by_element(std::string_view element) noexcept;
/// By prefix, as the server chooses the element for a class.
ItemKind kind_by_class(std::string_view item_class) noexcept;
std::string_view default_class(ItemKind kind) noexcept;

}  // namespace exchange_sim
