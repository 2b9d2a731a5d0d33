// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// From the server into the store: a page of a folder's feed, and items that are to be looked at again. What a
// page brings and its cursor are one transaction (invariant 1).
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "store/cursors.hpp"
#include "sync/run_context.hpp"

namespace syncline::sync {

/// Items of a page that were read before its turn, by their ids.
using ReadAhead = std::unordered_map<std::string, Result<RemoteItem>>;

/// Reads the items of the page of which nothing is known; in a folder that is read for the first time, all.
/// What the page before makes known is for its turn. Uses of the context what a page on its way to the disk
/// does not.
Async<ReadAhead> read_ahead(RunContext& context, const RemoteFolder& folder, const FeedPage& page,
                            bool is_first_reading);

/// Reads what the page's entries name and is not in `ahead`, and puts it into records and links, with
/// `cursor`. `meanwhile` runs beside the transaction where there is a thread for that (Surroundings::aside).
Async<void> take_page(RunContext& context, const RemoteFolder& folder, const FeedPage& page,
                      const store::Cursor& cursor, ReadAhead ahead = {},
                      std::function<Async<void>()> meanwhile = {});

/// The same for items that no feed named: of a start date (invariant 15), of the audit, of the quarantine.
/// `cursor` is written with them if given.
Async<void> take_items(RunContext& context, const RemoteFolder& folder, std::vector<RemoteRef> items,
                       std::optional<store::Cursor> cursor);

/// Reads the items of these links and merges them again: after a conflict, or when they moved on meanwhile.
Async<void> look_again(RunContext& context, std::vector<store::LinkId> links);

}  // namespace syncline::sync
