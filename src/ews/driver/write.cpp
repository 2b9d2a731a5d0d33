// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/driver/write.hpp"

#include <algorithm>
#include <functional>

#include "ews/driver/apply.hpp"
#include "ews/driver/marks.hpp"

namespace syncline::ews {

Error conflict(std::string why) {
  return {
      .domain = ErrorDomain::ews, .code = "conflict", .message = std::move(why), .retry = RetryClass::now};
}

Error gone() {
  return {.domain = ErrorDomain::ews, .code = "gone", .message = "the item is not on the server any more"};
}

Error uncertain(const Write& write, const Error& last) {
  const SystemTime now = write.client.environment().clock.now();
  return {.domain = ErrorDomain::ews,
          .code = "uncertain",
          .message = "the server may have done it; the answer was lost: " + last.describe(),
          .retry = RetryClass::after,
          .retry_after = std::max(write.journal.settled_after() - now, std::chrono::milliseconds{1})};
}

Error unsettled(Error looking) {
  switch (looking.retry) {
    case RetryClass::after:
    case RetryClass::now:
    case RetryClass::reauthenticate:
    case RetryClass::rediscover:
      break;
    case RetryClass::never:
    case RetryClass::resync:
    case RetryClass::quarantine:
      looking.retry = RetryClass::after;
      break;
  }
  looking.message = "whether an earlier attempt was done cannot be seen yet: " + looking.message + " (" +
                    looking.code + ")";
  looking.code = "uncertain";
  return looking;
}

bool is_stale_key(const Error& error) {
  return error.code == "ErrorIrresolvableConflict" || error.code == "ErrorStaleObject" ||
         error.code == "ErrorInvalidChangeKey" || error.code == "ErrorChangeKeyRequired" ||
         error.code == "ErrorChangeKeyRequiredForWriteOperations";
}

bool is_missing(const Error& error) {
  return error.code == "ErrorItemNotFound";
}

Result<void> may_settle(const Write& write) {
  const SystemTime now = write.client.environment().clock.now();
  if (now >= write.journal.settled_after()) return {};
  return fail(Error{.domain = ErrorDomain::ews,
                    .code = "uncertain",
                    .message = "a request may still be at work on the server",
                    .retry = RetryClass::after,
                    .retry_after = write.journal.settled_after() - now});
}

const ExtendedFieldUri& written_mark() {
  static const ExtendedFieldUri mark{.property_set_id = operation_mark().property_set_id,
                                     .property_name = "SynclineWritten",
                                     .property_type = MapiPropertyType::string};
  return mark;
}

ItemUpdate set_mark(ItemKind kind, const ExtendedFieldUri& mark, const std::string& value) {
  SetItemField set{.path = mark, .item = {.kind = kind}};
  set.item.extended_properties.push_back({.uri = mark, .values = {value}});
  return set;
}

Async<std::vector<Item>> search_all(Write& write, FindItemRequest search) {
  std::vector<Item> found;
  std::function<Result<void>(std::vector<Item>)> page = [&found](std::vector<Item> items) -> Result<void> {
    for (Item& item : items) found.push_back(std::move(item));
    return {};
  };
  auto searched = co_await find_items(write.client, std::move(search), std::move(page));
  if (!searched) co_return fail(std::move(searched.error()));
  co_return found;
}

Async<std::optional<Item>> look_at(Write& write, ItemRef id, ItemShape shape) {
  std::vector<ItemRef> ids;
  ids.push_back(std::move(id));
  auto items = co_await write.state.reader.get(std::move(ids), std::move(shape));
  if (!items) co_return fail(std::move(items.error()));
  Result<Item>& item = items->front();
  if (item) co_return std::optional<Item>(std::move(*item));
  if (is_missing(item.error())) co_return std::optional<Item>();
  co_return fail(std::move(item.error()));
}

Async<ItemId> current_key(Write& write, std::string id) {
  ItemId wanted{.id = std::move(id)};
  ItemShape shape;
  auto item = co_await look_at(write, std::move(wanted), std::move(shape));
  if (!item) co_return fail(std::move(item.error()));
  if (!*item || !(*item)->item_id) co_return fail(gone());
  co_return std::move(*(*item)->item_id);
}

Result<ItemId> id_of(const std::vector<Item>& items) {
  if (items.size() == 1 && items.front().item_id) return *items.front().item_id;
  return fail(ErrorDomain::ews, "no-item", "the server answered without the item's id", RetryClass::after);
}

Async<sync::Applied> apply_order(EwsClient& client, DriverState& state, const sync::WriteOrder& order,
                                 sync::Progress& progress, const sync::OpenContent& content) {
  Write write{client, state, order, content, WriteJournal(progress)};
  if (auto loaded = write.journal.load(); !loaded) co_return fail(std::move(loaded.error()));
  switch (order.what) {
    case sync::WriteOrder::What::create:
      co_return co_await create_item(write);
    case sync::WriteOrder::What::update:
      co_return co_await update_item(write);
    case sync::WriteOrder::What::remove:
      co_return co_await remove_item(write);
    case sync::WriteOrder::What::send:
      co_return co_await send_message(write);
  }
  co_return fail(ErrorDomain::input, "bad-value", "an order of no known kind");
}

}  // namespace syncline::ews
