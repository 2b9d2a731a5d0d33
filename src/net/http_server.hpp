// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The HTTP/1.1 server under the test Exchange and the admin API.
#include <any>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "net/environment.hpp"
#include "net/http_message.hpp"

namespace syncline::net {

/// One request as the server sees it. The body is read whole before the handler runs, within limits.
struct ServerRequest {
  std::string method;
  std::string target;  ///< path and query as sent
  Headers headers;
  std::string body;  ///< inflated if it came with Content-Encoding: gzip
  std::string peer;  ///< "127.0.0.1:40312"
  bool tls = false;
  std::string tls_server_end_point;  ///< hash of our own certificate, for channel binding
};

/// How the handler answers. Exactly one respond(), or begin() … write() … finish().
class Responder {
 public:
  virtual ~Responder() = default;
  /// Whole response with Content-Length; gzip if the client accepts it and `allow_gzip`.
  virtual Async<void> respond(int status, Headers headers, std::string body, bool allow_gzip = true) = 0;
  /// Response of unknown length, chunked: each write is one chunk, flushed at once.
  virtual Async<void> begin(int status, Headers headers) = 0;
  virtual Async<void> write(std::string_view octets) = 0;
  virtual Async<void> finish() = 0;
  /// Cuts the connection once this many octets of the response (header included) are out; for fault
  /// injection.
  virtual void cut_after(std::uint64_t octets) = 0;
  /// The next respond() says this Content-Length whatever its body is, and the connection ends after the
  /// handler; for fault injection.
  virtual void claim_length(std::uint64_t octets) = 0;
  /// Closes the connection now, without an answer.
  virtual void abort() noexcept = 0;
  /// Anything the handler wants to keep with the connection (an NTLM handshake).
  virtual std::any& connection_state() noexcept = 0;
};

/// Runs on the connection's coroutine; cancelled when the client goes away or the server stops.
using HttpHandler = std::function<asio::awaitable<void>(const ServerRequest&, Responder&)>;

struct ServerLimits {
  std::uint64_t header_octets = 64 * 1024;
  std::uint64_t body_octets = 64ull * 1024 * 1024;  ///< above: 413
  std::chrono::milliseconds header_time{30'000};    ///< slow clients
  std::chrono::milliseconds body_idle{60'000};
  std::chrono::milliseconds keep_alive{300'000};
  std::size_t connections = 4096;
  std::chrono::milliseconds body_time{0};  ///< for the whole body of a request; 0: only body_idle counts
};

/// What a server may decide for each request; empty functions: nothing.
struct ServerHooks {
  /// Asked when the header is there, before any of the body is: how many octets it may have, of those that
  /// ServerLimits allows.
  std::function<std::uint64_t(const ServerRequest& head)> body_octets = {};
  /// The body and its Content-Type of what the server itself refuses (400, 413, 415, 417, 431, 500).
  struct Refusal {
    std::string content_type;
    std::string body;
  };
  std::function<Refusal(int status, std::string_view why)> refusal = {};
};

struct ListenOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;                     ///< 0: the system chooses; HttpServer::port() tells
  std::optional<TlsServerIdentity> identity;  ///< set: https
  ServerLimits limits;
  ServerHooks hooks = {};
};

class HttpServer {
 public:
  virtual ~HttpServer() = default;
  /// 0 for a server without a listener.
  virtual std::uint16_t port() const noexcept = 0;
  /// Serves one connection that already stands (memory streams in virtual time, inherited sockets).
  virtual void serve(StreamPtr stream, std::string peer) = 0;
  virtual std::size_t connections() const noexcept = 0;
  /// Stops listening and ends all connections: handlers are cancelled. Also done by the destructor.
  virtual void stop() = 0;
};

/// Serves one connection over a stream that is already there (a memory stream in virtual time; the listener's
/// own connections go the same way). Ends when the peer has gone, the limits say so, or the caller's
/// coroutine is cancelled.
Async<void> serve_http(Environment& environment, StreamPtr stream, ServerLimits limits, std::string peer,
                       HttpHandler handler);

/// Starts to listen on the environment's executor. Error: domain local, code "cannot-listen".
/// Error of a bad identity: tls "bad-identity".
Result<std::unique_ptr<HttpServer>> listen_http(Environment& environment, ListenOptions options,
                                                HttpHandler handler);
/// A server without a listener: connections come by HttpServer::serve().
std::unique_ptr<HttpServer> make_http_server(Environment& environment, ServerLimits limits,
                                             HttpHandler handler, ServerHooks hooks = {});

}  // namespace syncline::net
