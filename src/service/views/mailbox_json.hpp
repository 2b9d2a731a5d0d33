// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Mailboxes as other programs see them.
#include <boost/json/object.hpp>
#include <optional>
#include <string>

#include "routing/rules/messages.hpp"
#include "service/organisation/mailbox_administration.hpp"

namespace syncline::service {

/// The stated profile's name, or the default one's; empty: none.
std::string profile_name(const Configuration& configuration, const model::Mailbox& mailbox);

/// {"mailbox","kind","owner","profile","approval","enabled"}
boost::json::object mailbox_json(const StoredOrganisation& stored, const model::Mailbox& mailbox);

/// What the rules and the gate say about a mailbox at stage enable.
struct Examined {
  Judged judged;
  std::optional<Obstacle> obstacle;
  std::optional<router::Route> route;
};
Examined examine(const Assignments& assignments, const MailboxGate& gate, const model::Mailbox& mailbox);

/// The same and {"settings","secrets","verdict","findings","obstacle","route","state"}
boost::json::object mailbox_details_json(const StoredOrganisation& stored, const model::Mailbox& mailbox,
                                         const Examined& examined, rules::Language language);

/// {"mailbox","act","changed","obstacle"}
boost::json::object to_json(const MailboxActOutcome& outcome, MailboxAct act, rules::Language language);

}  // namespace syncline::service
