// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A message as well as the server can give it: its MIME, or, where the server cannot make that, its
// properties and the list of its attachments.
#include <cstdint>
#include <optional>

#include "ews/client/ews_client.hpp"
#include "net/body.hpp"

namespace syncline::ews {

struct FetchedMessage {
  /// What `shape` asked for. Without MIME also subject, people, dates, ids, body and attachments; the content
  /// of an attachment comes by download_attachment (bulk.hpp).
  Item item;
  std::uint64_t mime_octets = 0;
  /// Why there is no MIME; empty: the sink has it whole. The sink may hold the beginning of a MIME that broke
  /// off.
  std::optional<Error> mime_error = std::nullopt;
};

/// Error class quarantine, with the server's first words, if neither way leads to the message; the item is to
/// be put aside until its change key moves.
net::Async<FetchedMessage> fetch_message(EwsClient& client, ItemRef id, ItemShape shape, net::Sink& mime,
                                         std::uint64_t most_octets);

}  // namespace syncline::ews
