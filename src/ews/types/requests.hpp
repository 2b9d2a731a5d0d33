// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One struct for each operation of our profile. `Response` is its reply, `operation` its name on the wire.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ews/types/item.hpp"
#include "ews/types/property_path.hpp"
#include "ews/types/responses.hpp"
#include "ews/types/restriction.hpp"

namespace syncline::ews {

struct FolderShape {
  BaseShape base = BaseShape::id_only;
  std::vector<PropertyPath> additional = {};
};

struct ItemShape {
  BaseShape base = BaseShape::id_only;
  std::optional<bool> include_mime_content = std::nullopt;
  std::optional<BodyShape> body_type = std::nullopt;
  std::optional<bool> filter_html_content = std::nullopt;
  std::optional<bool> convert_html_code_page_to_utf8 = std::nullopt;
  std::vector<PropertyPath> additional = {};
};

struct IndexedView {
  std::int64_t offset = 0;
  std::optional<std::int64_t> max_entries = std::nullopt;
  BasePoint base_point = BasePoint::beginning;
};
/// Expands series; both ends are instants. Exchange refuses more than two years.
struct CalendarView {
  DateTime start;
  DateTime end;
  std::optional<std::int64_t> max_entries = std::nullopt;
};
struct SortKey {
  PropertyPath path;
  SortDirection direction = SortDirection::ascending;
};

struct GetFolderRequest {
  using Response = GetFolderResponse;
  static constexpr std::string_view operation = "GetFolder";
  FolderShape shape = {};
  std::vector<FolderRef> folders;
};

struct FindFolderRequest {
  using Response = FindFolderResponse;
  static constexpr std::string_view operation = "FindFolder";
  FolderShape shape = {};
  FolderTraversal traversal = FolderTraversal::shallow;
  std::optional<IndexedView> view = std::nullopt;
  std::optional<Restriction> restriction = std::nullopt;
  std::vector<FolderRef> parents;
};

struct CreateFolderRequest {
  using Response = CreateFolderResponse;
  static constexpr std::string_view operation = "CreateFolder";
  FolderRef parent;
  std::vector<Folder> folders;
};

struct SyncFolderHierarchyRequest {
  using Response = SyncFolderHierarchyResponse;
  static constexpr std::string_view operation = "SyncFolderHierarchy";
  FolderShape shape = {};
  std::optional<FolderRef> root = std::nullopt;
  std::optional<std::string> sync_state = std::nullopt;
};

struct SyncFolderItemsRequest {
  using Response = SyncFolderItemsResponse;
  static constexpr std::string_view operation = "SyncFolderItems";
  ItemShape shape = {};
  FolderRef folder;
  std::optional<std::string> sync_state = std::nullopt;
  std::vector<ItemId> ignore = {};
  int max_changes = 512;  ///< 1 to 512
  std::optional<SyncScope> scope = std::nullopt;
};

struct FindItemRequest {
  using Response = FindItemResponse;
  static constexpr std::string_view operation = "FindItem";
  ItemShape shape = {};
  ItemTraversal traversal = ItemTraversal::shallow;
  std::variant<std::monostate, IndexedView, CalendarView> view = {};
  std::optional<Restriction> restriction = std::nullopt;
  std::vector<SortKey> sort = {};
  std::vector<FolderRef> parents;
  std::optional<std::string> query_string = std::nullopt;  ///< AQS; excludes a restriction
};

struct GetItemRequest {
  using Response = GetItemResponse;
  static constexpr std::string_view operation = "GetItem";
  ItemShape shape = {};
  std::vector<ItemRef> ids;
};

struct CreateItemRequest {
  using Response = CreateItemResponse;
  static constexpr std::string_view operation = "CreateItem";
  std::optional<FolderRef> saved_item_folder = std::nullopt;
  std::vector<std::variant<Item, ResponseObject>> items;
  std::optional<MessageDisposition> message_disposition = std::nullopt;    ///< required for messages
  std::optional<SendInvitations> send_meeting_invitations = std::nullopt;  ///< required for calendar items
};

/// Sets one property: `item` carries that one and nothing else; its kind is the kind of the item changed.
struct SetItemField {
  PropertyPath path;
  Item item;
};
/// Adds to a property: attendees, recipients, body text, categories.
struct AppendToItemField {
  PropertyPath path;
  Item item;
};
struct DeleteItemField {
  PropertyPath path;
};
using ItemUpdate = std::variant<SetItemField, AppendToItemField, DeleteItemField>;

struct ItemChange {
  ItemRef id;  ///< OccurrenceItemId: that one occurrence
  std::vector<ItemUpdate> updates;
};

struct UpdateItemRequest {
  using Response = UpdateItemResponse;
  static constexpr std::string_view operation = "UpdateItem";
  std::optional<FolderRef> saved_item_folder = std::nullopt;
  std::vector<ItemChange> changes;
  ConflictResolution conflict_resolution = ConflictResolution::never_overwrite;  ///< invariant 8
  std::optional<MessageDisposition> message_disposition = std::nullopt;
  std::optional<SendInvitationsOrCancellations> send_meeting_invitations_or_cancellations = std::nullopt;
  std::optional<bool> suppress_read_receipts = std::nullopt;
};

struct DeleteItemRequest {
  using Response = DeleteItemResponse;
  static constexpr std::string_view operation = "DeleteItem";
  std::vector<ItemRef> ids;
  DeleteKind delete_type = DeleteKind::move_to_deleted_items;
  std::optional<SendInvitations> send_meeting_cancellations = std::nullopt;  ///< required for calendar items
  std::optional<AffectedTaskOccurrences> affected_task_occurrences = std::nullopt;  ///< required for tasks
  std::optional<bool> suppress_read_receipts = std::nullopt;
};

struct MoveItemRequest {
  using Response = MoveItemResponse;
  static constexpr std::string_view operation = "MoveItem";
  FolderRef to;
  std::vector<ItemRef> ids;
  std::optional<bool> return_new_item_ids = true;
};

struct SendItemRequest {
  using Response = SendItemResponse;
  static constexpr std::string_view operation = "SendItem";
  std::vector<ItemId> ids;  ///< with change keys
  bool save_item_to_folder = true;
  std::optional<FolderRef> saved_item_folder = std::nullopt;
};

struct CreateAttachmentRequest {
  using Response = CreateAttachmentResponse;
  static constexpr std::string_view operation = "CreateAttachment";
  ItemId parent;
  std::vector<Attachment> attachments;
};

struct GetAttachmentRequest {
  using Response = GetAttachmentResponse;
  static constexpr std::string_view operation = "GetAttachment";
  std::vector<std::string> ids;
  /// For item attachments; nothing is sent when all are unset.
  std::optional<bool> include_mime_content = std::nullopt;
  std::optional<BodyShape> body_type = std::nullopt;
  std::vector<PropertyPath> additional = {};
};

struct DeleteAttachmentRequest {
  using Response = DeleteAttachmentResponse;
  static constexpr std::string_view operation = "DeleteAttachment";
  std::vector<std::string> ids;
};

struct PullSubscription {
  int timeout_minutes = 30;                             ///< 1 to 1440
  std::optional<std::string> watermark = std::nullopt;  ///< to go on from
};
struct StreamingSubscription {};

struct SubscribeRequest {
  using Response = SubscribeResponse;
  static constexpr std::string_view operation = "Subscribe";
  std::vector<FolderRef> folders = {};  ///< empty: see all_folders
  bool all_folders = false;
  std::vector<EventKind> events;
  std::variant<StreamingSubscription, PullSubscription> kind = StreamingSubscription{};
};

struct GetEventsRequest {
  using Response = GetEventsResponse;
  static constexpr std::string_view operation = "GetEvents";
  std::string subscription_id;
  std::string watermark;
};

struct GetStreamingEventsRequest {
  using Response = GetStreamingEventsResponse;
  static constexpr std::string_view operation = "GetStreamingEvents";
  std::vector<std::string> subscription_ids;
  int connection_timeout_minutes = 30;  ///< 1 to 30
};

struct UnsubscribeRequest {
  using Response = UnsubscribeResponse;
  static constexpr std::string_view operation = "Unsubscribe";
  std::string subscription_id;
};

struct ResolveNamesRequest {
  using Response = ResolveNamesResponse;
  static constexpr std::string_view operation = "ResolveNames";
  std::string unresolved_entry;
  std::vector<FolderRef> parent_folders = {};
  bool return_full_contact_data = false;
  std::optional<ResolveNamesScope> search_scope = std::nullopt;
  std::optional<BaseShape> contact_data_shape = std::nullopt;
};

struct GetServerTimeZonesRequest {
  using Response = GetServerTimeZonesResponse;
  static constexpr std::string_view operation = "GetServerTimeZones";
  std::vector<std::string> ids = {};  ///< empty: all
  std::optional<bool> return_full_time_zone_data = std::nullopt;
};

struct ConvertIdRequest {
  using Response = ConvertIdResponse;
  static constexpr std::string_view operation = "ConvertId";
  std::vector<AlternateId> ids;
  IdFormat destination = IdFormat::ews_id;
};

/// The value of the SOAPAction header field, without quotes.
std::string soap_action(std::string_view operation);

}  // namespace syncline::ews
