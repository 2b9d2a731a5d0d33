// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// `syncline sync`: all enabled mailboxes of an organisation, or some, once.
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/async.hpp"
#include "net/async.hpp"
#include "service/engine/mailbox_runner.hpp"

namespace syncline::service {

class Organisation;

struct SyncRequest {
  std::vector<std::string> addresses = {};  ///< in any case; empty: all enabled mailboxes
  /// One pass; lost writes that cannot be settled yet are left to a later run.
  bool once = false;
  bool dry_run = false;
  /// Of a dry run: where the copy of the database it works on may lie. The caller removes it.
  std::string scratch_folder = {};
  bool take_over = false;  ///< of mailboxes that another organisation holds (invariant 22)
  std::size_t mailboxes_at_once = 4;
  /// Told of every mailbox's progress.
  std::function<void(const std::string& address, const sync::RunProgress& progress)> on_progress = {};
};

struct SyncOutcome {
  std::vector<MailboxOutcome> mailboxes;  ///< in the order of their addresses
  std::vector<Obstacle> not_ready;
};

/// The caller holds the engine's lock (a dry run needs none), and runs `executor` on one thread. Errors: of
/// the store; "no-mailbox" (input) for an address that the organisation does not have, before anything is
/// done. Cancelled (terminal), it ends at the next wait.
Async<SyncOutcome> sync_organisation(net::asio::any_io_executor executor, Organisation& organisation,
                                     SyncRequest request);

}  // namespace syncline::service
