// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/front/site_state.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace exchange_sim {

namespace text = syncline::text;

const User* SiteState::user_of_address(std::string_view address) const {
  const auto known = users_by_address_.find(text::to_lower_ascii(address));
  return known == users_by_address_.end() ? nullptr : &site.users[known->second];
}

void SiteState::know_users() {
  for (std::size_t i = 0; i < site.users.size(); ++i) {
    users_by_address_.try_emplace(text::to_lower_ascii(site.users[i].address), i);
    for (const auto& alias : site.users[i].aliases)
      users_by_address_.try_emplace(text::to_lower_ascii(alias), i);
  }
}

const User* SiteState::user_of_logon(std::string_view name) const {
  if (const auto* user = user_of_address(name)) return user;
  std::string_view domain;
  auto logon = name;
  if (const auto slash = name.find('\\'); slash != name.npos) {
    domain = name.substr(0, slash);
    logon = name.substr(slash + 1);
    // A client may put the whole address behind its domain.
    if (const auto* user = user_of_address(logon)) return user;
  }
  const auto in_domain = [&](const User& user) {
    const auto own = std::string_view(user.address).substr(user.address.find('@') + 1);
    return domain.empty() || text::equals_ignore_case(domain, site.netbios_domain) ||
           text::equals_ignore_case(domain, own);
  };
  for (const auto& user : site.users) {
    if (text::equals_ignore_case(user.principal, name)) return &user;
    if (text::equals_ignore_case(user.logon_name, logon) && in_domain(user)) return &user;
  }
  return nullptr;
}

const MovedMailbox* SiteState::moved(std::string_view address) const {
  // Both the address that moved and every other address of that user lead away.
  const auto* user = user_of_address(address);
  for (const auto& one : site.moved) {
    if (text::equals_ignore_case(one.address, address)) return &one;
    if (user == nullptr) continue;
    if (text::equals_ignore_case(one.address, user->address) ||
        std::any_of(user->aliases.begin(), user->aliases.end(),
                    [&](const std::string& alias) { return text::equals_ignore_case(one.address, alias); }))
      return &one;
  }
  return nullptr;
}

bool SiteState::has_domain(std::string_view address) const {
  const auto at = address.rfind('@');
  if (at == address.npos) return false;
  return std::any_of(site.domains.begin(), site.domains.end(), [&](const std::string& domain) {
    return text::equals_ignore_case(domain, address.substr(at + 1));
  });
}

const Endpoint* SiteState::main_endpoint() const {
  for (const auto& endpoint : endpoints) {
    if (endpoint.tls) return &endpoint;
  }
  return endpoints.empty() ? nullptr : &endpoints.front();
}

std::string SiteState::base_url() const {
  const auto* endpoint = main_endpoint();
  return endpoint == nullptr ? std::string() : base_url_of(site, endpoint->tls, endpoint->port);
}

unsigned SiteState::back_end_of(std::string_view mailbox) const {
  // FNV-1a: the same server for a mailbox in every run.
  std::uint32_t hash = 2166136261u;
  for (const char letter : text::to_lower_ascii(mailbox))
    hash = (hash ^ static_cast<unsigned char>(letter)) * 16777619u;
  return hash % std::max(1u, site.back_ends);
}

std::string base_url_of(const Site& site, bool tls, std::uint16_t port) {
  const std::string_view scheme = tls ? "https" : "http";
  const std::uint16_t usual = tls ? 443 : 80;
  if (port == usual) return fmt::format("{}://{}", scheme, site.hosts.front());
  return fmt::format("{}://{}:{}", scheme, site.hosts.front(), port);
}

Endpoint make_endpoint(const Site& site, bool tls, std::string address, std::uint16_t port) {
  Endpoint out;
  const auto base = base_url_of(site, tls, port);
  out.site = site.name;
  out.tls = tls;
  out.address = std::move(address);
  out.port = port;
  out.ews_url = base + "/EWS/Exchange.asmx";
  out.autodiscover_url = base + "/autodiscover/autodiscover.xml";
  if (std::find(site.schemes.begin(), site.schemes.end(), Scheme::bearer) != site.schemes.end()) {
    out.token_url = fmt::format("{}/{}/oauth2/v2.0/token", base, site.oauth.tenant);
  }
  return out;
}

}  // namespace exchange_sim
