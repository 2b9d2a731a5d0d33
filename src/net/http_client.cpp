// SPDX-License-Identifier: GPL-3.0-or-later
#include <openssl/sha.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <set>

#include "base/base64.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "net/http_client.hpp"
#include "net/http_framing.hpp"
#include "net/http_pool.hpp"
#include "net/inflate.hpp"
#include "net/with_deadline.hpp"

// The order of one request:
//   turn in the pool → kept connection, or DNS, TCP, (CONNECT), (TLS) → header and first piece of body in one
//   write → rest of the body → interim responses → header of the response → challenge? then again on this
//   connection → body, piece by piece as the caller reads → connection back into the pool, turn to the next.

namespace syncline::net {
namespace {

constexpr std::size_t body_piece_octets = 64 * 1024;
constexpr std::uint64_t drain_octets = 256 * 1024;
constexpr std::size_t kept_error_body_octets = 64 * 1024;
constexpr int max_interim_responses = 10;
constexpr int max_authentication_legs = 6;
constexpr std::chrono::milliseconds continue_wait{1'000};

std::span<const std::byte> octets_of(std::string_view text) {
  return std::as_bytes(std::span<const char>(text.data(), text.size()));
}

std::string_view text_of(std::span<const std::byte> octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

unexpected<Error> http_error(std::string code, std::string message, RetryClass retry = RetryClass::never) {
  return fail(ErrorDomain::http, std::move(code), std::move(message), retry);
}

Error timeout_error(ErrorDomain domain, std::string code, std::string message) {
  return Error{
      .domain = domain, .code = std::move(code), .message = std::move(message), .retry = RetryClass::after};
}

bool is_idempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "PUT" ||
         method == "DELETE" || method == "TRACE";
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool same_origin(const Url& a, const Url& b) {
  return a.scheme == b.scheme && a.host == b.host && a.port == b.port;
}

Result<void> check_request(const HttpRequest& request) {
  const auto refuse = [](std::string what) {
    return fail(ErrorDomain::input, "bad-request", "the request cannot be sent: " + std::move(what));
  };
  if (!is_token(request.method) || request.method == "CONNECT") return refuse("its method is no usable word");
  if (!request.url.target.starts_with('/') ||
      request.url.target.find_first_of(" \r\n\t#") != std::string::npos ||
      !is_field_value(request.url.target)) {
    return refuse("its target is not a path");
  }
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name)) return refuse("a header field's name is not usable");
    if (!is_field_value(value)) return refuse("the field " + name + " contains a control character");
  }
  return {};
}

/// What the framing itself decides; a caller's fields of these names are passed over.
bool is_framing_field(std::string_view name) {
  return text::equals_ignore_case(name, "Host") || text::equals_ignore_case(name, "Content-Length") ||
         text::equals_ignore_case(name, "Transfer-Encoding") ||
         text::equals_ignore_case(name, "Connection") || text::equals_ignore_case(name, "Expect") ||
         text::equals_ignore_case(name, "Upgrade") || text::equals_ignore_case(name, "TE") ||
         text::equals_ignore_case(name, "Keep-Alive");
}

std::vector<std::string> copies(const std::vector<std::string_view>& values) {
  return std::vector<std::string>(values.begin(), values.end());
}

/// For a message: the schemes that were offered and what a person can use of them, without handshake tokens.
std::string offered_schemes(const std::vector<std::string>& challenges) {
  std::string text;
  for (const std::string& challenge : challenges) {
    const std::string scheme = challenge.substr(0, challenge.find(' '));
    const bool token =
        text::equals_ignore_case(scheme, "NTLM") || text::equals_ignore_case(scheme, "Negotiate");
    if (!text.empty()) text += ", ";
    text += token ? scheme : challenge;
    if (text.size() > 1024) {
      text.resize(1024);
      text += "…";
      break;
    }
  }
  return text.empty() ? "nothing" : text;
}

Error unauthorized(int status, const std::vector<std::string>& challenges, bool had_credentials) {
  Error error;
  error.domain = ErrorDomain::auth;
  error.code = status == 407 ? "proxy-unauthorized" : "unauthorized";
  error.message = std::string(status == 407 ? "the proxy" : "the server") +
                  (had_credentials ? " refuses the credentials (" : " wants credentials (") +
                  std::to_string(status) + "); it offers " + offered_schemes(challenges);
  error.retry = RetryClass::reauthenticate;
  error.http_status = status;
  return error;
}

struct Common {
  Common(Environment& environment, HttpClientSettings settings)
      : environment(environment),
        settings(std::move(settings)),
        pool(environment, this->settings.connections_per_pool, this->settings.idle_expiry) {}
  Environment& environment;
  HttpClientSettings settings;
  std::unique_ptr<RawLog> raw_log;
  HttpPool pool;
};
using CommonPtr = std::shared_ptr<Common>;

/// One response being read from a connection.
class Exchange final : public HttpExchange {
 public:
  Exchange(CommonPtr common, HttpPool::Lease lease, MessageReader reader, Url url, const HttpLimits& limits,
           SteadyTime total, bool reusable, std::string id)
      : common_(std::move(common)),
        lease_(std::move(lease)),
        reader_(std::move(reader)),
        url_(std::move(url)),
        limits_(limits),
        total_(total),
        reusable_(reusable),
        id_(std::move(id)) {}

  ~Exchange() override {
    if (lease_.connection != nullptr && reader_.complete() && pending_.empty() && !failed_) release();
  }

  Result<void> start() {
    const auto coding = reader_.headers().find("Content-Encoding");
    if (coding && !text::equals_ignore_case(text::trim(*coding), "identity") && !coding->empty()) {
      if (!Inflater::knows(text::trim(*coding))) {
        failed_ = true;
        return http_error("bad-compression", "the server answers in a content coding that was not asked for");
      }
      InflateLimits bounds;
      bounds.output_octets = limits_.body_octets;
      inflater_ = std::make_unique<Inflater>(text::trim(*coding), bounds);
    }
    // Nothing to come: the connection is free at once.
    if (reader_.complete()) {
      inflated_all_ = true;
      release();
    }
    return {};
  }

