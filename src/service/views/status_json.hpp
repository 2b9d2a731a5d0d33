// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How an organisation and each of its mailboxes are.
#include <boost/json/object.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "service/organisation/mailbox_gate.hpp"

namespace syncline::service {

struct MailboxStatus {
  const model::Mailbox* mailbox = nullptr;
  const MailboxStanding* standing = nullptr;
  std::optional<Obstacle> obstacle;  ///< of an enabled one
  std::int64_t links[4] = {};
  std::size_t unfinished = 0;
  std::int64_t changes_waiting = 0;  ///< linked records that the next run turns into operations
  /// Records that it does not have yet and messages to send, which the next run turns into operations.
  /// Nullopt: it is not served, or there is too much to look through.
  std::optional<std::int64_t> new_waiting = std::nullopt;
  std::optional<SystemTime> in_step_at = std::nullopt;  ///< end of its last run that went well
  std::size_t quarantined = 0;
  std::size_t alerts = 0;
  bool brake = false;
  std::string test = {};  ///< state of its latest test; empty: it was never tested
};

struct Status {
  StoredOrganisation stored;
  std::int64_t records[4] = {};
  std::int64_t last_change = 0;
  std::vector<MailboxStatus> mailboxes;
};

/// The mailboxes refer to what is stored: it stays where it was made.
using StatusPtr = std::unique_ptr<Status>;

/// One consistent view of all of it.
Result<StatusPtr> collect_status(store::Transaction& transaction, rules::Day today);

/// {"organisation","records","lastChange","mailboxes","servers"}; what only a running daemon knows
/// ("servers", and of each mailbox "watched") is null.
boost::json::object to_json(const Status& status, SystemTime now);

}  // namespace syncline::service
