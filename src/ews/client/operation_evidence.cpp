// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/client/operation_evidence.hpp"

#include <algorithm>

#include "ews/client/items.hpp"
#include "ews/client/operation_mark.hpp"

namespace syncline::ews {
namespace {

ItemShape evidence_shape() {
  return {
      .base = BaseShape::id_only,
      .additional = {operation_mark(), FieldUri{"item:DateTimeCreated"}, FieldUri{"item:LastModifiedTime"}}};
}

std::int64_t ms_of(const std::optional<DateTime>& time) {
  return time ? time->unix_ms().value_or(0) : 0;
}

void add_if_marked(std::vector<Item>& found, const Item& item, const std::string& operation_id) {
  if (!item.item_id || operation_id_of(item) != operation_id) return;
  const bool known =
      std::ranges::any_of(found, [&](const Item& other) { return other.item_id->id == item.item_id->id; });
  if (!known) found.push_back(item);
}

net::Async<Nothing> read_feed(EwsClient& client, const FolderRef& folder, std::string sync_state,
                              const std::string& operation_id, std::vector<Item>& found) {
  ItemReader reader(client);
  for (;;) {
    // GCC 12 destroys a braced temporary inside a co_await expression twice: requests have names here.
    SyncFolderItemsRequest request{.folder = folder, .sync_state = sync_state};
    auto reply = co_await client.call(std::move(request));
    if (!reply) co_return fail(std::move(reply.error()));
    if (auto complete = reply->expect(1); !complete) co_return fail(complete.error());
    auto feed = std::move(reply->messages.front()).result();
    if (!feed) co_return fail(std::move(feed.error()));
    std::vector<ItemRef> created;
    for (const ItemFeedEntry& entry : feed->changes) {
      if (entry.kind == ChangeKind::create) created.emplace_back(entry.item_id);
    }
    ItemShape shape = evidence_shape();
    auto items = co_await reader.get(std::move(created), std::move(shape));
    if (!items) co_return fail(std::move(items.error()));
    for (const Result<Item>& item : *items) {
      // An item that went again is no evidence; one that cannot be read now must not be taken for one that is
      // not there.
      if (item) {
        add_if_marked(found, *item, operation_id);
      } else if (item.error().code != "ErrorItemNotFound" && item.error().retry != RetryClass::quarantine) {
        co_return fail(item.error());
      }
    }
    const bool last = feed->includes_last_item_in_range.value_or(true);
    if (!last && feed->sync_state == sync_state)
      co_return fail(ErrorDomain::ews, "paging-stuck", "the folder's feed does not come to an end",
                     RetryClass::after);
    sync_state = std::move(feed->sync_state);
    if (last) co_return Nothing{};
  }
}

/// The end of a listing that was told to stop is no error.
constexpr const char* far_enough = "far-enough";

net::Async<Nothing> read_newest(EwsClient& client, const FolderRef& folder, SystemTime created,
                                const std::string& operation_id, std::vector<Item>& found) {
  const std::int64_t oldest_ms = created.time_since_epoch().count();
  FindItemRequest listing{.shape = evidence_shape(), .parents = {folder}};
  listing.sort.push_back({.path = FieldUri{"item:DateTimeCreated"}, .direction = SortDirection::descending});
  std::function<Result<void>(std::vector<Item>)> page = [&](std::vector<Item> items) -> Result<void> {
    for (const Item& item : items) {
      if (item.date_time_created && ms_of(item.date_time_created) < oldest_ms)
        return fail(ErrorDomain::ews, far_enough, "");
      add_if_marked(found, item, operation_id);
    }
    return {};
  };
  auto listed = co_await find_items(client, std::move(listing), std::move(page));
  if (!listed && listed.error().code != far_enough) co_return fail(std::move(listed.error()));
  co_return Nothing{};
}

}  // namespace

net::Async<OperationEvidence> find_evidence(EwsClient& client, FolderRef folder, std::string operation_id,
                                            EvidenceSince since) {
  std::vector<Item> found;
  bool is_fed = false;
  if (since.sync_state) {
    auto read = co_await read_feed(client, folder, std::move(*since.sync_state), operation_id, found);
    is_fed = read.has_value();
    // A state that the server does not take any more is no evidence for anything.
    if (!read && read.error().retry != RetryClass::resync)
      co_return fail(
          std::move(read.error()).during("looking for the result of an operation in the folder's feed"));
  }
  if (since.created && !is_fed) {
    auto read = co_await read_newest(client, folder, *since.created, operation_id, found);
    if (!read)
      co_return fail(std::move(read.error()).during("looking for the result of an operation in its folder"));
  }
  FindItemRequest search{
      .shape = evidence_shape(), .restriction = has_operation_id(operation_id), .parents = {folder}};
  std::function<Result<void>(std::vector<Item>)> page = [&](std::vector<Item> items) -> Result<void> {
    for (const Item& item : items) add_if_marked(found, item, operation_id);
    return {};
  };
  auto searched = co_await find_items(client, std::move(search), std::move(page));
  if (!searched)
    co_return fail(std::move(searched.error()).during("searching for the result of an operation"));
  std::ranges::stable_sort(found, {}, [](const Item& item) { return ms_of(item.date_time_created); });
  OperationEvidence evidence;
  for (Item& item : found) {
    // Creating takes a moment, and sets the two times one after the other.
    constexpr std::int64_t moment_ms = 5'000;
    const bool is_untouched = ms_of(item.last_modified_time) - ms_of(item.date_time_created) <= moment_ms;
    evidence.items.push_back({.id = std::move(*item.item_id), .is_untouched = is_untouched});
  }
  co_return evidence;
}

}  // namespace syncline::ews