  int status() const noexcept override { return reader_.status(); }
  const Headers& headers() const noexcept override { return reader_.headers(); }
  const Url& url() const noexcept override { return url_; }
  const std::string& reason() const noexcept { return reader_.reason(); }
  bool open() const noexcept { return lease_.connection != nullptr; }

  Async<std::size_t> read_body(std::span<std::byte> buffer,
                               std::optional<std::chrono::milliseconds> idle) override {
    if (failed_) co_return http_error("connection-lost", "the response has failed before", RetryClass::after);
    if (buffer.empty()) co_return std::size_t{0};
    for (;;) {
      auto count = take(buffer);
      if (!count) {
        give_up();
        co_return fail(std::move(count).error());
      }
      if (*count > 0) {
        if (common_->raw_log) common_->raw_log->body(id_, RawLog::Direction::received, buffer.first(*count));
        if (finished()) release();
        co_return *count;
      }
      if (finished()) {
        release();
        co_return std::size_t{0};
      }
      if (pending_.empty() && !reader_.complete()) {
        auto advanced = co_await advance(idle.value_or(limits_.read_idle));
        if (!advanced) {
          give_up();
          co_return fail(std::move(advanced).error());
        }
      }
    }
  }

  /// Reads what is left, if that is little, so that the connection can be used again.
  Async<void> drain() {
    std::vector<std::byte> scratch(16 * 1024);
    std::uint64_t thrown_away = 0;
    while (open() && !failed_) {
      auto count = co_await read_body(scratch, std::nullopt);
      if (!count) co_return fail(std::move(count).error());
      if (*count == 0) break;
      thrown_away += *count;
      if (thrown_away > drain_octets) {
        give_up();
        break;
      }
    }
    co_return Result<void>{};
  }

  /// For the next leg of authentication: the connection, if it is still good.
  HttpPool::Lease take_lease() { return std::move(lease_); }
  /// Do not give the connection back at the end of the body; take_lease() follows.
  void hold() noexcept { held_ = true; }
  bool reusable() const noexcept { return reusable_ && reader_.keep_alive() && !failed_ && finished(); }

 private:
  bool finished() const noexcept { return reader_.complete() && pending_.empty() && inflated_all_; }

  void give_up() noexcept {
    failed_ = true;
    reusable_ = false;
    if (!held_) lease_ = HttpPool::Lease();
  }

  void release() {
    if (common_->raw_log && !logged_end_) common_->raw_log->end_body(id_, RawLog::Direction::received);
    logged_end_ = true;
    if (lease_.connection == nullptr || held_) return;
    lease_.connection->watchdog.disarm();
    // Octets behind the end were not asked for; nobody may take them for the next answer.
    if (reusable_ && reader_.keep_alive() && lease_.connection->wire->buffered().empty()) {
      lease_.put_back();
    } else {
      lease_ = HttpPool::Lease();
    }
  }

  /// Moves octets that are there already. 0: none.
  Result<std::size_t> take(std::span<std::byte> buffer) {
    if (inflater_ != nullptr) {
      if (pending_.empty() && !reader_.complete()) return std::size_t{0};
      std::span<const std::byte> rest = pending_;
      auto count = inflater_->inflate(rest, buffer);
      if (!count) return count;
      consume_pending(pending_.size() - rest.size());
      if (*count == 0 && pending_.empty() && reader_.complete()) {
        if (any_body_ && !inflater_->complete()) {
          return http_error("truncated", "the compressed body ends too early", RetryClass::after);
        }
        inflated_all_ = true;
      }
      return count;
    }
    const std::size_t count = std::min(buffer.size(), pending_.size());
    if (count == 0) return count;
    std::copy_n(pending_.begin(), count, buffer.begin());
    // Bodies that end with the connection have no length that the parser could have judged at once.
    delivered_ += count;
    if (delivered_ > limits_.body_octets) {
      return http_error("too-large", "the body is larger than the limit of " +
                                         std::to_string(limits_.body_octets) + " octets");
    }
    consume_pending(count);
    return count;
  }

  void consume_pending(std::size_t octets) {
    if (octets == 0) return;
    pending_ = pending_.subspan(octets);
    lease_.connection->wire->consume(octets);
  }

  /// One step of the parser, with a read where it needs more.
  Async<void> advance(std::chrono::milliseconds idle) {
    Wire& wire = *lease_.connection->wire;
    auto step = reader_.feed(wire.buffered());
    if (!step) co_return fail(std::move(step).error());
    // The piece of body is at the end of what was consumed; it stays in the wire's buffer until it was taken.
    wire.consume(step->consumed - step->body.size());
    pending_ = step->body;
    any_body_ = any_body_ || !pending_.empty();
    if (reader_.complete() && inflater_ == nullptr) inflated_all_ = true;
    if (!step->needs_more) co_return Result<void>{};
    lease_.connection->watchdog.arm_for(idle, total_);
    auto count = co_await wire.fill();
    if (lease_.connection->watchdog.expired()) {
      co_return fail(
          timeout_error(ErrorDomain::net, "read-timeout", "the response stopped in the middle of its body"));
    }
    lease_.connection->watchdog.disarm();
    if (!count) {
      Error error = std::move(count).error();
      if (error.code == "connection-reset") error.code = "connection-lost";
      co_return fail(std::move(error));
    }
    if (*count == 0) {
      auto ended = reader_.feed_end();
      if (ended && inflater_ == nullptr) inflated_all_ = true;
      co_return ended;
    }
    co_return Result<void>{};
  }

