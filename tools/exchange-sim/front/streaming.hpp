// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// GetStreamingEvents: a reply of many envelopes that stays open, with heartbeats.
#include <functional>
#include <list>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "net/environment.hpp"
#include "net/event.hpp"
#include "net/http_server.hpp"
#include "tools/exchange-sim/front/faults.hpp"
#include "tools/exchange-sim/front/site_state.hpp"
#include "tools/exchange-sim/service.hpp"

namespace exchange_sim {

/// Open streams, by the subscriptions they listen to.
class StreamHub {
 public:
  StreamHub(net::Environment& environment, Service& service);
  StreamHub(const StreamHub&) = delete;
  StreamHub& operator=(const StreamHub&) = delete;
  ~StreamHub();

  struct Request {
    Caller caller;
    std::vector<std::string> ids;
    std::vector<std::string> refused_ids;  ///< answered as ErrorSubscriptionIds at once
    std::vector<std::string> denied_ids;   ///< of other accounts: ErrorSubscriptionAccessDenied
    std::string refusal_code = "ErrorInvalidSubscription";
    std::chrono::minutes timeout{30};
    bool dead = false;  ///< from the first envelope on, silence
    bool lose_events = false;
    std::uint64_t close_after = 0;  ///< envelopes; then the connection ends without Closed. 0: never
    /// Spoils an envelope before it is sent.
    std::function<std::string(std::string envelope_xml)> rewrite;
    /// The fault rules for the pseudo-operation "stream", asked before every envelope.
    std::function<std::vector<FaultRule>()> rules;
  };
  struct Outcome {
    std::uint64_t octets = 0;
    std::uint64_t envelopes = 0;
    std::vector<std::string> codes;
  };

  /// Begins the reply and stays until its time is over, the client has gone or a fault ends it.
  net::asio::awaitable<void> run(const SiteState& state, Request request, net::Headers headers,
                                 net::Responder& responder, Outcome& outcome);
  void wake_all();
  std::size_t open() const noexcept { return streams_.size(); }

 private:
  struct Stream;
  void on_event(const std::string& subscription_id);

  net::Environment& environment_;
  Service& service_;
  std::list<Stream*> streams_;
  /// Expires with the hub, for the service's callback.
  std::shared_ptr<StreamHub*> self_;
};

}  // namespace exchange_sim
