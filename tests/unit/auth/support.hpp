// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// For tests of authentication and Autodiscover: coroutines run to their end, a clock that is set by hand, an
// HTTP client whose servers are functions, secrets in memory.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "auth/secret_store.hpp"
#include "base/clock.hpp"
#include "net/event.hpp"
#include "net/http_client.hpp"

namespace syncline::testing {

/// Runs one coroutine on a context of its own.
template <class T>
Result<T> run(net::asio::io_context& context, net::Async<T> operation) {
  std::optional<Result<T>> outcome;
  net::asio::co_spawn(
      context,
      [](net::Async<T> wanted, std::optional<Result<T>>& out) -> net::asio::awaitable<void> {
        out.emplace(co_await std::move(wanted));
      }(std::move(operation), outcome),
      [](std::exception_ptr thrown) {
        if (thrown) std::rethrow_exception(thrown);
      });
  context.restart();
  context.run();
  if (!outcome) return fail(ErrorDomain::local, "never-ended", "the coroutine did not end");
  return std::move(*outcome);
}

class ManualClock final : public Clock {
 public:
  SystemTime now() const override {
    return SystemTime(std::chrono::milliseconds(1'800'000'000'000)) + passed_;
  }
  SteadyTime steady_now() const override { return SteadyTime(std::chrono::hours(1)) + passed_; }
  void advance(std::chrono::milliseconds span) { passed_ += span; }

 private:
  std::chrono::milliseconds passed_{0};
};

class MemorySecretStore final : public auth::SecretStore {
 public:
  Result<std::optional<Secret>> get(std::string_view key) override {
    const auto found = kept.find(key);
    if (found == kept.end()) return std::optional<Secret>();
    return std::optional<Secret>(found->second);
  }
  Result<void> put(std::string_view key, const Secret& secret) override {
    ++puts;
    if (refuse_puts) return fail(ErrorDomain::local, "disk-full", "no space left");
    kept.insert_or_assign(std::string(key), secret);
    return {};
  }

  std::map<std::string, Secret, std::less<>> kept;
  int puts = 0;
  bool refuse_puts = false;
};

/// What a scripted server sees of a request.
struct SeenRequest {
  std::string method;
  net::Url url;
  net::Headers headers;
  std::string body;
  net::HttpOptions options;
};

/// An HTTP client that answers from a function; authentication goes through the same steps as on the network.
/// Like the real one it reports a last 401 as an error when an authenticator was given.
class ScriptedHttpClient final : public net::HttpClient {
 public:
  using Server = std::function<Result<net::HttpResponse>(const SeenRequest&)>;
  explicit ScriptedHttpClient(Server server) : server_(std::move(server)) {}

  net::Async<std::unique_ptr<net::HttpExchange>> open(net::HttpRequest request,
                                                      net::HttpOptions options) override {
    SeenRequest seen{request.method, request.url, request.headers, {}, options};
    if (request.body) {
      std::byte buffer[4096];
      while (true) {
        auto count = co_await request.body->read(buffer);
        if (!count) co_return fail(std::move(count).error());
        if (*count == 0) break;
        seen.body.append(reinterpret_cast<const char*>(buffer), *count);
      }
    }
    if (gate != nullptr) {
      if (auto passed = co_await gate->wait(); !passed) co_return fail(std::move(passed).error());
    }
    std::unique_ptr<net::AuthSession> session;
    if (options.authenticator) {
      net::AuthTarget target;
      target.url = request.url;
      target.tls_server_end_point = channel_binding;
      session = options.authenticator->start(target);
      auto first = co_await session->initial();
      if (!first) co_return fail(std::move(first).error());
      if (*first) seen.headers.set("Authorization", **first);
    }
    for (int round = 0;; ++round) {
      requests.push_back(seen);
      auto response = server_(seen);
      if (!response) co_return fail(std::move(response).error());
      std::vector<std::string> challenges;
      for (const auto value : response->headers.find_all("WWW-Authenticate")) challenges.emplace_back(value);
      if (response->status != 401 || !session) {
        if (session) {
          if (auto fine = session->accepted(challenges); !fine) co_return fail(std::move(fine).error());
        }
        response->url = request.url;
        co_return std::make_unique<Exchange>(std::move(*response));
      }
      if (round == 8) co_return fail(ErrorDomain::auth, "endless", "the handshake does not end");
      auto answer = co_await session->answer(challenges);
      if (!answer) {
        Error error = std::move(answer).error();
        error.http_status = 401;
        co_return fail(std::move(error));
      }
      seen.headers.set("Authorization", *answer);
    }
  }

  std::vector<SeenRequest> requests;
  net::Event* gate = nullptr;  ///< requests wait here before they reach the server
  std::string channel_binding;

 private:
  class Exchange final : public net::HttpExchange {
   public:
    explicit Exchange(net::HttpResponse response) : response_(std::move(response)) {}
    int status() const noexcept override { return response_.status; }
    const net::Headers& headers() const noexcept override { return response_.headers; }
    const net::Url& url() const noexcept override { return response_.url; }
    net::Async<std::size_t> read_body(std::span<std::byte> buffer,
                                      std::optional<std::chrono::milliseconds>) override {
      const std::size_t count = std::min(buffer.size(), response_.body.size() - position_);
      std::memcpy(buffer.data(), response_.body.data() + position_, count);
      position_ += count;
      co_return count;
    }

   private:
    net::HttpResponse response_;
    std::size_t position_ = 0;
  };

  Server server_;
};

inline net::Url url(std::string_view text) {
  return net::parse_url(text).value();
}

inline net::HttpResponse response(int status, std::string body = {},
                                  std::vector<std::pair<std::string, std::string>> headers = {}) {
  net::HttpResponse made;
  made.status = status;
  made.body = std::move(body);
  for (auto& [name, value] : headers) made.headers.add(std::move(name), std::move(value));
  return made;
}

}  // namespace syncline::testing