  CommonPtr common_;
  HttpPool::Lease lease_;
  MessageReader reader_;
  Url url_;
  HttpLimits limits_;
  SteadyTime total_;
  bool reusable_;
  std::string id_;
  std::unique_ptr<Inflater> inflater_;
  std::span<const std::byte> pending_;
  std::uint64_t delivered_ = 0;
  bool any_body_ = false;
  bool inflated_all_ = false;
  bool held_ = false;
  bool failed_ = false;
  bool logged_end_ = false;
};

/// One request on its way: owns what open() needs across redirects, legs and connections.
class Sender {
 public:
  Sender(CommonPtr common, HttpRequest request, HttpOptions options)
      : common_(std::move(common)),
        request_(std::move(request)),
        options_(std::move(options)),
        id_(options_.request_id.empty() ? common_->environment.random.uuid().substr(0, 8)
                                        : options_.request_id),
        total_(deadline_after(common_->environment.clock, options_.limits.total)) {}

  Async<std::unique_ptr<Exchange>> run() {
    const Url origin = request_.url;
    std::set<std::string> seen;
    for (int hops = 0;; ++hops) {
      if (auto good = check_request(request_); !good) co_return fail(std::move(good).error());
      seen.insert(request_.method + ' ' + request_.url.to_string());
      auto exchange = co_await one_target();
      if (!exchange) co_return fail(std::move(exchange).error().during("requesting " + shown_url()));
      log::debug(id_, request_.method + " " + shown_url() + " → " + std::to_string((*exchange)->status()));
      const auto location = (*exchange)->headers().find("Location");
      if (!options_.redirect || !is_redirect((*exchange)->status()) || !location) co_return exchange;
      auto prepared = prepare_redirect((*exchange)->status(), *location, hops, seen);
      if (!prepared) co_return fail(std::move(prepared).error().during("requesting " + shown_url()));
      auto drained = co_await (*exchange)->drain();
      if (!drained && drained.error().code == "cancelled") co_return fail(std::move(drained).error());
      const bool leaves = !same_origin(request_.url, *prepared);
      if ((*exchange)->status() == 303 && request_.method != "HEAD") {
        request_.method = "GET";
        request_.body = nullptr;
        for (const char* name : {"Content-Type", "Content-Encoding", "Content-Language"})
          request_.headers.remove(name);
      }
      if (leaves) {
        for (const char* name : {"Authorization", "Cookie", "Proxy-Authorization"})
          request_.headers.remove(name);
      }
      request_.url = std::move(*prepared);
    }
  }

 private:
  /// How far one try got: decides whether it may be repeated.
  struct Progress {
    bool request_written = false;  ///< the first write (which holds the header) was taken
    bool any_answer = false;       ///< an octet came back
  };

  std::string shown_url() const {
    // Queries may carry tokens.
    const Url& url = request_.url;
    return url.scheme + "://" + url.authority() + url.target.substr(0, url.target.find('?'));
  }

  const TlsPolicy& tls() const { return options_.tls ? *options_.tls : common_->settings.tls; }

  Result<Url> prepare_redirect(int status, std::string_view location, int hops,
                               const std::set<std::string>& seen) {
    auto target = resolve_reference(request_.url, location);
    if (!target)
      return http_error("redirect-refused", "the server redirects to something that is no usable URL");
    if (hops >= options_.max_redirects) {
      return http_error("too-many-redirects", "the server redirects more than " +
                                                  std::to_string(options_.max_redirects) + " times");
    }
    const std::string method = status == 303 && request_.method != "HEAD" ? "GET" : request_.method;
    if (seen.contains(method + ' ' + target->to_string())) {
      return http_error("redirect-loop", "the server redirects in a circle");
    }
    if (request_.url.is_tls() && !target->is_tls()) {
      return http_error("redirect-refused",
                        "the server redirects from https to http, to " + target->authority());
    }
    if (!options_.redirect(request_.url, *target, status)) {
      return http_error("redirect-refused", "the redirect to " + target->scheme + "://" +
                                                target->authority() + " is not allowed");
    }
    return target;
  }

  /// R-17: everything that must not be shared between requests is in the key. Fields are separated by NUL,
  /// which none of them can contain.
  std::string pool_key() const {
    std::string key;
    const auto add = [&key](std::string_view part) {
      key.append(part);
      key += '\0';
    };
    add(request_.url.scheme);
    add(request_.url.host);
    add(std::to_string(request_.url.port));
    if (request_.url.is_tls()) {
      add(tls().ca_file);
      add(tls().tls13_only ? "1.3" : "1.2");
    }
    add(proxy_ ? proxy_->to_string() : "");
    add(proxy_ && common_->settings.proxy.authenticator ? common_->settings.proxy.authenticator->pool_key()
                                                        : "");
    add(options_.authenticator ? options_.authenticator->scheme() : "");
    add(options_.authenticator ? options_.authenticator->pool_key() : "");
    // A caller's own Authorization field identifies as well; its digest, so that no secret lies in the map.
    if (const auto own = request_.headers.find("Authorization")) {
      unsigned char digest[SHA256_DIGEST_LENGTH];
      SHA256(reinterpret_cast<const unsigned char*>(own->data()), own->size(), digest);
      add(base64_encode(std::as_bytes(std::span<const unsigned char>(digest))));
    } else {
      add("");
    }
    add(options_.pool);
    return key;
  }

  bool repeatable() const { return options_.repeatable || is_idempotent(request_.method); }

