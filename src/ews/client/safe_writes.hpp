// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Writes that happen once, whatever happens to their replies (invariant 6, R-16). A lost reply is settled by
// evidence on the server, and not before the server's own time limit for the request has passed.
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ews/client/ews_client.hpp"

namespace syncline::ews {

struct WritePolicy {
  std::chrono::milliseconds server_limit{
      60'000};            ///< how long a lost request may still be at work on the server
  unsigned attempts = 3;  ///< requests for one write; then error "uncertain" (never)
};

/// What the server holds of one operation.
struct OperationEvidence {
  /// Items that bear the operation's id, the oldest first. More than one: a request was slower than its time
  /// limit; the younger ones are copies nobody asked for.
  std::vector<ItemId> items;
};

/// Looks for the results of an operation: first the folder's feed from `sync_state` to its end (what a search
/// index has not seen yet), then a search by the operation's mark. Without a state only the search.
net::Async<OperationEvidence> find_evidence(EwsClient& client, FolderRef folder, std::string operation_id,
                                            std::optional<std::string> sync_state);

struct CreatedItem {
  ItemId id;
  std::vector<ItemId> copies = {};  ///< see OperationEvidence
};

/// Creates one item that mails nothing: contact, task, draft, appointment (SendToNone). The item gets the
/// operation's mark. `sync_state`: of the folder, taken before; makes the evidence stronger where it is at
/// hand.
net::Async<CreatedItem> create_once(EwsClient& client, FolderRef folder, Item item, std::string operation_id,
                                    std::optional<std::string> sync_state = std::nullopt,
                                    WritePolicy policy = {});

enum class SendOutcome {
  sent,
  removed,  ///< the draft lies in Deleted Items: somebody threw it away before it went; a person must be told
};

/// Sends a draft made by create_once. A stale key is renewed if `unchanged` says of the draft as it is now
/// that only its key moved; else error "draft-changed" (never). `operation_id` finds the draft in Deleted
/// Items.
net::Async<SendOutcome> send_once(EwsClient& client, ItemId draft, std::string operation_id, ItemShape shape,
                                  std::function<bool(const Item&)> unchanged, WritePolicy policy = {});

}  // namespace syncline::ews
