// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/http_server.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>

#include "base/log.hpp"
#include "base/text.hpp"
#include "net/cancel.hpp"
#include "net/http_framing.hpp"
#include "net/inflate.hpp"
#include "net/server_identity.hpp"
#include "net/tcp.hpp"
#include "net/tls.hpp"
#include "net/watchdog.hpp"
#include "net/wire.hpp"

namespace syncline::net {
namespace {

constexpr std::size_t write_piece_octets = 256 * 1024;
constexpr std::size_t gzip_from_octets = 1024;
constexpr std::chrono::milliseconds linger_time{2'000};
constexpr std::uint64_t linger_octets = 4 * 1024 * 1024;

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 407:
      return "Proxy Authentication Required";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 440:
      return "Login Timeout";
    case 456:
      return "Blocked";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return status >= 500 ? "Server Error" : "Status";
  }
}

std::span<const std::byte> octets_of(std::string_view text) {
  return std::as_bytes(std::span<const char>(text.data(), text.size()));
}

/// Parameters that all connections of a server share.
struct ServerShared {
  ServerShared(Environment& environment, ServerLimits limits, HttpHandler handler, ServerHooks hooks = {})
      : environment(environment),
        limits(limits),
        hooks(std::move(hooks)),
        handler(std::move(handler)),
        left(environment.executor) {}
  Environment& environment;
  ServerLimits limits;
  ServerHooks hooks;
  HttpHandler handler;
  Event left;  ///< a connection has ended
  std::size_t connections = 0;
  bool stopped = false;
};
using SharedPtr = std::shared_ptr<ServerShared>;

class Connection final : public Responder, public std::enable_shared_from_this<Connection> {
 public:
  Connection(SharedPtr shared, StreamPtr stream, std::string peer)
      : shared_(std::move(shared)),
        peer_(std::move(peer)),
        wire_(std::make_shared<Wire>(shared_->environment.executor, std::move(stream),
                                     static_cast<std::size_t>(shared_->limits.header_octets) + 64 * 1024)),
        watchdog_(shared_->environment, [wire = wire_] { wire->close(); }) {}

  asio::awaitable<void> run() {
    bool first = true;
    while (!closed_ && !shared_->stopped) {
      begin_exchange();
      watchdog_.arm_for(first ? shared_->limits.header_time : shared_->limits.keep_alive);
      first = false;
      if (wire_->buffered().empty()) {
        auto count = co_await wire_->fill();
        if (!count || *count == 0) break;
      }
      watchdog_.arm_for(shared_->limits.header_time);
      const bool go_on = co_await one_exchange();
      if (!go_on) break;
    }
    if (linger_ && !closed_) co_await linger();
    close();
  }

  void stop() {
    emit_cancellation(shared_->environment.executor, handler_cancel_, shared_from_this());
    close();
  }

  // Responder
  Async<void> respond(int status, Headers headers, std::string body, bool allow_gzip) override {
    if (auto ready = may_begin(); !ready) co_return fail(std::move(ready).error());
    const bool bodiless = status < 200 || status == 204 || status == 304;
    if (allow_gzip && !bodiless && body.size() >= gzip_from_octets && accepts_gzip_ &&
        !headers.find("Content-Encoding")) {
      body = gzip_compress(body);
      headers.set("Content-Encoding", "gzip");
      headers.add("Vary", "Accept-Encoding");
    }
    headers.remove("Transfer-Encoding");
    if (bodiless) {
      headers.remove("Content-Length");
      body.clear();
    } else {
      headers.set("Content-Length", std::to_string(claimed_length_.value_or(body.size())));
    }
    std::string head = header_text(status, headers);
    // After a false length nobody knows where the next response would begin.
    if (claimed_length_) keep_alive_ = false;
    if (is_head_) body.clear();
    // One write for the common case; a large body is not copied for it.
    const std::size_t joined = std::min(body.size(), write_piece_octets);
    head.append(body, 0, joined);
    state_ = State::ended;
    auto sent = co_await send(head);
    for (std::size_t at = joined; sent && at < body.size(); at += write_piece_octets) {
      sent = co_await send(std::string_view(body).substr(at, write_piece_octets));
    }
    co_return sent;
  }

