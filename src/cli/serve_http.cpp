// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/serve_http.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/asio/ip/address.hpp>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "base/log.hpp"
#include "base/text.hpp"
#include "net/server_identity.hpp"
#include "service/views/json_values.hpp"

namespace syncline::cli {
namespace {

Result<std::string> read_file(const std::string& path, std::string_view what) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file || text.str().empty())
    return fail(ErrorDomain::input, "cannot-open", fmt::format("{} {} cannot be read", what, path));
  return text.str();
}

Result<net::TlsServerIdentity> read_identity(const ServeHttpOptions& options) {
  auto chain = read_file(options.certificate, "The certificate");
  if (!chain) return fail(std::move(chain.error()));
  auto key = read_file(options.key, "The key");
  if (!key) return fail(std::move(key.error()));
  return net::TlsServerIdentity{std::move(*chain), Secret(std::move(*key))};
}

bool is_loopback(const std::string& address) {
  boost::system::error_code error;
  const auto parsed = net::asio::ip::make_address(address, error);
  return !error && parsed.is_loopback();
}

/// The host of a URL.
std::string host_of(const std::string& address) {
  return address.find(':') == std::string::npos ? address : fmt::format("[{}]", address);
}

/// As `status` says it: {"ADDRESS":{"by","since","state"}}.
boost::json::object watched(const service::Daemon& daemon, const Clock& clock) {
  boost::json::object all;
  for (const service::MailboxTurn& turn : daemon.turns()) {
    const auto span =
        std::chrono::duration_cast<std::chrono::milliseconds>(clock.steady_now() - turn.watched_since);
    all[turn.address] = boost::json::object{{"by", turn.is_pushed ? "push" : "poll"},
                                            {"since", service::json_time(clock.now() - span)},
                                            {"state", turn.is_running         ? "running"
                                                      : turn.waits_for_server ? "waiting-for-server"
                                                      : turn.is_failing       ? "failing"
                                                                              : "waiting"}};
  }
  return all;
}

}  // namespace

ServeHttp::ServeHttp(net::Environment& environment, service::Organisation& organisation,
                     const ServeHttpOptions& options, std::unique_ptr<admin::Poster> poster)
    : environment_(environment),
      organisation_(organisation),
      options_(options),
      poster_(std::move(poster)),
      deliveries_(environment, organisation, *poster_) {}

Result<std::unique_ptr<ServeHttp>> ServeHttp::make(net::Environment& environment,
                                                   service::Organisation& organisation,
                                                   const ServeHttpOptions& options) {
  auto rule = admin::TargetRule::of(options.webhook_allow);
  if (!rule) return fail(std::move(rule.error()).during("reading --webhook-allow"));
  auto poster =
      admin::Poster::make(environment, {.targets = std::move(*rule), .ca_file = options.webhook_ca});
  if (!poster) return fail(std::move(poster.error()));
  auto made =
      std::unique_ptr<ServeHttp>(new ServeHttp(environment, organisation, options, std::move(*poster)));
  if (options.certificate.empty()) {
    if (!is_loopback(options.address))
      return fail(
          ErrorDomain::input, "tls-needed",
          fmt::format("{} is not this machine's alone: --listen needs --tls-certificate and --tls-key",
                      text::escape_for_display(options.address)));
    return made;
  }
  auto identity = read_identity(options);
  if (!identity) return fail(std::move(identity.error()));
  made->identity_ = std::move(*identity);
  return made;
}

void ServeHttp::reload() {
  if (!http_ || !identity_) return;
  const auto identity = read_identity(options_);
  Result<void> replaced;
  if (identity)
    replaced = net::replace_identity(*http_, *identity);
  else
    replaced = fail(identity.error());
  if (replaced)
    log::info("serve", "the certificate was read again");
  else
    log::error("serve", "the certificate stays as it was: " + replaced.error().describe());
}

service::PostAlert ServeHttp::post_alert() {
  return [this](std::string url, std::string body) -> net::Async<void> {
    net::Headers headers;
    auto posted = co_await poster_->post(std::move(url), std::move(body), std::move(headers));
    co_return posted;
  };
}

Result<void> ServeHttp::listen(service::Daemon& daemon, admin::Metrics& metrics,
                               std::function<boost::json::object()> servers,
                               std::function<void()> look_for_requested) {
  if (options_.is_off) return {};
  admin::api::Control control;
  control.sync_now = [&daemon](const std::string& address) { return daemon.demand(address); };
  control.watched = [this, &daemon, servers = std::move(servers)] {
    boost::json::object all = watched(daemon, environment_.clock);
    all["servers"] = servers();
    return all;
  };
  control.look_for_requested = std::move(look_for_requested);
  admin::api::ApiSettings settings;
  settings.rate.per_second = options_.requests_per_second;
  settings.rate.at_once = 4 * options_.requests_per_second;
  settings.answered = [&metrics](bool reads, std::chrono::nanoseconds took) {
    (reads ? metrics.api_times().read : metrics.api_times().write).add(took);
  };
  api_ = std::make_unique<admin::api::ApiServer>(environment_, organisation_, std::move(control), settings);
  net::ListenOptions listen{.address = options_.address,
                            .port = options_.port,
                            .identity = identity_,
                            .limits = admin::admin_limits(),
                            .hooks = admin::admin_hooks(api_.get())};
  auto listening = net::listen_http(environment_, std::move(listen),
                                    admin::admin_handler(environment_, daemon, metrics, api_.get()));
  if (!listening) return fail(std::move(listening.error()));
  http_ = std::move(*listening);
  const std::string url =
      fmt::format("{}://{}:{}", identity_ ? "https" : "http", host_of(options_.address), http_->port());
  log::info("serve", fmt::format("health, metrics and the API on {}", url));
  // For whoever started it with port 0.
  std::printf("{\"http\":\"%s\"}\n", url.c_str());
  std::fflush(stdout);
  return {};
}

void ServeHttp::stop() {
  deliveries_.stop();
  if (http_) http_->stop();
}

void add_serve_http_options(CLI::App& command, ServeHttpOptions& options) {
  command
      .add_option("--port", options.port,
                  "Health, metrics and the API on this port; 0 chooses one and prints it")
      ->type_name("PORT")
      ->capture_default_str();
  auto* off = command.add_flag("--no-http", options.is_off, "Neither health nor metrics nor the API");
  auto* listen = command
                     .add_option("--listen", options.address,
                                 "Address to listen on; other than this machine's own only with TLS")
                     ->type_name("ADDRESS")
                     ->capture_default_str();
  listen->excludes(off);
  auto* certificate = command
                          .add_option("--tls-certificate", options.certificate,
                                      "HTTPS with this certificate and its chain (PEM)")
                          ->type_name("FILE");
  auto* key = command.add_option("--tls-key", options.key, "The certificate's key (PEM)")->type_name("FILE");
  certificate->needs(key);
  key->needs(certificate);
  command
      .add_option("--api-rate", options.requests_per_second,
                  "Requests a second that a token may make for long")
      ->check(CLI::Range(1.0, 100'000.0))
      ->capture_default_str();
  command
      .add_option("--webhook-allow", options.webhook_allow,
                  "Addresses or networks that webhooks may lead to though they are not public")
      ->type_name("ADDRESS|NETWORK");
  command
      .add_option("--webhook-ca", options.webhook_ca,
                  "Certificate authorities for webhooks (PEM; default: the system's)")
      ->type_name("FILE");
}

}  // namespace syncline::cli
