// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// DNS through c-ares.
#include <memory>
#include <string>

#include "net/environment.hpp"

namespace syncline::net {

struct DnsSettings {
  std::string servers;  ///< "127.0.0.1:5353,[::1]:5353"; empty: those of the system
  std::chrono::milliseconds try_timeout{2'000};
  int tries = 3;
};

/// Error: local "dns-setup".
Result<std::unique_ptr<Resolver>> make_dns_resolver(asio::any_io_executor executor, Random& random,
                                                    DnsSettings settings = {});

}  // namespace syncline::net
