// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The replies: a list of response messages, each with the value of its operation.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ews/types/item.hpp"
#include "ews/types/notification.hpp"
#include "ews/types/response_message.hpp"

namespace syncline::ews {

struct FolderPage {
  std::vector<Folder> folders = {};
  std::optional<std::int64_t> indexed_paging_offset = std::nullopt;  ///< where the next page starts
  std::optional<bool> includes_last_item_in_range = std::nullopt;
  std::optional<std::int64_t> total_items_in_view = std::nullopt;
};

struct ItemPage {
  std::vector<Item> items = {};
  std::optional<std::int64_t> indexed_paging_offset = std::nullopt;
  std::optional<bool> includes_last_item_in_range = std::nullopt;
  std::optional<std::int64_t> total_items_in_view = std::nullopt;
};

enum class ChangeKind { create, update, delete_, read_flag };

struct FolderFeedEntry {
  ChangeKind kind = ChangeKind::create;
  Folder folder = {};     ///< create, update
  FolderId deleted = {};  ///< delete_
};

struct FolderFeed {
  std::string sync_state;
  std::optional<bool> includes_last_folder_in_range = std::nullopt;
  std::vector<FolderFeedEntry> changes = {};
};

struct ItemFeedEntry {
  ChangeKind kind = ChangeKind::create;
  Boxed<Item> item = {};  ///< create, update with more than an id; null where id_only says it all
  ItemKind item_kind = ItemKind::item;  ///< create, update
  ItemId item_id = {};                  ///< always, where the server gave one
  bool is_read = false;                 ///< read_flag
};

struct ItemFeed {
  std::string sync_state;
  std::optional<bool> includes_last_item_in_range = std::nullopt;
  std::vector<ItemFeedEntry> changes = {};
};

struct UpdatedItems {
  std::vector<Item> items = {};
  std::optional<std::int64_t> conflict_count = std::nullopt;
};

struct RootItemId {
  std::string id;
  std::string change_key;
};

struct Subscription {
  std::string id;
  std::optional<std::string> watermark = std::nullopt;
};

struct StreamingEvents {
  std::vector<Notification> notifications = {};
  std::vector<std::string> error_subscription_ids = {};  ///< to be subscribed again (R-14)
  std::optional<Open<ConnectionStatus>> connection_status = std::nullopt;
};

struct Resolution {
  EmailAddress mailbox;
  Boxed<Item> contact = {};
};

struct Resolutions {
  std::vector<Resolution> entries = {};
  std::optional<bool> includes_last_item_in_range = std::nullopt;
  std::optional<std::int64_t> total_items_in_view = std::nullopt;
};

using GetFolderResponse = Response<std::vector<Folder>>;
using FindFolderResponse = Response<FolderPage>;
using CreateFolderResponse = Response<std::vector<Folder>>;
using SyncFolderHierarchyResponse = Response<FolderFeed>;
using SyncFolderItemsResponse = Response<ItemFeed>;
using FindItemResponse = Response<ItemPage>;
using GetItemResponse = Response<std::vector<Item>>;
using CreateItemResponse = Response<std::vector<Item>>;
using UpdateItemResponse = Response<UpdatedItems>;
using DeleteItemResponse = Response<Nothing>;
using MoveItemResponse = Response<std::vector<Item>>;
using SendItemResponse = Response<Nothing>;
using CreateAttachmentResponse = Response<std::vector<Attachment>>;
using GetAttachmentResponse = Response<std::vector<Attachment>>;
using DeleteAttachmentResponse = Response<std::optional<RootItemId>>;
using SubscribeResponse = Response<Subscription>;
using GetEventsResponse = Response<Notification>;
using GetStreamingEventsResponse = Response<StreamingEvents>;
using UnsubscribeResponse = Response<Nothing>;
using ResolveNamesResponse = Response<Resolutions>;
using GetServerTimeZonesResponse = Response<std::vector<TimeZoneDefinition>>;
using ConvertIdResponse = Response<std::optional<AlternateId>>;

}  // namespace syncline::ews
