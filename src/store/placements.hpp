// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Where each mailbox was found, and whether it is parked: it lives where its profile does not lead.
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "store/links.hpp"

namespace syncline::store {

struct Placement {
  MailboxId mailbox = 0;
  SystemTime looked_at{};
  std::optional<SystemTime> parked_at = std::nullopt;
  std::string parked_why = {};  ///< for people
  std::string facts = {};       ///< JSON of the service's; of the last time that it was found
  std::string error = {};       ///< of the last look; empty: it was found
};
/// Adds or replaces.
Result<void> put_placement(Transaction& transaction, const Placement& placement);
Result<std::optional<Placement>> find_placement(Transaction& transaction, MailboxId mailbox);
/// By mailbox.
Result<std::vector<Placement>> list_placements(Transaction& transaction);

}  // namespace syncline::store
