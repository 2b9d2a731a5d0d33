// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// TLS over any stream, both sides. OpenSSL stays behind this header; there is no key log, not even for tests.
#include <memory>
#include <string>

#include "net/environment.hpp"

namespace syncline::net {

/// Settings that OpenSSL has read already (CA file, certificates): made once, used by many connections.
class TlsContext {
 public:
  virtual ~TlsContext() = default;
};
using TlsContextPtr = std::shared_ptr<TlsContext>;

/// Error: tls "bad-ca-file" (never).
Result<TlsContextPtr> make_tls_client_context(const TlsPolicy& policy);
/// Error: tls "bad-identity" (never): not PEM, or the key is not the certificate's.
Result<TlsContextPtr> make_tls_server_context(const TlsServerIdentity& identity);

/// Handshake as client: SNI, chain, host name (or IP address) and dates checked. Errors: tls "certificate"
/// (never; the message says why it was refused), "handshake" (never), and those of the stream. `executor` is
/// the one the stream runs on.
Async<StreamPtr> start_tls_client(asio::any_io_executor executor, StreamPtr clear, std::string host,
                                  TlsContextPtr context);
/// Handshake as server. The stream's tls_server_end_point() is of our own certificate.
Async<StreamPtr> start_tls_server(asio::any_io_executor executor, StreamPtr clear, TlsContextPtr context);

}  // namespace syncline::net
