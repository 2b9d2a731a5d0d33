// SPDX-License-Identifier: GPL-3.0-or-later
#include <string>
#include <type_traits>
#include <utility>

#include "ews/codec/codec.hpp"
#include "ews/codec/detail/context.hpp"
#include "ews/codec/detail/id_feed.hpp"
#include "ews/codec/detail/map_items.hpp"
#include "ews/codec/detail/message_items.hpp"

namespace syncline::ews::codec {
namespace {

// ---- MessageXml

/// Adds the leaves of one piece of a MessageXml: a Value under its Name, any other under its own name. The
/// first of several stays.
void add_leaves(const char* xml, MessageXml& out) {
  if (xml == nullptr) return;
  for (auto& element : read_fragment(xml)) {
    if (element.has_children) continue;
    auto name = element.attribute("Name");
    if (element.name != "Value" || name.empty()) name = element.name;
    // Paths have their value in an attribute: which property the server complains of.
    if (auto uri = element.attribute("FieldURI"); !uri.empty() && element.text.empty())
      element.text = std::move(uri);
    out.emplace(std::move(name), std::string(text::trim(element.text)));
  }
}

template <class G>
MessageXml message_xml_of(const G* g) {
  MessageXml out;
  if (g != nullptr)
    for (const char* piece : g->__any) add_leaves(piece, out);
  return out;
}

// ---- values of the response messages, one overload for each kind of message

void read_folders(Reader& io, ewst__Folders* g, std::vector<Folder>& o);

template <class U>
void read_folder(Reader& io, int tag, U& value, Folder& o) {
  // Folders and FolderCreateOrUpdate number their alternatives alike.
  static_assert(SOAP_UNION__ewst__union_Folders___any == SOAP_UNION__ewst__union_FolderCreateOrUpdate___any);
  static_assert(SOAP_UNION__ewst__union_Folders_TasksFolder ==
                SOAP_UNION__ewst__union_FolderCreateOrUpdate_TasksFolder);
  switch (tag) {
    case SOAP_UNION__ewst__union_Folders_Folder:
      o.kind = FolderKind::folder;
      return map(io, *value.Folder, o);
    case SOAP_UNION__ewst__union_Folders_CalendarFolder:
      o.kind = FolderKind::calendar;
      return map(io, static_cast<ewst__BaseFolder&>(*value.CalendarFolder), o);
    case SOAP_UNION__ewst__union_Folders_ContactsFolder:
      o.kind = FolderKind::contacts;
      return map(io, static_cast<ewst__BaseFolder&>(*value.ContactsFolder), o);
    case SOAP_UNION__ewst__union_Folders_SearchFolder:
      o.kind = FolderKind::search;
      return map(io, static_cast<ewst__Folder&>(*value.SearchFolder), o);
    case SOAP_UNION__ewst__union_Folders_TasksFolder:
      o.kind = FolderKind::tasks;
      return map(io, static_cast<ewst__Folder&>(*value.TasksFolder), o);
  }
  o.kind = FolderKind::opaque;
  for (const auto& element : read_fragment(value.__any == nullptr ? "" : value.__any)) {
    const auto id = [&] {
      return FolderId{.id = element.attribute("Id"), .change_key = element.attribute("ChangeKey")};
    };
    if (element.depth == 0) o.element_name = element.name;
    if (element.depth != 1) continue;
    if (element.name == "FolderId") o.folder_id = id();
    if (element.name == "ParentFolderId") o.parent_folder_id = id();
    if (element.name == "FolderClass") o.folder_class = element.text;
    if (element.name == "DisplayName") o.display_name = element.text;
  }
  io.defect("folder of unknown kind " + o.element_name);
}

void read_folders(Reader& io, ewst__Folders* g, std::vector<Folder>& o) {
  if (g == nullptr) return;
  o.reserve(g->__union_Folders.size());
  for (auto& element : g->__union_Folders)
    if (element.__union_Folders > 0)
      read_folder(io, element.__union_Folders, element.union_Folders, o.emplace_back());
}

void read_items(Reader& io, ewst__Items* g, std::vector<Item>& o) {
  if (g == nullptr) return;
  o.reserve(g->__union_Items.size());
  for (auto& element : g->__union_Items) {
    if (element.__union_Items <= 0) continue;
    Item& item = o.emplace_back();
    read_item(io, item_kind_of(element.__union_Items), element.union_Items, item);
    // Neither a name we know nor an id: an element of somebody else's, no item.
    if (item.kind == ItemKind::opaque && !item.item_id) o.pop_back();
  }
}

template <class G, class P>
void read_paging(Reader& io, G& g, P& o) {
  io(g.IncludesLastItemInRange, o.includes_last_item_in_range);
  io(g.TotalItemsInView, o.total_items_in_view);
  if constexpr (requires { o.indexed_paging_offset; }) io(g.IndexedPagingOffset, o.indexed_paging_offset);
}

void value(Reader&, ewsm__ResponseMessage&, Nothing&) {}
void value(Reader& io, ewsm__GetFolderResponseMessage& g, std::vector<Folder>& o) {
  read_folders(io, g.Folders, o);
}
void value(Reader& io, ewsm__CreateFolderResponseMessage& g, std::vector<Folder>& o) {
  read_folders(io, g.Folders, o);
}
void value(Reader& io, ewsm__FindFolderResponseMessage& g, FolderPage& o) {
  if (g.RootFolder == nullptr) return;
  read_folders(io, g.RootFolder->Folders, o.folders);
  read_paging(io, *g.RootFolder, o);
}
void value(Reader& io, ewsm__FindItemResponseMessage& g, ItemPage& o) {
  if (g.RootFolder == nullptr) return;
  read_items(io, g.RootFolder->Items, o.items);
  read_paging(io, *g.RootFolder, o);
}
void value(Reader& io, ewsm__GetItemResponseMessage& g, std::vector<Item>& o) {
  read_items(io, g.Items, o);
}
void value(Reader& io, ewsm__CreateItemResponseMessage& g, std::vector<Item>& o) {
  read_items(io, g.Items, o);
}
void value(Reader& io, ewsm__MoveItemResponseMessage& g, std::vector<Item>& o) {
  read_items(io, g.Items, o);
}
void value(Reader& io, ewsm__UpdateItemResponseMessage& g, UpdatedItems& o) {
  read_items(io, g.Items, o.items);
  if (g.ConflictResults != nullptr) io(g.ConflictResults->Count, o.conflict_count);
}

void unknown_change(Reader& io, const char* xml) {
  io.defect("change of unknown kind " + std::string(root_name(xml == nullptr ? "" : xml)));
}

void value(Reader& io, ewsm__SyncFolderHierarchyResponseMessage& g, FolderFeed& o) {
  io(g.SyncState, o.sync_state);
  io(g.IncludesLastFolderInRange, o.includes_last_folder_in_range);
  if (g.Changes == nullptr) return;
  o.changes.reserve(g.Changes->__union_FolderChanges.size());
  for (auto& element : g.Changes->__union_FolderChanges) {
    auto& change = element.union_FolderChanges;
    const auto with_folder = [&](ChangeKind kind, ewst__FolderCreateOrUpdate& of) {
      if (of.__union_FolderCreateOrUpdate <= 0) return io.defect("change without a folder");
      auto& entry = o.changes.emplace_back();
      entry.kind = kind;
      read_folder(io, of.__union_FolderCreateOrUpdate, of.union_FolderCreateOrUpdate, entry.folder);
    };
    switch (element.__union_FolderChanges) {
      case SOAP_UNION__ewst__union_FolderChanges_Create:
        with_folder(ChangeKind::create, *change.Create);
        break;
      case SOAP_UNION__ewst__union_FolderChanges_Update:
        with_folder(ChangeKind::update, *change.Update);
        break;
      case SOAP_UNION__ewst__union_FolderChanges_Delete: {
        auto& entry = o.changes.emplace_back();
        entry.kind = ChangeKind::delete_;
        io(change.Delete->FolderId, entry.deleted);
        break;
      }
      case SOAP_UNION__ewst__union_FolderChanges___any:
        unknown_change(io, change.__any);
        break;
    }
  }
}

void value(Reader& io, ewsm__SyncFolderItemsResponseMessage& g, ItemFeed& o) {
  io(g.SyncState, o.sync_state);
  io(g.IncludesLastItemInRange, o.includes_last_item_in_range);
  if (g.Changes == nullptr) return;
  o.changes.reserve(g.Changes->__union_ItemFeed.size());
  for (auto& element : g.Changes->__union_ItemFeed) {
    auto& change = element.union_ItemFeed;
    const auto with_item = [&](ChangeKind kind, ewst__ItemCreateOrUpdate& of) {
      if (of.__union_ItemCreateOrUpdate <= 0) return io.defect("change without an item");
      auto& entry = o.changes.emplace_back();
      auto& item = entry.item.get_or_make();
      entry.kind = kind;
      entry.item_kind = item_kind_of(of.__union_ItemCreateOrUpdate);
      read_item(io, entry.item_kind, of.union_ItemCreateOrUpdate, item);
      if (item.item_id) entry.item_id = *item.item_id;
    };
    switch (element.__union_ItemFeed) {
      case SOAP_UNION__ewst__union_ItemFeed_Create:
        with_item(ChangeKind::create, *change.Create);
        break;
      case SOAP_UNION__ewst__union_ItemFeed_Update:
        with_item(ChangeKind::update, *change.Update);
        break;
      case SOAP_UNION__ewst__union_ItemFeed_Delete: {
        auto& entry = o.changes.emplace_back();
        entry.kind = ChangeKind::delete_;
        io(change.Delete->ItemId, entry.item_id);
        break;
      }
      case SOAP_UNION__ewst__union_ItemFeed_ReadFlagChange: {
        auto& entry = o.changes.emplace_back();
        entry.kind = ChangeKind::read_flag;
        io(change.ReadFlagChange->ItemId, entry.item_id);
        io(change.ReadFlagChange->IsRead, entry.is_read);
        break;
      }
      case SOAP_UNION__ewst__union_ItemFeed___any:
        unknown_change(io, change.__any);
        break;
    }
  }
}

void read_attachment_list(Reader& io, ewst__Attachments* g, std::vector<Attachment>& o) {
  if (g != nullptr)
    read_attachments(io, g->__union_Attachments, &__ewst__union_Attachments::__union_Attachments,
                     &__ewst__union_Attachments::union_Attachments, o);
}
void value(Reader& io, ewsm__CreateAttachmentResponseMessage& g, std::vector<Attachment>& o) {
  read_attachment_list(io, g.Attachments, o);
}
void value(Reader& io, ewsm__GetAttachmentResponseMessage& g, std::vector<Attachment>& o) {
  read_attachment_list(io, g.Attachments, o);
}
void value(Reader& io, ewsm__DeleteAttachmentResponseMessage& g, std::optional<RootItemId>& o) {
  if (g.RootItemId == nullptr) return;
  o.emplace();
  io(g.RootItemId->RootItemId, o->id);
  io(g.RootItemId->RootItemChangeKey, o->change_key);
}

void value(Reader& io, ewsm__SubscribeResponseMessage& g, Subscription& o) {
  io(g.SubscriptionId, o.id);
  io(g.Watermark, o.watermark);
}

template <class U>
void read_target(Reader& io, int tag, U& target, Event& o) {
  static_assert(SOAP_UNION__ewst__union_ObjectEvent_FolderId ==
                SOAP_UNION__ewst__union_ModifiedEvent_FolderId);
  static_assert(SOAP_UNION__ewst__union_ObjectEvent_FolderId ==
                SOAP_UNION__ewst__union_MovedCopiedEvent_FolderId);
  if (tag == SOAP_UNION__ewst__union_ObjectEvent_FolderId) io(target.FolderId, o.folder_id);
  if (tag == SOAP_UNION__ewst__union_ObjectEvent_ItemId) io(target.ItemId, o.item_id);
}
void read_event(Reader& io, ewst__StatusEvent& g, Event& o) {
  io(g.Watermark, o.watermark);
}
template <class G>
void read_object_event(Reader& io, G& g, Event& o) {
  io(g.Watermark, o.watermark);
  io(g.TimeStamp, o.time_stamp);
  io(g.ParentFolderId, o.parent_folder_id);
}
void read_event(Reader& io, ewst__ObjectEvent& g, Event& o) {
  read_object_event(io, g, o);
  read_target(io, g.__union_ObjectEvent, g.union_ObjectEvent, o);
}
void read_event(Reader& io, ewst__ModifiedEvent& g, Event& o) {
  read_object_event(io, g, o);
  read_target(io, g.__union_ModifiedEvent, g.union_ModifiedEvent, o);
  io(g.UnreadCount, o.unread_count);
}
void read_event(Reader& io, ewst__MovedCopiedEvent& g, Event& o) {
  read_object_event(io, g, o);
  read_target(io, g.__union_MovedCopiedEvent, g.union_MovedCopiedEvent, o);
  auto& old = g.union_MovedCopiedEvent_;
  if (g.__union_MovedCopiedEvent_ == SOAP_UNION__ewst__union_MovedCopiedEvent__OldFolderId)
    io(old.OldFolderId, o.old_folder_id);
  if (g.__union_MovedCopiedEvent_ == SOAP_UNION__ewst__union_MovedCopiedEvent__OldItemId)
    io(old.OldItemId, o.old_item_id);
  io(g.OldParentFolderId, o.old_parent_folder_id);
}

void map(Reader& io, ewst__Notification& g, Notification& o) {
  io(g.SubscriptionId, o.subscription_id);
  io(g.PreviousWatermark, o.previous_watermark);
  io(g.MoreEvents, o.more_events);
  o.events.reserve(g.__union_Notification.size());
  for (auto& element : g.__union_Notification) {
    auto& event = element.union_Notification;
    const auto add = [&](EventKind kind, auto* of) {
      if (of == nullptr) return;
      auto& entry = o.events.emplace_back();
      entry.kind = kind;
      read_event(io, *of, entry);
    };
    switch (element.__union_Notification) {
      case SOAP_UNION__ewst__union_Notification_CopiedEvent:
        add(EventKind::copied_event, event.CopiedEvent);
        break;
      case SOAP_UNION__ewst__union_Notification_CreatedEvent:
        add(EventKind::created_event, event.CreatedEvent);
        break;
      case SOAP_UNION__ewst__union_Notification_DeletedEvent:
        add(EventKind::deleted_event, event.DeletedEvent);
        break;
      case SOAP_UNION__ewst__union_Notification_ModifiedEvent:
        add(EventKind::modified_event, event.ModifiedEvent);
        break;
      case SOAP_UNION__ewst__union_Notification_MovedEvent:
        add(EventKind::moved_event, event.MovedEvent);
        break;
      case SOAP_UNION__ewst__union_Notification_NewMailEvent:
        add(EventKind::new_mail_event, event.NewMailEvent);
        break;
      case SOAP_UNION__ewst__union_Notification_StatusEvent:
        add(EventKind::status_event, event.StatusEvent);
        break;
      case SOAP_UNION__ewst__union_Notification_FreeBusyChangedEvent:
        add(EventKind::free_busy_changed_event, event.FreeBusyChangedEvent);
        break;
      case SOAP_UNION__ewst__union_Notification___any:
        o.events.emplace_back().kind =
            Open<EventKind>::parse(root_name(event.__any == nullptr ? "" : event.__any));
        break;
    }
  }
}
void value(Reader& io, ewsm__GetEventsResponseMessage& g, Notification& o) {
  if (g.Notification != nullptr) map(io, *g.Notification, o);
}
void value(Reader& io, ewsm__GetStreamingEventsResponseMessage& g, StreamingEvents& o) {
  if (g.Notifications != nullptr) {
    for (auto& element : g.Notifications->__union_Notifications) {
      auto& either = element.union_Notifications;
      auto* notification = element.__union_Notifications == SOAP_UNION__ewsm__union_Notifications_Notification
                               ? either.Notification
                               : either.ewst__Notification_;
      if (notification != nullptr) map(io, *notification, o.notifications.emplace_back());
    }
  }
  if (g.ErrorSubscriptionIds != nullptr) {
    for (auto& element : g.ErrorSubscriptionIds->__union_ErrorSubscriptionIds) {
      auto& either = element.union_ErrorSubscriptionIds;
      auto* id =
          element.__union_ErrorSubscriptionIds == SOAP_UNION__ewsm__union_ErrorSubscriptionIds_SubscriptionId
              ? either.SubscriptionId
              : either.ewst__SubscriptionId;
      if (id != nullptr) o.error_subscription_ids.push_back(std::move(*id));
    }
  }
  io(g.ConnectionStatus, o.connection_status);
}

void value(Reader& io, ewsm__ResolveNamesResponseMessage& g, Resolutions& o) {
  if (g.ResolutionSet == nullptr) return;
  read_paging(io, *g.ResolutionSet, o);
  for (auto* element : g.ResolutionSet->Resolution) {
    if (element == nullptr) continue;
    auto& entry = o.entries.emplace_back();
    io(element->Mailbox, entry.mailbox);
    if (element->Contact == nullptr) continue;
    auto& contact = entry.contact.get_or_make();
    contact.kind = ItemKind::contact;
    map_kind(io, *element->Contact, contact);
  }
}
void value(Reader& io, ewsm__GetServerTimeZonesResponseMessage& g, std::vector<TimeZoneDefinition>& o) {
  io.list(g.TimeZoneDefinitions, &ewst__TimeZoneDefinitions::TimeZoneDefinition, o);
}
void value(Reader& io, ewsm__ConvertIdResponseMessage& g, std::optional<AlternateId>& o) {
  io(g.AlternateId, o);
}

// ---- envelopes

void read_number(const std::string* g, int& o) {
  if (g == nullptr) return;
  if (const auto number = FieldText<int>::read(*g)) o = *number;
}

std::optional<ServerVersionInfo> server_version(const Context& context) {
  if (context->header == nullptr || context->header->ewst__ServerVersionInfo == nullptr) return std::nullopt;
  const auto& g = *context->header->ewst__ServerVersionInfo;
  ServerVersionInfo info;
  read_number(g.MajorVersion, info.major);
  read_number(g.MinorVersion, info.minor);
  read_number(g.MajorBuildNumber, info.major_build);
  read_number(g.MinorBuildNumber, info.minor_build);
  if (g.Version != nullptr) info.version = *g.Version;
  return info;
}

std::string text_of(const char* text) {
  return text == nullptr ? std::string() : std::string(text::trim(text));
}

std::string without_prefix(const std::string& name) {
  const auto colon = name.rfind(':');
  return colon == std::string::npos ? name : name.substr(colon + 1);
}

Fault read_fault(const Context& context) {
  Fault fault;
  fault.server = server_version(context);
  const auto* g = context->fault;
  if (g == nullptr) return fault;
  fault.fault_code = text_of(g->faultcode);
  fault.fault_string = text_of(g->faultstring);
  // SOAP 1.2 spells the same in Code, Subcode and Reason.
  if (const auto* code = g->SOAP_ENV__Code; code != nullptr && fault.fault_code.empty()) {
    const bool has_subcode =
        code->SOAP_ENV__Subcode != nullptr && code->SOAP_ENV__Subcode->SOAP_ENV__Value != nullptr;
    fault.fault_code =
        text_of(has_subcode ? code->SOAP_ENV__Subcode->SOAP_ENV__Value : code->SOAP_ENV__Value);
  }
  if (g->SOAP_ENV__Reason != nullptr && fault.fault_string.empty())
    fault.fault_string = text_of(g->SOAP_ENV__Reason->SOAP_ENV__Text);
  if (const auto* detail = g->detail != nullptr ? g->detail : g->SOAP_ENV__Detail; detail != nullptr) {
    if (detail->ewse__ResponseCode != nullptr) fault.code = text_of(detail->ewse__ResponseCode->c_str());
    if (detail->ewse__Message != nullptr) fault.message = text_of(detail->ewse__Message->c_str());
    fault.message_xml = message_xml_of(detail->ewst__MessageXml_);
    fault.back_off = back_off_of(fault.message_xml);
  }
  if (fault.code.empty()) fault.code = without_prefix(fault.fault_code);
  if (fault.message.empty()) fault.message = fault.fault_string;
  return fault;
}

// Messages are of our own making: gSOAP's would quote the peer's text.
unexpected<Error> parse_failure(const Context& context, std::string_view operation) {
  const bool truncated = context->error == SOAP_EOF;
  return fail(Error{.domain = ErrorDomain::xml,
                    .code = truncated ? "truncated" : "not-xml",
                    .message = (truncated ? "the text ends before its root element does"
                                          : "the text cannot be read as XML (gSOAP error " +
                                                std::to_string(context->error) + ")"),
                    .retry = truncated ? RetryClass::after : RetryClass::never,
                    .context = {"reading the reply to " + std::string(operation)}});
}

/// Where a document stands after its Body began.
enum class Position { body_child, fault, empty_body };

// Moves to the Body's child. In a bare document there is no Body and the root is that child.
Result<Position> enter(Context& context, std::string_view xml, std::string_view operation) {
  const auto root = root_name(xml);
  if (root.empty() || text::equals_ignore_case(root, "html"))
    return fail(ErrorDomain::soap, "not-soap",
                root.empty() ? "the text is no XML document" : "the text is an HTML page, not SOAP",
                RetryClass::after);
  auto* soap = context.get();
  if (soap_begin_recv(soap) != SOAP_OK) return parse_failure(context, operation);
  if (root == "Envelope") {
    if (soap_envelope_begin_in(soap) != SOAP_OK || soap_recv_header(soap) != SOAP_OK ||
        soap_body_begin_in(soap) != SOAP_OK) {
      if (soap->error == SOAP_TAG_MISMATCH || soap->error == SOAP_VERSIONMISMATCH ||
          soap->error == SOAP_NO_TAG)
        return fail(ErrorDomain::soap, "not-soap", "an Envelope without a SOAP Body");
      return parse_failure(context, operation);
    }
  }
  if (soap_peek_element(soap) != SOAP_OK) {
    if (soap->error == SOAP_NO_TAG) return Position::empty_body;
    return parse_failure(context, operation);
  }
  return without_prefix(soap->tag) == "Fault" ? Position::fault : Position::body_child;
}

/// Reads on to the end of the document: what was cut off behind the Body's child is cut off too.
bool leave(Context& context, std::string_view xml) {
  auto* soap = context.get();
  if (root_name(xml) == "Envelope" &&
      (soap_body_end_in(soap) != SOAP_OK || soap_envelope_end_in(soap) != SOAP_OK))
    return false;
  return soap_end_recv(soap) == SOAP_OK;
}

void read_status(Reader& io, ewsm__ResponseMessage& g, ResponseStatus& o) {
  io(g.ResponseClass, o.response_class);
  io(g.ResponseCode, o.code);
  io(g.MessageText, o.text);
  io(g.DescriptiveLinkKey, o.descriptive_link_key);
  o.message_xml = message_xml_of(g.MessageXml);
  if (o.code.empty()) o.code = o.response_class == ResponseClass::success ? "NoError" : "unknown";
}

/// G: the generated reply; M: its ResponseMessages; E: the response message.
template <class G, class M, class E, class Request>
Result<typename Request::Response> decode_reply(std::string_view xml, std::vector<E*> M::*messages) {
  auto context = Context::for_reading(xml);
  const auto position = enter(context, xml, Request::operation);
  if (!position) return unexpected<Error>(position.error());
  auto* soap = context.get();
  if (*position == Position::fault) {
    if (soap_getfault(soap) != SOAP_OK || !leave(context, xml))
      return parse_failure(context, Request::operation);
    return fail(to_error(read_fault(context)));
  }
  const auto expected_name = std::string(Request::operation) + "Response";
  if (*position == Position::empty_body || without_prefix(soap->tag) != expected_name)
    return fail(ErrorDomain::soap, "wrong-operation",
                *position == Position::empty_body ? "the Body is empty, not " + expected_name
                                                  : "the Body does not hold " + expected_name);
  G reply;
  reply.soap_default(soap);
  const auto tag = "ewsm:" + expected_name;
  if (reply.soap_get(soap, tag.c_str(), nullptr) == nullptr || soap->error != SOAP_OK) {
    if (soap->error == SOAP_TAG_MISMATCH)
      return fail(ErrorDomain::soap, "wrong-operation",
                  expected_name + " is not in the namespace of EWS messages");
    return parse_failure(context, Request::operation);
  }
  if (!leave(context, xml)) return parse_failure(context, Request::operation);
  if (reply.ResponseMessages == nullptr || (reply.ResponseMessages->*messages).empty())
    return fail(ErrorDomain::soap, "no-response-messages", "the reply holds no response message",
                RetryClass::after);

  typename Request::Response response;
  response.server = server_version(context);
  Reader io;
  response.messages.reserve((reply.ResponseMessages->*messages).size());
  for (auto* message : reply.ResponseMessages->*messages) {
    auto& entry = response.messages.emplace_back();
    if (message == nullptr) continue;
    read_status(io, *message, entry);
    value(io, *message, entry.value);
  }
  response.defects = io.take_defects();
  return response;
}

}  // namespace

#define SYNCLINE_DECODE(Name, Message)                                                                   \
  template <>                                                                                            \
  Result<Name##Response> decode<Name##Request>(std::string_view xml) {                                   \
    return decode_reply<ewsm__##Name##Response, ewsm__##Name##ResponseMessages, Message, Name##Request>( \
        xml, &ewsm__##Name##ResponseMessages::Name##ResponseMessage);                                    \
  }
