// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/front/exchange_sim.hpp"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "base/text.hpp"
#include "tools/exchange-sim/front/certificates.hpp"
#include "tools/exchange-sim/front/control.hpp"
#include "tools/exchange-sim/front/ews_front.hpp"

namespace exchange_sim {

namespace text = syncline::text;
using syncline::ErrorDomain;
using syncline::fail;

namespace {

/// What comes above the configured size is still read, so that it can be refused and logged as Exchange does
/// it.
constexpr std::uint64_t room_above_limit_octets = 16ull * 1024 * 1024;
constexpr std::uint64_t control_body_octets = 256ull * 1024 * 1024;

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  if (!file) return fail(ErrorDomain::input, "cannot-open", "cannot read " + path);
  return std::move(content).str();
}

/// What requests touch. Connections may be unwound after the simulator has gone (with their executor), so
/// they keep it.
struct Inner {
  Inner(net::Environment& environment, const Config& config, Service& service,
        std::shared_ptr<const Schema> schema)
      : clock(environment.clock),
        faults(config.seed),
        log(config.log_entries),
        streams(environment, service),
        parts{environment, service,           clock,         faults, log,        counters,
              streams,     std::move(schema), config.strict, sites,  connections} {}
  Inner(const Inner&) = delete;
  Inner& operator=(const Inner&) = delete;

  AdjustableClock clock;
  FaultBook faults;
  RequestLog log;
  Counters counters;
  StreamHub streams;
  std::vector<std::unique_ptr<SiteState>> sites;
  std::uint64_t connections = 0;
  FrontParts parts;
};

class Sim final : public ExchangeSim {
 public:
  Sim(net::Environment& environment, Config config, Service& service, std::shared_ptr<const Schema> schema)
      : environment_(environment),
        config_(std::move(config)),
        inner_(std::make_shared<Inner>(environment, config_, service, std::move(schema))),
        control_(*this) {
    for (const auto& site : config_.sites) {
      inner_->sites.push_back(std::make_unique<SiteState>(site, inner_->clock, environment_.random));
      auto& state = *inner_->sites.back();
      state.endpoints = {make_endpoint(state.site, true, "127.0.0.1", 443),
                         make_endpoint(state.site, false, "127.0.0.1", 80)};
    }
    control_token_ =
        config_.control_token.empty() ? Secret(environment_.random.uuid()) : config_.control_token;
  }

  ~Sim() override { stop(); }

  /// What can fail of the beginning.
  Result<void> prepare() {
    if (!config_.log_file.empty()) {
      if (auto opened = inner_->log.open_file(config_.log_file); !opened)
        return fail(std::move(opened.error()));
    }
    if (!config_.script_file.empty()) {
      auto script = read_file(config_.script_file);
      if (!script) return fail(std::move(script.error()));
      auto added = inner_->faults.add_json(*script);
      if (!added) return fail(std::move(added.error()).during("reading " + config_.script_file));
    }
    bool uses_ntlm = false;
    bool makes_certificates = !config_.ca_file.empty();
    for (const auto& site : config_.sites) {
      for (const auto scheme : site.schemes) {
        uses_ntlm = uses_ntlm || scheme == Scheme::ntlm || scheme == Scheme::negotiate;
      }
      for (const auto& listener : site.listeners) {
        makes_certificates = makes_certificates || (listener.tls && listener.certificate_file.empty());
      }
    }
    if (uses_ntlm) {
      auto users = NtlmUsers::create(config_.sites);
      if (!users) return fail(std::move(users.error()));
      ntlm_users_ = std::move(*users);
    }
    if (makes_certificates) {
      auto authority = CertificateAuthority::create();
      if (!authority) return fail(std::move(authority.error()));
      authority_ = std::move(*authority);
    }
    if (!config_.ca_file.empty()) {
      std::ofstream file(config_.ca_file, std::ios::binary | std::ios::trunc);
      file << authority_->certificate_pem();
      if (!file.flush()) return fail(ErrorDomain::local, "cannot-write", "cannot write " + config_.ca_file);
    }
    return {};
  }

  Result<void> listen() override {
    for (auto& state : inner_->sites) {
      std::vector<Endpoint> endpoints;
      for (const auto& listener : state->site.listeners) {
        net::ListenOptions options;
        options.address = listener.address;
        options.port = listener.port;
        options.limits.body_octets = state->site.limits.request_octets + room_above_limit_octets;
        if (listener.tls) {
          auto identity = identity_of(state->site, listener);
          if (!identity) return fail(std::move(identity.error()));
          options.identity = std::move(*identity);
        }
        auto server = net::listen_http(environment_, std::move(options), handler(state->site.name));
        if (!server) return fail(std::move(server.error()).during("opening site " + state->site.name));
        endpoints.push_back(make_endpoint(state->site, listener.tls, listener.address, (*server)->port()));
        servers_.push_back(std::move(*server));
      }
      state->endpoints = std::move(endpoints);
    }
    if (config_.control_port) {
      net::ListenOptions options;
      options.port = *config_.control_port;
      options.limits.body_octets = control_body_octets;
      auto server = net::listen_http(environment_, std::move(options), control_handler());
      if (!server) return fail(std::move(server.error()).during("opening the control endpoint"));
      control_port_ = (*server)->port();
      servers_.push_back(std::move(*server));
    }
    return {};
  }

