// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a daemon runs mailboxes with: connections under the organisation's present terms, and a watch over the
// mailboxes between their runs.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/environment.hpp"
#include "service/engine/connections.hpp"
#include "service/engine/exchange_watch.hpp"
#include "service/engine/idle_watch.hpp"
#include "service/engine/mailbox_runner.hpp"
#include "service/engine/watch_events.hpp"
#include "service/organisation/configuration.hpp"
#include "store/journal.hpp"

namespace syncline::service {

class MailboxEngine {
 public:
  /// All must outlive it.
  MailboxEngine(net::Environment& environment, Organisation& organisation,
                std::shared_ptr<Connections> connections, WatchEvents events, WatchSettings settings = {});

  /// Before anything else. Errors: of the store; "fips-not-available" (local).
  Result<void> begin();
  /// After acts of administrators, or of none: whatever they may have changed is made anew. What is under way
  /// ends as it began. Errors as of `begin`; they are those of every run until the next renewal.
  Result<void> renew(const std::vector<store::AuditEntry>& acts);
  /// Who is not among them, or is configured otherwise than before, is not watched any more.
  void configured(const std::vector<std::shared_ptr<const EnabledMailbox>>& mailboxes);

  /// One run; a mailbox has one at a time. Errors as of MailboxRunner::run. `wishes` without a connection.
  Async<void> run(const EnabledMailbox& mailbox, RunWishes wishes, MailboxOutcome& outcome);

  /// Ends the watch, when no run is under way any more.
  Async<void> stop();

  /// Those of the present terms, for who asks servers something beside the runs.
  const std::shared_ptr<Connections>& connections() const noexcept { return connections_; }

  /// For metrics.
  std::size_t streams() const noexcept { return exchange_.streams(); }
  std::size_t kept_connections() const noexcept { return idle_.size(); }
  Connections::Use use() const { return connections_->use(); }
  const ServerTimes& server_times() const noexcept { return *connections_->server_times(); }

 private:
  Result<void> connect(bool anew);
  void keep(const EnabledMailbox& mailbox, const std::shared_ptr<Connections>& connections,
            std::unique_ptr<MailboxConnection>& connection);
  void forget(const std::string& address);

  Organisation& organisation_;
  std::shared_ptr<Connections> connections_;
  WatchEvents events_;
  WatchSettings settings_;
  IdleWatch idle_;
  ExchangeWatch exchange_;
  std::string name_;
  std::vector<model::Profile> profiles_;
  Facts environment_facts_;
  std::map<std::string, std::shared_ptr<const EnabledMailbox>, std::less<>> mailboxes_;
  std::optional<Error> refusal_;  ///< why nothing may be connected
  bool is_stopped_ = false;
};

}  // namespace syncline::service