  /// One target, over as many connections as stale ones and authentication demand.
  Async<std::unique_ptr<Exchange>> one_target() {
    proxy_ = choose_proxy(common_->settings.proxy, request_.url);
    through_proxy_ = proxy_ && !request_.url.is_tls();
    session_.reset();
    proxy_session_.reset();
    authorization_.reset();
    proxy_authorization_.reset();
    legs_ = 0;
    for (bool fresh = false;; fresh = true) {
      auto leased = co_await acquire(fresh);
      if (!leased) co_return fail(std::move(leased).error());
      HttpPool::Lease lease = std::move(*leased);
      const bool kept = lease.connection != nullptr;
      if (kept) {
        // Lets the event loop deliver an end of connection that has arrived already: cheaper than an
        // uncertain POST.
        co_await asio::post(common_->environment.executor, asio::use_awaitable);
        co_await asio::post(common_->environment.executor, asio::use_awaitable);
      } else {
        auto made = co_await establish();
        if (!made) co_return fail(std::move(made).error());
        lease.connection = std::move(*made);
      }
      if (legs_ == 0) {
        auto ready = co_await first_authorization(*lease.connection);
        if (!ready) co_return fail(std::move(ready).error());
      }
      Progress progress;
      bool reconnect = false;
      auto exchange = co_await legs(std::move(lease), progress, reconnect);
      if (exchange && !reconnect) co_return exchange;
      if (reconnect) continue;
      const bool lost = exchange.error().code == "connection-lost";
      if (!lost || progress.any_answer) co_return exchange;
      const bool untouched = !progress.request_written;
      if (kept && !fresh && (untouched || repeatable())) {
        log::debug(id_, "a kept connection was dead; trying again on a new one");
        legs_ = 0;
        continue;
      }
      if (untouched) {
        Error error = std::move(exchange).error();
        error.code = "stale-connection";
        error.retry = RetryClass::now;
        co_return fail(std::move(error));
      }
      co_return exchange;
    }
  }

  Async<HttpPool::Lease> acquire(bool fresh) {
    Error late = timeout_error(ErrorDomain::http, "pool-timeout",
                               "no connection became free in time (all are in use by other requests)");
    auto wait = common_->pool.acquire(pool_key(), fresh);
    auto lease =
        co_await with_deadline(common_->environment.timers, total_, std::move(wait), std::move(late));
    co_return lease;
  }

  // --- connecting ---

  Async<StreamPtr> connect_to(std::string host, std::uint16_t port) {
    auto addresses = co_await common_->environment.resolver.addresses(host);
    if (!addresses) co_return fail(std::move(addresses).error());
    if (addresses->empty())
      co_return fail(ErrorDomain::net, "name-not-found", "DNS has no address for " + host);
    const SteadyTime end = deadline_after(common_->environment.clock, options_.limits.connect);
    Error last;
    for (std::size_t i = 0; i < addresses->size(); ++i) {
      // A dead first address may not eat the time of the ones behind it.
      const SteadyTime now = common_->environment.clock.steady_now();
      const SteadyTime share = now + (end - now) / static_cast<std::int64_t>(addresses->size() - i);
      Error late =
          timeout_error(ErrorDomain::net, "connect-timeout", host + " does not answer at " + (*addresses)[i]);
      auto connecting = common_->environment.connector.connect((*addresses)[i], port);
      auto stream =
          co_await with_deadline(common_->environment.timers, share, std::move(connecting), std::move(late));
      if (stream) co_return stream;
      last = std::move(stream).error();
      if (last.code == "cancelled") break;
    }
    co_return fail(std::move(last));
  }

  Async<std::unique_ptr<HttpConnection>> establish() {
    const SteadyTime connect_end =
        std::min(total_, deadline_after(common_->environment.clock, options_.limits.connect));
    const Url& endpoint = proxy_ ? *proxy_ : request_.url;
    Error late =
        timeout_error(ErrorDomain::net, "connect-timeout", endpoint.host + " does not answer in time");
    Error late_too = late;
    auto connecting = connect_to(endpoint.host, endpoint.port);
    auto connected = co_await with_deadline(common_->environment.timers, connect_end, std::move(connecting),
                                            std::move(late));
    if (!connected) co_return fail(std::move(connected).error());
    StreamPtr stream = std::move(*connected);
    if (proxy_ && request_.url.is_tls()) {
      auto tunnelling = tunnel(std::move(stream));
      auto tunnelled = co_await with_deadline(common_->environment.timers, connect_end, std::move(tunnelling),
                                              std::move(late_too));
      if (!tunnelled) co_return fail(std::move(tunnelled).error());
      stream = std::move(*tunnelled);
    }
    if (request_.url.is_tls()) {
      Error slow = timeout_error(ErrorDomain::tls, "handshake-timeout",
                                 "the TLS handshake with " + request_.url.host + " does not end");
      const SteadyTime end =
          std::min(total_, deadline_after(common_->environment.clock, options_.limits.handshake));
      auto securing = common_->environment.connector.start_tls(std::move(stream), request_.url.host, tls());
      auto secured =
          co_await with_deadline(common_->environment.timers, end, std::move(securing), std::move(slow));
      if (!secured) co_return fail(std::move(secured).error());
      stream = std::move(*secured);
    }
    co_return std::make_unique<HttpConnection>(
        common_->environment, std::move(stream),
        static_cast<std::size_t>(options_.limits.header_octets) + 64 * 1024);
  }

  /// CONNECT, with the proxy's own authentication (RFC 9110 section 9.3.6).
  Async<StreamPtr> tunnel(StreamPtr stream) {
    const std::string target = request_.url.host.find(':') != std::string::npos
                                   ? "[" + request_.url.host + "]:" + std::to_string(request_.url.port)
                                   : request_.url.host + ":" + std::to_string(request_.url.port);
    const auto& authenticator = common_->settings.proxy.authenticator;
    std::unique_ptr<AuthSession> session;
    std::optional<std::string> authorization;
    if (authenticator) {
      AuthTarget auth_target;
      auth_target.url = *proxy_;
      auth_target.proxy = true;
      session = authenticator->start(auth_target);
      auto value = co_await session->initial();
      if (!value) co_return fail(std::move(value).error());
      authorization = std::move(*value);
    }
    for (int leg = 0; leg <= max_authentication_legs; ++leg) {
      std::string head = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target +
                         "\r\nUser-Agent: " + common_->settings.user_agent + "\r\n";
      if (authorization) {
        if (!is_field_value(*authorization)) {
          co_return fail(ErrorDomain::auth, "bad-credentials", "the credentials cannot be put into a header");
        }
        head += "Proxy-Authorization: " + *authorization + "\r\n";
      }
      head += "\r\n";
      log_header(RawLog::Direction::sent, head);
      auto sent = co_await stream->write_all(octets_of(head));
      if (!sent) co_return fail(std::move(sent).error());
      auto answer = co_await read_connect_answer(*stream);
      if (!answer) co_return fail(std::move(answer).error());
      const int status = answer->status();
      if (status >= 200 && status < 300) co_return stream;
      const auto challenges = copies(answer->headers().find_all("Proxy-Authenticate"));
      if (status != 407) {
        Error error = http_error("proxy-refused",
                                 "the proxy " + proxy_->authority() + " refuses the connection to " + target +
                                     " (" + std::to_string(status) + ")",
                                 status >= 500 ? RetryClass::after : RetryClass::never)
                          .value();
        error.http_status = status;
        co_return fail(std::move(error));
      }
      if (!session || !answer->keep_alive()) {
        if (session && leg == 0 && !authenticator->connection_bound()) {
          // The proxy closes with its challenge: the answer goes over a new connection.
          auto again = co_await connect_to(proxy_->host, proxy_->port);
          if (!again) co_return fail(std::move(again).error());
          stream = std::move(*again);
        } else {
          co_return fail(unauthorized(407, challenges, session != nullptr));
        }
      }
      auto value = co_await session->answer(challenges);
      if (!value) co_return fail(std::move(value).error());
      authorization = std::move(*value);
    }
    co_return fail(unauthorized(407, {}, true));
  }