#define SYNCLINE_DECODE_OWN(Name) SYNCLINE_DECODE(Name, ewsm__##Name##ResponseMessage)
SYNCLINE_DECODE_OWN(GetFolder)
SYNCLINE_DECODE_OWN(FindFolder)
SYNCLINE_DECODE_OWN(CreateFolder)
SYNCLINE_DECODE_OWN(SyncFolderHierarchy)
SYNCLINE_DECODE_OWN(FindItem)
SYNCLINE_DECODE_OWN(CreateItem)
SYNCLINE_DECODE_OWN(UpdateItem)
SYNCLINE_DECODE(DeleteItem, ewsm__ResponseMessage)
SYNCLINE_DECODE_OWN(MoveItem)
SYNCLINE_DECODE(SendItem, ewsm__ResponseMessage)
SYNCLINE_DECODE_OWN(CreateAttachment)
SYNCLINE_DECODE_OWN(GetAttachment)
SYNCLINE_DECODE_OWN(DeleteAttachment)
SYNCLINE_DECODE_OWN(Subscribe)
SYNCLINE_DECODE_OWN(GetEvents)
SYNCLINE_DECODE_OWN(GetStreamingEvents)
SYNCLINE_DECODE(Unsubscribe, ewsm__ResponseMessage)
SYNCLINE_DECODE_OWN(ResolveNames)
SYNCLINE_DECODE_OWN(GetServerTimeZones)
SYNCLINE_DECODE_OWN(ConvertId)

