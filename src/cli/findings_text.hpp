// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Findings of the rules about an organisation's mailboxes, for people and programs.
#include <string>
#include <vector>

#include "service/views/findings_json.hpp"

namespace syncline::cli {

using service::findings_json;

/// Those of one severity, wrapped and indented.
void append_findings(std::string& out, const service::Judged& judged, rules::Language language,
                     rules::Severity severity);

/// "warning MBX-NOT-APPROVED: 12 mailboxes. The address has …", most mailboxes first.
void append_warnings_summary(std::string& out, const std::vector<service::Judged>& judged,
                             rules::Language language);

}  // namespace syncline::cli
