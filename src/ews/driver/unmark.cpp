// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/driver/apply.hpp"
#include "ews/driver/marks.hpp"
#include "ews/driver/to_item.hpp"
#include "ews/driver/write.hpp"

namespace syncline::ews {

Async<sync::RemoteRef> unmark_item(EwsClient& client, DriverState& state, sync::RemoteRef item,
                                   model::RecordKind kind) {
  const std::vector<PropertyPath> marks{operation_mark(), written_mark(), mailed_mark()};
  std::vector<ItemRef> ids{ItemId{.id = item.id}};
  ItemShape shape;
  shape.additional = marks;
  auto items = co_await state.reader.get(std::move(ids), std::move(shape));
  if (!items) co_return fail(std::move(items.error()));
  Result<Item>& now = items->front();
  if (!now && is_missing(now.error())) co_return fail(gone());
  if (!now) co_return fail(std::move(now.error()));
  if (!now->item_id) co_return fail(gone());
  item.version = now->item_id->change_key;
  UpdateItemRequest request;
  request.changes.push_back({.id = *now->item_id, .updates = {}});
  for (const PropertyPath& mark : marks)
    if (value_of(*now, std::get<ExtendedFieldUri>(mark)))
      request.changes.front().updates.emplace_back(DeleteItemField{.path = mark});
  // Without a mark there is nothing to do: an earlier attempt was done.
  if (request.changes.front().updates.empty()) co_return item;
  if (kind == model::RecordKind::appointment) {
    request.send_meeting_invitations_or_cancellations = SendInvitationsOrCancellations::send_to_none;
  } else {
    request.message_disposition = MessageDisposition::save_only;
  }
  auto reply = co_await client.call(std::move(request));
  if (!reply) co_return fail(std::move(reply.error()));
  if (auto complete = reply->expect(1); !complete) co_return fail(std::move(complete.error()));
  auto updated = std::move(reply->messages.front()).result();
  if (!updated && is_stale_key(updated.error())) co_return fail(conflict("the item changed on the server"));
  if (!updated) co_return fail(std::move(updated.error()).during("taking a mark off an item"));
  auto id = id_of(updated->items);
  if (!id) co_return fail(std::move(id.error()));
  co_return sync::RemoteRef{.id = std::move(id->id), .version = std::move(id->change_key)};
}

}  // namespace syncline::ews
