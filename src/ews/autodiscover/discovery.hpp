// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Autodiscover: from an address to the server that holds its mailbox, with a trail of every step.
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "model/mailbox_facts.hpp"
#include "net/environment.hpp"
#include "net/http_client.hpp"

namespace syncline::ews::autodiscover {

struct DiscoverySettings {
  /// For SOAP and POX; null: only what servers tell everybody (v2, redirects, which schemes they offer). A
  /// password is never sent to Exchange Online, which takes none: only Bearer is.
  std::shared_ptr<net::Authenticator> credentials;
  /// Hosts besides those of the mailbox's domain and Microsoft's that may be sent to: "host" or ".suffix".
  std::vector<std::string> allowed_hosts;
  bool prefer_internal = false;                         ///< InternalEwsUrl before ExternalEwsUrl
  std::function<void(std::string_view)> progress = {};  ///< told of every URL before it is asked
  int max_hops = 10;                                    ///< redirects of any kind (R-19)
  int max_requests = 60;
  std::chrono::milliseconds request_total{25'000};
  std::chrono::milliseconds total{180'000};
};

enum class Method { json, soap, pox, http_redirect, srv };
std::string_view to_string(Method method) noexcept;  ///< "json", "soap", "pox", "http-redirect", "srv"

enum class StepOutcome {
  found,              ///< it gave the endpoint
  redirected,         ///< it leads elsewhere, and we follow
  refused,            ///< it leads somewhere we do not go; or it refuses our credentials
  needs_credentials,  ///< it would answer who signs in
  failed,             ///< no connection, no certificate, no usable answer
};
std::string_view to_string(StepOutcome outcome) noexcept;

/// One line of the trail.
struct TrailStep {
  Method method = Method::json;
  std::string address;        ///< asked about at this step
  std::string target;         ///< URL, or the name asked of DNS
  std::optional<int> status;  ///< of the HTTP response
  StepOutcome outcome = StepOutcome::failed;
  std::string reason;  ///< for people; may hold server text as it came
};

struct Discovery {
  /// Errors, all of domain autodiscover unless said otherwise:
  /// "unreachable" (after): no server of any candidate could be connected to; "not-found" (never): servers
  /// answered, none of them Autodiscover; "needs-credentials" (reauthenticate); what the authenticator says,
  /// of domain auth ("credentials-refused", …); "unknown-mailbox" (never); "redirect-refused" (never): the
  /// only way on leads to a host that is not allowed; "redirect-loop", "too-many-hops" (never); "certificate"
  /// (never); "deadline" (after); input "bad-address"; net "cancelled".
  Result<model::MailboxFacts> facts;
  std::vector<TrailStep> trail;
};

/// References must outlive the coroutine. Order of candidates for an address of domain D: https://D,
/// https://autodiscover.D, the redirect of http://autodiscover.D, the SRV record _autodiscover._tcp.D; at
/// each host v2, then SOAP, then POX. Never a parent domain of D.
net::asio::awaitable<Discovery> discover(net::HttpClient& http, net::Resolver& resolver, const Clock& clock,
                                         std::string address, DiscoverySettings settings);

}  // namespace syncline::ews::autodiscover
