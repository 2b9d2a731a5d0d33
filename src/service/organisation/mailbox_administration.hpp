// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Approving, rejecting, enabling, disabling mailboxes; each act is an entry of the audit.
#include <string>
#include <vector>

#include "service/organisation/apply.hpp"
#include "service/organisation/mailbox_gate.hpp"

namespace syncline::service {

enum class MailboxAct : std::uint8_t { approve, reject, enable, disable };
std::string_view to_string(MailboxAct act) noexcept;

struct MailboxActOutcome {
  std::string address;
  bool changed = false;  ///< false: it was so already, or an obstacle stood in the way
  /// Of enabling; "no-mailbox"; of approving and rejecting "not-an-approver", "role-not-held", of approving
  /// "approver-role".
  std::optional<Obstacle> obstacle = std::nullopt;
};

/// One transaction for all. Rejecting an enabled mailbox disables it. `role`: of who approves or rejects, a
/// word of the rules' mbx_approver_role; empty: the strongest they hold (person_roles.hpp), if roles are
/// kept.
Result<std::vector<MailboxActOutcome>> administer(Organisation& organisation, MailboxAct act,
                                                  const std::vector<std::string>& addresses,
                                                  const Actor& actor, const std::string& role = {});

/// That mailboxes are to be taken over from another organisation (invariant 22) in the runs to come; no
/// addresses: all that are enabled. An entry of the audit.
Result<void> note_take_over(Organisation& organisation, const std::vector<std::string>& addresses,
                            const Actor& actor);

}  // namespace syncline::service
