// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Cursors: how far each folder has been read. Written in the transaction of the data they cover (invariant
// 1).
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "store/links.hpp"

namespace syncline::store {

struct Cursor {
  MailboxId mailbox = 0;
  std::string folder = {};  ///< the driver's id; other names for cursors of the engine's own
  std::string text = {};    ///< the driver's; empty: from the beginning
  bool complete = false;    ///< the folder was once read to its end
  std::optional<SystemTime> resynced_at =
      std::nullopt;        ///< last full enumeration after a refused cursor (R-01)
  std::string notes = {};  ///< JSON of the engine's: counters, an enumeration under way
};

Result<std::optional<Cursor>> find_cursor(Transaction& transaction, MailboxId mailbox,
                                          std::string_view folder);
Result<void> put_cursor(Transaction& transaction, const Cursor& cursor);
Result<std::vector<Cursor>> list_cursors(Transaction& transaction, MailboxId mailbox);
Result<void> delete_cursor(Transaction& transaction, MailboxId mailbox, std::string_view folder);

}  // namespace syncline::store
