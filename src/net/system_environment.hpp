// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The real world: the machine's clock, timers, randomness, DNS, TCP and TLS, bundled.
#include <memory>
#include <vector>

#include "net/environment.hpp"
#include "net/resolver_cares.hpp"
#include "net/resolver_overrides.hpp"

namespace syncline::net {

struct SystemSettings {
  DnsSettings dns;
  std::vector<ResolveOverride> resolve;  ///< --resolve
};

/// Owns the parts that its environment refers to; must outlive everything started with it.
class SystemEnvironment {
 public:
  virtual ~SystemEnvironment() = default;
  virtual Environment& get() noexcept = 0;
};

/// On one executor: an io_context that one thread runs, or a strand. Error: local "dns-setup".
Result<std::unique_ptr<SystemEnvironment>> system_environment(asio::any_io_executor executor,
                                                              SystemSettings settings = {});

/// TCP and TLS connections. TLS contexts are made once for each policy and kept; after a CA file has changed
/// on disk, make a new connector (system_environment).
std::unique_ptr<Connector> make_system_connector(asio::any_io_executor executor);

}  // namespace syncline::net
