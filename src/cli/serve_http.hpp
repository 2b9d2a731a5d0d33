// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What `syncline serve` tells and takes over HTTP: health and metrics, the API, webhooks.
#include <memory>
#include <string>
#include <vector>

#include "admin/admin_server.hpp"
#include "admin/webhooks/deliveries.hpp"
#include "service/alerts/alert_desk.hpp"

namespace CLI {
class App;
}

namespace syncline::cli {

struct ServeHttpOptions {
  std::uint16_t port = 9464;
  bool is_off = false;
  std::string address = "127.0.0.1";
  std::string certificate;  ///< PEM, chain
  std::string key;          ///< PEM
  double requests_per_second = 50;
  std::vector<std::string> webhook_allow;
  std::string webhook_ca;
};
void add_serve_http_options(CLI::App& command, ServeHttpOptions& options);

class ServeHttp {
 public:
  /// References must outlive it. Errors (input): "tls-needed" (an address that is not this machine's alone,
  /// and no TLS), "cannot-open", "bad-network"; those of listen_http.
  static Result<std::unique_ptr<ServeHttp>> make(net::Environment& environment,
                                                 service::Organisation& organisation,
                                                 const ServeHttpOptions& options);

  /// For alerts on their way to people.
  service::PostAlert post_alert();
  /// Listens, unless it is off.
  /// `servers`: how they hold requests back; `look_for_requested`: admin::api::Control has both.
  Result<void> listen(service::Daemon& daemon, admin::Metrics& metrics,
                      std::function<boost::json::object()> servers, std::function<void()> look_for_requested);
  /// Reads certificate and key again; new connections are shown them. What cannot be used is logged, and the
  /// old ones stay.
  void reload();
  /// Webhooks, until `stop`.
  net::Async<void> run() { return deliveries_.run(); }
  /// Ends deliveries and all connections.
  void stop();

 private:
  ServeHttp(net::Environment& environment, service::Organisation& organisation,
            const ServeHttpOptions& options, std::unique_ptr<admin::Poster> poster);
  net::Environment& environment_;
  service::Organisation& organisation_;
  ServeHttpOptions options_;
  std::optional<net::TlsServerIdentity> identity_;
  std::unique_ptr<admin::Poster> poster_;
  admin::Deliveries deliveries_;
  std::unique_ptr<admin::api::ApiServer> api_;
  std::unique_ptr<net::HttpServer> http_;
};

}  // namespace syncline::cli
