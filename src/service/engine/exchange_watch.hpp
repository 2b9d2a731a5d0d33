// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Mailboxes on Exchange between their runs: streams of notifications, up to two hundred mailboxes on one
// connection where one account speaks for them at one endpoint.
#include <boost/asio/cancellation_signal.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ews/client/ews_client.hpp"
#include "ews/client/notifications.hpp"
#include "net/environment.hpp"
#include "net/event.hpp"
#include "service/engine/connections.hpp"
#include "service/engine/watch_events.hpp"

namespace syncline::service {

class ExchangeWatch {
 public:
  /// A mailbox as a run has spoken for it.
  struct Candidate {
    std::string address;
    std::string group;  ///< who has the same may share a stream
    std::shared_ptr<Connections> connections;
    net::Environment* environment;  ///< these two are the connections'
    net::HttpClient* http;
    std::shared_ptr<ews::CredentialBudgets> budgets;
    ews::ClientSettings client;
  };

  /// `environment` must outlive it.
  ExchangeWatch(net::Environment& environment, WatchEvents events, WatchSettings settings)
      : environment_(environment),
        events_(std::move(events)),
        settings_(settings),
        ended_(environment.executor) {}
  ExchangeWatch(const ExchangeWatch&) = delete;
  ExchangeWatch& operator=(const ExchangeWatch&) = delete;

  bool knows(const std::string& address) const { return members_.contains(address); }
  /// After a run that went well. One that is watched, or was refused a short while ago, is left as it is.
  void keep(Candidate candidate);
  /// Its settings have changed, or it is nobody's any more.
  void forget(const std::string& address);
  /// Ends all streams.
  Async<void> stop();
  std::size_t streams() const noexcept { return streams_.size(); }

 private:
  struct Stream {
    std::string group;
    std::vector<std::shared_ptr<Connections>> held = {};  ///< what the clients live on
    std::vector<Candidate> candidates;                    ///< the first is the anchor
    std::vector<std::unique_ptr<ews::EwsClient>> clients;
    std::unique_ptr<ews::NotificationStream> notifications;
    net::asio::cancellation_signal cancel;
    bool is_dissolved = false;  ///< its mailboxes are watched in another one
    std::optional<Error> error;
  };
  using StreamPtr = std::shared_ptr<Stream>;
  struct Refusals {
    unsigned in_a_row = 0;
    SteadyTime not_before{};
  };
  net::asio::awaitable<void> gather(std::string group);
  void start(const std::string& group);
  net::asio::awaitable<void> listen(StreamPtr stream);
  void ended(const StreamPtr& stream);
  void dissolve(const StreamPtr& stream);

  net::Environment& environment_;
  WatchEvents events_;
  WatchSettings settings_;
  std::map<std::string, StreamPtr, std::less<>> members_;  ///< null: still gathered
  std::map<std::string, std::vector<Candidate>, std::less<>> gathered_;
  std::map<std::string, Refusals, std::less<>> refusals_;
  std::vector<StreamPtr> streams_;
  net::Event ended_;
  std::size_t gathering_ = 0;  ///< coroutines that sleep
  bool is_stopped_ = false;
};

}  // namespace syncline::service
