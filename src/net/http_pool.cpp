// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/http_pool.hpp"

#include <utility>

namespace syncline::net {

HttpConnection::HttpConnection(Environment& environment, StreamPtr stream, std::size_t read_ahead_octets)
    : wire(std::make_shared<Wire>(environment.executor, std::move(stream), read_ahead_octets)),
      watchdog(environment, [this] {
        wire->close();
        // This may be the end of the connection itself.
        if (const auto expired = std::exchange(idle_expired, nullptr)) expired();
      }) {}

HttpConnection::~HttpConnection() {
  wire->close();
}

struct HttpPool::State {
  State(Environment& environment, std::size_t connections_per_pool, std::chrono::milliseconds idle_expiry)
      : environment(environment), connections_per_pool(connections_per_pool), idle_expiry(idle_expiry) {}

  struct Pool {
    explicit Pool(const asio::any_io_executor& executor) : turn(executor) {}
    std::list<std::unique_ptr<HttpConnection>> idle;  ///< the most recently used last
    std::size_t leased = 0;
    Event turn;
  };

  Environment& environment;
  std::size_t connections_per_pool;
  std::chrono::milliseconds idle_expiry;
  std::map<std::string, Pool> pools;
  bool closed = false;

  void drop_idle(const std::string& key, const HttpConnection* connection) {
    const auto pool = pools.find(key);
    if (pool == pools.end()) return;
    std::erase_if(pool->second.idle, [&](const auto& one) { return one.get() == connection; });
    forget_if_unused(pool);
  }

  void forget_if_unused(std::map<std::string, Pool>::iterator pool) {
    if (pool->second.leased == 0 && pool->second.idle.empty() && pool->second.turn.waiting() == 0)
      pools.erase(pool);
  }

  void end_lease(const std::string& key) {
    const auto pool = pools.find(key);
    if (pool == pools.end()) return;
    if (pool->second.turn.waiting() > 0) {
      pool->second.turn.notify_one();  // the turn is handed on: the count stays
    } else {
      --pool->second.leased;
      forget_if_unused(pool);
    }
  }
};

HttpPool::Lease& HttpPool::Lease::operator=(Lease&& other) noexcept {
  if (this != &other) {
    give_up();
    connection = std::move(other.connection);
    state_ = std::move(other.state_);
    key_ = std::move(other.key_);
  }
  return *this;
}

void HttpPool::Lease::give_up() noexcept {
  connection.reset();
  if (const auto state = std::exchange(state_, nullptr)) state->end_lease(key_);
}

void HttpPool::Lease::put_back() {
  if (state_ == nullptr) return;
  if (connection != nullptr && !state_->closed && !connection->wire->ended()) {
    HttpConnection* const kept = connection.get();
    kept->used = true;
    auto& pool = state_->pools.find(key_)->second;
    pool.idle.push_back(std::move(connection));
    // A server that closes or talks unasked makes the connection useless; known now, no request is lost to it
    // later.
    const std::weak_ptr<State> weak = state_;
    const auto drop = [weak, key = key_, kept] {
      if (const auto state = weak.lock()) state->drop_idle(key, kept);
    };
    // The watchdog closes the wire, but that is our own doing and calls nobody.
    kept->idle_expired = drop;
    const std::shared_ptr<Wire> wire = kept->wire;
    kept->watchdog.arm_for(state_->idle_expiry);
    // Last: where the end has come already, the connection goes before this returns.
    if (!wire->ended()) wire->watch(drop, drop);
  }
  give_up();
}

HttpPool::HttpPool(Environment& environment, std::size_t connections_per_pool,
                   std::chrono::milliseconds idle_expiry)
    : state_(std::make_shared<State>(environment, std::max<std::size_t>(1, connections_per_pool),
                                     idle_expiry)) {}

HttpPool::~HttpPool() {
  state_->closed = true;
  for (auto& [key, pool] : state_->pools) pool.idle.clear();
}

Async<HttpPool::Lease> HttpPool::acquire(std::string key, bool fresh) {
  auto& pool = state_->pools.try_emplace(key, state_->environment.executor).first->second;
  if (pool.leased < state_->connections_per_pool && pool.turn.waiting() == 0) {
    ++pool.leased;
  } else {
    auto waited = co_await pool.turn.wait();
    if (!waited) co_return fail(std::move(waited).error());
  }
  Lease lease(state_, std::move(key));
  if (fresh) pool.idle.clear();
  if (!pool.idle.empty()) {
    lease.connection = std::move(pool.idle.back());
    pool.idle.pop_back();
    lease.connection->idle_expired = nullptr;
    lease.connection->watchdog.disarm();
    lease.connection->wire->unwatch();
  }
  co_return lease;
}

std::size_t HttpPool::kept() const noexcept {
  std::size_t count = 0;
  for (const auto& [key, pool] : state_->pools) count += pool.idle.size();
  return count;
}

}  // namespace syncline::net
