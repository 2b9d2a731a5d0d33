// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// TCP on real sockets: connecting, and listening for the servers of tests and the admin API.
#include <cstdint>
#include <memory>
#include <string>

#include "net/stream.hpp"

namespace syncline::net {

/// TCP to one address, TCP_NODELAY set. Errors: net "connection-refused", "unreachable", "connection-failed"
/// (all after), "bad-address" (never), "cancelled".
Async<StreamPtr> connect_tcp(asio::any_io_executor executor, std::string address, std::uint16_t port);

/// An accepted connection and where it came from ("127.0.0.1:40312").
struct Accepted {
  StreamPtr stream;
  std::string peer;
};

class TcpListener {
 public:
  virtual ~TcpListener() = default;
  virtual std::uint16_t port() const noexcept = 0;
  /// Errors: net "cancelled" after close(); "out-of-files" (after) when the process has no descriptor left.
  virtual Async<Accepted> accept() = 0;
  virtual void close() noexcept = 0;
};

/// Port 0: the system chooses. Error: local "cannot-listen".
Result<std::unique_ptr<TcpListener>> listen_tcp(asio::any_io_executor executor, const std::string& address,
                                                std::uint16_t port);

}  // namespace syncline::net
