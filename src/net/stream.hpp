// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A connected byte stream, clear or TLS. Everything above the transport library sees only this.
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "net/async.hpp"

namespace syncline::net {

class Stream {
 public:
  virtual ~Stream() = default;
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Reads at least one octet and at most buffer.size(); 0 at the end of the stream.
  /// Cancellable by the coroutine's slot (error "cancelled"). One read at a time.
  virtual Async<std::size_t> read_some(std::span<std::byte> buffer) = 0;
  /// Writes all of it, or fails. One write at a time; may run beside a read.
  virtual Async<void> write_all(std::span<const std::byte> octets) = 0;
  /// Ends our direction in an orderly way (TLS: close_notify; TCP: FIN): what was written arrives before the
  /// end. No write may follow. Streams without such a thing do nothing.
  virtual Async<void> shutdown_write();
  /// Ends the connection at once; what is under way fails with "cancelled".
  virtual void close() noexcept = 0;

  /// tls-server-end-point channel binding (RFC 5929 section 4) of a TLS stream: the hash of the server's
  /// certificate, without the "tls-server-end-point:" prefix. Empty for a clear stream.
  virtual std::string tls_server_end_point() const { return {}; }
  /// tls-exporter channel binding (RFC 9266): 32 octets that both ends of this one connection know. Empty for
  /// a clear stream, and with TLS 1.2 without an extended master secret, where it would not be unique.
  virtual std::string tls_exporter() const { return {}; }
  virtual bool is_tls() const noexcept { return false; }

  /// While on, what arrives is acknowledged at once instead of up to 40 ms later: for a peer that answers in
  /// several small packets while we have nothing to send (Nagle's rule holds its next packet back until our
  /// acknowledgement). Streams without such a thing do nothing.
  virtual void set_quick_ack(bool on) noexcept { static_cast<void>(on); }
};

using StreamPtr = std::unique_ptr<Stream>;

}  // namespace syncline::net
