// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/testing/virtual_world.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <exception>
#include <set>

#include "net/event.hpp"
#include "net/resolver_overrides.hpp"
#include "net/tls.hpp"
#include "net/watchdog.hpp"

namespace syncline::net::testing {
namespace {

class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(SystemTime start) : calendar_(start) {}
  SystemTime now() const override {
    return calendar_ + std::chrono::floor<std::chrono::milliseconds>(steady_ - calendar_set_at_);
  }
  SteadyTime steady_now() const override { return steady_; }
  void advance_to(SteadyTime when) { steady_ = std::max(steady_, when); }
  void set_calendar(SystemTime now) {
    calendar_ = now;
    calendar_set_at_ = steady_;
  }
  /// An hour, so that "a while ago" is still a time.
  static constexpr SteadyTime start{std::chrono::hours(1)};

 private:
  SystemTime calendar_;
  SteadyTime steady_ = start;
  SteadyTime calendar_set_at_ = start;
};

class VirtualTimers final : public Timers {
 public:
  VirtualTimers(asio::any_io_executor executor, VirtualClock& clock)
      : executor_(std::move(executor)), clock_(clock) {}

  Async<void> sleep_until(SteadyTime when) override {
    Event due(executor_);
    const Entry entry(sleeping_, when, due);
    auto waited = co_await due.wait();
    co_return waited;
  }

  /// Wakes the next sleeper, if it is due by `limit`.
  bool advance(SteadyTime limit) {
    for (auto next = sleeping_.begin(); next != sleeping_.end() && next->first <= limit; ++next) {
      if (next->first == SteadyTime::max()) return false;
      if (next->second->waiting() == 0) continue;  // woken or cancelled already, not yet resumed
      clock_.advance_to(next->first);
      next->second->notify_all();
      return true;
    }
    return false;
  }
  bool has_sleepers() const { return !sleeping_.empty() && sleeping_.begin()->first != SteadyTime::max(); }

 private:
  using Sleeping = std::multimap<SteadyTime, Event*>;
  struct Entry {
    Entry(Sleeping& sleeping, SteadyTime when, Event& due)
        : sleeping(sleeping), position(sleeping.emplace(when, &due)) {}
    ~Entry() { sleeping.erase(position); }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    Sleeping& sleeping;
    Sleeping::iterator position;
  };

  asio::any_io_executor executor_;
  VirtualClock& clock_;
  Sleeping sleeping_;
};

/// A stream that says it is TLS.
class PretendedTls final : public Stream {
 public:
  PretendedTls(StreamPtr inner, std::string end_point)
      : inner_(std::move(inner)), end_point_(std::move(end_point)) {}
  Async<std::size_t> read_some(std::span<std::byte> buffer) override { return inner_->read_some(buffer); }
  Async<void> write_all(std::span<const std::byte> octets) override { return inner_->write_all(octets); }
  Async<void> shutdown_write() override { return inner_->shutdown_write(); }
  void close() noexcept override { inner_->close(); }
  std::string tls_server_end_point() const override { return end_point_; }
  bool is_tls() const noexcept override { return true; }

 private:
  StreamPtr inner_;
  std::string end_point_;
};

struct Listener {
  VirtualEndpoint endpoint;
  VirtualAcceptor acceptor;
  std::string host;
  std::size_t connections = 0;
};

/// The client's side of a connection: knows whom to tell when TLS starts.
class ClientStream final : public Stream {
 public:
  ClientStream(StreamPtr inner, StreamPtr server_side, std::string peer, std::shared_ptr<Listener> listener)
      : inner_(std::move(inner)),
        server_side_(std::move(server_side)),
        peer_(std::move(peer)),
        listener_(std::move(listener)) {}
  Async<std::size_t> read_some(std::span<std::byte> buffer) override { return inner_->read_some(buffer); }
  Async<void> write_all(std::span<const std::byte> octets) override { return inner_->write_all(octets); }
  Async<void> shutdown_write() override { return inner_->shutdown_write(); }
  void close() noexcept override { inner_->close(); }

