// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The HTTP/1.1 client: keep-alive pools keyed by endpoint, TLS policy, identity, secret and scheme.
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "net/authenticator.hpp"
#include "net/environment.hpp"
#include "net/http_message.hpp"
#include "net/proxy.hpp"
#include "net/raw_log.hpp"

namespace syncline::net {

/// Deadlines and limits of one request. Every step has its own; all are also bounded by `total`.
struct HttpLimits {
  std::chrono::milliseconds connect{15'000};       ///< DNS, TCP and proxy CONNECT
  std::chrono::milliseconds handshake{15'000};     ///< TLS
  std::chrono::milliseconds send_idle{30'000};     ///< between two accepted writes
  std::chrono::milliseconds first_octet{120'000};  ///< from the request's end to the response's first octet
  std::chrono::milliseconds read_idle{60'000};     ///< between two octets of the response
  std::chrono::milliseconds total{600'000};
  std::uint64_t header_octets = 64 * 1024;
  std::uint64_t body_octets = 64ull * 1024 * 1024;  ///< after inflating (invariant 29)
};

/// Decides about one redirect. Return false to end with error "redirect-refused". Default: none is followed.
/// True also means that the target may be given credentials: authentication starts anew there. From https to
/// http nothing is ever followed. Authorization and Cookie fields that the caller has set stay with their
/// origin. 303 turns into GET; 301, 302, 307 and 308 keep method and body (Autodiscover answers a POST with
/// 302).
using RedirectRule = std::function<bool(const Url& from, const Url& to, int status)>;

struct HttpOptions {
  HttpLimits limits;
  RedirectRule redirect;  ///< empty: a 3xx is returned as the response
  int max_redirects = 5;
  std::shared_ptr<Authenticator> authenticator;  ///< null: anonymous
  std::string request_id;                        ///< for the log; one is made if empty
  std::string pool;              ///< extra pool key: hanging requests never share with others (R-13)
  std::optional<TlsPolicy> tls;  ///< instead of HttpClientSettings::tls
  /// The request may safely reach the server twice, whatever its method says (a POST that only reads). GET,
  /// HEAD, OPTIONS, PUT and DELETE are taken as such anyway. Only these are sent again by themselves when a
  /// kept connection turns out dead after the request was written.
  bool repeatable = false;
  /// Sends "Expect: 100-continue" and holds the body back for up to a second: for large bodies that a server
  /// may refuse.
  bool expect_continue = false;
};

/// A response whose body is still being read. Destroying it before the end closes the connection.
class HttpExchange {
 public:
  virtual ~HttpExchange() = default;
  virtual int status() const noexcept = 0;
  virtual const Headers& headers() const noexcept = 0;
  virtual const Url& url() const noexcept = 0;
  /// Decoded (inflated, de-chunked) octets; 0 at the end. `idle` overrides HttpLimits::read_idle for this
  /// read.
  virtual Async<std::size_t> read_body(std::span<std::byte> buffer,
                                       std::optional<std::chrono::milliseconds> idle = std::nullopt) = 0;
};

/// Errors of open() and read_body() beside those of Resolver and Connector. Certainly not acted on: http
/// "pool-timeout", "proxy-refused"; net "connect-timeout"; tls "handshake-timeout"; http "stale-connection"
/// (retry now). May have been acted on: net "send-timeout", "response-timeout", "read-timeout"; http
/// "connection-lost"; everything about the response: http "truncated", "bad-message", "header-too-large",
/// "too-large", "bad-compression", "compression-bomb"; about redirects: "redirect-refused",
/// "too-many-redirects", "redirect-loop". Never: input "bad-request". Always: net "cancelled". A client, its
/// exchanges and its callers' coroutines live on one executor (a strand, or an io_context that one thread
/// runs). A coroutine that was cancelled should leave: Asio throws at its next co_await.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  /// Sends, answers authentication challenges and redirects, and returns at the response's header. A status
  /// is never an error here, except a final 401/407 (domain auth). `retry` of an error is `now` only where no
  /// octet of the request can have been acted on.
  virtual Async<std::unique_ptr<HttpExchange>> open(HttpRequest request, HttpOptions options) = 0;
  /// open() and the whole body into memory, within limits.body_octets.
  Async<HttpResponse> send(HttpRequest request, HttpOptions options);
  /// open() and the body into `sink`; for a status other than 2xx into HttpResponse::body (first 64 KiB).
  Async<HttpResponse> send_to(HttpRequest request, HttpOptions options, Sink& sink);
};

struct HttpClientSettings {
  TlsPolicy tls;
  ProxySettings proxy;
  std::size_t connections_per_pool = 8;  ///< more requests than that wait their turn
  std::chrono::milliseconds idle_expiry{90'000};
  std::string user_agent = "Syncline";
  RawLogSettings raw_log;
};

/// Error: local "cannot-write" (the raw log).
Result<std::unique_ptr<HttpClient>> make_http_client(Environment& environment,
                                                     HttpClientSettings settings = {});

}  // namespace syncline::net
