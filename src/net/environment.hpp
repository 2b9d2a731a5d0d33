// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What network code takes from the world, as one parameter (invariant 30): clock, timers, random, DNS,
// connections.
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"
#include "net/stream.hpp"
#include "net/timers.hpp"

namespace syncline::net {

/// What TLS must be like on a connection. Part of the pool's key.
struct TlsPolicy {
  std::string ca_file;      ///< PEM; empty: the system's store
  bool tls13_only = false;  ///< else 1.2 and up; nothing lower exists here
  friend auto operator<=>(const TlsPolicy&, const TlsPolicy&) = default;
};

/// A server's certificate chain and key, PEM text.
struct TlsServerIdentity {
  std::string certificate_chain_pem;
  Secret private_key_pem;
};

struct SrvRecord {
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  std::uint16_t port = 0;
  std::string target;
};

class Resolver {
 public:
  virtual ~Resolver() = default;
  /// Addresses in the order to try. Errors: "name-not-found" (never), "dns-failed" (after).
  virtual Async<std::vector<std::string>> addresses(std::string host) = 0;
  /// SRV records in the order of RFC 2782 (priority, then weighted).
  virtual Async<std::vector<SrvRecord>> srv(std::string name) = 0;
  virtual Async<std::vector<std::string>> mx(std::string domain) = 0;
};

/// Makes connected streams.
class Connector {
 public:
  virtual ~Connector() = default;
  /// TCP to one address (as Resolver gave it); TCP_NODELAY set. Errors: net, "connection-refused",
  /// "unreachable", …
  virtual Async<StreamPtr> connect(std::string address, std::uint16_t port) = 0;
  /// TLS as client over an existing stream: SNI, host name and date checked. Errors: tls, "certificate",
  /// "handshake".
  virtual Async<StreamPtr> start_tls(StreamPtr clear, std::string host, const TlsPolicy& policy) = 0;
};

/// All of it. References must outlive everything that is started with them.
struct Environment {
  asio::any_io_executor executor;
  const Clock& clock;
  Timers& timers;
  Random& random;
  Resolver& resolver;
  Connector& connector;
};

}  // namespace syncline::net
