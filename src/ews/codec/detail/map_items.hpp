// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Items of every kind and their attachments, both directions (fields.hpp).
#include <optional>
#include <utility>

#include "ews/codec/detail/fragment.hpp"
#include "ews/codec/detail/map_values.hpp"
#include "ews/types/item.hpp"

namespace syncline::ews::codec {

// The alternatives of every union of items, element name and kind.
#define SYNCLINE_ITEM_KINDS(X)                 \
  X(Item, item)                                \
  X(Message, message)                          \
  X(CalendarItem, calendar_item)               \
  X(Contact, contact)                          \
  X(DistributionList, distribution_list)       \
  X(MeetingMessage, meeting_message)           \
  X(MeetingRequest, meeting_request)           \
  X(MeetingResponse, meeting_response)         \
  X(MeetingCancellation, meeting_cancellation) \
  X(Task, task)                                \
  X(PostItem, post_item)

// In all unions but that of an item attachment the number is the place in the list above.
constexpr ItemKind item_kind_of(int tag) {
  return static_cast<ItemKind>(tag - 1);
}
static_assert(item_kind_of(SOAP_UNION__ewst__union_Items_Item) == ItemKind::item);
static_assert(item_kind_of(SOAP_UNION__ewst__union_Items_DistributionList) == ItemKind::distribution_list);
static_assert(item_kind_of(SOAP_UNION__ewst__union_Items_PostItem) == ItemKind::post_item);
static_assert(item_kind_of(SOAP_UNION__ewst__union_Items___any) == ItemKind::opaque);
static_assert(item_kind_of(SOAP_UNION__ewst__union_ItemCreateOrUpdate_PostItem) == ItemKind::post_item);
static_assert(item_kind_of(SOAP_UNION__ewst__union_ItemCreateOrUpdate___any) == ItemKind::opaque);
static_assert(item_kind_of(SOAP_UNION__ewst__union_NewItems_PostItem) == ItemKind::post_item);
static_assert(item_kind_of(SOAP_UNION__ewst__union_SetItemField__PostItem) == ItemKind::post_item);
static_assert(item_kind_of(SOAP_UNION__ewst__union_AppendToItemField__PostItem) == ItemKind::post_item);

template <class Io, class O>
void map_item(Io& io, ewst__Item& g, O& o);

template <class Io, class O>
void map(Io& io, ewst__Body& g, O& o) {
  io(g.__item, o.value);
  io(g.BodyType, o.type);
  io(g.IsTruncated, o.is_truncated);
}
template <class Io, class O>
void map(Io& io, ewst__InternetHeader& g, O& o) {
  io(g.__item, o.value);
  io(g.HeaderName, o.name);
}
template <class Io, class O>
void map(Io& io, ewst__Flag& g, O& o) {
  io(g.FlagStatus, o.status);
  io(g.StartDate, o.start_date);
  io(g.DueDate, o.due_date);
  io(g.CompleteDate, o.complete_date);
}

// ---- message

template <class Io, class O>
void map_message(Io& io, ewst__Message& g, O& o) {
  io(g.Sender, o.sender);
  io(g.ToRecipients, o.to_recipients);
  io(g.CcRecipients, o.cc_recipients);
  io(g.BccRecipients, o.bcc_recipients);
  io(g.IsReadReceiptRequested, o.is_read_receipt_requested);
  io(g.IsDeliveryReceiptRequested, o.is_delivery_receipt_requested);
  io(g.ConversationIndex, o.conversation_index);
  io(g.ConversationTopic, o.conversation_topic);
  io(g.From, o.from);
  io(g.InternetMessageId, o.internet_message_id);
  io(g.IsRead, o.is_read);
  io(g.IsResponseRequested, o.is_response_requested);
  io(g.References, o.references);
  io(g.ReplyTo, o.reply_to);
  io(g.ReceivedBy, o.received_by);
  io(g.ReceivedRepresenting, o.received_representing);
}
template <class Io, class O>
void map_post(Io& io, ewst__PostItem& g, O& o) {
  io(g.ConversationIndex, o.conversation_index);
  io(g.ConversationTopic, o.conversation_topic);
  io(g.From, o.from);
  io(g.InternetMessageId, o.internet_message_id);
  io(g.IsRead, o.is_read);
  io(g.References, o.references);
  io(g.Sender, o.sender);
}

// ---- calendar

template <class Io, class O>
void map(Io& io, ewst__Attendee& g, O& o) {
  io(g.Mailbox, o.mailbox);
  io(g.ResponseType, o.response_type);
  io(g.LastResponseTime, o.last_response_time);
  io(g.ProposedStart, o.proposed_start);
  io(g.ProposedEnd, o.proposed_end);
}

/// What CalendarItem and MeetingRequest have under the same names.
template <class Io, class G, class O>
void map_appointment(Io& io, G& g, O& o) {
  io(g.Start, o.start);
  io(g.End, o.end);
  io(g.OriginalStart, o.original_start);
  io(g.IsAllDayEvent, o.is_all_day_event);
  io(g.LegacyFreeBusyStatus, o.legacy_free_busy_status);
  io(g.Location, o.location);
  io(g.When, o.when);
  io(g.IsMeeting, o.is_meeting);
  io(g.IsCancelled, o.is_cancelled);
  io(g.IsRecurring, o.is_recurring);
  io(g.MeetingRequestWasSent, o.meeting_request_was_sent);
  io(g.CalendarItemType, o.calendar_item_type);
  io(g.MyResponseType, o.my_response_type);
  io(g.Organizer, o.organizer);
  io.list(g.RequiredAttendees, &ewst__Attendees::Attendee, o.required_attendees);
  io.list(g.OptionalAttendees, &ewst__Attendees::Attendee, o.optional_attendees);
  io.list(g.Resources, &ewst__Attendees::Attendee, o.resources);
  io(g.Duration, o.duration);
  io(g.TimeZone, o.time_zone);
  io(g.AppointmentReplyTime, o.appointment_reply_time);
  io(g.AppointmentSequenceNumber, o.appointment_sequence_number);
  io(g.AppointmentState, o.appointment_state);
  io(g.Recurrence, o.recurrence);
  io(g.FirstOccurrence, o.first_occurrence);
  io(g.LastOccurrence, o.last_occurrence);
  io.list(g.ModifiedOccurrences, &ewst__ModifiedOccurrences::Occurrence, o.modified_occurrences);
  io.list(g.DeletedOccurrences, &ewst__DeletedOccurrences::DeletedOccurrence, o.deleted_occurrences);
  io(g.StartTimeZone, o.start_time_zone);
  io(g.EndTimeZone, o.end_time_zone);
  io(g.ConferenceType, o.conference_type);
  io(g.AllowNewTimeProposal, o.allow_new_time_proposal);
  io(g.IsOnlineMeeting, o.is_online_meeting);
  io(g.MeetingWorkspaceUrl, o.meeting_workspace_url);
  io(g.NetShowUrl, o.net_show_url);
  io(g.StartWallClock, o.start_wall_clock);
  io(g.EndWallClock, o.end_wall_clock);
  io(g.StartTimeZoneId, o.start_time_zone_id);
  io(g.EndTimeZoneId, o.end_time_zone_id);
  io(g.IntendedFreeBusyStatus, o.intended_free_busy_status);
}
template <class Io, class O>
void map_calendar_item(Io& io, ewst__CalendarItem& g, O& o) {
  io(g.UID, o.uid);
  io(g.RecurrenceId, o.recurrence_id);
  io(g.DateTimeStamp, o.date_time_stamp);
  map_appointment(io, g, o);
  io(g.IsResponseRequested, o.is_response_requested);
  io(g.JoinOnlineMeetingUrl, o.join_online_meeting_url);
  io(g.IsOrganizer, o.is_organizer);
}
/// Responses and cancellations.
template <class Io, class G, class O>
void map_meeting_facts(Io& io, G& g, O& o) {
  io(g.Start, o.start);
  io(g.End, o.end);
  io(g.Location, o.location);
  io(g.Recurrence, o.recurrence);
  io(g.CalendarItemType, o.calendar_item_type);
}

// ---- contacts

template <class Io, class O>
void map(Io& io, ewst__CompleteName& g, O& o) {
  io(g.Title, o.title);
  io(g.FirstName, o.first_name);
  io(g.MiddleName, o.middle_name);
  io(g.LastName, o.last_name);
  io(g.Suffix, o.suffix);
  io(g.Initials, o.initials);
  io(g.FullName, o.full_name);
  io(g.Nickname, o.nickname);
  io(g.YomiFirstName, o.yomi_first_name);
  io(g.YomiLastName, o.yomi_last_name);
}
template <class Io, class O>
void map(Io& io, ewst__EmailAddressEntry& g, O& o) {
  io(g.__item, o.value);
  io(g.Key, o.key);
  io(g.Name, o.name);
  io(g.RoutingType, o.routing_type);
  io(g.MailboxType, o.mailbox_type);
}
template <class Io, class O>
void map(Io& io, ewst__PhoneNumberEntry& g, O& o) {
  io(g.__item, o.value);
  io(g.Key, o.key);
}
template <class Io, class O>
void map(Io& io, ewst__ImAddressEntry& g, O& o) {
  io(g.__item, o.value);
  io(g.Key, o.key);
}
template <class Io, class O>
void map(Io& io, ewst__PhysicalAddressEntry& g, O& o) {
  io(g.Key, o.key);
  io(g.Street, o.street);
  io(g.City, o.city);
  io(g.State, o.state);
  io(g.CountryOrRegion, o.country_or_region);
  io(g.PostalCode, o.postal_code);
}
template <class Io, class O>
void map_contact(Io& io, ewst__Contact& g, O& o) {
  io(g.FileAs, o.file_as);
  io(g.FileAsMapping, o.file_as_mapping);
  io(g.DisplayName, o.display_name);
  io(g.GivenName, o.given_name);
  io(g.Initials, o.initials);
  io(g.MiddleName, o.middle_name);
  io(g.Nickname, o.nickname);
  io(g.CompleteName, o.complete_name);
  io(g.CompanyName, o.company_name);
  io.list(g.EmailAddresses, &ewst__EmailAddresses::Entry, o.email_addresses);
  io.list(g.PhysicalAddresses, &ewst__PhysicalAddresses::Entry, o.physical_addresses);
  io.list(g.PhoneNumbers, &ewst__PhoneNumbers::Entry, o.phone_numbers);
  io(g.AssistantName, o.assistant_name);
  io(g.Birthday, o.birthday);
  io(g.BusinessHomePage, o.business_home_page);
  io(g.Children, o.children);
  io(g.Companies, o.companies);
  io(g.ContactSource, o.contact_source);
  io(g.Department, o.department);
  io(g.Generation, o.generation);
  io.list(g.ImAddresses, &ewst__ImAddresses::Entry, o.im_addresses);
  io(g.JobTitle, o.job_title);
  io(g.Manager, o.manager);
  io(g.Mileage, o.mileage);
  io(g.OfficeLocation, o.office_location);
  io(g.PostalAddressIndex, o.postal_address_index);
  io(g.Profession, o.profession);
  io(g.SpouseName, o.spouse_name);
  io(g.Surname, o.surname);
  io(g.WeddingAnniversary, o.wedding_anniversary);
  io(g.HasPicture, o.has_picture);
  io(g.PhoneticFullName, o.phonetic_full_name);
  io(g.PhoneticFirstName, o.phonetic_first_name);
  io(g.PhoneticLastName, o.phonetic_last_name);
  io(g.Alias, o.alias);
  io(g.Notes, o.notes);
  io.base64(g.Photo, o.photo, "Photo");
  io(g.DirectoryId, o.directory_id);
}
template <class Io, class O>
void map(Io& io, ewst__Member& g, O& o) {
  io(g.Mailbox, o.mailbox);
  io(g.Status, o.status);
  io(g.Key, o.key);
}
template <class Io, class O>
void map_distribution_list(Io& io, ewst__DistributionList& g, O& o) {
  io(g.DisplayName, o.display_name);
  io(g.FileAs, o.file_as);
  io(g.ContactSource, o.contact_source);
  io.list(g.Members, &ewst__Members::Member, o.members);
}

// ---- tasks

template <class Io, class O>
void map_task(Io& io, ewst__Task& g, O& o) {
  io(g.ActualWork, o.actual_work);
  io(g.AssignedTime, o.assigned_time);
  io(g.BillingInformation, o.billing_information);
  io(g.ChangeCount, o.change_count);
  io(g.Companies, o.companies);
  io(g.CompleteDate, o.complete_date);
  io(g.Contacts, o.contacts);
  io(g.DelegationState, o.delegation_state);
  io(g.Delegator, o.delegator);
  io(g.DueDate, o.due_date);
  io(g.IsAssignmentEditable, o.is_assignment_editable);
  io(g.IsComplete, o.is_complete);
  io(g.IsRecurring, o.is_recurring);
  io(g.IsTeamTask, o.is_team_task);
  io(g.Mileage, o.mileage);
  io(g.Owner, o.owner);
  io(g.PercentComplete, o.percent_complete);
  io(g.Recurrence, o.recurrence);
  io(g.StartDate, o.start_date);
  io(g.Status, o.status);
  io(g.StatusDescription, o.status_description);
  io(g.TotalWork, o.total_work);
}

// ---- every kind: what ItemType gives, then its own part

template <class Io, class O>
void map_kind(Io& io, ewst__Item& g, O& o) {
  map_item(io, g, o);
}
template <class Io, class O>
void map_kind(Io& io, ewst__Message& g, O& o) {
  map_item(io, g, o);
  io.part(o.message, [&](auto& part) { map_message(io, g, part); });
}
template <class Io, class O>
void map_kind(Io& io, ewst__PostItem& g, O& o) {
  map_item(io, g, o);
  io.part(o.message, [&](auto& part) { map_post(io, g, part); });
}
template <class Io, class O>
void map_kind(Io& io, ewst__CalendarItem& g, O& o) {
  map_item(io, g, o);
  io.part(o.calendar, [&](auto& part) { map_calendar_item(io, g, part); });
}
template <class Io, class O>
void map_kind(Io& io, ewst__Contact& g, O& o) {
  map_item(io, g, o);
  io.part(o.contact, [&](auto& part) { map_contact(io, g, part); });
}
template <class Io, class O>
void map_kind(Io& io, ewst__DistributionList& g, O& o) {
  map_item(io, g, o);
  io.part(o.distribution_list, [&](auto& part) { map_distribution_list(io, g, part); });
}
template <class Io, class O>
void map_kind(Io& io, ewst__Task& g, O& o) {
  map_item(io, g, o);
  io.part(o.task, [&](auto& part) { map_task(io, g, part); });
}
template <class Io, class O>
void map_kind(Io& io, ewst__MeetingMessage& g, O& o) {
  map_kind(io, static_cast<ewst__Message&>(g), o);
  io.part(o.meeting, [&](auto& part) {
    io(g.AssociatedCalendarItemId, part.associated_calendar_item_id);
    io(g.IsDelegated, part.is_delegated);
    io(g.IsOutOfDate, part.is_out_of_date);
    io(g.HasBeenProcessed, part.has_been_processed);
    io(g.ResponseType, part.response_type);
  });
  io.part(o.calendar, [&](auto& part) {
    io(g.UID, part.uid);
    io(g.RecurrenceId, part.recurrence_id);
    io(g.DateTimeStamp, part.date_time_stamp);
  });
}
template <class Io, class O>
void map_kind(Io& io, ewst__MeetingRequest& g, O& o) {
  map_kind(io, static_cast<ewst__MeetingMessage&>(g), o);
  io.part(o.meeting, [&](auto& part) { io(g.MeetingRequestType, part.meeting_request_type); });
  io.part(o.calendar, [&](auto& part) { map_appointment(io, g, part); });
}
template <class Io, class O>
void map_kind(Io& io, ewst__MeetingResponse& g, O& o) {
  map_kind(io, static_cast<ewst__MeetingMessage&>(g), o);
  io.part(o.meeting, [&](auto& part) {
    io(g.ProposedStart, part.proposed_start);
    io(g.ProposedEnd, part.proposed_end);
  });
  io.part(o.calendar, [&](auto& part) { map_meeting_facts(io, g, part); });
}
template <class Io, class O>
void map_kind(Io& io, ewst__MeetingCancellation& g, O& o) {
  map_kind(io, static_cast<ewst__MeetingMessage&>(g), o);
  io.part(o.calendar, [&](auto& part) { map_meeting_facts(io, g, part); });
}

/// An element of unknown name: its name, and the id and class if it has them.
inline void read_opaque(Reader& io, const char* xml, Item& o) {
  o.kind = ItemKind::opaque;
  for (const auto& element : read_fragment(xml == nullptr ? "" : xml)) {
    if (element.depth == 0) {
      o.element_name = element.name;
    } else if (element.depth == 1 && element.name == "ItemId") {
      o.item_id = ItemId{.id = element.attribute("Id"), .change_key = element.attribute("ChangeKey")};
    } else if (element.depth == 1 && element.name == "ItemClass") {
      o.item_class = element.text;
    } else if (element.depth == 1 && element.name == "Subject") {
      o.subject = element.text;
    }
  }
  io.defect("item of unknown kind " + o.element_name);
}

/// U: any union of items; alternatives it lacks are not reached.
template <class U>
void read_item(Reader& io, ItemKind kind, U& value, Item& o) {
  o.kind = kind;
  switch (kind) {
#define SYNCLINE_READ_KIND(Name, enumerator)                   \
  case ItemKind::enumerator:                                   \
    if constexpr (requires { value.Name; }) {                  \
      if (value.Name != nullptr) map_kind(io, *value.Name, o); \
    }                                                          \
    break;
    SYNCLINE_ITEM_KINDS(SYNCLINE_READ_KIND)
#undef SYNCLINE_READ_KIND
    case ItemKind::opaque:
      if constexpr (requires { value.__any; }) read_opaque(io, value.__any, o);
      break;
  }
}

template <class U>
void write_item(Writer& io, const Item& o, U& value) {
  switch (o.kind) {
#define SYNCLINE_WRITE_KIND(Name, enumerator)                                       \
  case ItemKind::enumerator:                                                        \
    if constexpr (requires { value.Name; }) {                                       \
      value.Name = io.template make<std::remove_pointer_t<decltype(value.Name)>>(); \
      map_kind(io, *value.Name, o);                                                 \
      return;                                                                       \
    }                                                                               \
    break;
    SYNCLINE_ITEM_KINDS(SYNCLINE_WRITE_KIND)
#undef SYNCLINE_WRITE_KIND
    case ItemKind::opaque:
      break;
  }
  io.fail("bad-value", "an item of a kind that cannot be written here");
}

// ---- attachments

template <class Io, class O>
void map_attachment(Io& io, ewst__Attachment& g, O& o) {
  io(g.AttachmentId, o.id);
  io(g.Name, o.name);
  io(g.ContentType, o.content_type);
  io(g.ContentId, o.content_id);
  io(g.ContentLocation, o.content_location);
  io(g.Size, o.size);
  io(g.LastModifiedTime, o.last_modified_time);
  io(g.IsInline, o.is_inline);
}
template <class Io, class O>
void map_file(Io& io, ewst__FileAttachment& g, O& o) {
  io(g.IsContactPhoto, o.is_contact_photo);
  io.base64(g.Content, o.content, "Content");
}
template <class Io, class O>
void map_reference(Io& io, ewst__ReferenceAttachment& g, O& o) {
  io(g.AttachLongPathName, o.path);
  io(g.ProviderType, o.provider_type);
  io(g.ProviderEndpointUrl, o.provider_endpoint_url);
  io(g.AttachmentThumbnailUrl, o.thumbnail_url);
  io(g.AttachmentPreviewUrl, o.preview_url);
  io(g.PermissionType, o.permission_type);
  io(g.OriginalPermissionType, o.original_permission_type);
  io(g.AttachmentIsFolder, o.is_folder);
}

constexpr ItemKind attached_item_kind_of(int tag) {
  return item_kind_of(tag < SOAP_UNION__ewst__union_ItemAttachment_MeetingMessage ? tag : tag + 1);
}
constexpr int attached_item_tag_of(ItemKind kind) {
  const int tag = static_cast<int>(kind) + 1;
  return kind < ItemKind::distribution_list ? tag : tag - 1;
}
static_assert(attached_item_kind_of(SOAP_UNION__ewst__union_ItemAttachment_Contact) == ItemKind::contact);
static_assert(attached_item_kind_of(SOAP_UNION__ewst__union_ItemAttachment_MeetingMessage) ==
              ItemKind::meeting_message);
static_assert(attached_item_kind_of(SOAP_UNION__ewst__union_ItemAttachment___any) == ItemKind::opaque);
static_assert(attached_item_tag_of(ItemKind::post_item) == SOAP_UNION__ewst__union_ItemAttachment_PostItem);

template <class G>
void read_attachments(Reader& io, std::vector<G>& elements, int G::*tag, auto G::*alternatives,
                      std::vector<Attachment>& o) {
  o.reserve(elements.size());
  for (auto& element : elements) {
    auto& value = element.*alternatives;
    auto& attachment = o.emplace_back();
    switch (element.*tag) {
      case SOAP_UNION__ewst__union_Attachments_FileAttachment:
        map_attachment(io, *value.FileAttachment, attachment);
        map_file(io, *value.FileAttachment, attachment.content.template emplace<FileContent>());
        break;
      case SOAP_UNION__ewst__union_Attachments_ItemAttachment: {
        auto& g = *value.ItemAttachment;
        map_attachment(io, g, attachment);
        auto& content = attachment.content.template emplace<ItemContent>();
        if (g.__union_ItemAttachment > 0)
          read_item(io, attached_item_kind_of(g.__union_ItemAttachment), g.union_ItemAttachment,
                    content.item.get_or_make());
        break;
      }
      case SOAP_UNION__ewst__union_Attachments_ReferenceAttachment:
        map_attachment(io, *value.ReferenceAttachment, attachment);
        map_reference(io, *value.ReferenceAttachment,
                      attachment.content.template emplace<ReferenceContent>());
        break;
      case SOAP_UNION__ewst__union_Attachments___any: {
        auto& content = attachment.content.template emplace<OpaqueContent>();
        for (const auto& part : read_fragment(value.__any == nullptr ? "" : value.__any)) {
          if (part.depth == 0) content.element_name = part.name;
          if (part.depth == 1 && part.name == "AttachmentId")
            attachment.id = AttachmentId{.id = part.attribute("Id")};
          if (part.depth == 1 && part.name == "Name") attachment.name = part.text;
        }
        io.defect("attachment of unknown kind " + content.element_name);
        break;
      }
      default:
        o.pop_back();
        break;
    }
  }
}
static_assert(SOAP_UNION__ewst__union_Attachments_FileAttachment ==
              SOAP_UNION__ewst__union_NewAttachments_FileAttachment);
static_assert(SOAP_UNION__ewst__union_Attachments_ItemAttachment ==
              SOAP_UNION__ewst__union_NewAttachments_ItemAttachment);
static_assert(SOAP_UNION__ewst__union_Attachments_ReferenceAttachment ==
              SOAP_UNION__ewst__union_NewAttachments_ReferenceAttachment);
static_assert(SOAP_UNION__ewst__union_Attachments___any == SOAP_UNION__ewst__union_NewAttachments___any);

inline void attachments(Reader& io, ewst__NewAttachments* g, std::vector<Attachment>& o) {
  if (g != nullptr)
    read_attachments(io, g->__union_NewAttachments, &__ewst__union_NewAttachments::__union_NewAttachments,
                     &__ewst__union_NewAttachments::union_NewAttachments, o);
}
inline void attachments(Writer& io, ewst__NewAttachments*& g, const std::vector<Attachment>& o) {
  if (o.empty()) return;
  g = io.make<ewst__NewAttachments>();
  for (const auto& attachment : o) {
    auto& element = g->__union_NewAttachments.emplace_back();
    element.soap_default(nullptr);
    auto& value = element.union_NewAttachments;
    if (const auto* file = std::get_if<FileContent>(&attachment.content)) {
      element.__union_NewAttachments = SOAP_UNION__ewst__union_NewAttachments_FileAttachment;
      value.FileAttachment = io.make<ewst__FileAttachment>();
      map_attachment(io, *value.FileAttachment, attachment);
      map_file(io, *value.FileAttachment, *file);
    } else if (const auto* item = std::get_if<ItemContent>(&attachment.content)) {
      element.__union_NewAttachments = SOAP_UNION__ewst__union_NewAttachments_ItemAttachment;
      auto& attached = *(value.ItemAttachment = io.make<ewst__ItemAttachment>());
      map_attachment(io, attached, attachment);
      if (item->item) {
        attached.__union_ItemAttachment = attached_item_tag_of(item->item->kind);
        write_item(io, *item->item, attached.union_ItemAttachment);
      } else {
        io.fail("missing-element", "an item attachment without its item");
      }
    } else if (const auto* reference = std::get_if<ReferenceContent>(&attachment.content)) {
      element.__union_NewAttachments = SOAP_UNION__ewst__union_NewAttachments_ReferenceAttachment;
      value.ReferenceAttachment = io.make<ewst__ReferenceAttachment>();
      map_attachment(io, *value.ReferenceAttachment, attachment);
      map_reference(io, *value.ReferenceAttachment, *reference);
    } else {
      io.fail("bad-value", "an attachment of unknown kind cannot be written");
    }
  }
}

// ---- what all items have

inline void mime(Reader& io, ewst__MimeContent* g, std::optional<MimeContent>& o) {
  if (g == nullptr) return;
  std::optional<std::string> octets;
  io.base64(&g->__item, octets, "MimeContent");
  if (!octets) return;
  o.emplace().octets = std::move(*octets);
  io(g->CharacterSet, o->character_set);
}
inline void mime(Writer& io, ewst__MimeContent*& g, const std::optional<MimeContent>& o) {
  if (!o) return;
  g = io.make<ewst__MimeContent>();
  g->__item = base64_encode(o->octets);
  io(g->CharacterSet, o->character_set);
}

inline void response_objects(Reader&, ewst__ResponseObjects* g, ResponseObjectNames& o) {
  if (g == nullptr) return;
  for (const auto& element : g->__union_ResponseObjects) {
    switch (element.__union_ResponseObjects) {
#define SYNCLINE_NAME(Name)                            \
  case SOAP_UNION__ewst__union_ResponseObjects_##Name: \
    o.emplace_back(#Name);                             \
    break;
      SYNCLINE_NAME(AcceptItem)
      SYNCLINE_NAME(TentativelyAcceptItem)
      SYNCLINE_NAME(DeclineItem)
      SYNCLINE_NAME(ReplyToItem)
      SYNCLINE_NAME(ForwardItem)
      SYNCLINE_NAME(ReplyAllToItem)
      SYNCLINE_NAME(CancelCalendarItem)
      SYNCLINE_NAME(RemoveItem)
      SYNCLINE_NAME(SuppressReadReceipt)
#undef SYNCLINE_NAME
      case SOAP_UNION__ewst__union_ResponseObjects___any:
        if (element.union_ResponseObjects.__any != nullptr)
          o.emplace_back(root_name(element.union_ResponseObjects.__any));
        break;
    }
  }
}
/// The server's to say, never ours.
inline void response_objects(Writer&, ewst__ResponseObjects*, const ResponseObjectNames&) {}

template <class Io, class O>
void map_item(Io& io, ewst__Item& g, O& o) {
  mime(io, g.MimeContent, o.mime_content);
  io(g.ItemId, o.item_id);
  io(g.ParentFolderId, o.parent_folder_id);
  io(g.ItemClass, o.item_class);
  io(g.Subject, o.subject);
  io(g.Sensitivity, o.sensitivity);
  io(g.Body, o.body);
  attachments(io, g.Attachments, o.attachments);
  io(g.DateTimeReceived, o.date_time_received);
  io(g.Size, o.size);
  io(g.Categories, o.categories);
  io(g.Importance, o.importance);
  io(g.InReplyTo, o.in_reply_to);
  io(g.IsSubmitted, o.is_submitted);
  io(g.IsDraft, o.is_draft);
  io(g.IsFromMe, o.is_from_me);
  io(g.IsResend, o.is_resend);
  io(g.IsUnmodified, o.is_unmodified);
  io.list(g.InternetMessageHeaders, &ewst__InternetHeaders::InternetMessageHeader,
          o.internet_message_headers);
  io(g.DateTimeSent, o.date_time_sent);
  io(g.DateTimeCreated, o.date_time_created);
  response_objects(io, g.ResponseObjects, o.response_objects);
  io(g.ReminderDueBy, o.reminder_due_by);
  io(g.ReminderIsSet, o.reminder_is_set);
  io(g.ReminderMinutesBeforeStart, o.reminder_minutes_before_start);
  io(g.DisplayCc, o.display_cc);
  io(g.DisplayTo, o.display_to);
  io(g.HasAttachments, o.has_attachments);
  io.elements(g.ExtendedProperty, o.extended_properties);
  io(g.Culture, o.culture);
  io(g.EffectiveRights, o.effective_rights);
  io(g.LastModifiedName, o.last_modified_name);
  io(g.LastModifiedTime, o.last_modified_time);
  io(g.IsAssociated, o.is_associated);
  io(g.WebClientReadFormQueryString, o.web_client_read_form_query_string);
  io(g.ConversationId, o.conversation_id);
  io(g.UniqueBody, o.unique_body);
  io(g.Flag, o.flag);
  io(g.InstanceKey, o.instance_key);
  io(g.Preview, o.preview);
  io(g.TextBody, o.text_body);
}

}  // namespace syncline::ews::codec