  /// Octet by octet would be the only way not to read into the tunnel by accident; instead anything behind
  /// the header of a 2xx is refused: a server that talks TLS waits for us.
  Async<MessageReader> read_connect_answer(Stream& stream) {
    MessageReader reader(MessageReader::Kind::response,
                         FramingLimits{options_.limits.header_octets, drain_octets});
    std::vector<std::byte> buffer(static_cast<std::size_t>(options_.limits.header_octets) + 1024);
    std::size_t begin = 0;
    std::size_t end = 0;
    for (;;) {
      auto step = reader.feed(std::span<const std::byte>(buffer).subspan(begin, end - begin));
      if (!step) co_return fail(std::move(step).error());
      begin += step->consumed;
      if (reader.header_complete()) {
        const bool tunnelled = reader.status() >= 200 && reader.status() < 300;
        if (tunnelled && begin != end) co_return http_error("bad-message", "the proxy talks into the tunnel");
        // The body of a refusal is of no use, and may have no end; that of a challenge stands before the next
        // answer.
        if (tunnelled || reader.status() != 407 || reader.complete()) break;
      }
      if (!step->needs_more) continue;
      if (end == buffer.size()) {
        std::copy(buffer.begin() + static_cast<std::ptrdiff_t>(begin), buffer.end(), buffer.begin());
        end -= begin;
        begin = 0;
        if (end == buffer.size()) co_return http_error("header-too-large", "the proxy's header is too large");
      }
      auto count = co_await stream.read_some(std::span<std::byte>(buffer).subspan(end));
      if (!count) co_return fail(std::move(count).error());
      if (*count == 0) {
        auto ended = reader.feed_end();
        if (!ended)
          co_return http_error("proxy-refused", "the proxy closed the connection", RetryClass::after);
        break;
      }
      end += *count;
    }
    log_response_header(reader);
    co_return reader;
  }

  // --- authentication ---

  AuthTarget auth_target(HttpConnection& connection) const {
    AuthTarget target;
    target.url = request_.url;
    target.tls_server_end_point = connection.wire->stream().tls_server_end_point();
    return target;
  }
  AuthTarget proxy_auth_target() const {
    AuthTarget target;
    target.url = *proxy_;
    target.proxy = true;
    return target;
  }

  const std::shared_ptr<Authenticator>& proxy_authenticator() const {
    return common_->settings.proxy.authenticator;
  }

  /// The session that speaks for this request on this connection.
  std::unique_ptr<AuthSession>& session_on(HttpConnection& connection) {
    return options_.authenticator->connection_bound() ? connection.session : session_;
  }
  std::unique_ptr<AuthSession>& proxy_session_on(HttpConnection& connection) {
    return proxy_authenticator()->connection_bound() ? connection.proxy_session : proxy_session_;
  }

  Async<void> first_authorization(HttpConnection& connection) {
    authorization_.reset();
    proxy_authorization_.reset();
    if (options_.authenticator && !connection.authenticated) {
      auto& session = session_on(connection);
      session = options_.authenticator->start(auth_target(connection));
      auto value = co_await session->initial();
      if (!value) co_return fail(std::move(value).error());
      authorization_ = std::move(*value);
    }
    if (through_proxy_ && proxy_authenticator() && !connection.proxy_authenticated) {
      auto& session = proxy_session_on(connection);
      session = proxy_authenticator()->start(proxy_auth_target());
      auto value = co_await session->initial();
      if (!value) co_return fail(std::move(value).error());
      proxy_authorization_ = std::move(*value);
    }
    co_return Result<void>{};
  }

  /// Sends and answers challenges until something else than a challenge comes. `reconnect`: the server has
  /// closed with its challenge, authorization_ is the answer to it and wants a new connection.
  Async<std::unique_ptr<Exchange>> legs(HttpPool::Lease lease, Progress& progress, bool& reconnect) {
    for (;;) {
      progress = Progress{};
      HttpConnection& connection = *lease.connection;
      auto reply = co_await attempt(connection, progress);
      if (!reply) co_return fail(std::move(reply).error());
      const int status = reply->reader.status();
      const bool by_proxy = status == 407 && through_proxy_;
      const auto challenges =
          copies(reply->reader.headers().find_all(status == 407 ? "Proxy-Authenticate" : "WWW-Authenticate"));
      const bool challenged =
          (status == 401 && options_.authenticator) || (by_proxy && proxy_authenticator());
      const bool was_authenticated = by_proxy ? connection.proxy_authenticated : connection.authenticated;
      if (!challenged && status != 401 && status != 407) {
        auto accepted = note_accepted(connection, reply->reader);
        if (!accepted) co_return fail(std::move(accepted).error());
      }
      auto exchange = std::make_unique<Exchange>(common_, std::move(lease), std::move(reply->reader),
                                                 request_.url, options_.limits, total_, reply->reusable, id_);
      if (status == 401 || status == 407) exchange->hold();
      auto started = exchange->start();
      if (!started) co_return fail(std::move(started).error());
      if (status != 401 && status != 407) co_return exchange;

      auto drained = co_await exchange->drain();
      if (!drained && drained.error().code == "cancelled") co_return fail(std::move(drained).error());
      const bool stays = drained.has_value() && exchange->reusable();
      lease = exchange->take_lease();
      if (!challenged || legs_ >= max_authentication_legs) {
        if (stays && !challenged) lease.put_back();
        co_return fail(unauthorized(status, challenges,
                                    challenged || request_.headers.find("Authorization").has_value()));
      }
      auto next = co_await answer(lease, challenges, by_proxy, stays, was_authenticated, reconnect);
      if (!next) co_return fail(std::move(next).error());
      ++legs_;
      if (reconnect) co_return std::unique_ptr<Exchange>();
    }
  }

