// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Autodiscover of a site: v2 (JSON), POX and SOAP, with redirects for mailboxes that moved.
#include <functional>
#include <string>
#include <string_view>

#include "net/http_message.hpp"
#include "tools/exchange-sim/front/site_state.hpp"

namespace exchange_sim {

struct AutodiscoverReply {
  int status = 200;
  net::Headers headers;
  std::string body;
  std::string mailbox;  ///< who was asked for
  std::vector<std::string> codes;
};

/// The base URL of the site that holds this address; empty if none does.
using FindSite = std::function<std::string(std::string_view address)>;

/// `path` may carry the address (/autodiscover/autodiscover.json/v1.0/user@example.test).
AutodiscoverReply autodiscover_json(const SiteState& state, std::string_view path, std::string_view query,
                                    const FindSite& find_site);
AutodiscoverReply autodiscover_pox(const SiteState& state, const std::string& body);
AutodiscoverReply autodiscover_soap(const SiteState& state, const std::string& body);

}  // namespace exchange_sim
