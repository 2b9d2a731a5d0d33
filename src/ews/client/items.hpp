// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Reading many things: batches of a size that fits the server's pace, results by position, and one bad item
// never loses its batch (R-03, invariant 26).
#include <functional>
#include <vector>

#include "ews/client/batch_sizer.hpp"
#include "ews/client/ews_client.hpp"

namespace syncline::ews {

struct ReadPolicy {
  /// How often one batch is tried before its error is given to its items: passing trouble only (classes
  /// after, now).
  unsigned attempts = 5;
  BatchLimits batch = {};
};

/// Reads items, or anything else that a GetItem can name. Keeps the pace it measured from call to call.
class ItemReader {
 public:
  /// `client` must outlive the reader.
  explicit ItemReader(EwsClient& client, ReadPolicy policy = {})
      : client_(client), policy_(policy), sizer_(policy.batch) {}

  /// One result for each id, in their order. ErrorItemNotFound is the item's error (a deletion that the next
  /// sync confirms); an item that cannot be read at all has class quarantine. What
  /// ErrorBatchProcessingStopped left undone is asked for again. A failure of the whole request (credentials,
  /// EWS switched off) is the result of every item left.
  net::Async<std::vector<Result<Item>>> get(std::vector<ItemRef> ids, ItemShape shape);

  const BatchSizer& sizer() const noexcept { return sizer_; }

 private:
  struct Pending;
  EwsClient& client_;
  ReadPolicy policy_;
  BatchSizer sizer_;
};

/// Every page of a FindItem: until IncludesLastItemInRange, with whatever page size the server
/// chooses. `page` is given each page's items and may end the reading by an error. The order of the request
/// must be stable (a sort), or items that move between pages are missed. Outlasts passing trouble.
net::Async<Nothing> find_items(EwsClient& client, FindItemRequest request,
                               std::function<Result<void>(std::vector<Item>)> page);
/// The same for FindFolder.
net::Async<std::vector<Folder>> find_folders(EwsClient& client, FindFolderRequest request);

}  // namespace syncline::ews
