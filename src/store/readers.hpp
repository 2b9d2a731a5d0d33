// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Which records a person may read (invariant 14): those of its own, and those that are linked in one of its
// mailboxes.
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/record.hpp"
#include "store/configuration.hpp"

namespace syncline::store {

struct Reader {
  std::string owner;                                ///< the person's address
  std::map<MailboxId, std::string> mailboxes = {};  ///< the person's own, with their addresses
};

/// Whether one of the mailboxes has a link to the record that is not unlinked.
Result<bool> is_linked_for(Transaction& transaction, model::RecordId record, const Reader& reader);

/// Ids above `after` of what the reader may read, ascending. Looks at nobody else's records and links.
Result<std::vector<model::RecordId>> list_readable(Transaction& transaction, const Reader& reader,
                                                   std::optional<model::RecordKind> kind, bool deleted_too,
                                                   model::RecordId after, int most);

/// Mailboxes with this address, and those in whose settings `quoted` stands.
Result<std::vector<MailboxRow>> mailboxes_that_name(Transaction& transaction, std::string_view address,
                                                    std::string_view quoted);

}  // namespace syncline::store
