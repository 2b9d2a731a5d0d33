// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The mass-delete brake of a mailbox, as the engine leaves it in the settings: pulled, until a person
// releases it.
#include <string>
#include <string_view>
#include <vector>

#include "service/organisation/apply.hpp"
#include "store/links.hpp"

namespace syncline::service {

/// Addresses of mailboxes whose brake is pulled, of all that there are.
Result<std::vector<std::string>> pulled_brakes(store::Transaction& transaction);

/// Lets the deletes pass that pulled it. False: it was not pulled. Clears the alert; an entry of the audit.
Result<bool> release_brake(store::Transaction& transaction, store::MailboxId mailbox,
                           std::string_view address, const Actor& actor);

}  // namespace syncline::service
