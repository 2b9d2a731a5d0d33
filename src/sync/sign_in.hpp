// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Credentials that a server or a token endpoint refuses need a person: told once, until they are taken again
//
#include <string>

#include "base/error.hpp"
#include "store/links.hpp"
#include "store/store.hpp"
#include "sync/summary.hpp"

namespace syncline::sync {

inline constexpr const char* sign_in_alert = "needs-sign-in";

/// Raises the alert for a run that ended with an error of class reauthenticate, clears it after one that was
/// let in. Writes nothing where the store says so already. Errors: the store's.
Result<void> tell_of_sign_in(store::Store& store, store::MailboxId mailbox, const std::string& address,
                             const Result<MailboxSummary>& outcome);

}  // namespace syncline::sync
