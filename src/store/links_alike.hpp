// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Links whose items cannot be told apart by their search key.
#include <string_view>
#include <vector>

#include "store/links.hpp"

namespace syncline::store {

/// All links of the mailbox with that key; a copy that a person made of an item has the item's. Those whose
/// items are missed first, those that were unlinked last.
Result<std::vector<Link>> find_links_by_search_key(Transaction& transaction, MailboxId mailbox,
                                                   std::string_view search_key);

}  // namespace syncline::store
