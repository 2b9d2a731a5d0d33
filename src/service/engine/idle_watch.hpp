// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// IMAP mailboxes between their runs: the connection that a run was made with stays, and waits for what is new
// in the Inbox (IDLE). The next run goes on with it, so a watched mailbox has one connection at any time.
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "net/environment.hpp"
#include "net/event.hpp"
#include "service/engine/mailbox_connection.hpp"
#include "service/engine/watch_events.hpp"
#include "sync/driver.hpp"

namespace syncline::service {

class IdleWatch {
 public:
  /// A connection with what it lives on.
  struct Kept {
    std::shared_ptr<Connections> connections;
    std::unique_ptr<MailboxConnection> connection;
  };

  /// `environment` must outlive it.
  IdleWatch(net::Environment& environment, WatchEvents events, std::chrono::milliseconds look_anyway)
      : environment_(environment), events_(std::move(events)), look_anyway_(look_anyway) {}
  IdleWatch(const IdleWatch&) = delete;
  IdleWatch& operator=(const IdleWatch&) = delete;

  /// After a run that went well. Whoever wakes us up again and again at once is left for a while, and so is a
  /// connection that others wait for: false, and the caller keeps `kept`.
  bool keep(const std::string& address, Kept& kept);
  /// For the next run; nullopt: it has none, or not any more.
  Async<std::optional<Kept>> take(std::string address);
  /// Its settings have changed, or it is nobody's any more. Its connection is closed.
  void forget(const std::string& address);
  /// Closes all connections.
  Async<void> stop();
  std::size_t size() const noexcept { return waiting_.size(); }

 private:
  struct Waiting {
    explicit Waiting(net::asio::any_io_executor executor) : changed(std::move(executor)) {}
    /// Ends the wait; nobody is told any more that others want the connection.
    void want();
    std::string address;
    Kept kept;
    sync::RemoteFolder inbox = {};
    SteadyTime since{};
    bool is_wanted = false;  ///< back
    bool has_ended = false;
    bool is_broken = false;
    net::Event changed;
  };
  /// Of one mailbox, over many waits.
  struct History {
    sync::RemoteFolder inbox = {};  ///< once it was found
    unsigned hasty = 0;             ///< waits in a row that ended as soon as they began
    SteadyTime not_before{};
  };
  net::asio::awaitable<void> wait(std::shared_ptr<Waiting> waiting);
  void give_up(const std::string& address);
  Async<bool> wait_for_change(Waiting& waiting);
  static net::asio::awaitable<void> close(std::shared_ptr<Waiting> waiting);

  net::Environment& environment_;
  WatchEvents events_;
  std::chrono::milliseconds look_anyway_;
  std::map<std::string, std::shared_ptr<Waiting>, std::less<>> waiting_;
  std::map<std::string, History, std::less<>> history_;
};

}  // namespace syncline::service
