// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// An organisation as it would be with another configuration, for a dry run to count what that would bring.
#include <memory>
#include <string>

#include "service/organisation/apply.hpp"
#include "service/organisation/organisation.hpp"

namespace syncline::service {

struct ProposedOrganisation {
  /// A copy of the database with the configuration applied; null if `outcome` has refusals. Where a mailbox's
  /// policies are others, it has been read by nobody yet: every item is decided on again.
  std::unique_ptr<Organisation> organisation;
  ApplyOutcome outcome;
};

/// The copy goes to `folder`, which must be empty; the caller removes it. `key`: as Organisation::open takes
/// it; empty: where the organisation has its own. Errors: of Store::backup, Organisation::open and apply.
Result<ProposedOrganisation> propose(Organisation& organisation, const Configuration& wanted,
                                     const std::string& folder, const std::string& key, const Actor& actor);

}  // namespace syncline::service
