// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Items by their ids, in batches, as sync::Driver::read says.
#include <string>
#include <vector>

#include "ews/driver/driver_state.hpp"
#include "sync/driver.hpp"

namespace syncline::ews {

/// Private items come without fields (invariant 19), series with their exceptions.
Async<std::vector<Result<sync::RemoteItem>>> read_items(DriverState& state, model::RecordKind kind,
                                                        std::vector<std::string> ids, bool with_body);

/// "gone" (never) for the codes that say an item is not there (any more); others as they are.
Error as_gone(Error error);

}  // namespace syncline::ews
