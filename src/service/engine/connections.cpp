// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/engine/connections.hpp"

#include <algorithm>

#include "auth/fips.hpp"
#include "net/proxy.hpp"
#include "net/tls.hpp"

namespace syncline::service {

Result<Connections::Network*> Connections::network_of(const model::Profile& profile) {
  if (const auto known = networks_.find(profile.name); known != networks_.end()) return &known->second;
  net::SystemSettings system;
  for (const std::string& text : profile.resolve) {
    auto pinned = net::parse_resolve_override(text);
    if (!pinned) return fail(std::move(pinned.error()).during("reading profile " + profile.name));
    system.resolve.push_back(std::move(*pinned));
  }
  net::HttpClientSettings client;
  client.tls.ca_file = profile.ca_file.value_or("");
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
  auto environment = net::system_environment(executor_, std::move(system));
  if (!environment) return fail(std::move(environment.error()));
  auto http = net::make_http_client((*environment)->get(), std::move(client));
  if (!http) return fail(std::move(http.error()));
  Network network{.system = std::move(*environment), .http = std::move(*http)};
  return &networks_.emplace(profile.name, std::move(network)).first->second;
}

std::shared_ptr<ews::CredentialBudgets> Connections::budgets_of(const std::string& credential,
                                                                Network& network,
                                                                const model::Profile& profile) {
  std::shared_ptr<ews::CredentialBudgets>& known = budgets_[credential];
  if (!known) {
    net::BudgetLimits limits;
    if (profile.maximum_connections)
      limits.requests = static_cast<std::size_t>(std::max(1, *profile.maximum_connections));
    limits.sync_calls = std::min(limits.sync_calls, limits.requests);
    known = std::make_shared<ews::CredentialBudgets>(network.environment(), limits);
  }
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
  std::shared_ptr<SharedAccount>& known = service_accounts_[profile.name];
  if (!known) known = std::make_shared<SharedAccount>(executor_);
  return known;
}

}  // namespace syncline::service
