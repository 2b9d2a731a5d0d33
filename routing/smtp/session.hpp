// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A submission session (RFC 6409): connected, secured, signed in; then any number of messages.
#include <cstdint>
#include <memory>
#include <string>

#include "routing/connection/login.hpp"
#include "routing/smtp/transaction.hpp"

namespace syncline::smtp {

struct SessionSettings {
  mail::Endpoint endpoint = {};
  std::string client_name = {};  ///< for EHLO; empty: the loopback's address literal
  std::chrono::milliseconds connect = std::chrono::seconds(30);
  std::chrono::milliseconds greeting = std::chrono::minutes(2);
  TransactionSettings transaction = {};
};

/// Not for several coroutines at once. Cancelling what is under way ends the session.
class Session {
 public:
  /// Greeting, EHLO (HELO where that is unknown), STARTTLS if the endpoint says so, EHLO again, AUTH.
  /// `choose` may be empty: no sign-in. Errors: of the connection; tls "no-starttls" (never): asked for and
  /// not offered, "starttls-injection" (never); auth: of the exchange, "sign-in-not-offered" (never); those
  /// of reply_table.hpp.
  static net::Async<std::unique_ptr<Session>> open(net::Environment& environment,
                                                   const SessionSettings& settings,
                                                   const mail::ChooseSasl& choose);

  /// A message for all recipients of the envelope.
  net::Async<Delivery> send(const Envelope& envelope, net::Source& text, const BeforeCommit& before_commit);
  /// Whether the server is still there, and ready for a message: RSET.
  net::Async<void> reset();
  /// QUIT; waits for the answer for a moment only. The session is over.
  net::Async<void> quit();

  const Capabilities& capabilities() noexcept { return channel_.capabilities(); }
  bool is_tls() noexcept { return channel_.connection().is_tls(); }
  bool usable() const noexcept { return channel_.usable(); }
  std::uint64_t messages() const noexcept { return messages_; }
  std::chrono::milliseconds idle() const { return channel_.idle(); }

 private:
  Session(const SessionSettings& settings, std::unique_ptr<mail::Connection> connection, const Clock& clock)
      : settings_(settings), channel_(std::move(connection), clock) {}

  net::Async<void> begin(const mail::ChooseSasl& choose);
  net::Async<Reply> command(std::string line);
  net::Async<void> hello();
  net::Async<void> start_tls();
  net::Async<void> sign_in(const mail::ChooseSasl& choose);

  SessionSettings settings_;
  Channel channel_;
  std::uint64_t messages_ = 0;
};

}  // namespace syncline::smtp
