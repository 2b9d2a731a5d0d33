// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// SMTP on a loopback port: connections, deadlines and limits around SmtpReceiver.
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "net/environment.hpp"
#include "tools/exchange-sim/transport/smtp_receiver.hpp"

namespace exchange_sim {

namespace net = syncline::net;

struct SmtpServerOptions {
  std::string host_name;
  ReceiverLimits limits;
  std::chrono::milliseconds idle{300'000};  ///< RFC 5321 section 4.5.3.2.7
  std::size_t connections = 100;            ///< at once; more are told 421
};

class SmtpServer {
 public:
  /// `environment` and `taker` must outlive the server and what runs on the executor.
  SmtpServer(net::Environment& environment, SmtpServerOptions options, MailTaker& taker);
  ~SmtpServer();
  SmtpServer(const SmtpServer&) = delete;
  SmtpServer& operator=(const SmtpServer&) = delete;

  /// On 127.0.0.1; port 0: the system chooses. Error: local, "cannot-listen".
  syncline::Result<void> listen(std::uint16_t port);
  /// 0 before listen().
  std::uint16_t port() const noexcept;
  /// Serves one connection that already stands.
  void serve(net::StreamPtr stream);
  std::size_t connections() const noexcept;
  /// Ends the listener and every connection.
  void stop();

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace exchange_sim
