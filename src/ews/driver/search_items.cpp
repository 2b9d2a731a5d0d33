// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/driver/search_items.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "ews/client/patient_call.hpp"
#include "ews/driver/marks.hpp"
#include "ews/driver/read_folders.hpp"
#include "ews/types/requests.hpp"
#include "time/civil.hpp"

namespace syncline::ews {
namespace {

/// A search in so many folders goes into one request.
constexpr std::size_t folders_at_once = 50;

/// Ids and keys of every page, each once: items that move between pages come twice.
struct Collected {
  std::vector<sync::RemoteRef> refs = {};
  std::set<std::string> ids = {};

  Result<void> add(std::vector<Item> items) {
    refs.reserve(refs.size() + items.size());
    for (Item& item : items) {
      if (!item.item_id || item.item_id->id.empty()) continue;
      if (ids.insert(item.item_id->id).second)
        refs.push_back({.id = std::move(item.item_id->id), .version = std::move(item.item_id->change_key)});
    }
    return {};
  }
};

/// The order must not change while pages are read: by when items came, so that new ones come last.
SortKey by_arrival(model::RecordKind kind) {
  const char* uri = kind == model::RecordKind::email ? "item:DateTimeReceived" : "item:DateTimeCreated";
  return {.path = FieldUri{uri}, .direction = SortDirection::ascending};
}

Async<std::vector<sync::RemoteRef>> find_all(EwsClient& client, FindItemRequest request) {
  Collected collected;
  std::function<Result<void>(std::vector<Item>)> take = [&collected](std::vector<Item> items) {
    return collected.add(std::move(items));
  };
  auto found = co_await find_items(client, std::move(request), std::move(take));
  if (!found) co_return fail(std::move(found.error()));
  co_return std::move(collected.refs);
}

}  // namespace

Async<std::vector<std::string>> items_received_since(EwsClient& client, const sync::RemoteFolder& folder,
                                                     SystemTime from) {
  const FieldUri received{"item:DateTimeReceived"};
  FindItemRequest request{.sort = {by_arrival(model::RecordKind::email)},
                          .parents = {FolderId{.id = folder.id}}};
  request.restriction =
      Restriction{Comparison{.op = ComparisonOperator::is_greater_than_or_equal_to,
                             .path = received,
                             .operand = time::format_utc(std::chrono::floor<std::chrono::seconds>(from))}};
  auto refs = co_await find_all(client, std::move(request));
  if (!refs) co_return fail(std::move(refs.error()));
  std::vector<std::string> ids;
  ids.reserve(refs->size());
  for (auto ref = refs->rbegin(); ref != refs->rend(); ++ref) ids.push_back(std::move(ref->id));
  co_return ids;
}

Async<std::vector<sync::RemoteRef>> list_items(EwsClient& client, const sync::RemoteFolder& folder) {
  FindItemRequest request{.sort = {by_arrival(folder.kind)}, .parents = {FolderId{.id = folder.id}}};
  auto refs = co_await find_all(client, std::move(request));
  co_return refs;
}

Async<std::optional<sync::Driver::Found>> find_by_search_key(EwsClient& client, DriverState& state,
                                                             model::RecordKind kind, std::string search_key) {
  std::optional<sync::Driver::Found> found;
  if (search_key.empty()) co_return found;
  if (!state.folders) {
    auto read = co_await read_folders(client, state);
    if (!read) co_return fail(std::move(read.error()));
  }
  std::vector<const sync::RemoteFolder*> places;
  for (const sync::RemoteFolder& folder : *state.folders)
    if (folder.kind == kind || folder.role == sync::FolderRole::deleted) places.push_back(&folder);

  std::optional<Error> closed;  // a folder that could not be looked into
  for (std::size_t begin = 0; begin < places.size(); begin += folders_at_once) {
    const std::size_t end = std::min(places.size(), begin + folders_at_once);
    FindItemRequest request{.view = IndexedView{.offset = 0, .max_entries = 10}, .parents = {}};
    request.restriction = Restriction{Comparison{
        .op = ComparisonOperator::is_equal_to, .path = search_key_property(), .operand = search_key}};
    for (std::size_t i = begin; i < end; ++i) request.parents.emplace_back(FolderId{.id = places[i]->id});
    auto reply = co_await call_patiently(client, std::move(request));
    if (!reply) co_return fail(std::move(reply.error()));
    if (auto complete = reply->expect(end - begin); !complete) co_return fail(std::move(complete.error()));
    for (std::size_t i = begin; i < end; ++i) {
      auto page = std::move(reply->messages[i - begin]).result();
      if (!page) {
        if (page.error().code != "ErrorFolderNotFound") closed = std::move(page.error());
        continue;
      }
      for (Item& item : page->items) {
        if (!item.item_id || item.item_id->id.empty()) continue;
        const bool is_deleted = places[i]->role == sync::FolderRole::deleted;
        if (found && is_deleted) continue;
        found = sync::Driver::Found{
            .item = {.id = std::move(item.item_id->id), .version = std::move(item.item_id->change_key)},
            .folder_id = places[i]->id,
            .in_deleted_items = is_deleted};
        if (!is_deleted) co_return found;
      }
    }
  }
  // "Nowhere" is only true of folders that were looked into.
  if (!found && closed) co_return fail(std::move(*closed));
  co_return found;
}

}  // namespace syncline::ews
