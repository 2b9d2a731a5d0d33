// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the connections of one run share: an HTTP client for each profile's way to the network, its
// application's token, its service account, and the budgets of each credential (invariant 27).
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "auth/blocking_pool.hpp"
#include "auth/token_source.hpp"
#include "ews/client/budgets.hpp"
#include "model/profile.hpp"
#include "net/http_client.hpp"
#include "net/system_environment.hpp"
#include "service/engine/connection_places.hpp"
#include "service/engine/server_times.hpp"
#include "service/engine/shared_account.hpp"
#include "service/organisation/rule_facts.hpp"

namespace syncline::service {

/// Whether the organisation says of itself that only FIPS 140's cryptography may be used (env_fips).
bool requires_fips(const Facts& environment);

class Connections {
 public:
  struct Network {
    std::unique_ptr<net::SystemEnvironment> system;
    std::unique_ptr<net::HttpClient> http;
    net::Environment& environment() const { return system->get(); }
  };
  /// Of the profile's CA file, pinned addresses and proxy.
  using MakeNetwork = std::function<Result<std::unique_ptr<Network>>(const model::Profile& profile)>;

  /// On the machine's own network.
  explicit Connections(net::asio::any_io_executor executor);
  Connections(net::asio::any_io_executor executor, MakeNetwork make_network);
  /// What comes after these when something that connections depend on may have changed: everything anew but
  /// the budgets, which the server counts on.
  std::shared_ptr<Connections> successor() const;

  /// Puts something before the resolver and the connector of a profile's way to the network.
  using Decorate =
      std::function<std::unique_ptr<net::SystemEnvironment>(std::unique_ptr<net::SystemEnvironment>)>;
  /// Connections of their own under the same terms, for a test that looks on how they are made. Service
  /// accounts are shared, so that a wrong password is tried once for all, and budgets, on which the server
  /// counts; no token is.
  std::unique_ptr<Connections> apart(Decorate decorate) const;

  /// Of the profile's CA file, pinned addresses and proxy; kept for the next mailbox of that profile. Errors:
  /// of parse_resolve_override, proxy settings, a CA file that cannot be read.
  Result<Network*> network_of(const model::Profile& profile);

  /// Whom a server counts: an account, or each mailbox that it impersonates for itself.
  struct Counted {
    std::string account;       ///< with its server ("svc@contoso.example@mail.contoso.example")
    std::string impersonated;  ///< address; empty: the account speaks for itself
  };
  /// Shared by all mailboxes that the server counts as one. Those of one account, counted together or not,
  /// never make more requests at once than the profile allows.
  std::shared_ptr<ews::CredentialBudgets> budgets_of(const Counted& counted, Network& network,
                                                     const model::Profile& profile);
  /// To a mail host ("imaps://imap.contoso.example:993") with one credential.
  std::shared_ptr<ConnectionPlaces> places_of(const std::string& server, const std::string& user);
  /// Of each credential: as many as the profile says, or the default.
  static std::size_t most_connections(const model::Profile& profile);
  /// Of connections made apart, one at a time: whether the last one was, or is, only waiting for its place.
  void wait_for_place(bool waits) noexcept { waits_for_place_ = waits; }
  bool waits_for_place() const noexcept { return waits_for_place_; }
  /// One token serves all mailboxes of a profile; empty until its first mailbox has made the source.
  std::shared_ptr<auth::TokenSource>& application_token_of(const model::Profile& profile) {
    return application_tokens_[profile.name];
  }
  /// For metrics: what all budgets let through and hold back.
  struct Use {
    std::size_t requests = 0;  ///< under way, those for changes that wait at the server included
    std::size_t hanging = 0;   ///< of these: wait at the server
    std::size_t waiting = 0;   ///< for their turn, or for the end of a pause that the server asked for
    std::chrono::milliseconds throttled{0};  ///< time in such pauses, since the start
  };
  Use use() const;
  /// For metrics: of all connections that were made through these and those before them. Never null.
  const std::shared_ptr<ServerTimes>& server_times() const noexcept { return server_times_; }

  std::shared_ptr<SharedAccount> service_account_of(const model::Profile& profile);
  const std::shared_ptr<auth::BlockingPool>& blocking() const { return blocking_; }
  /// Where commits wait for the disk (sync::Surroundings::aside): a thread for all, because the store has one
  /// writer. Empty on a network that was given.
  std::function<net::Async<void>(std::function<Result<void>()>)> aside() const;
  /// Where messages are read while the next arrive (imap::DriverSettings::reading_thread). Null on a network
  /// that was given.
  const std::shared_ptr<auth::BlockingPool>& reading() const noexcept { return reading_; }
  /// Before the first connection: what the organisation requires. Error "fips-not-available" (local): nothing
  /// may be begun then.
  Result<void> require(const Facts& environment);
  bool fips() const noexcept { return fips_; }

 private:
  /// Budgets use the clock of the network with which they were made.
  struct Budgets {
    struct Kept {
      std::shared_ptr<Network> network;
      std::shared_ptr<ews::CredentialBudgets> budgets;
    };
    std::map<std::string, Kept> by_credential;
    struct KeptAccount {
      std::shared_ptr<Network> network;
      std::shared_ptr<net::Budget> budget;
    };
    std::map<std::string, KeptAccount> by_account;  ///< of those that impersonate
    std::map<std::string, std::shared_ptr<ConnectionPlaces>> places;  ///< by server and user
    /// By profile: of budgets that a test was the first to need, whose own network ends with it.
    std::map<std::string, std::shared_ptr<Network>> networks;
  };
  std::shared_ptr<Network> network_for_budgets(Network& network, const model::Profile& profile);
  std::shared_ptr<net::Budget> budget_of_account(const std::string& key, Network& network,
                                                 const model::Profile& profile, net::BudgetLimits limits);
  net::asio::any_io_executor executor_;
  MakeNetwork make_network_;
  MakeNetwork make_plain_network_;  ///< apart: without what looks on
  std::map<std::string, std::shared_ptr<Network>> networks_;
  std::shared_ptr<Budgets> budgets_ = std::make_shared<Budgets>();
  std::map<std::string, std::shared_ptr<auth::TokenSource>> application_tokens_;
  using ServiceAccounts = std::map<std::string, std::shared_ptr<SharedAccount>>;
  std::shared_ptr<ServiceAccounts> service_accounts_ = std::make_shared<ServiceAccounts>();
  bool fips_ = false;
  bool waits_for_place_ = false;
  std::shared_ptr<ServerTimes> server_times_ = std::make_shared<ServerTimes>();
  std::shared_ptr<auth::BlockingPool> blocking_ = std::make_shared<auth::BlockingPool>(2);
  std::shared_ptr<auth::BlockingPool> disk_ = nullptr;
  std::shared_ptr<auth::BlockingPool> reading_ = nullptr;
};

}  // namespace syncline::service
