// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A connection to a mail server: one deadline for each command, octets read ahead, joined writes, and the
// step to TLS. What the octets mean is the protocols' part.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/watchdog.hpp"
#include "routing/connection/endpoint.hpp"

namespace syncline::mail {

/// Not for several coroutines at once. After an error it is of no more use, but for reading what came before
/// a failed write; whoever is cancelled has to drop it, because what was under way is unknown.
class Connection {
 public:
  /// DNS, TCP (each address in turn), and TLS where it is implicit. Errors: those of resolver, connector and
  /// TLS; net "connect-timeout", tls "handshake-timeout" (after).
  static net::Async<std::unique_ptr<Connection>> open(net::Environment& environment, const Endpoint& endpoint,
                                                      std::chrono::milliseconds within);
  /// Over a stream that is connected already.
  Connection(net::Environment& environment, net::StreamPtr stream, Endpoint endpoint);
  ~Connection();

  /// What follows has to move on within `idle` (each read or write that gets something through begins it
  /// anew) and to end within `total`. One timer, whatever is armed.
  void begin(std::chrono::milliseconds idle, std::chrono::milliseconds total);
  void end() noexcept;

  /// What was read and not consumed yet; not valid after the next fill().
  std::string_view buffered() const noexcept;
  void consume(std::size_t octets) noexcept;
  /// Reads more; only when everything was consumed. Errors: net "timeout" (after), "connection-closed"
  /// (after): the server ended the connection; those of the stream.
  net::Async<void> fill();
  net::Async<void> write(std::string_view octets);

  /// The handshake, after the server agreed to it. Error tls "starttls-injection" (never): octets came
  /// between the agreement and the handshake; whoever put them there wants them taken for the server's
  /// (CVE-2011-0411, CVE-2020-15953).
  net::Async<void> start_tls(std::chrono::milliseconds within);

  bool is_tls() const noexcept { return stream_ != nullptr && stream_->is_tls(); }
  net::Stream& stream() noexcept { return *stream_; }
  const Endpoint& endpoint() const noexcept { return endpoint_; }
  bool usable() const noexcept { return !broken_ && !write_failed_; }
  void close() noexcept;

 private:
  Error broken(Error error);
  Error told(Error error) const;
  void watch();

  net::Environment& environment_;
  Endpoint endpoint_;
  net::StreamPtr stream_;
  std::unique_ptr<net::Watchdog> watchdog_;
  std::chrono::milliseconds idle_{};
  SteadyTime latest_ = SteadyTime::max();
  std::optional<SteadyTime> asked_at_;  ///< nothing has come since
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool broken_ = false;
  bool write_failed_ = false;
};

}  // namespace syncline::mail
