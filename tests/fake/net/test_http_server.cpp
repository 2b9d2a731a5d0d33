// SPDX-License-Identifier: GPL-3.0-or-later
// The server against raw octets: slow, hostile and careless clients, and the faults that it plays itself.
#include <gtest/gtest.h>

#include "http_scripts.hpp"
#include "net/inflate.hpp"

namespace syncline::net::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

asio::awaitable<void> echo(const ServerRequest& request, Responder& responder) {
  std::string body = request.method + " " + request.target + " " + request.body;
  static_cast<void>(co_await responder.respond(200, Headers(), std::move(body)));
}

/// Everything that the server answers until it closes, or until `patience` is over.
Async<std::string> exchange(VirtualWorld& world, std::string host, std::string text,
                            milliseconds between = {}, milliseconds patience = seconds(100)) {
  Environment& environment = world.environment();
  auto connected = co_await environment.connector.connect(world.address_of(host), 80);
  if (!connected) co_return fail(std::move(connected).error());
  Stream* const stream = connected->get();
  auto send = [](VirtualWorld& w, Stream* s, std::string octets,
                 milliseconds pause) -> asio::awaitable<void> {
    const std::size_t piece = pause.count() > 0 ? 1 : octets.size();
    for (std::size_t at = 0; at < octets.size(); at += piece) {
      const std::string_view part = std::string_view(octets).substr(at, piece);
      auto written = co_await s->write_all(std::as_bytes(std::span<const char>(part.data(), part.size())));
      if (!written) co_return;
      if (pause.count() > 0) static_cast<void>(co_await w.sleep(pause));
    }
  };
  if (between.count() > 0) {
    co_await send(world, stream, std::move(text), between);
  } else {
    world.spawn(send(world, stream, std::move(text), between));
  }
  auto end = [](VirtualWorld& w, Stream* s, milliseconds after) -> asio::awaitable<void> {
    static_cast<void>(co_await w.sleep(after));
    static_cast<void>(co_await s->shutdown_write());
  };
  world.spawn(end(world, stream, patience));
  std::string answer;
  std::vector<std::byte> buffer(64 * 1024);
  for (;;) {
    auto count = co_await stream->read_some(buffer);
    if (!count || *count == 0) break;
    answer.append(reinterpret_cast<const char*>(buffer.data()), *count);
  }
  // The helpers above may still refer to the stream.
  static_cast<void>(co_await world.sleep(patience + seconds(1)));
  co_return answer;
}

std::string status_of(const Result<std::string>& answer) {
  if (!answer) return answer.error().code;
  return answer->size() < 12 ? "closed" : answer->substr(9, 3);
}

