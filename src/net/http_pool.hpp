// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Private to the HTTP client: connections kept between requests, and the turn-taking for them.
#include <list>
#include <map>
#include <memory>
#include <string>

#include "net/authenticator.hpp"
#include "net/watchdog.hpp"
#include "net/wire.hpp"

namespace syncline::net {

struct HttpConnection {
  HttpConnection(Environment& environment, StreamPtr stream, std::size_t read_ahead_octets);
  ~HttpConnection();

  std::shared_ptr<Wire> wire;
  std::function<void()> idle_expired;          ///< called by the watchdog while the connection is kept
  Watchdog watchdog;                           ///< closes the wire
  std::unique_ptr<AuthSession> session;        ///< of a connection-bound scheme
  std::unique_ptr<AuthSession> proxy_session;  ///< likewise
  bool authenticated = false;
  bool proxy_authenticated = false;
  bool used = false;  ///< has answered a request before
};

/// Turns and kept connections by key. Leases may outlive the pool.
class HttpPool {
 public:
  struct State;

  /// The right to use one connection of a pool. Going, it closes its connection and gives the turn to the
  /// next.
  class Lease {
   public:
    Lease() = default;
    Lease(std::shared_ptr<State> state, std::string key) : state_(std::move(state)), key_(std::move(key)) {}
    Lease(Lease&& other) noexcept = default;
    Lease& operator=(Lease&& other) noexcept;
    ~Lease() { give_up(); }

    std::unique_ptr<HttpConnection> connection;  ///< null: none was kept, make one
    /// Keeps the connection for the next request and gives the turn away.
    void put_back();

   private:
    void give_up() noexcept;
    std::shared_ptr<State> state_;
    std::string key_;
  };

  HttpPool(Environment& environment, std::size_t connections_per_pool, std::chrono::milliseconds idle_expiry);
  ~HttpPool();

  /// Waits for a turn, first come first served. `fresh`: kept connections of this key are closed first.
  Async<Lease> acquire(std::string key, bool fresh);
  std::size_t kept() const noexcept;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace syncline::net
