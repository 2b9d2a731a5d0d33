// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Findings of the rules about an organisation's mailboxes, for people and programs.
#include <boost/json/array.hpp>
#include <string>
#include <vector>

#include "routing/rules/messages.hpp"
#include "service/organisation/assignments.hpp"

namespace syncline::cli {

/// [{"rule","severity","fields","message","remedy"}]
boost::json::array findings_json(const service::Judged& judged, rules::Language language);

/// Those of one severity, wrapped and indented.
void append_findings(std::string& out, const service::Judged& judged, rules::Language language,
                     rules::Severity severity);

/// "warning MBX-NOT-APPROVED: 12 mailboxes. The address has …", most mailboxes first.
void append_warnings_summary(std::string& out, const std::vector<service::Judged>& judged,
                             rules::Language language);

}  // namespace syncline::cli
