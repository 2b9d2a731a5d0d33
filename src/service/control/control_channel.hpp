// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How other processes of the machine talk with a running daemon: a Unix-domain socket in the organisation's
// folder, JSON objects, one a line.
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "base/async.hpp"
#include "net/environment.hpp"

namespace syncline::service {

using ControlSocket = net::asio::local::stream_protocol::socket;
using ControlEndpoint = net::asio::local::stream_protocol::endpoint;

constexpr const char* control_socket_name = "control.sock";

/// A folder's path may be longer than a socket's address; the address goes through its descriptor, which is
/// open as long as this is there.
class ControlPlace {
 public:
  /// Error local "io".
  static Result<ControlPlace> of(const std::string& folder);
  ControlPlace(ControlPlace&& other) noexcept;
  ControlPlace& operator=(ControlPlace&&) = delete;
  ~ControlPlace();
  ControlEndpoint endpoint() const;
  int folder() const noexcept { return folder_; }

 private:
  explicit ControlPlace(int folder) : folder_(folder) {}
  int folder_ = -1;
};

class ControlChannel {
 public:
  /// `timers` and `clock` must outlive it.
  ControlChannel(ControlSocket socket, const Clock& clock, net::Timers& timers, std::size_t line_octets)
      : socket_(std::move(socket)), clock_(clock), timers_(timers), line_octets_(line_octets) {}

  /// nullopt: the other side has ended in order. Errors: local "bad-line" (not a JSON object, too long), net
  /// "read-timeout", "connection-lost".
  Async<std::optional<boost::json::object>> read(std::optional<std::chrono::milliseconds> patience);
  /// Errors: net "send-timeout" when the other side does not read, "connection-lost".
  Async<void> write(const boost::json::object& line);
  void close();

 private:
  ControlSocket socket_;
  const Clock& clock_;
  net::Timers& timers_;
  std::size_t line_octets_;
  std::string received_;
};

}  // namespace syncline::service
