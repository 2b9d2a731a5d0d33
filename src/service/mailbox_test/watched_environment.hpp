// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Looks on while a connection is made: names resolved, addresses connected, TLS begun, and what came of each.
// The code that connects is the synchronisation's own and knows nothing of it.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/system_environment.hpp"

namespace syncline::service {

struct ConnectionEvent {
  enum class Stage : std::uint8_t { resolve, connect, tls };
  enum class State : std::uint8_t { begun, done, failed };
  Stage stage = Stage::resolve;
  State state = State::begun;
  std::string host = {};
  std::string detail = {};                    ///< addresses found; address and port
  std::optional<Error> error = std::nullopt;  ///< of failed
};

class ConnectionWatch {
 public:
  const std::vector<ConnectionEvent>& events() const noexcept { return events_; }
  void clear() noexcept { events_.clear(); }
  /// The latest of the stage for a host that was done; nullptr: none was.
  const ConnectionEvent* done(ConnectionEvent::Stage stage, const std::string& host) const noexcept;
  /// The latest one, unless it was done: where the connection hangs or broke off.
  const ConnectionEvent* broken() const noexcept;

 private:
  friend class WatchedEnvironment;
  friend class EventNote;
  std::vector<ConnectionEvent> events_;
};

/// What is around `inner`, watched. `watch` is kept as long as connections are made.
std::unique_ptr<net::SystemEnvironment> watched_environment(std::unique_ptr<net::SystemEnvironment> inner,
                                                            std::shared_ptr<ConnectionWatch> watch);

}  // namespace syncline::service
