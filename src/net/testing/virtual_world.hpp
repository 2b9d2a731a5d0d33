// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A world for tests: time jumps to the next timer as soon as nothing else can happen, names and connections
// live in memory. A client runs a virtual day in well under a second, the same way each time (invariant 30).
//
//   VirtualWorld world;
//   world.serve_http("ews.example.test", 443, [](const ServerRequest&, Responder& responder) ->
//   asio::awaitable<void> {
//     static_cast<void>(co_await responder.respond(200, Headers(), "hello"));
//   });
//   auto client = make_http_client(world.environment()).value();
//   HttpRequest request;
//   request.url = parse_url("https://ews.example.test/").value();
//   Result<HttpResponse> response = world.run(client->send(request, {}));
//
// Inside a coroutine name the arguments first: g++ 12 frees braced ones ("{}") in a co_await expression
// twice. Make the world first, so that it goes last. Nothing here uses sockets, threads or the machine's
// clock.
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/environment.hpp"
#include "net/http_server.hpp"
#include "net/testing/memory_stream.hpp"

namespace syncline::net::testing {

/// Takes a connection on the server's side; `tls` streams have is_tls() and a channel binding.
using VirtualAcceptor = std::function<void(StreamPtr stream, std::string peer)>;

/// How a listener behaves before anything is said.
struct VirtualEndpoint {
  /// TLS without cryptography: the client must call start_tls, and gets the error `certificate_problem` if
  /// that is set.
  bool tls = false;
  std::optional<std::string> certificate_problem;
  bool hangs = false;            ///< connecting never ends
  bool refuses = false;          ///< "connection-refused"
  bool handshake_hangs = false;  ///< start_tls never ends
};

/// Faults for the n-th connection (from 0) to host:port. `client` is our side, `server` the acceptor's.
struct ConnectionFaults {
  StreamFaults client;
  StreamFaults server;
};
using FaultPlan =
    std::function<ConnectionFaults(const std::string& host, std::uint16_t port, std::size_t nth)>;

class VirtualWorld {
 public:
  /// 2026-01-05T08:00:00Z, a Monday.
  static SystemTime default_start() noexcept;
  explicit VirtualWorld(std::uint64_t seed = 1, SystemTime start = default_start());
  ~VirtualWorld();
  VirtualWorld(const VirtualWorld&) = delete;
  VirtualWorld& operator=(const VirtualWorld&) = delete;

  Environment& environment() noexcept;
  asio::any_io_executor executor() noexcept;

  // --- running ---

  /// Runs until `main` has ended. Error local "stuck" if nothing can happen any more and it has not; local
  /// "exception" if one came out of it.
  template <class T>
  Result<T> run(Async<T> main) {
    std::optional<Result<T>> outcome;
    auto driven = drive(capture(std::move(main), outcome));
    if (outcome) return std::move(*outcome);
    if (!driven) return fail(std::move(driven).error());
    return fail(ErrorDomain::local, "stuck", "nothing can happen any more, but the test has not ended");
  }
  Result<void> run(asio::awaitable<void> main) { return drive(std::move(main)); }
  /// Starts something beside the test. Runs whenever the world runs.
  void spawn(asio::awaitable<void> coroutine);
  /// Lets everything happen that is due within `span`, and moves the clock to its end.
  void run_for(std::chrono::milliseconds span);
  /// Until nothing can happen any more. With servers that wait for clients and clients that poll this may be
  /// never: true if the world became quiet within `most`.
  bool run_until_quiet(std::chrono::milliseconds most = std::chrono::hours(24 * 366));

  // --- time ---

  SystemTime now() const noexcept;
  /// Virtual time since the world was made.
  std::chrono::milliseconds elapsed() const noexcept;
  /// Moves the calendar (not the steady clock), as an administrator might.
  void set_calendar(SystemTime now) noexcept;
  Async<void> sleep(std::chrono::milliseconds span);

  // --- names and connections ---

  /// The address of a name; made up (2001:db8::n) at first use, fixed from then on.
  std::string address_of(const std::string& host);
  /// A name with these addresses, of other hosts or of nobody (connecting hangs).
  void set_addresses(const std::string& host, std::vector<std::string> addresses);
  void set_srv(const std::string& name, std::vector<SrvRecord> records);
  void set_mx(const std::string& domain, std::vector<std::string> hosts);
  /// Names unknown until now are "name-not-found"; this one is "dns-failed" from now on, or never answered.
  void break_dns(const std::string& name, bool hangs = false);

  void listen(const std::string& host, std::uint16_t port, VirtualEndpoint endpoint,
              VirtualAcceptor acceptor);
  void stop_listening(const std::string& host, std::uint16_t port);
  /// A real HTTP server on memory streams; TLS (without cryptography) where the port ends in 443.
  HttpServer& serve_http(const std::string& host, std::uint16_t port, HttpHandler handler,
                         ServerLimits limits = {});
  HttpServer& serve_http(const std::string& host, std::uint16_t port, VirtualEndpoint endpoint,
                         HttpHandler handler, ServerLimits limits = {});
  void set_faults(FaultPlan plan);
  /// Connections made to host:port so far.
  std::size_t connections_made(const std::string& host, std::uint16_t port) const;
  /// start_tls of clients does real TLS from now on; acceptors get clear streams and call start_tls_server
  /// themselves.
  void use_real_tls();

 private:
  struct State;

  template <class T>
  static asio::awaitable<void> capture(Async<T> main, std::optional<Result<T>>& outcome) {
    outcome.emplace(co_await std::move(main));
  }
  Result<void> drive(asio::awaitable<void> main);

  std::unique_ptr<State> state_;
};

}  // namespace syncline::net::testing
