// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/front/config.hpp"

#include <algorithm>
#include <set>

#include "base/text.hpp"

namespace exchange_sim {

namespace text = syncline::text;
using syncline::ErrorDomain;
using syncline::fail;

namespace {

std::string_view default_build(Product product) noexcept {
  switch (product) {
    case Product::exchange2013:
      return "15.0.1497.48";
    case Product::exchange2016:
      return "15.1.2507.39";
    case Product::exchange2019:
      return "15.2.1544.14";
    case Product::subscription_edition:
      return "15.2.2562.17";
    case Product::online:
      break;
  }
  return "15.20.8722.25";
}

syncline::unexpected<Error> contradiction(const Site& site, std::string what) {
  return fail(ErrorDomain::input, "bad-config", "site \"" + site.name + "\": " + std::move(what));
}

bool is_address(std::string_view text) {
  const auto at = text.find('@');
  return at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
         text.find('@', at + 1) == text.npos;
}

bool is_build(std::string_view build) {
  const auto parts = text::split(build, '.');
  return parts.size() == 4 && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
           const auto number = text::parse_int(part);
           return number && *number >= 0 && *number <= 65535;
         });
}

Result<void> complete(Site& site) {
  if (site.name.empty()) return contradiction(site, "a site needs a name");
  if (site.build.empty()) site.build = default_build(site.product);
  if (!is_build(site.build)) return contradiction(site, "build is four numbers, as 15.2.1544.4");
  if (site.hosts.empty()) site.hosts = {"localhost"};
  for (auto& host : site.hosts) host = text::to_lower_ascii(host);
  if (site.limits.hanging == 0) site.limits.hanging = site.product == Product::exchange2013 ? 3 : 10;
  if (!site.autodiscover_json) site.autodiscover_json = site.product != Product::exchange2013;
  if (site.schemes.empty()) return contradiction(site, "no authentication scheme");
  if (site.back_ends == 0) site.back_ends = 1;

  std::set<std::string> addresses;
  for (auto& user : site.users) {
    user.address = text::to_lower_ascii(user.address);
    if (!is_address(user.address)) return contradiction(site, "\"" + user.address + "\" is not an address");
    if (!addresses.insert(user.address).second) return contradiction(site, user.address + " is there twice");
    for (auto& alias : user.aliases) {
      alias = text::to_lower_ascii(alias);
      if (!is_address(alias)) return contradiction(site, "\"" + alias + "\" is not an address");
      if (!addresses.insert(alias).second) return contradiction(site, alias + " is there twice");
    }
    if (user.logon_name.empty()) user.logon_name = user.address.substr(0, user.address.find('@'));
    if (user.principal.empty()) user.principal = user.address;
    for (auto& target : user.may_impersonate) target = text::to_lower_ascii(target);
    const auto domain = user.address.substr(user.address.find('@') + 1);
    if (std::find(site.domains.begin(), site.domains.end(), domain) == site.domains.end()) {
      site.domains.push_back(domain);
    }
  }
  for (auto& domain : site.domains) domain = text::to_lower_ascii(domain);
  if (site.netbios_domain.empty() && !site.domains.empty()) {
    const auto& domain = site.domains.front();
    site.netbios_domain = domain.substr(0, domain.find('.'));
    for (char& letter : site.netbios_domain) {
      if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
    }
  }
  for (auto& moved : site.moved) {
    moved.address = text::to_lower_ascii(moved.address);
    if (!is_address(moved.address)) return contradiction(site, "\"" + moved.address + "\" is not an address");
  }
  std::set<std::string> clients;
  for (const auto& application : site.oauth.applications) {
    if (application.client_id.empty()) return contradiction(site, "an application needs a client_id");
    if (!clients.insert(application.client_id).second) {
      return contradiction(site, "application " + application.client_id + " is there twice");
    }
  }
  for (const auto& token : site.oauth.refresh_tokens) {
    if (!clients.contains(token.client_id)) {
      return contradiction(site, "a refresh token names an unknown client_id");
    }
  }
  for (const auto& listener : site.listeners) {
    if (listener.certificate_file.empty() != listener.key_file.empty()) {
      return contradiction(site, "a listener needs certificate and key, or neither");
    }
  }
  return {};
}

}  // namespace

std::string_view to_string(Scheme scheme) noexcept {
  switch (scheme) {
    case Scheme::basic:
      return "basic";
    case Scheme::ntlm:
      return "ntlm";
    case Scheme::negotiate:
      return "negotiate";
    case Scheme::bearer:
      return "bearer";
  }
  return "";
}

Result<Config> completed(Config config) {
  if (config.sites.empty()) return fail(ErrorDomain::input, "bad-config", "there is no site");
  std::set<std::string> names;
  for (auto& site : config.sites) {
    if (auto done = complete(site); !done) return fail(std::move(done.error()));
    if (!names.insert(site.name).second) {
      return fail(ErrorDomain::input, "bad-config", "two sites are called \"" + site.name + "\"");
    }
  }
  // A retry at once would be one without end.
  if (config.transport.retry.count() < 1)
    return fail(ErrorDomain::input, "bad-config", "transport: retry_ms is at least 1");
  return config;
}

Config simple_config(std::uint16_t port, std::vector<User> users) {
  Config config;
  Site site;
  site.name = "onprem";
  site.schemes = {Scheme::ntlm, Scheme::basic};
  site.listeners.push_back(
      Listener{.address = "127.0.0.1", .port = port, .tls = false, .certificate_file = {}, .key_file = {}});
  site.users = std::move(users);
  config.sites.push_back(std::move(site));
  return config;
}

}  // namespace exchange_sim
