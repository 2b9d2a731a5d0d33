// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One site while it runs: its configuration, what tests changed of it, and its budgets and tokens.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tools/exchange-sim/front/exchange_sim.hpp"
#include "tools/exchange-sim/front/oauth.hpp"
#include "tools/exchange-sim/front/throttle.hpp"

namespace exchange_sim {

struct SiteState {
  SiteState(Site configured, const syncline::Clock& clock, syncline::Random& random)
      : site(std::move(configured)), throttle(clock, site.limits), tokens(site, clock, random) {
    know_users();
  }
  SiteState(const SiteState&) = delete;
  SiteState& operator=(const SiteState&) = delete;

  Site site;
  Throttle throttle;
  TokenServer tokens;
  std::vector<Endpoint> endpoints;
  std::map<std::string, unsigned, std::less<>> back_end_of_subscription;

  /// By primary address or alias; null if there is none.
  const User* user_of_address(std::string_view address) const;
  /// By what people sign in with: address, alias, principal, logon name, DOMAIN\name.
  const User* user_of_logon(std::string_view name) const;
  const MovedMailbox* moved(std::string_view address) const;
  bool has_domain(std::string_view address) const;
  /// The endpoint that is in the site's URLs: https before http. Null before there is any.
  const Endpoint* main_endpoint() const;
  /// "https://mail.example.test", without a path; empty if there is no endpoint.
  std::string base_url() const;
  unsigned back_end_of(std::string_view mailbox) const;

 private:
  void know_users();
  std::map<std::string, std::size_t, std::less<>> users_by_address_;  ///< aliases too, in lower case
};

/// "https://host[:port]" of an endpoint.
std::string base_url_of(const Site& site, bool tls, std::uint16_t port);
Endpoint make_endpoint(const Site& site, bool tls, std::string address, std::uint16_t port);

}  // namespace exchange_sim
