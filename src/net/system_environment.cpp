// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/system_environment.hpp"

#include <map>

#include "net/real_timers.hpp"
#include "net/tcp.hpp"
#include "net/tls.hpp"

namespace syncline::net {
namespace {

class SystemConnector final : public Connector {
 public:
  explicit SystemConnector(asio::any_io_executor executor) : executor_(std::move(executor)) {}

  Async<StreamPtr> connect(std::string address, std::uint16_t port) override {
    return connect_tcp(executor_, std::move(address), port);
  }

  Async<StreamPtr> start_tls(StreamPtr clear, std::string host, const TlsPolicy& policy) override {
    auto context = context_for(policy);
    if (!context) co_return fail(std::move(context).error());
    auto stream = co_await start_tls_client(executor_, std::move(clear), std::move(host), *context);
    co_return stream;
  }

 private:
  Result<TlsContextPtr> context_for(const TlsPolicy& policy) {
    const auto known = contexts_.find(policy);
    if (known != contexts_.end()) return known->second;
    auto made = make_tls_client_context(policy);
    if (made) contexts_.emplace(policy, *made);
    return made;
  }

  asio::any_io_executor executor_;
  std::map<TlsPolicy, TlsContextPtr> contexts_;
};

class SystemEnvironmentImpl final : public SystemEnvironment {
 public:
  SystemEnvironmentImpl(asio::any_io_executor executor, std::unique_ptr<Resolver> dns,
                        const SystemSettings& settings)
      : timers_(executor),
        dns_(std::move(dns)),
        resolver_(*dns_, settings.resolve),
        connector_(executor),
        environment_{executor, system_clock(), timers_, system_random(), resolver_, connector_} {}

  Environment& get() noexcept override { return environment_; }

 private:
  RealTimers timers_;
  std::unique_ptr<Resolver> dns_;
  OverridingResolver resolver_;
  SystemConnector connector_;
  Environment environment_;
};

}  // namespace

Result<std::unique_ptr<SystemEnvironment>> system_environment(asio::any_io_executor executor,
                                                              SystemSettings settings) {
  auto dns = make_dns_resolver(executor, system_random(), settings.dns);
  if (!dns) return fail(std::move(dns).error());
  return std::unique_ptr<SystemEnvironment>(
      std::make_unique<SystemEnvironmentImpl>(std::move(executor), std::move(*dns), settings));
}

std::unique_ptr<Connector> make_system_connector(asio::any_io_executor executor) {
  return std::make_unique<SystemConnector>(std::move(executor));
}

}  // namespace syncline::net
