// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Findings of the rules about an organisation's mailboxes, and what applying a configuration did.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "routing/rules/messages.hpp"
#include "service/organisation/apply.hpp"

namespace syncline::service {

/// [{"rule","severity","fields","message","remedy"}]
boost::json::array findings_json(const Judged& judged, rules::Language language);

/// {"dryRun","applied","changes","mailboxes","refusals"}
boost::json::object to_json(const ApplyOutcome& outcome, rules::Language language, bool dry_run);

}  // namespace syncline::service