  Async<void> begin(int status, Headers headers) override {
    if (auto ready = may_begin(); !ready) co_return fail(std::move(ready).error());
    headers.remove("Content-Length");
    chunked_ = version_ >= 11;
    if (chunked_) {
      headers.set("Transfer-Encoding", "chunked");
    } else {
      keep_alive_ = false;
    }
    const std::string head = header_text(status, headers);
    state_ = State::streaming;
    auto sent = co_await send(head);
    co_return sent;
  }

  Async<void> write(std::string_view octets) override {
    if (state_ != State::streaming) co_return misuse("write() without begin()");
    if (octets.empty() || is_head_) co_return Result<void>{};  // an empty chunk would end the body
    std::string chunk;
    if (chunked_) {
      char size[20];
      const int length = std::snprintf(size, sizeof size, "%zx\r\n", octets.size());
      chunk.reserve(octets.size() + 24);
      chunk.append(size, static_cast<std::size_t>(length)).append(octets).append("\r\n");
      octets = chunk;
    }
    Result<void> sent;
    for (std::size_t at = 0; sent && at < octets.size(); at += write_piece_octets) {
      sent = co_await send(octets.substr(at, write_piece_octets));
    }
    co_return sent;
  }

  Async<void> finish() override {
    if (state_ != State::streaming) co_return misuse("finish() without begin()");
    state_ = State::ended;
    if (!chunked_ || is_head_) co_return Result<void>{};
    auto sent = co_await send("0\r\n\r\n");
    co_return sent;
  }

  void cut_after(std::uint64_t octets) override { cut_after_ = octets; }
  void claim_length(std::uint64_t octets) override { claimed_length_ = octets; }
  void abort() noexcept override { close(); }
  std::any& connection_state() noexcept override { return connection_state_; }

 private:
  enum class State { waiting, streaming, ended };

  static unexpected<Error> misuse(std::string what) {
    return fail(ErrorDomain::local, "misuse", std::move(what));
  }

  void begin_exchange() {
    state_ = State::waiting;
    chunked_ = is_head_ = accepts_gzip_ = false;
    keep_alive_ = true;
    version_ = 11;
    sent_ = 0;
    cut_after_.reset();
    claimed_length_.reset();
  }

  Result<void> may_begin() const {
    if (closed_) return cancelled();
    if (state_ != State::waiting) return misuse("a second response to one request");
    return {};
  }

  void close() noexcept {
    closed_ = true;
    watchdog_.disarm();
    wire_->close();
  }

  std::string header_text(int status, const Headers& headers) {
    std::string text = "HTTP/1.1 " + std::to_string(status) + " ";
    text += reason_phrase(status);
    text += "\r\n";
    bool has_date = false;
    for (const auto& [name, value] : headers) {
      // Handlers may put a peer's words into a header; a line break must not become a header of its own.
      if (!is_token(name) || !is_field_value(value)) continue;
      has_date = has_date || text::equals_ignore_case(name, "Date");
      if (text::equals_ignore_case(name, "Connection") && text::equals_ignore_case(value, "close"))
        keep_alive_ = false;
      text.append(name).append(": ").append(value).append("\r\n");
    }
    if (!has_date) text += "Date: " + http_date() + "\r\n";
    if (!headers.find("Connection") && !keep_alive_) {
      text += "Connection: close\r\n";
    } else if (!headers.find("Connection") && version_ < 11) {
      text += "Connection: keep-alive\r\n";
    }
    text += "\r\n";
    return text;
  }

  std::string http_date() const {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(shared_->environment.clock.now());
    const std::time_t time = seconds.time_since_epoch().count();
    std::tm parts{};
    gmtime_r(&time, &parts);
    // strftime would use the locale's names.
    static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char text[64];
    std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[parts.tm_wday],
                  parts.tm_mday, months[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min,
                  parts.tm_sec);
    return text;
  }

