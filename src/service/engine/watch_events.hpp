// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What whoever watches mailboxes tells: that something is new in one, and whether its server says so by
// itself.
#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace syncline::service {

/// All must return at once.
struct WatchEvents {
  std::function<void(const std::string& address)> changed = [](const std::string&) {};
  /// From now on the server tells of changes, but the mailbox wants to be looked at after `look_anyway` all
  /// the same (feeds that lie, R-28); nullopt: it does not, or not any more.
  std::function<void(const std::string& address, std::optional<std::chrono::milliseconds> look_anyway)>
      watched = [](const std::string&, std::optional<std::chrono::milliseconds>) {};
};

struct WatchSettings {
  /// How long mailboxes are gathered that will share a stream of notifications.
  std::chrono::milliseconds gather = std::chrono::seconds(2);
  std::chrono::milliseconds exchange_look_anyway = std::chrono::hours(1);
  /// One folder of an IMAP mailbox is watched, the others are looked at after so long.
  std::chrono::milliseconds imap_look_anyway = std::chrono::minutes(15);
  /// Streams and kept connections together; whoever would need one more is polled.
  std::size_t most_connections = 4000;
};

}  // namespace syncline::service
