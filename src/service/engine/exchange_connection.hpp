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
#include "service/engine/connections.hpp"
#include "service/organisation/mailbox_gate.hpp"
#include "sync/summary.hpp"

namespace syncline::service {

/// A driver with what it speaks through.
class ExchangeConnection {
 public:
  /// Errors of the vault, of Autodiscover, "bad-settings" (input) for what the profile lacks. `organisation`
  /// and `connections` must outlive the connection. `remember`: what Autodiscover finds is kept for later
  /// runs.
  static Async<std::unique_ptr<ExchangeConnection>> open(Organisation& organisation, Connections& connections,
                                                         const EnabledMailbox& mailbox, bool remember);

  ews::EwsDriver& driver() { return driver_; }
  const std::string& endpoint() const { return endpoint_; }
  /// The server has let us in: others may use the same account.
  void answered();
  void ended(const Result<sync::MailboxSummary>& outcome);
  /// "15.2.1544.14", once a server has said so.
  std::string server_version() const;

 private:
  ExchangeConnection(net::Environment& environment, net::HttpClient& http,
                     std::shared_ptr<ews::CredentialBudgets> budgets, ews::ClientSettings client,
                     ews::DriverSettings driver, std::optional<SharedAccount::Turn> turn);
  std::optional<SharedAccount::Turn> turn_;
  std::string endpoint_;
  ews::EwsClient client_;
  ews::EwsDriver driver_;
};

}  // namespace syncline::service
