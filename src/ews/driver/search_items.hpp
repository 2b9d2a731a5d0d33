// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Items by what is known of them: by date, all of a folder, by search key.
#include <optional>
#include <string>
#include <vector>

#include "ews/driver/driver_state.hpp"
#include "sync/driver.hpp"

namespace syncline::ews {

/// sync::Driver::received_since; the newest first.
Async<std::vector<std::string>> items_received_since(EwsClient& client, const sync::RemoteFolder& folder,
                                                     SystemTime from);
/// sync::Driver::list.
Async<std::vector<sync::RemoteRef>> list_items(EwsClient& client, const sync::RemoteFolder& folder);
/// sync::Driver::find. An item outside Deleted Items goes before one inside.
Async<std::optional<sync::Driver::Found>> find_by_search_key(EwsClient& client, DriverState& state,
                                                             model::RecordKind kind, std::string search_key);

}  // namespace syncline::ews
