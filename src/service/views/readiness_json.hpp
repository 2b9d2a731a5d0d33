// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the end of Exchange Web Services in Exchange Online will stop, as programs are shown it
// (docs/schemas/readiness.schema.json).
#include <boost/json/object.hpp>
#include <string_view>

#include "routing/rules/messages.hpp"
#include "service/organisation/readiness.hpp"

namespace syncline::service {

/// "ready", "warned", "stops", "stopped", "refused-by-server", "forbidden-by-server" (a 403 without a
/// reason).
std::string_view state_of(const MailboxReadiness& one, rules::Day today) noexcept;

/// {"mailbox","profile","tenant","enabled","state","stopsOn","findings"}
boost::json::object to_json(const MailboxReadiness& one, rules::Day today, rules::Language language);

}  // namespace syncline::service
