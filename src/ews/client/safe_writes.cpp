// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/client/safe_writes.hpp"

#include <algorithm>

#include "ews/client/items.hpp"
#include "ews/client/operation_kind.hpp"
#include "ews/client/operation_mark.hpp"

namespace syncline::ews {
namespace {

ItemShape evidence_shape() {
  return {.base = BaseShape::id_only, .additional = {operation_mark(), FieldUri{"item:DateTimeCreated"}}};
}

// Until the request that began at `started` cannot be at work any more.
net::Async<void> outlast(EwsClient& client, SteadyTime started, std::chrono::milliseconds server_limit) {
  co_return co_await client.environment().timers.sleep_until(started + server_limit);
}

unexpected<Error> uncertain(Error last) {
  last.code = "uncertain";
  last.retry = RetryClass::never;
  last.message = "it could not be found out whether the server did it; the last trouble was: " + last.message;
  return fail(std::move(last));
}

bool is_missing(const Error& error) {
  return error.code == "ErrorItemNotFound";
}

bool is_stale_key(const Error& error) {
  return error.code == "ErrorIrresolvableConflict" || error.code == "ErrorStaleObject" ||
         error.code == "ErrorInvalidChangeKey" || error.code == "ErrorChangeKeyRequired";
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
      } else if (!is_missing(item.error()) && item.error().retry != RetryClass::quarantine) {
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

net::Async<std::optional<Item>> read_draft(EwsClient& client, const ItemId& draft, ItemShape shape) {
  shape.additional.emplace_back(FieldUri{"item:IsDraft"});
  ItemReader reader(client);
  std::vector<ItemRef> ids{ItemId{.id = draft.id}};
  auto items = co_await reader.get(std::move(ids), std::move(shape));
  if (!items) co_return fail(std::move(items.error()));
  Result<Item>& item = items->front();
  if (item) co_return std::move(*item);
  if (is_missing(item.error())) co_return std::nullopt;
  co_return fail(std::move(item.error()));
}

// The draft is gone: sent, unless it lies in Deleted Items.
net::Async<SendOutcome> where_did_it_go(EwsClient& client, const std::string& operation_id) {
  const FolderRef deleted_items = DistinguishedFolderId{.name = "deleteditems"};
  auto evidence = co_await find_evidence(client, deleted_items, operation_id, std::nullopt);
  if (!evidence) co_return fail(std::move(evidence.error()));
  co_return evidence->items.empty() ? SendOutcome::sent : SendOutcome::removed;
}

}  // namespace

net::Async<OperationEvidence> find_evidence(EwsClient& client, FolderRef folder, std::string operation_id,
                                            std::optional<std::string> sync_state) {
  std::vector<Item> found;
  if (sync_state) {
    auto read = co_await read_feed(client, folder, std::move(*sync_state), operation_id, found);
    if (!read)
      co_return fail(
          std::move(read.error()).during("looking for the result of an operation in the folder's feed"));
  }
  FindItemRequest search{
      .shape = evidence_shape(), .restriction = has_operation_id(operation_id), .parents = {folder}};
  auto searched = co_await find_items(client, std::move(search), [&](std::vector<Item> page) -> Result<void> {
    for (const Item& item : page) add_if_marked(found, item, operation_id);
    return {};
  });
  if (!searched)
    co_return fail(std::move(searched.error()).during("searching for the result of an operation"));
  std::ranges::stable_sort(found, {}, [](const Item& item) {
    return item.date_time_created ? item.date_time_created->unix_ms().value_or(0) : 0;
  });
  OperationEvidence evidence;
  for (Item& item : found) evidence.items.push_back(std::move(*item.item_id));
  co_return evidence;
}

net::Async<CreatedItem> create_once(EwsClient& client, FolderRef folder, Item item, std::string operation_id,
                                    std::optional<std::string> sync_state, WritePolicy policy) {
  const bool is_calendar = item.kind == ItemKind::calendar_item;
  set_operation_id(item, operation_id);
  CreateItemRequest request{.saved_item_folder = folder, .items = {}};
  if (is_calendar) {
    request.send_meeting_invitations = SendInvitations::send_to_none;
  } else {
    request.message_disposition = MessageDisposition::save_only;
  }
  request.items.emplace_back(std::move(item));

  Error last;
  for (unsigned attempt = 0; attempt < policy.attempts; ++attempt) {
    const SteadyTime started = client.environment().clock.steady_now();
    auto reply = co_await client.call(CreateItemRequest(request));
    if (reply) {
      if (auto complete = reply->expect(1); !complete) reply = fail(complete.error());
    }
    if (reply) {
      auto created = std::move(reply->messages.front()).result();
      if (created && created->size() == 1 && created->front().item_id)
        co_return CreatedItem{.id = std::move(*created->front().item_id)};
      last = created ? Error{.domain = ErrorDomain::soap,
                             .code = "no-item",
                             .message = "the server answered without the new item's id"}
                     : std::move(created.error());
    } else {
      last = std::move(reply.error());
    }
    if (!may_have_been_done(last)) {
      if (last.retry != RetryClass::now) co_return fail(std::move(last));
      continue;  // nothing reached the server
    }
    if (auto waited = co_await outlast(client, started, policy.server_limit); !waited)
      co_return fail(waited.error());
    auto evidence = co_await find_evidence(client, folder, operation_id, sync_state);
    if (!evidence) co_return uncertain(std::move(evidence.error()));
    if (!evidence->items.empty()) {
      CreatedItem created{.id = std::move(evidence->items.front())};
      created.copies.assign(evidence->items.begin() + 1, evidence->items.end());
      co_return created;
    }
  }
  co_return uncertain(std::move(last));
}

net::Async<SendOutcome> send_once(EwsClient& client, ItemId draft, std::string operation_id, ItemShape shape,
                                  std::function<bool(const Item&)> unchanged, WritePolicy policy) {
  Error last;
  for (unsigned attempt = 0; attempt < policy.attempts; ++attempt) {
    const SteadyTime started = client.environment().clock.steady_now();
    SendItemRequest request{.ids = {draft}};
    auto reply = co_await client.call(std::move(request));
    if (reply) {
      if (auto complete = reply->expect(1); !complete) reply = fail(complete.error());
    }
    if (reply) {
      auto sent = std::move(reply->messages.front()).result();
      if (sent) co_return SendOutcome::sent;
      last = std::move(sent.error());
    } else {
      last = std::move(reply.error());
    }
    const bool lost = may_have_been_done(last);
    if (!lost && !is_stale_key(last) && !is_missing(last)) {
      if (last.retry != RetryClass::now) co_return fail(std::move(last));
      continue;
    }
    if (lost) {
      if (auto waited = co_await outlast(client, started, policy.server_limit); !waited)
        co_return fail(waited.error());
    }
    auto now = co_await read_draft(client, draft, shape);
    if (!now) co_return uncertain(std::move(now.error()));
    if (!*now) co_return co_await where_did_it_go(client, operation_id);
    const Item& item = **now;
    if (!item.is_draft.value_or(false)) co_return SendOutcome::sent;
    const bool key_moved = !item.item_id || item.item_id->change_key != draft.change_key;
    if (key_moved && !unchanged(item))
      co_return fail(ErrorDomain::ews, "draft-changed",
                     "somebody changed the message before it could be sent");
    if (item.item_id) draft.change_key = item.item_id->change_key;
  }
  co_return uncertain(std::move(last));
}

}  // namespace syncline::ews