  Result<void> note_accepted(HttpConnection& connection, MessageReader& reader) {
    if (options_.authenticator && !connection.authenticated) {
      auto& session = session_on(connection);
      if (session) {
        auto accepted = session->accepted(copies(reader.headers().find_all("WWW-Authenticate")));
        if (!accepted) return accepted;
        connection.authenticated = options_.authenticator->connection_bound() && session->binds_connection();
      }
    }
    if (through_proxy_ && proxy_authenticator() && !connection.proxy_authenticated) {
      auto& session = proxy_session_on(connection);
      if (session) {
        auto accepted = session->accepted(copies(reader.headers().find_all("Proxy-Authenticate")));
        if (!accepted) return accepted;
        connection.proxy_authenticated =
            proxy_authenticator()->connection_bound() && session->binds_connection();
      }
    }
    return {};
  }

  Async<void> answer(HttpPool::Lease& lease, const std::vector<std::string>& challenges, bool by_proxy,
                     bool stays, bool was_authenticated, bool& reconnect) {
    HttpConnection& connection = *lease.connection;
    const auto& authenticator = by_proxy ? proxy_authenticator() : options_.authenticator;
    auto& session = by_proxy ? proxy_session_on(connection) : session_on(connection);
    const bool bound = authenticator->connection_bound();
    if (was_authenticated || session == nullptr) {
      // The server has forgotten the connection's identity: start anew on it.
      (by_proxy ? connection.proxy_authenticated : connection.authenticated) = false;
      session = authenticator->start(by_proxy ? proxy_auth_target() : auth_target(connection));
    }
    if (!stays && bound) {
      // A handshake cannot move to another connection; one that has not begun (no token was sent) can begin
      // there.
      const bool begun = by_proxy ? proxy_authorization_.has_value() : authorization_.has_value();
      if (begun && !was_authenticated) {
        co_return fail(ErrorDomain::auth, "connection-closed",
                       "the server closed the connection in the middle of the authentication",
                       RetryClass::after);
      }
      lease = HttpPool::Lease();
      auto leased = co_await acquire(true);
      if (!leased) co_return fail(std::move(leased).error());
      auto made = co_await establish();
      if (!made) co_return fail(std::move(made).error());
      lease = std::move(*leased);
      lease.connection = std::move(*made);
      auto& fresh = by_proxy ? proxy_session_on(*lease.connection) : session_on(*lease.connection);
      fresh = authenticator->start(by_proxy ? proxy_auth_target() : auth_target(*lease.connection));
      auto value = co_await fresh->answer(challenges);
      if (!value) co_return fail(std::move(value).error());
      (by_proxy ? proxy_authorization_ : authorization_) = std::move(*value);
      co_return Result<void>{};
    }
    auto value = co_await session->answer(challenges);
    if (!value) co_return fail(std::move(value).error());
    (by_proxy ? proxy_authorization_ : authorization_) = std::move(*value);
    if (!stays) {
      lease = HttpPool::Lease();
      reconnect = true;
    }
    co_return Result<void>{};
  }

  // --- one request, one response header ---

  struct Reply {
    MessageReader reader;
    bool reusable;
  };

  Result<std::string> request_header(bool& has_body, bool& chunked, std::optional<std::uint64_t>& size) {
    std::string text = request_.method + ' ';
    if (through_proxy_) text += request_.url.scheme + "://" + request_.url.authority();
    text += request_.url.target + " HTTP/1.1\r\nHost: " + request_.url.authority() + "\r\n";
    const auto field = [&text](std::string_view name, std::string_view value) {
      text.append(name).append(": ").append(value).append("\r\n");
    };
    const bool own_authorization = authorization_.has_value();
    for (const auto& [name, value] : request_.headers) {
      if (is_framing_field(name)) continue;
      if (own_authorization && text::equals_ignore_case(name, "Authorization")) continue;
      field(name, value);
    }
    if (!request_.headers.find("User-Agent")) field("User-Agent", common_->settings.user_agent);
    if (!request_.headers.find("Accept-Encoding")) field("Accept-Encoding", "gzip, deflate");
    for (const auto& [name, value] : {std::pair("Authorization", &authorization_),
                                      std::pair("Proxy-Authorization", &proxy_authorization_)}) {
      if (!value->has_value()) continue;
      if (!is_field_value(**value)) {
        return fail(ErrorDomain::auth, "bad-credentials", "the credentials cannot be put into a header");
      }
      field(name, **value);
    }
    has_body = request_.body != nullptr;
    chunked = false;
    if (has_body) {
      size = request_.body->size();
      chunked = !size.has_value();
      if (chunked) {
        field("Transfer-Encoding", "chunked");
      } else {
        field("Content-Length", std::to_string(*size));
      }
      if (options_.expect_continue && size.value_or(1) > 0) field("Expect", "100-continue");
    } else if (request_.method == "POST" || request_.method == "PUT" || request_.method == "PATCH") {
      field("Content-Length", "0");
    }
    text += "\r\n";
    return text;
  }

