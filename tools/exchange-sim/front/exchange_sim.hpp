// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The test Exchange as an object: in a program behind loopback sockets, or inside a test over memory streams
// in virtual time. Tests steer it through faults(), set_ews(), move_mailbox() and look at log() and
// counters().
//
//   MyService or the real one  service;
//   auto sim = ExchangeSim::create(environment, config, service).value();
//   … serve sim->handler("onprem") over a stream of the caller's choice (net::serve_http), or sim->listen() …
//   EXPECT_EQ(sim->log().count_of("GetItem"), 1);
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/environment.hpp"
#include "net/http_server.hpp"
#include "tools/exchange-sim/front/config.hpp"
#include "tools/exchange-sim/front/faults.hpp"
#include "tools/exchange-sim/front/request_log.hpp"
#include "tools/exchange-sim/front/throttle.hpp"
#include "tools/exchange-sim/service.hpp"

namespace exchange_sim {

namespace net = syncline::net;

/// Where a site can be reached.
struct Endpoint {
  std::string site;
  bool tls = false;
  std::string address;
  std::uint16_t port = 0;
  std::string ews_url;           ///< "https://mail.example.test:8443/EWS/Exchange.asmx"
  std::string autodiscover_url;  ///< ".../autodiscover/autodiscover.xml"
  std::string token_url;         ///< empty where the site takes no Bearer tokens
};

class ExchangeSim {
 public:
  virtual ~ExchangeSim() = default;

  /// `environment` (its executor, clock, timers and random) and `service` must outlive the simulator. One
  /// thread. Errors: input (configuration, schema, certificates), local ("cannot-write").
  static Result<std::unique_ptr<ExchangeSim>> create(net::Environment& environment, Config config,
                                                     Service& service);

  /// Opens every listener of the configuration and the control endpoint. Error: local, "cannot-listen".
  virtual Result<void> listen() = 0;
  /// After listen(): one for each listener. Before: one for each site and kind on ports 443 and 80, as
  /// in-process.
  virtual std::vector<Endpoint> endpoints() const = 0;
  /// After listen(), where the configuration asks for it; 0 otherwise.
  virtual std::uint16_t control_port() const = 0;
  virtual std::string_view control_token() const = 0;
  /// PEM of the CA that signed the certificates we made; empty if there is none.
  virtual std::string ca_certificate_pem() const = 0;
  /// Ends every listener and connection.
  virtual void stop() = 0;

  /// The site's HTTP handler, for a server of the caller's choice. nullptr-like (empty) for an unknown site.
  virtual net::HttpHandler handler(std::string_view site) = 0;
  /// The control endpoint's handler (paths under /control/).
  virtual net::HttpHandler control_handler() = 0;
  /// The site that answers to a host name, or empty.
  virtual std::string site_of_host(std::string_view host) const = 0;
  virtual const Config& config() const = 0;

  virtual FaultBook& faults() = 0;
  virtual RequestLog& log() = 0;
  /// Sums since the start or the last reset.
  virtual Counters& counters() = 0;
  /// The environment's clock, with the calendar where advance_calendar() put it.
  virtual const syncline::Clock& clock() const = 0;

  /// What the control endpoint's /control/do asks of the mailboxes: JSON in, JSON out.
  virtual void set_command_handler(std::function<Result<std::string>(std::string_view json)> handler) = 0;
  /// Streaming connections that are open now.
  virtual std::size_t open_streams() const = 0;
  /// Makes open streams look at the fault rules again (pseudo-operation "stream").
  virtual void wake_streams() = 0;

  /// Switches EWS of a site on or off (the 403 forms). False: no such site.
  virtual bool set_ews(std::string_view site, EwsSwitch state) = 0;
  /// From now on the mailbox is gone from `site`, and Autodiscover there points away.
  virtual bool move_mailbox(std::string_view site, MovedMailbox moved) = 0;
  /// Makes a token as the token endpoint would; `address` empty: app-only. Empty if the application is
  /// unknown.
  virtual std::string issue_access_token(std::string_view site, std::string_view client_id,
                                         std::string_view address) = 0;
  virtual void revoke_tokens(std::string_view site) = 0;
  /// Forgets open budgets and back-off windows.
  virtual void reset_throttling() = 0;
  /// How many requests a minute a mailbox's budget allows from now on; 0: the site's again.
  virtual bool limit_requests(std::string_view site, std::string_view mailbox, unsigned per_minute) = 0;
  /// The most at one moment since the last call.
  virtual Throttle::Peaks take_peaks(std::string_view site) = 0;
  /// What the account of this address signs in with from now on, by Basic; NTLM knows the
  /// configuration's. False: no such account.
  virtual bool set_password(std::string_view site, std::string_view address, Secret password) = 0;
  /// Moves the simulator's calendar (not its timers): token expiry, time stamps.
  virtual void advance_calendar(std::chrono::milliseconds by) = 0;
};

}  // namespace exchange_sim