Result<GetItemResponse> decode_get_item_by_bindings(std::string_view xml) {
  return decode_reply<ewsm__GetItemResponse, ewsm__GetItemResponseMessages, ewsm__GetItemResponseMessage,
                      GetItemRequest>(xml, &ewsm__GetItemResponseMessages::GetItemResponseMessage);
}

template <>
Result<GetItemResponse> decode<GetItemRequest>(std::string_view xml) {
  if (auto quick = read_message_items(xml)) return std::move(*quick);
  return decode_get_item_by_bindings(xml);
}

template <>
Result<SyncFolderItemsResponse> decode<SyncFolderItemsRequest>(std::string_view xml) {
  if (auto quick = read_id_feed(xml)) return std::move(*quick);
  return decode_reply<ewsm__SyncFolderItemsResponse, ewsm__SyncFolderItemsResponseMessages,
                      ewsm__SyncFolderItemsResponseMessage, SyncFolderItemsRequest>(
      xml, &ewsm__SyncFolderItemsResponseMessages::SyncFolderItemsResponseMessage);
}
#undef SYNCLINE_DECODE_OWN
#undef SYNCLINE_DECODE

Result<std::optional<Fault>> decode_fault(std::string_view xml) {
  auto context = Context::for_reading(xml);
  const auto position = enter(context, xml, "a request");
  if (!position) return unexpected<Error>(position.error());
  if (*position != Position::fault) return std::optional<Fault>();
  if (soap_getfault(context.get()) != SOAP_OK || !leave(context, xml))
    return parse_failure(context, "a request");
  return std::optional(read_fault(context));
}

}  // namespace syncline::ews::codec
