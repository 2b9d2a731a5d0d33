// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Journal, quarantine, alerts and audit as other programs see them.
#include <boost/json/object.hpp>
#include <string_view>

#include "store/alert_messages.hpp"
#include "store/journal.hpp"

namespace syncline::service {

/// {"sequence","at","mailbox","item","record","event","reason","text","detail"}; `address`: of the mailbox,
/// empty: none.
boost::json::object to_json(const store::JournalEntry& entry, std::string_view address);
/// {"mailbox","folder","item","version","code","text","firstSeen","lastTried","attempts","replay"}
boost::json::object to_json(const store::Quarantined& item, std::string_view address);
/// {"id","at","mailbox","level","code","text","remedy","count","open"}
/// `note`: what somebody said of it; nullptr: nobody has acknowledged it.
boost::json::object to_json(const store::Alert& alert, std::string_view address,
                            const store::AlertNote* note = nullptr);
/// "information", "warning", "error"
std::string_view to_string(store::AlertLevel level) noexcept;
/// {"sequence","at","who","act","object","reason"}
boost::json::object to_json(const store::AuditEntry& entry);

}  // namespace syncline::service