  const VirtualEndpoint& endpoint() const noexcept { return listener_->endpoint; }
  void accept() {
    if (server_side_ != nullptr) listener_->acceptor(std::move(server_side_), peer_);
  }
  void accept_tls(const std::string& end_point) {
    if (server_side_ == nullptr) return;
    StreamPtr secured = std::make_unique<PretendedTls>(std::move(server_side_), end_point);
    listener_->acceptor(std::move(secured), peer_);
  }

 private:
  StreamPtr inner_;
  StreamPtr server_side_;
  std::string peer_;
  std::shared_ptr<Listener> listener_;
};

}  // namespace

struct VirtualWorld::State {
  State(std::uint64_t seed, SystemTime start)
      : clock(start),
        timers(context->get_executor(), clock),
        random(seed),
        never(context->get_executor()),
        resolver(*this),
        connector(*this),
        environment{context->get_executor(), clock, timers, random, resolver, connector} {}

  class MemoryResolver final : public Resolver {
   public:
    explicit MemoryResolver(State& world) : world_(world) {}
    Async<std::vector<std::string>> addresses(std::string host) override {
      auto checked = co_await check(host);
      if (!checked) co_return fail(std::move(checked).error());
      if (const auto known = world_.addresses.find(host); known != world_.addresses.end())
        co_return known->second;
      if (auto plain = addresses_without_dns(host); plain && host.find("localhost") == std::string::npos) {
        co_return *plain;
      }
      co_return not_found(host);
    }
    Async<std::vector<SrvRecord>> srv(std::string name) override {
      auto checked = co_await check(name);
      if (!checked) co_return fail(std::move(checked).error());
      const auto known = world_.services.find(name);
      if (known == world_.services.end()) co_return not_found(name);
      co_return order_srv(known->second, world_.random);
    }
    Async<std::vector<std::string>> mx(std::string domain) override {
      auto checked = co_await check(domain);
      if (!checked) co_return fail(std::move(checked).error());
      const auto known = world_.exchangers.find(domain);
      if (known == world_.exchangers.end()) co_return not_found(domain);
      co_return known->second;
    }

   private:
    Async<void> check(const std::string& name) {
      const auto broken = world_.broken_names.find(name);
      if (broken == world_.broken_names.end()) co_return Result<void>{};
      if (broken->second) {
        auto waited = co_await world_.never.wait();
        co_return waited;
      }
      co_return fail(ErrorDomain::net, "dns-failed", "DNS look-up of \"" + name + "\" failed",
                     RetryClass::after);
    }
    static unexpected<Error> not_found(const std::string& name) {
      return fail(ErrorDomain::net, "name-not-found", "DNS has no such record for \"" + name + "\"");
    }
    State& world_;
  };

  class MemoryConnector final : public Connector {
   public:
    explicit MemoryConnector(State& world) : world_(world) {}
    Async<StreamPtr> connect(std::string address, std::uint16_t port) override {
      const auto found = world_.listeners.find({address, port});
      const bool known_host = world_.owner_of.contains(address);
      if (found == world_.listeners.end() && !known_host) {
        auto waited = co_await world_.never.wait();
        co_return fail(std::move(waited).error());
      }
      if (found == world_.listeners.end() || found->second->endpoint.refuses) {
        co_return fail(ErrorDomain::net, "connection-refused",
                       address + " port " + std::to_string(port) + " refuses connections", RetryClass::after);
      }
      const std::shared_ptr<Listener> listener = found->second;
      if (listener->endpoint.hangs) {
        auto waited = co_await world_.never.wait();
        co_return fail(std::move(waited).error());
      }
      const std::size_t nth = listener->connections++;
      ConnectionFaults faults;
      if (world_.fault_plan) faults = world_.fault_plan(listener->host, port, nth);
      auto [client, server] = memory_stream_pair(world_.environment, faults.client, faults.server);
      auto stream =
          std::make_unique<ClientStream>(std::move(client), std::move(server),
                                         "[2001:db8:c::1]:" + std::to_string(40000 + nth % 20000), listener);
      if (!listener->endpoint.tls || world_.real_tls) stream->accept();
      StreamPtr result = std::move(stream);
      co_return result;
    }