std::size_t count_of(const std::string& text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

TEST(HttpServer, PipelinedRequestsAreAnsweredInOrder) {
  VirtualWorld world;
  world.serve_http("a.test", 80, echo);
  const auto answer = world.run(
      exchange(world, "a.test",
               "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: "
               "2\r\n\r\nxyPOST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: "
               "close\r\n\r\n2\r\nzz\r\n0\r\n\r\n"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(count_of(*answer, "HTTP/1.1 200 OK"), 3u) << *answer;
  EXPECT_LT(answer->find("GET /1 "), answer->find("POST /2 xy"));
  EXPECT_LT(answer->find("POST /2 xy"), answer->find("POST /3 zz"));
}

TEST(HttpServer, RequestsWithTwoMeaningsAndOverLimitsAreRefused) {
  ServerLimits limits;
  limits.header_octets = 1000;
  limits.body_octets = 100;
  limits.header_time = seconds(30);
  limits.body_idle = seconds(20);
  const auto asked = [&](std::string text, milliseconds between = {}) {
    VirtualWorld world;
    world.serve_http("a.test", 80, VirtualEndpoint(), echo, limits);
    return status_of(world.run(exchange(world, "a.test", std::move(text), between)));
  };
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(asked(post + "Content-Length: 1\r\n\r\nx"), "200");
  EXPECT_EQ(asked(post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "400");
  EXPECT_EQ(asked(post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"), "400");
  EXPECT_EQ(asked(post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), "400");
  EXPECT_EQ(asked(post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), "400");
  EXPECT_EQ(asked(post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx"), "400");
  EXPECT_EQ(asked("GET / HTTP/1.1\r\n\r\n"), "400");
  EXPECT_EQ(asked("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), "400");
  EXPECT_EQ(asked("GET / HTTP/1.0\r\n\r\n"), "200");
  EXPECT_EQ(asked("rubbish\r\n\r\n"), "400");
  EXPECT_EQ(asked("GET / HTTP/1.1\r\nHost: a\r\nA: " + std::string(2000, 'x') + "\r\n\r\n"), "431");
  EXPECT_EQ(asked(post + "Content-Length: 101\r\n\r\n" + std::string(101, 'x')), "413");
  EXPECT_EQ(asked(post + "Content-Length: 100\r\n\r\n" + std::string(100, 'x')), "200");
  EXPECT_EQ(
      asked(post + "Transfer-Encoding: chunked\r\n\r\n65\r\n" + std::string(101, 'x') + "\r\n0\r\n\r\n"),
      "413");
  EXPECT_EQ(asked(post + "Expect: 200-maybe\r\nContent-Length: 1\r\n\r\nx"), "417");
  EXPECT_EQ(asked(post + "Content-Encoding: br\r\nContent-Length: 1\r\n\r\nx"), "415");
  const auto gzipped = [&](const std::string& body) {
    return post + "Content-Encoding: gzip\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body;
  };
  EXPECT_EQ(asked(gzipped(gzip_compress("hello"))), "200");
  EXPECT_EQ(asked(gzipped(gzip_compress(std::string(5000, 'x')))), "413");
  EXPECT_EQ(asked(gzipped("rubbish")), "400");
  EXPECT_EQ(asked("GET / HTTP/1.1\r\nHost: a\r\n\r\n", milliseconds(500)), "200");
  EXPECT_EQ(asked("GET / HTTP/1.1\r\nHost: a\r\n\r\n", seconds(2)), "closed")
      << "30 s for a header and no more";
}

TEST(HttpServer, ABodyThatTricklesInHasAnEnd) {
  ServerLimits limits;
  limits.header_time = seconds(60);
  const std::string request =
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60\r\n\r\n" + std::string(60, 'x');
  const auto asked = [&] {
    VirtualWorld world;
    world.serve_http("a.test", 80, VirtualEndpoint(), echo, limits);
    return status_of(world.run(exchange(world, "a.test", request, seconds(1))));
  };
  EXPECT_EQ(asked(), "200") << "an octet a second is not idle";
  limits.body_time = seconds(40);
  EXPECT_EQ(asked(), "closed");
  limits.body_time = seconds(90);
  EXPECT_EQ(asked(), "200");
}

TEST(HttpServer, HooksSayHowLongEachBodyMayBeAndHowRefusalsLook) {
  ServerLimits limits;
  limits.body_octets = 1000;
  ServerHooks hooks;
  hooks.body_octets = [](const ServerRequest& head) -> std::uint64_t {
    return head.target == "/large" ? 5000 : head.headers.find("X-Known") ? 100 : 10;
  };
  hooks.refusal = [](int status, std::string_view why) {
    return ServerHooks::Refusal{"application/json",
                                "{\"" + std::to_string(status) + "\":\"" + std::string(why) + "\"}"};
  };
  const auto asked = [&](const std::string& target, const std::string& fields, std::size_t octets) {
    VirtualWorld world;
    const auto server = make_http_server(world.environment(), limits, echo, hooks);
    world.listen("a.test", 80, VirtualEndpoint(), [&](StreamPtr stream, std::string peer) {
      server->serve(std::move(stream), std::move(peer));
    });
    auto answer = world.run(
        exchange(world, "a.test",
                 "POST " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + std::string(octets, 'x')));
    return answer ? *answer : answer.error().code;
  };
  const auto of_length = [](std::size_t octets) {
    return "Content-Length: " + std::to_string(octets) + "\r\n";
  };
  EXPECT_EQ(asked("/", of_length(10), 10).substr(9, 3), "200");
  const std::string refused = asked("/", of_length(11), 0);
  EXPECT_EQ(refused.substr(9, 3), "413") << "before anything of it came";
  EXPECT_NE(refused.find("Content-Type: application/json\r\n"), std::string::npos) << refused;
  EXPECT_NE(refused.find("{\"413\":"), std::string::npos) << refused;
  EXPECT_EQ(asked("/", of_length(100) + "X-Known: 1\r\n", 100).substr(9, 3), "200");
  EXPECT_EQ(asked("/", of_length(101) + "X-Known: 1\r\n", 101).substr(9, 3), "413");
  EXPECT_EQ(asked("/large", of_length(1000), 1000).substr(9, 3), "200");
  EXPECT_EQ(asked("/large", of_length(1001), 1001).substr(9, 3), "413") << "the server's own limit stays";
  const std::string chunks = "b\r\n" + std::string(11, 'y') + "\r\n0\r\n\r\n";
  VirtualWorld world;
  const auto server = make_http_server(world.environment(), limits, echo, hooks);
  world.listen("a.test", 80, VirtualEndpoint(), [&](StreamPtr stream, std::string peer) {
    server->serve(std::move(stream), std::move(peer));
  });
  EXPECT_EQ(
      status_of(world.run(exchange(
          world, "a.test", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks))),
      "413");
}

TEST(HttpServer, EveryCutOfARequestIsHarmless) {
  const std::string text =
      "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  VirtualWorld world;
  int handled = 0;
  HttpServer& server = world.serve_http(
      "a.test", 80, [&](const ServerRequest&, Responder& responder) -> asio::awaitable<void> {
        ++handled;
        static_cast<void>(co_await responder.respond(200, Headers(), "x"));
      });
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    EXPECT_EQ(status_of(world.run(exchange(world, "a.test", text.substr(0, cut), {}, seconds(1)))), "closed")
        << cut;
  }
  EXPECT_EQ(handled, 0);
  EXPECT_EQ(server.connections(), 0u);
}

TEST(HttpServer, FaultsThatTheHandlerOrdersAreSeenByTheClient) {
  VirtualWorld world;
  std::uint64_t cut = 0;
  world.serve_http("a.test", 443,
                   [&](const ServerRequest& request, Responder& responder) -> asio::awaitable<void> {
                     if (request.target == "/abort") {
                       responder.abort();
                       co_return;
                     }
                     if (request.target == "/throw") throw std::runtime_error("broken");
                     if (request.target == "/silent") co_return;
                     if (request.target == "/half") {
                       static_cast<void>(co_await responder.begin(200, Headers()));
                       static_cast<void>(co_await responder.write("half"));
                       co_return;
                     }
                     responder.cut_after(cut);
                     static_cast<void>(co_await responder.respond(200, Headers(), "0123456789"));
                   });
  auto client = make_http_client(world.environment()).value();
  std::size_t whole = 0;
  for (cut = 0; cut < 200; ++cut) {
    const auto response = world.run(client->send(post("https://a.test/", "x"), {}));
    if (response) {
      EXPECT_EQ(response->body, "0123456789");
      whole = whole == 0 ? cut : whole;
    } else {
      EXPECT_EQ(whole, 0u) << cut;
      EXPECT_TRUE(response.error().code == "connection-lost" || response.error().code == "truncated") << cut;
    }
  }
  EXPECT_GT(whole, 60u);
  EXPECT_EQ(world.run(client->send(post("https://a.test/abort", "x"), {})).error().code, "connection-lost");
  EXPECT_EQ(world.run(client->send(post("https://a.test/throw", "x"), {}))->status, 500);
  EXPECT_EQ(world.run(client->send(post("https://a.test/silent", "x"), {}))->status, 500);
  EXPECT_EQ(world.run(client->send(post("https://a.test/half", "x"), {})).error().code, "truncated");
}

TEST(HttpServer, AHandlerIsCancelledWhenItsClientGoesOrTheServerStops) {
  for (const bool by_stop : {false, true}) {
    VirtualWorld world;
    bool ended = false;
    HttpServer& server = world.serve_http(
        "a.test", 443, [&](const ServerRequest&, Responder& responder) -> asio::awaitable<void> {
          static_cast<void>(co_await responder.begin(200, Headers()));
          for (;;) {
            static_cast<void>(co_await responder.write("beat"));
            auto slept = co_await world.sleep(std::chrono::minutes(5));
            if (!slept) break;
          }
          ended = true;
        });
    auto client = make_http_client(world.environment()).value();
    auto test = [&]() -> Async<void> {
      HttpRequest request = get("https://a.test/");
      HttpOptions options;
      auto exchange = co_await client->open(std::move(request), std::move(options));
      if (!exchange) co_return fail(std::move(exchange).error());
      std::vector<std::byte> buffer(100);
      auto count = co_await (*exchange)->read_body(buffer);
      EXPECT_EQ(count.value_or(0), 4u);
      if (by_stop) {
        server.stop();
        auto more = co_await (*exchange)->read_body(buffer);
        EXPECT_EQ(more ? "" : more.error().code, "truncated");
      }
      co_return Result<void>{};
    };
    ASSERT_TRUE(world.run(test()));
    world.run_for(seconds(1));
    EXPECT_TRUE(ended);
    EXPECT_EQ(server.connections(), 0u);
  }
}

TEST(HttpServer, ChunksAreFlushedOneByOneAndGzipIsOnlyForThoseWhoWantIt) {
  VirtualWorld world;
  world.serve_http(
      "a.test", 443, [&](const ServerRequest& request, Responder& responder) -> asio::awaitable<void> {
        if (request.target == "/big") {
          static_cast<void>(co_await responder.respond(200, Headers(), std::string(100'000, 'x')));
          co_return;
        }
        static_cast<void>(co_await responder.begin(200, Headers()));
        for (int i = 0; i < 3; ++i) {
          static_cast<void>(co_await responder.write("beat"));
          static_cast<void>(co_await world.sleep(seconds(10)));
        }
        static_cast<void>(co_await responder.finish());
      });
  auto client = make_http_client(world.environment()).value();
  std::vector<long> arrivals;
  auto test = [&]() -> Async<void> {
    HttpRequest request = get("https://a.test/");
    HttpOptions options;
    auto exchange = co_await client->open(std::move(request), std::move(options));
    if (!exchange) co_return fail(std::move(exchange).error());
    std::vector<std::byte> buffer(100);
    for (;;) {
      auto count = co_await (*exchange)->read_body(buffer);
      if (!count) co_return fail(std::move(count).error());
      if (*count == 0) break;
      arrivals.push_back(world.elapsed() / seconds(1));
    }
    co_return Result<void>{};
  };
  ASSERT_TRUE(world.run(test()));
  EXPECT_EQ(arrivals, (std::vector<long>{0, 10, 20}));
  const auto gzipped = world.run(client->send(get("https://a.test/big"), {}));
  EXPECT_EQ(gzipped->headers.find("Content-Encoding"), "gzip");
  EXPECT_EQ(gzipped->body.size(), 100'000u);
  HttpRequest plain = get("https://a.test/big");
  plain.headers.add("Accept-Encoding", "gzip;q=0");
  const auto identity = world.run(client->send(std::move(plain), {}));
  EXPECT_FALSE(identity->headers.find("Content-Encoding"));
  EXPECT_EQ(identity->body.size(), 100'000u);
}

}  // namespace
}  // namespace syncline::net::testing