  /// Everything of a response passes here: counted, cut where a fault was ordered, guarded against slow
  /// readers.
  Async<void> send(std::string_view text) {
    if (closed_) co_return cancelled();
    bool cut = false;
    if (cut_after_ && sent_ + text.size() >= *cut_after_) {
      cut = true;
      text = text.substr(0, *cut_after_ > sent_ ? *cut_after_ - sent_ : 0);
    }
    sent_ += text.size();
    watchdog_.arm_for(shared_->limits.body_idle);
    Result<void> result;
    if (!text.empty()) result = co_await wire_->stream().write_all(octets_of(text));
    watchdog_.disarm();
    if (cut) {
      close();
      co_return fail(ErrorDomain::http, "cut", "the connection was cut as ordered");
    }
    if (!result) close();
    co_return result;
  }

  asio::awaitable<bool> refuse(int status, std::string_view text) {
    keep_alive_ = false;
    linger_ = true;
    if (state_ == State::waiting) {
      ServerHooks::Refusal refusal{"text/plain; charset=utf-8", std::string(text) + "\n"};
      if (shared_->hooks.refusal) refusal = shared_->hooks.refusal(status, text);
      Headers headers;
      headers.add("Content-Type", std::move(refusal.content_type));
      static_cast<void>(co_await respond(status, std::move(headers), std::move(refusal.body), false));
    }
    co_return false;
  }

  /// False: the connection is to end.
  asio::awaitable<bool> one_exchange() {
    MessageReader reader(MessageReader::Kind::request,
                         FramingLimits{shared_->limits.header_octets, shared_->limits.body_octets});
    while (!reader.header_complete()) {
      auto step = reader.feed(wire_->buffered());
      if (!step) {
        const std::string code = step.error().code;
        const bool refused = co_await refuse(code == "header-too-large" ? 431
                                             : code == "too-large"      ? 413
                                                                        : 400,
                                             step.error().message);
        co_return refused;
      }
      wire_->consume(step->consumed);
      if (!step->needs_more) continue;
      auto count = co_await wire_->fill();
      if (watchdog_.expired() || !count || *count == 0) co_return false;
    }
    version_ = reader.version();
    keep_alive_ = reader.keep_alive();
    is_head_ = reader.method() == "HEAD";
    ServerRequest request;
    request.method = reader.method();
    request.target = reader.target();
    request.headers = std::move(reader.headers());
    request.peer = peer_;
    request.tls = wire_->stream().is_tls();
    request.tls_server_end_point = wire_->stream().tls_server_end_point();
    const auto hosts = request.headers.find_all("Host");
    if (hosts.size() > 1 || (version_ >= 11 && hosts.empty())) {
      const bool refused = co_await refuse(400, "exactly one Host field is needed");
      co_return refused;
    }
    const auto transfer = request.headers.find_all("Transfer-Encoding");
    if (!transfer.empty() &&
        (transfer.size() > 1 || !text::equals_ignore_case(text::trim(transfer[0]), "chunked") ||
         request.headers.find("Content-Length") || version_ < 11)) {
      // RFC 9112 sections 6.1 and 6.3: what two readers could understand in two ways (request smuggling).
      const bool refused = co_await refuse(400, "the length of the body is not clear");
      co_return refused;
    }
    const auto accepted = request.headers.find_all("Accept-Encoding");
    accepts_gzip_ = list_has(accepted, "gzip") && !gzip_forbidden(accepted);

    const std::uint64_t body_limit =
        shared_->hooks.body_octets
            ? std::min(shared_->hooks.body_octets(request), shared_->limits.body_octets)
            : shared_->limits.body_octets;
    if (reader.content_length().value_or(0) > body_limit) {
      const bool refused = co_await refuse(413, "the body is too large");
      co_return refused;
    }
    std::unique_ptr<Inflater> inflater;
    if (const auto coding = request.headers.find("Content-Encoding");
        coding && !text::equals_ignore_case(*coding, "identity")) {
      if (!Inflater::knows(*coding)) {
        const bool refused = co_await refuse(415, "this Content-Encoding is not known here");
        co_return refused;
      }
      InflateLimits limits;
      limits.output_octets = body_limit;
      inflater = std::make_unique<Inflater>(*coding, limits);
    }
    if (const auto expect = request.headers.find("Expect"); expect && version_ >= 11 && !reader.complete()) {
      if (!text::equals_ignore_case(*expect, "100-continue")) {
        const bool refused = co_await refuse(417, "only 100-continue can be expected");
        co_return refused;
      }
      auto sent = co_await wire_->stream().write_all(octets_of("HTTP/1.1 100 Continue\r\n\r\n"));
      if (!sent) co_return false;
    }
    const bool have_body = co_await read_body(reader, inflater.get(), body_limit, request.body);
    if (!have_body) co_return false;
    watchdog_.disarm();
    co_await handle(request);
    if (closed_) co_return false;
    if (state_ == State::streaming) {
      // The handler left in the middle: the client must not take this for the whole.
      close();
      co_return false;
    }
    if (state_ == State::waiting) {
      const bool refused = co_await refuse(500, "the request could not be answered");
      co_return refused;
    }
    if (!keep_alive_) linger_ = true;
    co_return keep_alive_;
  }

