// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One run of one mailbox: connected, synchronised, and how it went remembered.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/async.hpp"
#include "service/engine/connections.hpp"
#include "service/engine/mailbox_connection.hpp"
#include "service/organisation/mailbox_gate.hpp"
#include "sync/driver.hpp"
#include "sync/summary.hpp"

namespace syncline::store {
class ContentStore;
class Store;
}  // namespace syncline::store

namespace syncline::service {

class Organisation;

struct MailboxOutcome {
  std::string address;
  Result<sync::MailboxSummary> summary;
  sync::MailboxSummary before_error = {};  ///< what a run had done that ended with an error
  std::string endpoint = {};
  std::string server_version = {};
  std::vector<sync::WriteOrder> would_write = {};  ///< of a dry run
};

/// What a dry run works on instead of the organisation's own.
struct DryRunStores {
  store::Store& store;
  store::ContentStore& content;
};

struct RunWishes {
  /// Waits until lost writes can be settled; otherwise they are left to a later run.
  bool settle = true;
  bool take_over = false;  ///< even from another organisation (invariant 22)
  std::optional<DryRunStores> dry_run = std::nullopt;
  sync::OnProgress on_progress = {};
  std::string name = {};  ///< of the run, in the log
  /// Of an earlier run; null: one is made.
  std::unique_ptr<MailboxConnection> connection = nullptr;
  /// After a run that went well: takes the connection, or leaves it to be closed.
  std::function<void(std::unique_ptr<MailboxConnection>& connection)> keep = {};
};

class MailboxRunner {
 public:
  /// All must outlive it. The caller holds the engine's lock, unless it only makes dry runs.
  MailboxRunner(Organisation& organisation, Connections& connections, std::string organisation_name)
      : organisation_(organisation),
        connections_(connections),
        organisation_name_(std::move(organisation_name)) {}

  /// Sets all of `outcome` but its address. Errors of the machine itself (domain local): nothing else can run
  /// either; those of the mailbox stand in `outcome.summary`.
  Async<void> run(const EnabledMailbox& mailbox, RunWishes wishes, MailboxOutcome& outcome);

 private:
  Async<sync::MailboxSummary> connect_and_run(const EnabledMailbox& mailbox, RunWishes& wishes,
                                              MailboxOutcome& outcome);
  Organisation& organisation_;
  Connections& connections_;
  std::string organisation_name_;
};

}  // namespace syncline::service
