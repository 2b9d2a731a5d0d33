// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// MIME and attachments of any size, streamed both ways between the socket and a sink or a rewindable source.
// Nothing here holds more than a few pieces of the content, whatever its size.
#include <cstdint>
#include <memory>
#include <string>

#include "ews/client/ews_client.hpp"
#include "net/body.hpp"

namespace syncline::ews {

/// What a download brought beside the octets that went to the sink.
template <class T>
struct Downloaded {
  T value = {};
  std::uint64_t octets = 0;  ///< decoded octets of the content
};

/// A file attachment. Octets go to `sink` as they arrive; an error later than the first of them leaves the
/// sink with what came until then. An item attachment has no octets: it comes whole in the value, with its
/// MIME in the sink if `mime_of_items`. Errors: the server's for this attachment; "too-large" over
/// `most_octets`; the sink's own.
net::Async<Downloaded<Attachment>> download_attachment(EwsClient& client, std::string id, net::Sink& sink,
                                                       std::uint64_t most_octets, bool mime_of_items = false);

/// The MIME of one item, byte for byte; `shape` says which properties come beside it.
net::Async<Downloaded<Item>> download_mime(EwsClient& client, ItemRef id, ItemShape shape, net::Sink& sink,
                                           std::uint64_t most_octets);

struct UploadedAttachment {
  AttachmentId id;
  /// Every attachment gives the item a new change key; the next write needs it.
  std::string item_change_key;
};

/// Adds a file attachment; its content is read from `content`, which must know its size. Error
/// ErrorMessageSizeExceeded before anything is sent if the request would be over the server's cap.
/// Not repeatable: settle a lost reply by reading the item's attachments.
net::Async<UploadedAttachment> upload_attachment(EwsClient& client, ItemId item, Attachment attachment,
                                                 std::shared_ptr<net::Source> content);

/// Creates a message (a draft, SaveOnly) from MIME; `item` carries what MIME cannot say, the operation's mark
/// above all.
net::Async<ItemId> create_from_mime(EwsClient& client, FolderRef folder, Item item,
                                    std::shared_ptr<net::Source> mime);

}  // namespace syncline::ews
