// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Which organisation a mailbox belongs to, said in the mailbox itself (invariant 22): a folder that no client
// shows, whose making is the server's atomic answer, with one item that names the owner and is renewed by
// compare-and-set.
#include <string>

#include "ews/driver/driver_state.hpp"
#include "sync/driver.hpp"

namespace syncline::ews {

/// May be called again after any error, and is, with every run: it renews the lease.
Async<sync::Claim> claim_mailbox(EwsClient& client, const DriverState& state, std::string organisation_id,
                                 std::string organisation_name, bool take_over);

/// What claim_mailbox would answer; nothing is written.
Async<sync::Claim> look_at_claim(EwsClient& client, const DriverState& state, std::string organisation_id,
                                 bool take_over);

}  // namespace syncline::ews