  Async<Reply> attempt(HttpConnection& connection, Progress& progress) {
    bool has_body = false;
    bool chunked = false;
    std::optional<std::uint64_t> size;
    auto made = request_header(has_body, chunked, size);
    if (!made) co_return fail(std::move(made).error());
    std::string head = std::move(*made);
    log_header(RawLog::Direction::sent, head);
    if (has_body) {
      auto rewound = request_.body->rewind();
      if (!rewound) co_return fail(std::move(rewound).error());
    }
    MessageReader reader = new_reader();
    bool whole = true;
    if (has_body && options_.expect_continue) {
      auto written = co_await write(connection, octets_of(head), progress);
      if (!written) co_return fail(std::move(written).error());
      auto go = co_await wait_for_continue(connection, reader, progress);
      if (!go) co_return fail(std::move(go).error());
      head.clear();
      whole = *go;
    }
    if (!has_body) {
      auto written = co_await write(connection, octets_of(head), progress);
      if (!written) co_return fail(std::move(written).error());
    } else if (whole) {
      auto written = co_await write_body(connection, std::move(head), chunked, size, progress);
      if (!written) co_return fail(std::move(written).error());
      whole = *written;
    }
    connection.watchdog.arm_for(options_.limits.first_octet, total_);
    auto header = co_await read_header(connection, reader, progress);
    if (!header) co_return fail(std::move(header).error());
    connection.watchdog.disarm();
    log_response_header(reader);
    co_return Reply{std::move(reader), whole};
  }

  MessageReader new_reader() const {
    MessageReader reader(MessageReader::Kind::response,
                         FramingLimits{options_.limits.header_octets, options_.limits.body_octets});
    if (request_.method == "HEAD") reader.expect_no_body();
    return reader;
  }

  Async<void> write(HttpConnection& connection, std::span<const std::byte> octets, Progress& progress) {
    if (connection.wire->ended()) {
      co_return http_error("connection-lost", "the server has closed the kept connection", RetryClass::after);
    }
    connection.watchdog.arm_for(options_.limits.send_idle, total_);
    auto written = co_await connection.wire->stream().write_all(octets);
    if (!written) {
      if (connection.watchdog.expired()) {
        // Some of it may have left.
        progress.request_written = true;
        co_return fail(
            timeout_error(ErrorDomain::net, "send-timeout", "the server does not take the request"));
      }
      Error error = std::move(written).error();
      if (error.code != "cancelled") {
        error.domain = ErrorDomain::http;
        error.code = "connection-lost";
        error.message = "the connection was lost while the request was sent: " + error.message;
        error.retry = RetryClass::after;
      }
      co_return fail(std::move(error));
    }
    progress.request_written = true;
    co_return Result<void>{};
  }

  /// False: the server has answered before it had everything, the rest was not sent.
  Async<bool> write_body(HttpConnection& connection, std::string head, bool chunked,
                         std::optional<std::uint64_t> size, Progress& progress) {
    std::vector<std::byte> piece(body_piece_octets);
    std::string joined = std::move(head);
    std::uint64_t written_octets = 0;
    bool watching = false;
    for (bool ended = false; !ended;) {
      auto count = co_await request_.body->read(piece);
      if (!count) co_return fail(std::move(count).error());
      ended = *count == 0;
      written_octets += *count;
      if (size && (written_octets > *size || (ended && written_octets < *size))) {
        co_return fail(ErrorDomain::local, "bad-source", "the request's body does not have the size it said");
      }
      const std::span<const std::byte> octets = std::span<const std::byte>(piece).first(*count);
      if (common_->raw_log && !ended) common_->raw_log->body(id_, RawLog::Direction::sent, octets);
      if (chunked) append_chunk(joined, octets);
      if (!chunked) joined.append(text_of(octets));
      // The last piece of a body of known size needs no further read to know that.
      ended = ended || (size && written_octets == *size);
      if (!joined.empty()) {
        auto written = co_await write(connection, octets_of(joined), progress);
        if (!written) {
          const bool answered = watching && !connection.wire->buffered().empty();
          if (watching) connection.wire->unwatch();
          if (answered && written.error().code != "cancelled") co_return false;
          co_return fail(std::move(written).error());
        }
        joined.clear();
      }
      if (!ended && !watching) {
        // A refusal (413, 401) may come while we still send: stop then instead of pressing on.
        watching = true;
        connection.wire->watch(nullptr, nullptr);
      }
      if (!ended && watching && !connection.wire->buffered().empty()) {
        connection.wire->unwatch();
        co_return false;
      }
    }
    if (watching) connection.wire->unwatch();
    if (common_->raw_log) common_->raw_log->end_body(id_, RawLog::Direction::sent);
    co_return true;
  }

  static void append_chunk(std::string& out, std::span<const std::byte> octets) {
    char size[20];
    const int length = std::snprintf(size, sizeof size, "%zx\r\n", octets.size());
    out.append(size, static_cast<std::size_t>(length)).append(text_of(octets)).append("\r\n");
  }

  /// True: send the body. False: a final answer is in the reader already.
  Async<bool> wait_for_continue(HttpConnection& connection, MessageReader& reader, Progress& progress) {
    // Not every server knows the expectation: after a second the body goes anyway (RFC 9110 section 10.1.1).
    Wire& wire = *connection.wire;
    wire.watch(nullptr, nullptr);
    wire.unwatch();
    const SteadyTime patience = std::min(total_, deadline_after(common_->environment.clock, continue_wait));
    auto reading = read_header(connection, reader, progress, true);
    Error late = timeout_error(ErrorDomain::net, "continue-timeout", "");
    auto header =
        co_await with_deadline(common_->environment.timers, patience, std::move(reading), std::move(late));
    if (!header && header.error().code == "continue-timeout") co_return true;
    if (!header) co_return fail(std::move(header).error());
    if (reader.status() == 100) {
      reader = new_reader();
      co_return true;
    }
    co_return false;
  }