  static bool gzip_forbidden(std::span<const std::string_view> values) {
    for (const std::string_view value : values) {
      for (const std::string_view one : text::split(value, ',')) {
        const std::string lower = text::to_lower_ascii(text::trim(one));
        if (lower.starts_with("gzip") && (lower.ends_with("q=0") || lower.ends_with("q=0.0") ||
                                          lower.ends_with("q=0.00") || lower.ends_with("q=0.000"))) {
          return true;
        }
      }
    }
    return false;
  }

  asio::awaitable<bool> read_body(MessageReader& reader, Inflater* inflater, std::uint64_t limit,
                                  std::string& body) {
    const SteadyTime latest = shared_->limits.body_time.count() > 0
                                  ? deadline_after(shared_->environment.clock, shared_->limits.body_time)
                                  : SteadyTime::max();
    std::vector<std::byte> plain(inflater != nullptr ? 64 * 1024 : 0);
    bool any = false;
    while (!reader.complete()) {
      auto step = reader.feed(wire_->buffered());
      if (!step) {
        const bool refused =
            co_await refuse(step.error().code == "too-large" ? 413 : 400, step.error().message);
        co_return refused;
      }
      std::span<const std::byte> piece = step->body;
      any = any || !piece.empty();
      if (inflater == nullptr) {
        if (piece.size() > limit - body.size()) {
          const bool refused = co_await refuse(413, "the body is too large");
          co_return refused;
        }
        body.append(reinterpret_cast<const char*>(piece.data()), piece.size());
      } else {
        while (!piece.empty()) {
          auto count = inflater->inflate(piece, plain);
          if (!count) {
            const bool refused =
                co_await refuse(count.error().code == "bad-compression" ? 400 : 413, count.error().message);
            co_return refused;
          }
          body.append(reinterpret_cast<const char*>(plain.data()), *count);
        }
      }
      wire_->consume(step->consumed);
      if (!step->needs_more) continue;
      watchdog_.arm_for(shared_->limits.body_idle, latest);
      auto count = co_await wire_->fill();
      if (watchdog_.expired() || !count || *count == 0) co_return false;
    }
    if (inflater != nullptr && any) {
      // What zlib still holds back.
      for (;;) {
        std::span<const std::byte> nothing;
        auto count = inflater->inflate(nothing, plain);
        if (!count || (*count == 0 && !inflater->complete())) {
          const bool refused = co_await refuse(400, "the compressed body is damaged");
          co_return refused;
        }
        if (*count == 0) break;
        body.append(reinterpret_cast<const char*>(plain.data()), *count);
      }
    }
    co_return true;
  }