    Async<StreamPtr> start_tls(StreamPtr clear, std::string host, const TlsPolicy& policy) override {
      if (world_.real_tls) {
        auto context = make_tls_client_context(policy);
        if (!context) co_return fail(std::move(context).error());
        auto secured =
            co_await start_tls_client(world_.environment.executor, std::move(clear), host, *context);
        co_return secured;
      }
      const std::string end_point = "end point of " + host;
      auto* const own = dynamic_cast<ClientStream*>(clear.get());
      // A stream of another kind (a tunnel through a proxy in a test) has to bring its own security.
      if (own != nullptr) {
        if (own->endpoint().handshake_hangs) {
          auto waited = co_await world_.never.wait();
          co_return fail(std::move(waited).error());
        }
        if (own->endpoint().certificate_problem) {
          co_return fail(
              ErrorDomain::tls, "certificate",
              "the certificate of " + host + " was refused: " + *own->endpoint().certificate_problem);
        }
        own->accept_tls(end_point);
      }
      StreamPtr secured = std::make_unique<PretendedTls>(std::move(clear), end_point);
      co_return secured;
    }

   private:
    State& world_;
  };

  std::string address_of(const std::string& host) {
    auto& known = addresses[host];
    if (known.empty()) {
      char text[40];
      std::snprintf(text, sizeof text, "2001:db8::%x", ++last_address);
      known.emplace_back(text);
      owner_of.emplace(text, host);
    }
    return known.front();
  }

  std::unique_ptr<asio::io_context> context = std::make_unique<asio::io_context>(1);
  VirtualClock clock;
  VirtualTimers timers;
  SeededRandom random;
  Event never;
  unsigned last_address = 0;
  std::map<std::string, std::vector<std::string>> addresses;
  std::map<std::string, std::string> owner_of;
  std::map<std::string, std::vector<SrvRecord>> services;
  std::map<std::string, std::vector<std::string>> exchangers;
  std::map<std::string, bool> broken_names;
  std::map<std::pair<std::string, std::uint16_t>, std::shared_ptr<Listener>> listeners;
  std::vector<std::unique_ptr<HttpServer>> servers;
  FaultPlan fault_plan;
  bool real_tls = false;
  MemoryResolver resolver;
  MemoryConnector connector;
  Environment environment;
};

SystemTime VirtualWorld::default_start() noexcept {
  using namespace std::chrono;
  return SystemTime(sys_days(year(2026) / 1 / 5)) + hours(8);
}

VirtualWorld::VirtualWorld(std::uint64_t seed, SystemTime start)
    : state_(std::make_unique<State>(seed, start)) {}

VirtualWorld::~VirtualWorld() {
  // Ends what still runs in an orderly way, while everything that it refers to is still there.
  state_->servers.clear();
  state_->context->restart();
  state_->context->poll();
  // What hangs for ever goes with its executor, before the timers and names that it waits for.
  state_->context.reset();
}

Environment& VirtualWorld::environment() noexcept {
  return state_->environment;
}
asio::any_io_executor VirtualWorld::executor() noexcept {
  return state_->context->get_executor();
}

Result<void> VirtualWorld::drive(asio::awaitable<void> main) {
  bool ended = false;
  std::exception_ptr problem;
  asio::co_spawn(*state_->context, std::move(main), [&](std::exception_ptr exception) {
    ended = true;
    problem = std::move(exception);
  });
  for (;;) {
    state_->context->restart();
    while (!ended && state_->context->poll_one() > 0) {
    }
    if (ended) break;
    if (!state_->timers.advance(SteadyTime::max())) {
      return fail(ErrorDomain::local, "stuck", "nothing can happen any more, but the test has not ended");
    }
  }
  if (!problem) return {};
  try {
    std::rethrow_exception(problem);
  } catch (const std::exception& exception) {
    return fail(ErrorDomain::local, "exception", exception.what());
  }
}

