// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the connections of one run share: an HTTP client for each profile's way to the network, its
// application's token, its service account, and the budgets of each credential (invariant 27).
#include <map>
#include <memory>
#include <string>

#include "auth/blocking_pool.hpp"
#include "auth/token_source.hpp"
#include "ews/client/budgets.hpp"
#include "model/profile.hpp"
#include "net/http_client.hpp"
#include "net/system_environment.hpp"
#include "service/engine/shared_account.hpp"
#include "service/organisation/rule_facts.hpp"

namespace syncline::service {

/// Whether the organisation says of itself that only FIPS 140's cryptography may be used (env_fips).
bool requires_fips(const Facts& environment);

class Connections {
 public:
  explicit Connections(net::asio::any_io_executor executor) : executor_(std::move(executor)) {}

  struct Network {
    std::unique_ptr<net::SystemEnvironment> system;
    std::unique_ptr<net::HttpClient> http;
    net::Environment& environment() const { return system->get(); }
  };
  /// Of the profile's CA file, pinned addresses and proxy; kept for the next mailbox of that profile. Errors:
  /// of parse_resolve_override, proxy settings, a CA file that cannot be read.
  Result<Network*> network_of(const model::Profile& profile);

  /// Shared by all mailboxes that the server counts as one.
  std::shared_ptr<ews::CredentialBudgets> budgets_of(const std::string& credential, Network& network,
                                                     const model::Profile& profile);
  /// One token serves all mailboxes of a profile; empty until its first mailbox has made the source.
  std::shared_ptr<auth::TokenSource>& application_token_of(const model::Profile& profile) {
    return application_tokens_[profile.name];
  }
  std::shared_ptr<SharedAccount> service_account_of(const model::Profile& profile);
  const std::shared_ptr<auth::BlockingPool>& blocking() const { return blocking_; }
  /// Before the first connection: what the organisation requires. Error "fips-not-available" (local): nothing
  /// may be begun then.
  Result<void> require(const Facts& environment);
  bool fips() const noexcept { return fips_; }

 private:
  net::asio::any_io_executor executor_;
  std::map<std::string, Network> networks_;
  std::map<std::string, std::shared_ptr<ews::CredentialBudgets>> budgets_;
  std::map<std::string, std::shared_ptr<auth::TokenSource>> application_tokens_;
  std::map<std::string, std::shared_ptr<SharedAccount>> service_accounts_;
  bool fips_ = false;
  std::shared_ptr<auth::BlockingPool> blocking_ = std::make_shared<auth::BlockingPool>(2);
};

}  // namespace syncline::service
