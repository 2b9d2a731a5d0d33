// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A change of the configuration, for people: the difference, what the rules say, what came of it.
#include <string>

#include "routing/rules/messages.hpp"
#include "service/organisation/apply.hpp"

namespace syncline::cli {

void append_apply_text(std::string& out, const service::ApplyOutcome& outcome, rules::Language language,
                       bool dry_run);
/// "ana@contoso.example: accept", a line a mailbox.
void append_verdicts(std::string& out, const service::ApplyOutcome& outcome);

}  // namespace syncline::cli
