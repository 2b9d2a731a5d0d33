// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// From an enabled mailbox whose legs EWS serves to a driver: credentials out of the vault, the endpoint from
// the profile or from Autodiscover, who speaks for whom (invariants 20 and 21).
#include <memory>
#include <optional>
#include <string>

#include "base/async.hpp"
#include "ews/client/ews_client.hpp"
#include "ews/driver/ews_driver.hpp"
#include "model/mailbox_facts.hpp"
#include "service/engine/mailbox_connection.hpp"

namespace syncline::service {

/// A driver with what it speaks through.
class ExchangeConnection final : public MailboxConnection {
 public:
  /// Errors of the vault, of Autodiscover, "bad-settings" (input) for what the profile lacks. `organisation`
  /// and `connections` must outlive the connection. `remember`: what Autodiscover finds is kept for later
  /// runs.
  static Async<std::unique_ptr<ExchangeConnection>> open(Organisation& organisation, Connections& connections,
                                                         const AdmittedMailbox& mailbox, bool remember);

  sync::Driver& driver() override { return driver_; }
  Async<sync::Claim> look_at_claim(std::string organisation_id, bool take_over) override {
    return driver_.look_at_claim(std::move(organisation_id), take_over);
  }
  std::string endpoint() const override { return endpoint_; }
  std::string server_version() const override;
  std::optional<std::chrono::milliseconds> pause_left() const override;
  Async<std::vector<sync::RemoteRef>> made_by(std::string operation_id, std::string folder_id) override;
  /// HTTP's connections are the pool's.
  Async<void> close() override { co_return Result<void>{}; }
  std::optional<Streamable> streamable() noexcept override;

 private:
  ExchangeConnection(net::Environment& environment, net::HttpClient& http,
                     std::shared_ptr<ews::CredentialBudgets> budgets, ews::ClientSettings client,
                     ews::DriverSettings driver, std::optional<SharedAccount::Turn> turn,
                     std::optional<std::string> streams_to);
  std::string endpoint_;
  net::Environment& environment_;
  net::HttpClient& http_;
  std::optional<std::string> streams_to_;  ///< whose subscriptions these would be, on which servers
  ews::EwsClient client_;
  ews::EwsDriver driver_;
};

/// Where the mailbox lives, by Autodiscover with its own credentials; what was found earlier does not count.
/// Errors: of the vault, "no-driver" (input) for a mailbox that is not on Exchange, those of Autodiscover.
Async<model::MailboxFacts> discover_mailbox(Organisation& organisation, Connections& connections,
                                            const AdmittedMailbox& mailbox);

}  // namespace syncline::service
