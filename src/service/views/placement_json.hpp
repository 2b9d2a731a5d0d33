// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Where mailboxes were found, as other programs see it.
#include <boost/json/object.hpp>
#include <map>

#include "base/error.hpp"
#include "store/placements.hpp"

namespace syncline::service {

/// {"lookedAt","state","text","facts","parkedAt","requestedAt"}; facts, of the last time that it was found:
/// {"location","endpoint","serverVersion","serverType"}
boost::json::object to_json(const store::Placement& placement);

/// By mailbox; those that nobody has looked for are not among them.
Result<std::map<store::MailboxId, boost::json::object>> latest_placements(store::Transaction& transaction);

}  // namespace syncline::service
