// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Commands out, replies in, on one connection: what a session and its transactions share.
#include <chrono>
#include <memory>
#include <string_view>

#include "routing/connection/connection.hpp"
#include "routing/smtp/capabilities.hpp"
#include "routing/smtp/reply.hpp"

namespace syncline::smtp {

class Channel {
 public:
  Channel(std::unique_ptr<mail::Connection> connection, const Clock& clock)
      : connection_(std::move(connection)), clock_(clock) {}

  net::Async<void> write(std::string_view octets) { return connection_->write(octets); }
  /// The next reply, whatever it says. A 421 is the server's last word on this connection.
  net::Async<Reply> reply();
  /// A deadline for what follows: to move on within `span`, and to end within four times that.
  void begin(std::chrono::milliseconds span) { connection_->begin(span, span * 4); }
  void end() noexcept { connection_->end(); }

  mail::Connection& connection() noexcept { return *connection_; }
  Capabilities& capabilities() noexcept { return capabilities_; }
  /// A transaction stands open that was not ended by a message or RSET.
  bool needs_reset() const noexcept { return needs_reset_; }
  void set_needs_reset(bool needs) noexcept { needs_reset_ = needs; }
  bool usable() const noexcept { return !closing_ && connection_->usable(); }
  void close() noexcept { connection_->close(); }
  /// Since the last reply.
  std::chrono::milliseconds idle() const;

 private:
  std::unique_ptr<mail::Connection> connection_;
  const Clock& clock_;
  ReplyReader reader_;
  Capabilities capabilities_;
  SteadyTime last_reply_{};
  bool needs_reset_ = false;
  bool closing_ = false;
};

}  // namespace syncline::smtp
