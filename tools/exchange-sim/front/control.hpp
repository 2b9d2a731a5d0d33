// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The control endpoint: what a test in another process says to the simulator over HTTP. Paths in
// docs/exchange-sim.md.
#include <functional>
#include <string>

#include "tools/exchange-sim/front/exchange_sim.hpp"

namespace exchange_sim {

class Control {
 public:
  using CommandHandler = std::function<Result<std::string>(std::string_view json)>;

  /// `sim` must outlive it.
  explicit Control(ExchangeSim& sim) : sim_(sim) {}
  void set_command_handler(CommandHandler handler) { command_ = std::move(handler); }
  /// Wants the control token as Bearer, or in X-Control-Token.
  net::asio::awaitable<void> serve(const net::ServerRequest& request, net::Responder& responder);

 private:
  struct Answer {
    int status = 200;
    std::string body;
  };
  Answer answer(const std::string& method, const std::string& path, const std::string& query,
                const std::string& body);
  Answer answer_faults(const std::string& method, std::string_view rest, const std::string& body);
  Answer answer_site(std::string_view name, const std::string& body);

  ExchangeSim& sim_;
  CommandHandler command_;
};

}  // namespace exchange_sim
