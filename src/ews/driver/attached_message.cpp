// SPDX-License-Identifier: GPL-3.0-or-later
// A message attached to a message: the mailbox's rule "forward as attachment" makes such ones.
#include <algorithm>

#include "ews/client/patient_call.hpp"
#include "ews/driver/ews_driver.hpp"
#include "ews/driver/from_item.hpp"
#include "ews/driver/read_items.hpp"

namespace syncline::ews {
Async<std::optional<sync::RemoteItem>> EwsDriver::attached_message(std::string id) {
  GetItemRequest ask;
  ask.shape.additional.push_back(FieldUri{"item:Attachments"});
  ask.ids.push_back(ItemId{.id = std::move(id)});
  auto answered = co_await call_patiently(client_, std::move(ask));
  if (!answered) co_return fail(std::move(answered.error()));
  if (auto complete = answered->expect(1); !complete) co_return fail(std::move(complete.error()));
  auto outer = std::move(answered->messages.front()).result();
  if (!outer) co_return fail(as_gone(std::move(outer.error())));
  if (outer->empty()) co_return std::optional<sync::RemoteItem>();
  const std::vector<Attachment>& attachments = outer->front().attachments;
  const auto attached = std::find_if(attachments.begin(), attachments.end(), [](const Attachment& one) {
    return one.id && std::holds_alternative<ItemContent>(one.content);
  });
  if (attached == attachments.end()) co_return std::optional<sync::RemoteItem>();

  const std::string attachment_id = attached->id->id;
  GetAttachmentRequest get;
  get.ids.push_back(attachment_id);
  get.additional = shape_of(model::RecordKind::email, true).additional;
  auto got = co_await call_patiently(client_, std::move(get));
  if (!got) co_return fail(std::move(got.error()));
  if (auto complete = got->expect(1); !complete) co_return fail(std::move(complete.error()));
  auto content = std::move(got->messages.front()).result();
  if (!content) co_return fail(as_gone(std::move(content.error())));
  const auto* item = content->empty() ? nullptr : std::get_if<ItemContent>(&content->front().content);
  if (item == nullptr || !item->item || item->item->kind != ItemKind::message)
    co_return std::optional<sync::RemoteItem>();
  sync::RemoteItem message = from_item(model::RecordKind::email, *item->item, state_);
  message.ref = {.id = attachment_id};
  co_return message;
}

}  // namespace syncline::ews
