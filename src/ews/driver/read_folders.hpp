// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The folders of a mailbox, with the distrust that large trees deserve.
#include <optional>
#include <vector>

#include "ews/driver/driver_state.hpp"
#include "ews/types/folder.hpp"
#include "sync/driver.hpp"

namespace syncline::ews {

/// Parents before children; state.folders gets a copy. One request where the server tells what a folder is
/// for, else two; three when the first answer contradicts itself.
Async<std::vector<sync::RemoteFolder>> read_folders(EwsClient& client, DriverState& state);

/// What items of a folder become; nullopt for folders of other things: notes, journals, search folders, and
/// what the server keeps for itself (suggested contacts, birthdays).
std::optional<model::RecordKind> record_kind_of(const Folder& folder);

}  // namespace syncline::ews