  std::vector<Endpoint> endpoints() const override {
    std::vector<Endpoint> out;
    for (const auto& state : inner_->sites)
      out.insert(out.end(), state->endpoints.begin(), state->endpoints.end());
    return out;
  }

  std::uint16_t control_port() const override { return control_port_; }
  std::string_view control_token() const override { return control_token_.reveal(); }
  std::string ca_certificate_pem() const override {
    return authority_ ? authority_->certificate_pem() : std::string();
  }

  void stop() override {
    for (auto& server : servers_) server->stop();
    servers_.clear();
  }

  net::HttpHandler handler(std::string_view site) override {
    SiteState* state = find(site);
    if (state == nullptr) return {};
    auto front = std::make_shared<EwsFront>(inner_->parts, *state);
    return [front, keep = inner_](const net::ServerRequest& request, net::Responder& responder) {
      return front->serve(request, responder);
    };
  }

  net::HttpHandler control_handler() override {
    return [this](const net::ServerRequest& request, net::Responder& responder) {
      return control_.serve(request, responder);
    };
  }

  std::string site_of_host(std::string_view host) const override {
    for (const auto& state : inner_->sites) {
      for (const auto& name : state->site.hosts) {
        if (text::equals_ignore_case(name, host)) return state->site.name;
      }
    }
    return {};
  }

  const Config& config() const override { return config_; }
  FaultBook& faults() override { return inner_->faults; }
  RequestLog& log() override { return inner_->log; }
  Counters& counters() override { return inner_->counters; }
  const syncline::Clock& clock() const override { return inner_->clock; }

  void set_command_handler(std::function<Result<std::string>(std::string_view)> handler) override {
    control_.set_command_handler(std::move(handler));
  }
  std::size_t open_streams() const override { return inner_->streams.open(); }
  void wake_streams() override { inner_->streams.wake_all(); }

  bool set_ews(std::string_view site, EwsSwitch ews) override {
    auto* state = find(site);
    if (state == nullptr) return false;
    state->site.ews = ews;
    return true;
  }

  bool move_mailbox(std::string_view site, MovedMailbox moved) override {
    auto* state = find(site);
    if (state == nullptr) return false;
    moved.address = text::to_lower_ascii(moved.address);
    state->site.moved.push_back(std::move(moved));
    return true;
  }

  std::string issue_access_token(std::string_view site, std::string_view client_id,
                                 std::string_view address) override {
    auto* state = find(site);
    return state == nullptr ? std::string() : state->tokens.issue(client_id, address);
  }

  void revoke_tokens(std::string_view site) override {
    if (auto* state = find(site)) state->tokens.revoke_all();
  }

  void reset_throttling() override {
    for (auto& state : inner_->sites) state->throttle.reset();
  }

  bool limit_requests(std::string_view site, std::string_view mailbox, unsigned per_minute) override {
    auto* state = find(site);
    if (state == nullptr) return false;
    state->throttle.limit_requests(text::to_lower_ascii(mailbox), per_minute);
    return true;
  }

  Throttle::Peaks take_peaks(std::string_view site) override {
    auto* state = find(site);
    if (state == nullptr) return {};
    const Throttle::Peaks peaks = state->throttle.peaks();
    state->throttle.forget_peaks();
    return peaks;
  }

  bool set_password(std::string_view site, std::string_view address, Secret password) override {
    auto* state = find(site);
    if (state == nullptr) return false;
    for (User& user : state->site.users)
      if (text::equals_ignore_case(user.address, address)) {
        user.password = std::move(password);
        return true;
      }
    return false;
  }

  void advance_calendar(std::chrono::milliseconds by) override { inner_->clock.advance(by); }

 private:
  SiteState* find(std::string_view name) {
    for (auto& state : inner_->sites) {
      if (state->site.name == name) return state.get();
    }
    return nullptr;
  }

  Result<net::TlsServerIdentity> identity_of(const Site& site, const Listener& listener) {
    if (listener.certificate_file.empty()) return authority_->issue(site.hosts);
    auto chain = read_file(listener.certificate_file);
    if (!chain) return fail(std::move(chain.error()));
    auto key = read_file(listener.key_file);
    if (!key) return fail(std::move(key.error()));
    return net::TlsServerIdentity{std::move(*chain), Secret(std::move(*key))};
  }

  net::Environment& environment_;
  Config config_;
  std::shared_ptr<Inner> inner_;
  Control control_;
  Secret control_token_;
  std::uint16_t control_port_ = 0;
  std::unique_ptr<NtlmUsers> ntlm_users_;
  std::unique_ptr<CertificateAuthority> authority_;
  std::vector<std::unique_ptr<net::HttpServer>> servers_;
};

}  // namespace

Result<std::unique_ptr<ExchangeSim>> ExchangeSim::create(net::Environment& environment, Config config,
                                                         Service& service) {
  auto complete = completed(std::move(config));
  if (!complete) return fail(std::move(complete.error()));
  std::shared_ptr<const Schema> schema;
  if (!complete->schema_folder.empty()) {
    auto loaded = Schema::load(complete->schema_folder);
    if (!loaded) return fail(std::move(loaded.error()));
    schema = std::move(*loaded);
  }
  auto sim = std::make_unique<Sim>(environment, std::move(*complete), service, std::move(schema));
  if (auto prepared = sim->prepare(); !prepared) return fail(std::move(prepared.error()));
  return std::unique_ptr<ExchangeSim>(std::move(sim));
}

}  // namespace exchange_sim