  Async<void> read_header(HttpConnection& connection, MessageReader& reader, Progress& progress,
                          bool stop_at_interim = false) {
    Wire& wire = *connection.wire;
    int interim = 0;
    for (;;) {
      while (!reader.header_complete()) {
        if (!wire.buffered().empty()) progress.any_answer = true;
        auto step = reader.feed(wire.buffered());
        if (!step) co_return fail(std::move(step).error());
        wire.consume(step->consumed);
        if (!step->needs_more) continue;
        auto count = co_await wire.fill();
        if (connection.watchdog.expired()) {
          co_return fail(
              timeout_error(ErrorDomain::net, "response-timeout", "the server does not answer in time"));
        }
        if (!count) {
          Error error = std::move(count).error();
          if (error.code != "cancelled" && error.code != "too-large") {
            error.domain = ErrorDomain::http;
            error.code = "connection-lost";
            error.message = "the connection was lost before the response was there: " + error.message;
            error.retry = RetryClass::after;
          } else if (error.code == "too-large") {
            error.code = "header-too-large";
          }
          co_return fail(std::move(error));
        }
        if (*count == 0) {
          co_return http_error("connection-lost",
                               progress.any_answer
                                   ? "the connection ended in the middle of the response's header"
                                   : "the server closed the connection without an answer",
                               RetryClass::after);
        }
        progress.any_answer = true;
        if (!stop_at_interim) connection.watchdog.arm_for(options_.limits.read_idle, total_);
      }
      const int status = reader.status();
      if (status >= 200) co_return Result<void>{};
      if (status == 101 || ++interim > max_interim_responses) {
        co_return http_error("bad-message", "the server sends interim responses that were not asked for");
      }
      if (stop_at_interim && status == 100) co_return Result<void>{};
      reader = new_reader();
    }
  }

  // --- log ---

  void log_header(RawLog::Direction direction, std::string_view text) {
    if (common_->raw_log) common_->raw_log->header(id_, direction, text);
  }

  void log_response_header(MessageReader& reader) {
    if (!common_->raw_log) return;
    std::string text = "HTTP/1." + std::to_string(reader.version() % 10) + " " +
                       std::to_string(reader.status()) + " " + reader.reason() + "\r\n";
    for (const auto& [name, value] : reader.headers())
      text.append(name).append(": ").append(value).append("\r\n");
    text += "\r\n";
    log_header(RawLog::Direction::received, text);
  }

  CommonPtr common_;
  HttpRequest request_;
  HttpOptions options_;
  std::string id_;
  SteadyTime total_;
  std::optional<Url> proxy_;
  bool through_proxy_ = false;  ///< absolute form; a tunnel does not count
  std::unique_ptr<AuthSession> session_;
  std::unique_ptr<AuthSession> proxy_session_;
  std::optional<std::string> authorization_;
  std::optional<std::string> proxy_authorization_;
  int legs_ = 0;
};

class HttpClientImpl final : public HttpClient {
 public:
  explicit HttpClientImpl(CommonPtr common) : common_(std::move(common)) {}

  Async<std::unique_ptr<HttpExchange>> open(HttpRequest request, HttpOptions options) override {
    Sender sender(common_, std::move(request), std::move(options));
    auto exchange = co_await sender.run();
    if (!exchange) co_return fail(std::move(exchange).error());
    std::unique_ptr<HttpExchange> result = std::move(*exchange);
    co_return result;
  }

 private:
  CommonPtr common_;
};

HttpResponse response_of(const HttpExchange& exchange) {
  HttpResponse response;
  response.status = exchange.status();
  response.headers = exchange.headers();
  response.url = exchange.url();
  if (const auto* own = dynamic_cast<const Exchange*>(&exchange)) response.reason = own->reason();
  return response;
}

}  // namespace

Async<HttpResponse> HttpClient::send(HttpRequest request, HttpOptions options) {
  auto exchange = co_await open(std::move(request), std::move(options));
  if (!exchange) co_return fail(std::move(exchange).error());
  HttpResponse response = response_of(**exchange);
  std::vector<std::byte> buffer(body_piece_octets);
  for (;;) {
    auto count = co_await (*exchange)->read_body(buffer);
    if (!count) {
      Error error = std::move(count).error();
      error.http_status = response.status;
      co_return fail(std::move(error));
    }
    if (*count == 0) break;
    response.body.append(text_of(std::span<const std::byte>(buffer).first(*count)));
  }
  co_return response;
}

Async<HttpResponse> HttpClient::send_to(HttpRequest request, HttpOptions options, Sink& sink) {
  auto exchange = co_await open(std::move(request), std::move(options));
  if (!exchange) co_return fail(std::move(exchange).error());
  HttpResponse response = response_of(**exchange);
  const bool to_sink = response.status >= 200 && response.status < 300;
  std::vector<std::byte> buffer(body_piece_octets);
  for (;;) {
    auto count = co_await (*exchange)->read_body(buffer);
    if (!count) {
      Error error = std::move(count).error();
      error.http_status = response.status;
      co_return fail(std::move(error));
    }
    if (*count == 0) break;
    const std::span<const std::byte> octets = std::span<const std::byte>(buffer).first(*count);
    if (to_sink) {
      auto written = co_await sink.write(octets);
      if (!written) co_return fail(std::move(written).error());
    } else if (response.body.size() < kept_error_body_octets) {
      response.body.append(text_of(octets).substr(0, kept_error_body_octets - response.body.size()));
    } else {
      break;  // a refusal that goes on for ever
    }
  }
  co_return response;
}

Result<std::unique_ptr<HttpClient>> make_http_client(Environment& environment, HttpClientSettings settings) {
  auto common = std::make_shared<Common>(environment, std::move(settings));
  if (!common->settings.raw_log.file.empty()) {
    auto log = open_raw_log(environment.clock, common->settings.raw_log);
    if (!log) return fail(std::move(log).error());
    common->raw_log = std::move(*log);
  }
  return std::unique_ptr<HttpClient>(std::make_unique<HttpClientImpl>(std::move(common)));
}

}  // namespace syncline::net
