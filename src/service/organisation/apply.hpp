// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Brings an organisation to what a configuration says: all of it, or nothing.
#include <string>
#include <vector>

#include "service/organisation/assignments.hpp"
#include "service/organisation/difference.hpp"

namespace syncline::service {

class Organisation;

/// Who did an administrative act, and why; for the audit.
struct Actor {
  std::string who;
  std::string reason = {};
};

struct ApplyRefusal {
  std::string address;
  std::string code;     ///< "rejected-by-rules", "enabled"
  std::string message;  ///< for people
};

struct ApplyOutcome {
  std::vector<ObjectChange> changes;
  std::vector<Judged> judged;          ///< every mailbox of the wanted configuration
  std::vector<ApplyRefusal> refusals;  ///< not empty: nothing was changed
  std::vector<std::string>
      still_rejected;    ///< rejected before, and no part of this change; they are left alone
  bool applied = false;  ///< false also when there was nothing to change, or for a dry run
};

/// Refused as a whole: an assignment that the rules reject, unless it was rejected before and is not changed;
/// the removal of a mailbox that is enabled. Secrets of removed profiles and mailboxes are destroyed. One
/// transaction; every change is an entry of the audit.
Result<ApplyOutcome> apply(Organisation& organisation, const Configuration& wanted, bool dry_run,
                           const Actor& actor);

}  // namespace syncline::service
