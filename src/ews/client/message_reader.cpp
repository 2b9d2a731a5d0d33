// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/client/message_reader.hpp"

#include <utility>
#include <vector>

#include "ews/client/bulk.hpp"
#include "ews/client/items.hpp"

namespace syncline::ews {
namespace {

// What a message is made of when its MIME cannot be had.
ItemShape with_message_properties(ItemShape shape) {
  shape.include_mime_content = std::nullopt;
  for (const char* uri :
       {"item:Subject", "item:Body", "item:Attachments", "item:Importance", "item:InReplyTo",
        "item:DateTimeSent", "item:DateTimeReceived", "message:From", "message:Sender",
        "message:ToRecipients", "message:CcRecipients", "message:BccRecipients", "message:ReplyTo",
        "message:InternetMessageId", "message:References"})
    shape.additional.emplace_back(FieldUri{uri});
  return shape;
}

}  // namespace

net::Async<FetchedMessage> fetch_message(EwsClient& client, ItemRef id, ItemShape shape, net::Sink& mime,
                                         std::uint64_t most_octets) {
  ItemShape mime_shape = shape;
  auto downloaded = co_await download_mime(client, id, std::move(mime_shape), mime, most_octets);
  if (downloaded) {
    FetchedMessage message{.item = std::move(downloaded->value), .mime_octets = downloaded->octets};
    co_return message;
  }
  Error mime_error = std::move(downloaded.error());
  if (mime_error.retry != RetryClass::quarantine) co_return fail(std::move(mime_error));

  ItemShape property_shape = with_message_properties(std::move(shape));
  std::vector<ItemRef> ids;
  ids.push_back(std::move(id));
  ItemReader reader(client);
  auto items = co_await reader.get(std::move(ids), std::move(property_shape));
  if (!items) co_return fail(std::move(items.error()));
  Result<Item>& item = items->front();
  if (!item) {
    // Deleted meanwhile, or passing trouble: that is the news. Else the server's first words stand.
    if (item.error().retry != RetryClass::quarantine) co_return fail(std::move(item.error()));
    co_return fail(std::move(mime_error));
  }
  FetchedMessage message{.item = std::move(*item), .mime_octets = 0, .mime_error = std::move(mime_error)};
  co_return message;
}

}  // namespace syncline::ews
