// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a server holds of a write whose answer was lost (invariant 6, R-16).
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "ews/client/ews_client.hpp"

namespace syncline::ews {

struct MarkedItem {
  ItemId id;
  bool is_untouched = false;  ///< not modified since it was created
};

struct OperationEvidence {
  /// Items that bear the operation's id, the oldest first. More than one: a request was slower than its time
  /// limit; the younger ones are copies nobody asked for.
  std::vector<MarkedItem> items;
};

/// Where to look before the search for the mark, which an index may not have seen yet.
struct EvidenceSince {
  /// A state of the folder's feed from before the write: the feed is read from there to its end.
  std::optional<std::string> sync_state = std::nullopt;
  /// Else a time before the write by the server's clock: the folder's table is read, the newest first, back
  /// to items created before it.
  std::optional<SystemTime> created = std::nullopt;
};

/// Looks for the results of an operation in a folder. Errors: those of reading; what could not be read is
/// never taken for "nothing there".
net::Async<OperationEvidence> find_evidence(EwsClient& client, FolderRef folder, std::string operation_id,
                                            EvidenceSince since);

}  // namespace syncline::ews
