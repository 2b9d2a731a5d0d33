// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/engine/connections.hpp"

#include <algorithm>

#include "auth/fips.hpp"
#include "net/proxy.hpp"
#include "net/tls.hpp"

namespace syncline::service {

namespace {

constexpr int default_connections = 10;

Result<std::unique_ptr<Connections::Network>> system_network(const net::asio::any_io_executor& executor,
                                                             const model::Profile& profile,
                                                             const Connections::Decorate& decorate = {}) {
  net::SystemSettings system;
  for (const std::string& text : profile.resolve) {
    auto pinned = net::parse_resolve_override(text);
    if (!pinned) return fail(std::move(pinned.error()).during("reading profile " + profile.name));
    system.resolve.push_back(std::move(*pinned));
  }
  net::HttpClientSettings client;
  client.tls.ca_file = profile.ca_file.value_or("");
  // A pool is of one credential: so a profile's maximum is the profile's where it holds the credentials, and
  // each mailbox's where they do.
  client.connections_per_pool = Connections::most_connections(profile);
  if (auto context = net::make_tls_client_context(client.tls); !context)
    return fail(std::move(context.error()).during("reading profile " + profile.name));
  if (profile.proxy) {
    auto url = net::parse_url(*profile.proxy);
    if (!url) return fail(std::move(url.error()).during("reading profile " + profile.name));
    client.proxy.http = *url;
    client.proxy.https = *url;
  } else {
    auto proxy = net::proxy_settings_from_environment();
    if (!proxy) return fail(std::move(proxy.error()));
    client.proxy = std::move(*proxy);
  }
  auto environment = net::system_environment(executor, std::move(system));
  if (!environment) return fail(std::move(environment.error()));
  if (decorate) *environment = decorate(std::move(*environment));
  auto http = net::make_http_client((*environment)->get(), std::move(client));
  if (!http) return fail(std::move(http.error()));
  auto network = std::make_unique<Connections::Network>();
  network->system = std::move(*environment);
  network->http = std::move(*http);
  return network;
}

}  // namespace

Connections::Connections(net::asio::any_io_executor executor)
    : Connections(executor,
                  [executor](const model::Profile& profile) { return system_network(executor, profile); }) {
  disk_ = std::make_shared<auth::BlockingPool>(1);
  reading_ = std::make_shared<auth::BlockingPool>(1);
}

Connections::Connections(net::asio::any_io_executor executor, MakeNetwork make_network)
    : executor_(std::move(executor)), make_network_(std::move(make_network)) {}

std::shared_ptr<Connections> Connections::successor() const {
  auto next = std::make_shared<Connections>(executor_, make_network_);
  next->budgets_ = budgets_;
  next->blocking_ = blocking_;
  next->disk_ = disk_;
  next->reading_ = reading_;
  next->server_times_ = server_times_;
  return next;
}

std::unique_ptr<Connections> Connections::apart(Decorate decorate) const {
  auto made = std::make_unique<Connections>(
      executor_, [executor = executor_, decorate = std::move(decorate)](const model::Profile& profile) {
        return system_network(executor, profile, decorate);
      });
  made->make_plain_network_ = make_network_;
  made->budgets_ = budgets_;
  made->service_accounts_ = service_accounts_;
  made->fips_ = fips_;
  made->blocking_ = blocking_;
  made->disk_ = disk_;
  made->reading_ = reading_;
  return made;
}

std::function<net::Async<void>(std::function<Result<void>()>)> Connections::aside() const {
  if (!disk_) return {};
  return [disk = disk_](std::function<Result<void>()> work) { return disk->run_to_its_end(std::move(work)); };
}

Result<Connections::Network*> Connections::network_of(const model::Profile& profile) {
  if (const auto known = networks_.find(profile.name); known != networks_.end()) return known->second.get();
  auto made = make_network_(profile);
  if (!made) return fail(std::move(made.error()));
  return networks_.emplace(profile.name, std::move(*made)).first->second.get();
}

Connections::Use Connections::use() const {
  Use use;
  for (const auto& [_, kept] : budgets_->by_credential) {
    const net::Budget::Metrics one = kept.budgets->metrics();
    use.requests += one.requests;
    use.hanging += one.hanging;
    use.waiting += one.waiting;
    use.throttled += one.throttled_total;
  }
  for (const auto& [_, kept] : budgets_->by_account) use.waiting += kept.budget->metrics().waiting;
  for (const auto& [_, places] : budgets_->places) use.waiting += places->waiting();
  return use;
}

std::shared_ptr<ews::CredentialBudgets> Connections::budgets_of(const Counted& counted, Network& network,
                                                                const model::Profile& profile) {
  const std::size_t most = most_connections(profile);
  // Another maximum makes other budgets.
  const std::string account = counted.account + " " + std::to_string(most);
  Budgets::Kept& known = budgets_->by_credential[account + " " + counted.impersonated];
  if (!known.budgets) {
    net::BudgetLimits limits;
    limits.requests = most;
    limits.sync_calls = std::min(limits.sync_calls, limits.requests);
    known.network = network_for_budgets(network, profile);
    net::Environment& environment = known.network ? known.network->environment() : network.environment();
    known.budgets = std::make_shared<ews::CredentialBudgets>(
        environment, limits,
        counted.impersonated.empty() ? nullptr : budget_of_account(account, network, profile, limits));
  }
  return known.budgets;
}

std::shared_ptr<net::Budget> Connections::budget_of_account(const std::string& key, Network& network,
                                                            const model::Profile& profile,
                                                            net::BudgetLimits limits) {
  Budgets::KeptAccount& known = budgets_->by_account[key];
  if (!known.budget) {
    known.network = network_for_budgets(network, profile);
    known.budget = std::make_shared<net::Budget>(
        known.network ? known.network->environment() : network.environment(), limits);
  }
  return known.budget;
}

/// Null: one that was given, and outlives the budgets.
std::shared_ptr<Connections::Network> Connections::network_for_budgets(Network& network,
                                                                       const model::Profile& profile) {
  if (make_plain_network_) {
    std::shared_ptr<Network>& plain = budgets_->networks[profile.name];
    if (!plain)
      if (auto made = make_plain_network_(profile)) plain = std::move(*made);
    if (plain) return plain;
  }
  const auto held = std::find_if(networks_.begin(), networks_.end(),
                                 [&](const auto& one) { return one.second.get() == &network; });
  return held == networks_.end() ? nullptr : held->second;
}

std::size_t Connections::most_connections(const model::Profile& profile) {
  return static_cast<std::size_t>(std::max(1, profile.maximum_connections.value_or(default_connections)));
}

std::shared_ptr<ConnectionPlaces> Connections::places_of(const std::string& server, const std::string& user) {
  std::shared_ptr<ConnectionPlaces>& known = budgets_->places[server + " " + user];
  if (!known) known = std::make_shared<ConnectionPlaces>(executor_);
  return known;
}

bool requires_fips(const Facts& environment) {
  const auto stated = environment.find("env_fips");
  return stated != environment.end() && stated->second == "yes";
}

Result<void> Connections::require(const Facts& environment) {
  if (!requires_fips(environment)) return {};
  if (auto loaded = auth::require_fips_provider(); !loaded) return loaded;
  fips_ = true;
  return {};
}

std::shared_ptr<SharedAccount> Connections::service_account_of(const model::Profile& profile) {
  std::shared_ptr<SharedAccount>& known = (*service_accounts_)[profile.name];
  if (!known) known = std::make_shared<SharedAccount>(executor_);
  return known;
}

}  // namespace syncline::service
