// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A quick way through the commonest large reply: SyncFolderItems with nothing but ids. The bindings try some
// sixty property names for each item; this looks for one.
#include <optional>
#include <string_view>

#include "ews/types/responses.hpp"

namespace syncline::ews::codec {

/// nullopt if the reply is anything else than successful messages of ids and read flags, or not well-formed:
/// then the bindings have to read it, and to say what is wrong.
std::optional<SyncFolderItemsResponse> read_id_feed(std::string_view xml);

}  // namespace syncline::ews::codec
