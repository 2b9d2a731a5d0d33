// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Brings an organisation to what a configuration says: all of it, or nothing.
#include <functional>
#include <string>
#include <vector>

#include "service/organisation/assignments.hpp"
#include "service/organisation/difference.hpp"
#include "service/organisation/outbound_counts.hpp"

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
      still_rejected;                 ///< rejected before, and no part of this change; they are left alone
  std::vector<std::string> warnings;  ///< for people: what is done by it, and should not be done lightly
  std::vector<OutboundCount> outbound = {};  ///< what filters that change send to which mailbox
  bool applied = false;  ///< false also when there was nothing to change, or for a dry run
};

/// Refused as a whole: an assignment that the rules reject, unless it was rejected before and is not changed;
/// the removal of a mailbox that is enabled. Secrets of removed profiles and mailboxes are destroyed. One
/// transaction; every change is an entry of the audit.
/// A mailbox that is new gets what the defaults say and it does not; one that was there keeps, of the
/// settings that the defaults name and it does not, what it has.
Result<ApplyOutcome> apply(Organisation& organisation, const Configuration& wanted, bool dry_run,
                           const Actor& actor);

/// Gives mailboxes what the defaults say, whatever they had. Verdicts are of those mailboxes alone. Error
/// (input): "no-mailbox"; "no-defaults": there are none.
Result<ApplyOutcome> apply_defaults(Organisation& organisation, const std::vector<std::string>& addresses,
                                    bool dry_run, const Actor& actor);

/// One setting of mailboxes: a key of mailbox_settings(), or "policy.PART.KEY"; null takes it back.
struct SettingChange {
  std::string key;
  boost::json::value value;
};
/// The same change of several mailboxes. Errors (input): "no-mailbox", "bad-setting".
Result<ApplyOutcome> set_mailboxes(Organisation& organisation, const std::vector<std::string>& addresses,
                                   const std::vector<SettingChange>& changes, bool dry_run,
                                   const Actor& actor);

/// The same with a configuration that is made of the one that is there, in the same transaction; only
/// mailboxes that are new take the defaults. An error of `edit` is given back, and nothing is changed.
using ConfigurationEdit = std::function<Result<Configuration>(const Configuration& present)>;
Result<ApplyOutcome> apply(Organisation& organisation, const ConfigurationEdit& edit, bool dry_run,
                           const Actor& actor);

}  // namespace syncline::service
