// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/driver/read_feed.hpp"

#include <algorithm>
#include <utility>

#include "ews/client/patient_call.hpp"
#include "ews/driver/feed_cursor.hpp"
#include "ews/types/requests.hpp"
#include "time/civil.hpp"

namespace syncline::ews {
namespace {

/// A server whose pages bring nothing and lead nowhere is not asked for ever.
constexpr unsigned most_empty_pages = 8;

Error folder_error(Error error) {
  if (error.code == "ErrorSyncFolderNotFound" || error.code == "ErrorFolderNotFound") {
    error.code = "gone";
    error.retry = RetryClass::never;
  }
  return error;
}

unexpected<Error> other_kind() {
  return fail(ErrorDomain::ews, "bad-cursor", "the folder's cursor is of another kind of feed",
              RetryClass::resync);
}

unexpected<Error> feed_stuck() {
  return fail(ErrorDomain::ews, "paging-stuck", "the server's pages do not come to an end",
              RetryClass::after);
}

sync::FeedEntry entry_of(ItemFeedEntry&& change) {
  sync::FeedEntry entry;
  switch (change.kind) {
    case ChangeKind::create:
    case ChangeKind::update:
      entry.what = sync::FeedEntry::What::changed;
      break;
    case ChangeKind::delete_:
      entry.what = sync::FeedEntry::What::deleted;
      break;
    case ChangeKind::read_flag:
      entry.what = sync::FeedEntry::What::read_flag;
      entry.is_read = change.is_read;
      break;
  }
  entry.item = {.id = std::move(change.item_id.id), .version = std::move(change.item_id.change_key)};
  return entry;
}

Async<sync::FeedPage> pull_sync(EwsClient& client, const sync::RemoteFolder& folder, SyncCursor cursor,
                                int most) {
  for (unsigned empty_pages = 0;;) {
    SyncFolderItemsRequest request{.folder = FolderId{.id = folder.id}, .max_changes = most};
    if (!cursor.state.empty()) request.sync_state = cursor.state;
    auto reply = co_await call_patiently(client, std::move(request));
    if (!reply) co_return fail(folder_error(std::move(reply.error())));
    if (auto complete = reply->expect(1); !complete) co_return fail(std::move(complete.error()));
    auto feed = std::move(reply->messages.front()).result();
    if (!feed) co_return fail(folder_error(std::move(feed.error())));

    sync::FeedPage page;
    page.last = feed->includes_last_item_in_range.value_or(feed->changes.empty());
    const bool moved_on = feed->sync_state != cursor.state;
    if (feed->changes.empty() && !page.last) {
      // A page may be empty because what was in it is gone; the next one is asked for here.
      if (!moved_on || ++empty_pages >= most_empty_pages) co_return feed_stuck();
      cursor.state = std::move(feed->sync_state);
      continue;
    }
    if (!page.last && !moved_on) co_return feed_stuck();
    page.entries.reserve(feed->changes.size());
    for (ItemFeedEntry& change : feed->changes)
      if (!change.item_id.id.empty()) page.entries.push_back(entry_of(std::move(change)));
    page.cursor = to_text(SyncCursor{.state = std::move(feed->sync_state)});
    co_return page;
  }
}

const FieldUri& last_modified() {
  static const FieldUri uri{"item:LastModifiedTime"};
  return uri;
}

std::string modified_at(const Item& item) {
  if (!item.last_modified_time || !item.last_modified_time->unix_ms()) return {};
  const std::chrono::sys_time<std::chrono::milliseconds> at{
      std::chrono::milliseconds(*item.last_modified_time->unix_ms())};
  return time::format_utc(std::chrono::floor<std::chrono::seconds>(at));
}

Async<sync::FeedPage> pull_find(EwsClient& client, const sync::RemoteFolder& folder, FindCursor cursor,
                                int most) {
  sync::FeedPage page;
  IndexedView view{.offset = 0, .max_entries = most};
  const std::string from = cursor.at;
  std::vector<std::string> of_last_second = cursor.seen;  // sorted as far as `sorted`
  std::size_t sorted = of_last_second.size();
  for (unsigned empty_pages = 0; page.entries.size() < static_cast<std::size_t>(most);) {
    FindItemRequest request{.shape = {.base = BaseShape::id_only, .additional = {last_modified()}},
                            .view = view,
                            .parents = {FolderId{.id = folder.id}}};
    request.sort.push_back({.path = last_modified(), .direction = SortDirection::ascending});
    if (!from.empty())
      request.restriction = Restriction{Comparison{
          .op = ComparisonOperator::is_greater_than_or_equal_to, .path = last_modified(), .operand = from}};
    auto reply = co_await call_patiently(client, std::move(request));
    if (!reply) co_return fail(folder_error(std::move(reply.error())));
    if (auto complete = reply->expect(1); !complete) co_return fail(std::move(complete.error()));
    auto found = std::move(reply->messages.front()).result();
    if (!found) co_return fail(folder_error(std::move(found.error())));

    for (Item& item : found->items) {
      if (!item.item_id || item.item_id->id.empty()) continue;
      std::string digest = digest_of(item.item_id->id, item.item_id->change_key);
      std::string at = modified_at(item);
      // Without a time of its own an item counts to the second before it.
      if (!at.empty() && at > cursor.at) {
        cursor.at = std::move(at);
        of_last_second.clear();
        sorted = 0;
      } else if (std::binary_search(of_last_second.begin(),
                                    of_last_second.begin() + static_cast<std::ptrdiff_t>(sorted), digest)) {
        continue;
      }
      of_last_second.push_back(std::move(digest));
      page.entries.push_back(
          {.what = sync::FeedEntry::What::changed,
           .item = {.id = std::move(item.item_id->id), .version = std::move(item.item_id->change_key)}});
    }
    const auto count = static_cast<std::int64_t>(found->items.size());
    page.last = found->includes_last_item_in_range.value_or(count == 0);
    if (page.last) break;
    empty_pages = count == 0 ? empty_pages + 1 : 0;
    const std::int64_t next = found->indexed_paging_offset.value_or(view.offset + count);
    if (empty_pages >= most_empty_pages || (next <= view.offset && count > 0)) co_return feed_stuck();
    view.offset = std::max(next, view.offset);
  }
  std::sort(of_last_second.begin(), of_last_second.end());
  cursor.seen = std::move(of_last_second);
  page.cursor = to_text(std::move(cursor));
  co_return page;
}

}  // namespace

Async<sync::FeedPage> pull_page(EwsClient& client, DriverState& state, const sync::RemoteFolder& folder,
                                std::string cursor, std::size_t most) {
  const bool has_sync_feed = state.settings.store == StoreKind::mailbox;
  // More than 512 no Exchange gives.
  const int entries = static_cast<int>(std::clamp<std::size_t>(most, 1, sync::most_feed_entries));
  FeedCursor from = has_sync_feed ? FeedCursor(SyncCursor{}) : FeedCursor(FindCursor{});
  if (!cursor.empty()) {
    auto read = parse_cursor(cursor);
    if (!read) co_return fail(std::move(read.error()));
    if (read->index() != from.index()) co_return other_kind();
    from = std::move(*read);
  }
  if (has_sync_feed)
    co_return co_await pull_sync(client, folder, std::get<SyncCursor>(std::move(from)), entries);
  co_return co_await pull_find(client, folder, std::get<FindCursor>(std::move(from)), entries);
}

}  // namespace syncline::ews