  /// Runs the handler and watches the client meanwhile.
  asio::awaitable<void> handle(const ServerRequest& request) {
    const std::weak_ptr<Connection> weak = weak_from_this();
    wire_->watch(nullptr, [weak] {
      if (const auto self = weak.lock()) {
        self->closed_ = true;
        emit_cancellation(self->shared_->environment.executor, self->handler_cancel_, self);
      }
    });
    if (wire_->ended()) {
      closed_ = true;
      co_return;
    }
    const auto [problem] = co_await asio::co_spawn(
        shared_->environment.executor, shared_->handler(request, *this),
        asio::bind_cancellation_slot(handler_cancel_.slot(), asio::as_tuple(asio::use_awaitable)));
    wire_->unwatch();
    if (!problem || closed_) co_return;
    try {
      std::rethrow_exception(problem);
    } catch (const std::exception& exception) {
      log::error(peer_, std::string("a request handler failed: ") + exception.what());
    }
  }

  /// RFC 9112 section 9.6: the answer would be lost if the client's octets met a closed socket.
  asio::awaitable<void> linger() {
    watchdog_.arm_for(linger_time);
    auto ended = co_await wire_->stream().shutdown_write();
    std::uint64_t thrown_away = 0;
    while (ended && thrown_away < linger_octets) {
      wire_->consume(wire_->buffered().size());
      auto count = co_await wire_->fill();
      if (!count || *count == 0) break;
      thrown_away += *count;
    }
  }

  SharedPtr shared_;
  std::string peer_;
  std::shared_ptr<Wire> wire_;
  Watchdog watchdog_;
  asio::cancellation_signal handler_cancel_;
  std::any connection_state_;
  State state_ = State::waiting;
  std::optional<std::uint64_t> cut_after_;
  std::optional<std::uint64_t> claimed_length_;
  std::uint64_t sent_ = 0;
  int version_ = 11;
  bool keep_alive_ = true;
  bool chunked_ = false;
  bool is_head_ = false;
  bool accepts_gzip_ = false;
  bool linger_ = false;
  bool closed_ = false;
};

/// The connections of one server; shared with their coroutines.
struct Connections {
  std::list<std::weak_ptr<Connection>> all;
};

class HttpServerImpl final : public HttpServer {
 public:
  HttpServerImpl(Environment& environment, ServerLimits limits, HttpHandler handler, ServerHooks hooks)
      : shared_(std::make_shared<ServerShared>(environment, limits, std::move(handler), std::move(hooks))),
        connections_(std::make_shared<Connections>()) {}

  ~HttpServerImpl() override { stop(); }

  Result<void> listen(const ListenOptions& options) {
    if (options.identity) {
      auto context = make_tls_server_context(*options.identity);
      if (!context) return fail(std::move(context).error());
      tls_ = std::make_shared<TlsContextPtr>(std::move(*context));
    }
    auto listener = listen_tcp(shared_->environment.executor, options.address, options.port);
    if (!listener) return fail(std::move(listener).error());
    listener_ = std::move(*listener);
    port_ = listener_->port();
    asio::co_spawn(shared_->environment.executor, accept_all(shared_, connections_, listener_, tls_),
                   asio::detached);
    return {};
  }

  /// For connections that come from now on.
  Result<void> replace_identity(const TlsServerIdentity& identity) {
    if (tls_ == nullptr)
      return fail(ErrorDomain::tls, "no-tls", "The server was begun without TLS: it has no certificate");
    auto context = make_tls_server_context(identity);
    if (!context) return fail(std::move(context).error());
    *tls_ = std::move(*context);
    return {};
  }

  std::uint16_t port() const noexcept override { return port_; }
  std::size_t connections() const noexcept override { return shared_->connections; }