void VirtualWorld::spawn(asio::awaitable<void> coroutine) {
  asio::co_spawn(*state_->context, std::move(coroutine), asio::detached);
}

void VirtualWorld::run_for(std::chrono::milliseconds span) {
  const SteadyTime end = state_->clock.steady_now() + span;
  do {
    state_->context->restart();
    state_->context->poll();
  } while (state_->timers.advance(end));
  state_->clock.advance_to(end);
}

bool VirtualWorld::run_until_quiet(std::chrono::milliseconds most) {
  const SteadyTime end = state_->clock.steady_now() + most;
  do {
    state_->context->restart();
    state_->context->poll();
  } while (state_->timers.advance(end));
  return !state_->timers.has_sleepers();
}

SystemTime VirtualWorld::now() const noexcept {
  return state_->clock.now();
}

std::chrono::milliseconds VirtualWorld::elapsed() const noexcept {
  return std::chrono::duration_cast<std::chrono::milliseconds>(state_->clock.steady_now() -
                                                               VirtualClock::start);
}

void VirtualWorld::set_calendar(SystemTime now) noexcept {
  state_->clock.set_calendar(now);
}

Async<void> VirtualWorld::sleep(std::chrono::milliseconds span) {
  return state_->timers.sleep_until(deadline_after(state_->clock, span));
}

std::string VirtualWorld::address_of(const std::string& host) {
  return state_->address_of(host);
}

void VirtualWorld::set_addresses(const std::string& host, std::vector<std::string> addresses) {
  state_->addresses[host] = std::move(addresses);
}

void VirtualWorld::set_srv(const std::string& name, std::vector<SrvRecord> records) {
  state_->services[name] = std::move(records);
}

void VirtualWorld::set_mx(const std::string& domain, std::vector<std::string> hosts) {
  state_->exchangers[domain] = std::move(hosts);
}

void VirtualWorld::break_dns(const std::string& name, bool hangs) {
  state_->broken_names[name] = hangs;
}

void VirtualWorld::listen(const std::string& host, std::uint16_t port, VirtualEndpoint endpoint,
                          VirtualAcceptor acceptor) {
  auto listener = std::make_shared<Listener>();
  listener->endpoint = std::move(endpoint);
  listener->acceptor = std::move(acceptor);
  listener->host = host;
  state_->listeners[{state_->address_of(host), port}] = std::move(listener);
}

void VirtualWorld::stop_listening(const std::string& host, std::uint16_t port) {
  state_->listeners.erase({state_->address_of(host), port});
}

HttpServer& VirtualWorld::serve_http(const std::string& host, std::uint16_t port, HttpHandler handler,
                                     ServerLimits limits) {
  VirtualEndpoint endpoint;
  endpoint.tls = port % 1000 == 443;
  return serve_http(host, port, std::move(endpoint), std::move(handler), limits);
}

HttpServer& VirtualWorld::serve_http(const std::string& host, std::uint16_t port, VirtualEndpoint endpoint,
                                     HttpHandler handler, ServerLimits limits) {
  state_->servers.push_back(make_http_server(state_->environment, limits, std::move(handler)));
  HttpServer* const server = state_->servers.back().get();
  listen(host, port, std::move(endpoint),
         [server](StreamPtr stream, std::string peer) { server->serve(std::move(stream), std::move(peer)); });
  return *server;
}

void VirtualWorld::set_faults(FaultPlan plan) {
  state_->fault_plan = std::move(plan);
}

std::size_t VirtualWorld::connections_made(const std::string& host, std::uint16_t port) const {
  const auto found = state_->listeners.find({state_->address_of(host), port});
  return found == state_->listeners.end() ? 0 : found->second->connections;
}

void VirtualWorld::use_real_tls() {
  state_->real_tls = true;
}

}  // namespace syncline::net::testing
