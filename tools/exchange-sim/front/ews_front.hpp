// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One request from its arrival to its log line: routing, authentication, EWS's own checks, faults, the
// service.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/http_server.hpp"
#include "tools/exchange-sim/front/adjustable_clock.hpp"
#include "tools/exchange-sim/front/authentication.hpp"
#include "tools/exchange-sim/front/envelope.hpp"
#include "tools/exchange-sim/front/schema.hpp"
#include "tools/exchange-sim/front/streaming.hpp"

namespace exchange_sim {

/// What all sites share.
struct FrontParts {
  net::Environment& environment;
  Service& service;
  AdjustableClock& clock;
  FaultBook& faults;
  RequestLog& log;
  Counters& counters;
  StreamHub& streams;
  std::shared_ptr<const Schema> schema;  ///< null: no validation
  bool strict = true;
  std::vector<std::unique_ptr<SiteState>>& sites;
  std::uint64_t& connections;  ///< seen so far
};

/// Serves requests of one site. The parts and the site must outlive every request.
class EwsFront {
 public:
  EwsFront(FrontParts& parts, SiteState& state) : parts_(parts), state_(state) {}
  net::asio::awaitable<void> serve(const net::ServerRequest& request, net::Responder& responder);

 private:
  struct Call;
  using Flow = net::asio::awaitable<void>;

  Flow serve_ews(Call& call);
  Flow serve_streaming(Call& call, const EwsRequest& ews, const Caller& caller, std::vector<FaultRule> rules,
                       std::vector<std::string> foreign_ids);
  Flow serve_token(Call& call);
  Flow serve_autodiscover(Call& call, std::string_view query);

  /// True: the rules have answered, or ended the connection.
  net::asio::awaitable<bool> apply_before(Call& call, const std::vector<FaultRule>& rules,
                                          const EwsRequest* ews, std::string_view budget);
  Flow answer(Call& call, int status, std::string body, std::string content_type, bool may_gzip = true);
  Flow answer_fault(Call& call, std::string_view code, std::string_view message,
                    std::string_view message_xml = {});
  Flow answer_challenge(Call& call, net::Headers challenges);
  Flow answer_disabled(Call& call, EwsSwitch form);
  Flow answer_busy(Call& call, BusyPlace place, std::chrono::milliseconds hint, const EwsRequest* ews);
  /// Whose mailbox; answers itself (and says so) where that is refused.
  net::asio::awaitable<bool> resolve_mailbox(Call& call, const EwsRequest& ews, const Identity& identity,
                                             Caller& caller);
  void finish(Call& call);

  FrontParts& parts_;
  SiteState& state_;
};

}  // namespace exchange_sim
