// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A folder's feed, page by page, as sync::Driver::pull says.
#include <cstddef>
#include <string>

#include "ews/driver/driver_state.hpp"
#include "sync/driver.hpp"

namespace syncline::ews {

/// SyncFolderItems; where the store has none, FindItem by the time of the last change: that feed comes
/// oldest first and knows no deletes, which list() finds. "gone" (never): the folder is not there any more.
Async<sync::FeedPage> pull_page(EwsClient& client, DriverState& state, const sync::RemoteFolder& folder,
                                std::string cursor, std::size_t most);

}  // namespace syncline::ews