  void serve(StreamPtr stream, std::string peer) override {
    asio::co_spawn(shared_->environment.executor,
                   run_connection(shared_, connections_, std::move(stream), std::move(peer), nullptr),
                   asio::detached);
  }

  void stop() override {
    if (shared_->stopped) return;
    shared_->stopped = true;
    if (listener_ != nullptr) listener_->close();
    shared_->left.notify_all();
    const auto all = connections_->all;
    for (const auto& weak : all) {
      if (const auto connection = weak.lock()) connection->stop();
    }
  }

 private:
  static asio::awaitable<void> accept_all(SharedPtr shared, std::shared_ptr<Connections> connections,
                                          std::shared_ptr<TcpListener> listener,
                                          std::shared_ptr<const TlsContextPtr> tls) {
    while (!shared->stopped) {
      if (shared->connections >= shared->limits.connections) {
        auto waited = co_await shared->left.wait();
        if (!waited) co_return;
        continue;
      }
      auto accepted = co_await listener->accept();
      if (!accepted) {
        if (accepted.error().code != "out-of-files") co_return;
        const SteadyTime again = deadline_after(shared->environment.clock, std::chrono::milliseconds(100));
        auto slept = co_await shared->environment.timers.sleep_until(again);
        if (!slept) co_return;
        continue;
      }
      asio::co_spawn(shared->environment.executor,
                     run_connection(shared, connections, std::move(accepted->stream),
                                    std::move(accepted->peer), tls == nullptr ? nullptr : *tls),
                     asio::detached);
    }
  }

  static asio::awaitable<void> run_connection(SharedPtr shared, std::shared_ptr<Connections> connections,
                                              StreamPtr stream, std::string peer, TlsContextPtr tls) {
    struct Counted {
      explicit Counted(SharedPtr shared) : shared(std::move(shared)) { ++this->shared->connections; }
      ~Counted() {
        --shared->connections;
        shared->left.notify_one();
      }
      SharedPtr shared;
    };
    const Counted counted(shared);
    if (shared->stopped) co_return;
    if (tls != nullptr) {
      Stream* const raw = stream.get();
      // The raw pointer is only used while the handshake runs, which owns the stream.
      Watchdog watchdog(shared->environment, [raw] { raw->close(); });
      watchdog.arm_for(shared->limits.header_time);
      auto secured = co_await start_tls_server(shared->environment.executor, std::move(stream), tls);
      if (!secured) {
        log::info(peer, "TLS handshake failed: " + secured.error().message);
        co_return;
      }
      watchdog.disarm();
      stream = std::move(*secured);
      if (shared->stopped) co_return;
    }
    const auto connection = std::make_shared<Connection>(shared, std::move(stream), std::move(peer));
    const auto position = connections->all.insert(connections->all.end(), connection);
    co_await connection->run();
    connections->all.erase(position);
  }

  SharedPtr shared_;
  std::shared_ptr<Connections> connections_;
  std::shared_ptr<TcpListener> listener_;
  std::shared_ptr<TlsContextPtr> tls_;  ///< shared with who accepts; null: no TLS
  std::uint16_t port_ = 0;
};

}  // namespace

Result<void> replace_identity(HttpServer& server, const TlsServerIdentity& identity) {
  // This file makes all servers there are.
  return static_cast<HttpServerImpl&>(server).replace_identity(identity);
}

Result<std::unique_ptr<HttpServer>> listen_http(Environment& environment, ListenOptions options,
                                                HttpHandler handler) {
  auto server =
      std::make_unique<HttpServerImpl>(environment, options.limits, std::move(handler), options.hooks);
  auto listening = server->listen(options);
  if (!listening) return fail(std::move(listening).error());
  return std::unique_ptr<HttpServer>(std::move(server));
}

std::unique_ptr<HttpServer> make_http_server(Environment& environment, ServerLimits limits,
                                             HttpHandler handler, ServerHooks hooks) {
  return std::make_unique<HttpServerImpl>(environment, limits, std::move(handler), std::move(hooks));
}

}  // namespace syncline::net
