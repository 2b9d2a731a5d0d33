// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The daemon's end of the control socket: only the user that the daemon runs as, and root, are listened to;
// few at a time; one request on each connection.
#include <functional>
#include <memory>
#include <string>

#include "service/control/control_channel.hpp"

namespace syncline::service {

class ControlServer {
 public:
  /// Answers with as many lines as it likes; the connection ends with it.
  using Handler = std::function<Async<void>(boost::json::object request, ControlChannel& channel)>;

  /// The caller holds the engine's lock: what is there of the socket is of a daemon that is no more. Errors
  /// local "io".
  static Result<std::unique_ptr<ControlServer>> listen(net::Environment& environment,
                                                       const std::string& folder, Handler handler);
  ~ControlServer();
  /// No more connections; those that are open end.
  void stop();

 private:
  struct State;
  explicit ControlServer(std::shared_ptr<State> state) : state_(std::move(state)) {}
  static net::asio::awaitable<void> accept(std::shared_ptr<State> state);
  static net::asio::awaitable<void> serve(std::shared_ptr<State> state, ControlSocket socket);
  std::shared_ptr<State> state_;
};

}  // namespace syncline::service
