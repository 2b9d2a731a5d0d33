// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Asking where mailboxes live: the requests wait in the store until a daemon answers them
// (service/placement).
#include <string>
#include <vector>

#include "service/organisation/apply.hpp"
#include "service/organisation/mailbox_gate.hpp"

namespace syncline::service {

/// Where a mailbox of this profile lives can be asked; others live where they are said to.
bool is_on_exchange(const model::Profile& profile) noexcept;

struct LookWish {
  std::vector<std::string> addresses = {};  ///< in any case
  /// A mailbox that has moved gets the one profile that fits, if there is exactly one.
  bool follow_moves = false;
};

/// Those that cannot be asked ("not-on-exchange", or what the gate says: not approved, rejected by the rules,
/// a secret is missing) come back with their obstacle. A request that waits is replaced, but for one that
/// follows moves by one that does not. One transaction, an entry of the audit for each.
Result<std::vector<Obstacle>> request_looks(Organisation& organisation, const LookWish& wish,
                                            const Actor& actor);

}  // namespace syncline::service
