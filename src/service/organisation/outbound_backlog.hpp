// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Records that mailboxes do not have yet and get with their next run.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/policies.hpp"
#include "store/links.hpp"

namespace syncline::service {

/// A mailbox that records go to.
struct OutboundMailbox {
  store::MailboxId id = 0;
  std::string address = {};
  model::SyncPolicy policy = {};
};

/// How many changes a status looks through; a mailbox that is further behind is not counted for.
inline constexpr int most_changes_looked_at = 5000;

/// By the filters and the marks of the run that will write them. Nullopt: the mailbox has not looked at more
/// than `most` of the latest changes; to count would take as long as its run. Errors: of the store, of
/// OutboundRules::make.
Result<std::map<store::MailboxId, std::optional<std::int64_t>>> count_new_outbound(
    store::Transaction& transaction, const std::vector<OutboundMailbox>& mailboxes,
    int most = most_changes_looked_at);

}  // namespace syncline::service
