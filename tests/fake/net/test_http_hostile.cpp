// SPDX-License-Identifier: GPL-3.0-or-later
// What servers must not do, and do (issue line a-25): each a clear error, no crash, no hang.
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "http_scripts.hpp"
#include "net/inflate.hpp"

namespace syncline::net::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Result<HttpResponse> ask(VirtualWorld& world, std::string octets, bool close = false,
                         HttpOptions options = {}) {
  serve_text(world, "a.test", 80, std::move(octets), close);
  auto client = make_http_client(world.environment()).value();
  return world.run(client->send(get("http://a.test/"), std::move(options)));
}

std::string code_of(const Result<HttpResponse>& result) {
  return result ? "status " + std::to_string(result->status) : result.error().code;
}

TEST(HostileServer, EveryFragmentationOfAResponseReadsTheSame) {
  const std::string body = "hello, this is a body";
  const std::string gzip = gzip_compress(body);
  const std::string text =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
      "Transfer-Encoding: chunked\r\n\r\n7\r\n" +
      gzip.substr(0, 7) + "\r\n" +
      [&] {
        char s[9];
        std::snprintf(s, sizeof s, "%zx", gzip.size() - 7);
        return std::string(s);
      }() +
      "\r\n" + gzip.substr(7) + "\r\n0\r\n\r\n";
  for (std::size_t fragment = 1; fragment <= text.size(); ++fragment) {
    VirtualWorld world;
    world.set_faults([&](const std::string&, std::uint16_t, std::size_t) {
      ConnectionFaults faults;
      faults.client.fragment_octets = fragment;
      return faults;
    });
    const auto response = ask(world, text);
    ASSERT_TRUE(response) << fragment << " " << response.error().describe();
    EXPECT_EQ(response->body, body);
  }
}

TEST(HostileServer, AResponseCutAtAnyOctetIsAnErrorAndAPostIsNeverSentAgain) {
  const std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nX: y\r\n\r\n0123456789";
  for (const bool reset : {false, true}) {
    for (std::size_t cut = 0; cut < text.size(); ++cut) {
      VirtualWorld world;
      world.set_faults([&](const std::string&, std::uint16_t, std::size_t) {
        ConnectionFaults faults;
        faults.client.cut_after_read = cut;
        faults.client.cut_by_reset = reset;
        return faults;
      });
      const auto seen = serve_text(world, "a.test", 443, text);
      auto client = make_http_client(world.environment()).value();
      const auto response = world.run(client->send(post("https://a.test/", "create"), {}));
      ASSERT_FALSE(response) << cut;
      EXPECT_TRUE(response.error().code == "connection-lost" || response.error().code == "truncated")
          << cut << " " << response.error().describe();
      EXPECT_EQ(response.error().retry, RetryClass::after) << "it may have been acted on";
      EXPECT_EQ(seen->requests.size(), 1u) << cut;
    }
  }
}

TEST(HostileServer, EveryOperationMayFailOnAKeptConnectionWithoutASecondPost) {
  for (std::uint64_t operation = 0; operation < 12; ++operation) {
    VirtualWorld world;
    world.set_faults([&](const std::string&, std::uint16_t, std::size_t nth) {
      ConnectionFaults faults;
      if (nth == 0) faults.client.fail_operation = operation;
      return faults;
    });
    const auto seen = serve_text(world, "a.test", 443, ok("fine"));
    auto client = make_http_client(world.environment()).value();
    std::size_t expected = 0;
    for (int i = 0; i < 3; ++i) {
      const std::size_t before = seen->requests.size();
      const auto response = world.run(client->send(post("https://a.test/", "create"), {}));
      world.run_for(seconds(1));  // what was sent before a failure arrives all the same
      const std::size_t arrived = seen->requests.size() - before;
      EXPECT_LE(arrived, 1u) << operation;
      if (response) ++expected;
      const bool surely_not = !response && response.error().retry == RetryClass::now;
      EXPECT_TRUE(!surely_not || arrived == 0) << operation;
    }
    EXPECT_GE(seen->requests.size(), expected);
  }
}

TEST(HostileServer, ADeadKeptConnectionIsReplacedWhereThatIsSafe) {
  // The server answers once and closes a moment after the next request was sent: the race that no client can
  // see.
  for (const bool repeatable : {false, true}) {
    VirtualWorld world;
    const auto seen = serve_script(world, "a.test", 443, [](std::size_t nth, const std::string&) {
      return nth == 1 ? Answer{"", true} : Answer{ok("fine")};
    });
    auto client = make_http_client(world.environment()).value();
    HttpOptions options;
    options.repeatable = repeatable;
    ASSERT_TRUE(world.run(client->send(post("https://a.test/", "x"), options)));
    const auto second = world.run(client->send(post("https://a.test/", "x"), options));
    if (repeatable) {
      ASSERT_TRUE(second) << second.error().describe();
      EXPECT_EQ(seen->requests.size(), 3u);
    } else {
      EXPECT_EQ(code_of(second), "connection-lost");
      EXPECT_EQ(seen->requests.size(), 2u);
    }
  }
  // Closed while it was idle: known before anything is sent, so a POST goes over a new connection.
  VirtualWorld world;
  const auto seen = serve_text(world, "a.test", 443, ok("fine"), true);
  auto client = make_http_client(world.environment()).value();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(world.run(client->send(post("https://a.test/", "x"), {})));
  EXPECT_EQ(seen->connections, 3u);
}

TEST(HostileServer, OctetsBehindAResponseAreNeverTheNextAnswer) {
  VirtualWorld world;
  const auto seen = serve_text(world, "a.test", 443, ok("fine") + ok("forged"));
  auto client = make_http_client(world.environment()).value();
  for (int i = 0; i < 3; ++i) {
    const auto response = world.run(client->send(get("https://a.test/"), {}));
    ASSERT_TRUE(response);
    EXPECT_EQ(response->body, "fine");
  }
  EXPECT_EQ(seen->connections, 3u);
}

TEST(HostileServer, LimitsAreKept) {
  HttpOptions small;
  small.limits.body_octets = 1000;
  small.limits.header_octets = 2000;
  const auto coded = [&](std::string octets, bool close = false) {
    VirtualWorld world;
    return code_of(ask(world, std::move(octets), close, small));
  };
  EXPECT_EQ(coded(ok(std::string(1000, 'x'))), "status 200");
  EXPECT_EQ(coded(ok(std::string(1001, 'x'))), "too-large");
  EXPECT_EQ(coded("HTTP/1.1 200 OK\r\nContent-Length: 2147483648\r\n\r\n"), "too-large");
  EXPECT_EQ(coded("HTTP/1.1 200 OK\r\n\r\n" + std::string(1000, 'x'), true), "status 200");
  EXPECT_EQ(coded("HTTP/1.1 200 OK\r\n\r\n" + std::string(100'000, 'x'), true), "too-large");
  EXPECT_EQ(coded("HTTP/1.1 200 OK\r\nA: " + std::string(100'000, 'x')), "header-too-large");
  EXPECT_EQ(coded("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\n"), "too-large");
  EXPECT_EQ(coded("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;" + std::string(200'000, 'x')),
            "too-large");
  std::string tiny_chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 5000; ++i) tiny_chunks += "1\r\nx\r\n";
  EXPECT_EQ(coded(tiny_chunks), "too-large");
  const std::string bomb = gzip_compress(std::string(40'000'000, 'x'));
  const auto gzipped = [](const std::string& body) {
    return "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  };
  small.limits.body_octets = 100'000;
  EXPECT_EQ(coded(gzipped(bomb)), "too-large");
  small.limits.body_octets = 100'000'000;
  EXPECT_EQ(coded(gzipped(bomb)), "compression-bomb");
  EXPECT_EQ(coded(gzipped(gzip_compress("x").substr(0, 15))), "truncated");
  EXPECT_EQ(coded(gzipped("this is not gzip")), "bad-compression");
  EXPECT_EQ(coded(gzipped("")), "status 200");
  EXPECT_EQ(coded("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx"),
            "bad-compression");
}

TEST(HostileServer, WhatIsNotHttpIsAClearError) {
  const auto coded = [](std::string octets, bool close = false) {
    VirtualWorld world;
    return code_of(ask(world, std::move(octets), close));
  };
  EXPECT_EQ(coded("<html><body>Sign in</body></html>\r\n\r\n"), "bad-message");
  EXPECT_EQ(coded("220 mail.test ESMTP\r\n"), "bad-message");
  EXPECT_EQ(coded("", true), "connection-lost");
  EXPECT_EQ(coded("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            "bad-message");
  EXPECT_EQ(coded("HTTP/1.1 101 Switching Protocols\r\n\r\n"), "bad-message");
  std::string interim;
  for (int i = 0; i < 50; ++i) interim += "HTTP/1.1 102 Processing\r\n\r\n";
  EXPECT_EQ(coded(interim), "bad-message");
  EXPECT_EQ(coded("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", true), "truncated");
  EXPECT_EQ(coded("HTTP/1.1 204 No Content\r\n\r\n"), "status 204");
}

TEST(HostileServer, EveryStepHasItsDeadline) {
  HttpOptions options;
  options.limits.connect = seconds(10);
  options.limits.handshake = seconds(11);
  options.limits.send_idle = seconds(12);
  options.limits.first_octet = seconds(13);
  options.limits.read_idle = seconds(14);
  options.limits.total = seconds(200);
  const auto timed = [&](const std::function<void(VirtualWorld&)>& prepare, std::string body = "") {
    VirtualWorld world;
    prepare(world);
    auto client = make_http_client(world.environment()).value();
    const auto response = world.run(
        client->send(body.empty() ? get("https://a.test/") : post("https://a.test/", body), options));
    return code_of(response) + " " + std::to_string(world.elapsed() / seconds(1));
  };
  const auto endpoint = [](auto change) {
    return [change](VirtualWorld& world) {
      VirtualEndpoint made;
      made.tls = true;
      change(made);
      world.listen("a.test", 443, made, [&world](StreamPtr stream, std::string) {
        world.spawn([](VirtualWorld& w, StreamPtr kept) -> asio::awaitable<void> {
          static_cast<void>(co_await w.sleep(std::chrono::hours(1)));
          kept->close();
        }(world, std::move(stream)));
      });
    };
  };
  EXPECT_EQ(timed([](VirtualWorld& world) { world.break_dns("a.test", true); }), "connect-timeout 10");
  EXPECT_EQ(timed(endpoint([](VirtualEndpoint& e) { e.hangs = true; })), "connect-timeout 10");
  EXPECT_EQ(timed(endpoint([](VirtualEndpoint& e) { e.handshake_hangs = true; })), "handshake-timeout 11");
  EXPECT_EQ(timed(endpoint([](VirtualEndpoint&) {})), "response-timeout 13");
  EXPECT_EQ(timed(endpoint([](VirtualEndpoint&) {}), std::string(1 << 20, 'x')), "send-timeout 12");
  EXPECT_EQ(timed([](VirtualWorld& world) {
              serve_script(world, "a.test", 443, [](std::size_t, const std::string&) {
                return Answer{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123"};
              });
            }),
            "read-timeout 14");
  // A server that sends one octet every ten seconds keeps every idle limit; the total ends it.
  EXPECT_EQ(timed([](VirtualWorld& world) {
              serve_script(world, "a.test", 443, [](std::size_t, const std::string&) {
                return Answer{ok(std::string(100, 'x')), false, seconds(10)};
              });
            }),
            "response-timeout 200");
}

TEST(HostileServer, EveryStepCanBeCancelled) {
  struct Step {
    const char* name;
    std::function<void(VirtualWorld&)> prepare;
  };
  const auto endpoint = [](auto change) {
    return [change](VirtualWorld& world) {
      VirtualEndpoint made;
      made.tls = true;
      change(made);
      world.listen("a.test", 443, made, [](StreamPtr, std::string) {});
    };
  };
  const auto script = [](std::string octets) {
    return [octets](VirtualWorld& world) { serve_text(world, "a.test", 443, octets); };
  };
  const std::vector<Step> steps{
      {"dns", [](VirtualWorld& world) { world.break_dns("a.test", true); }},
      {"connect", endpoint([](VirtualEndpoint& e) { e.hangs = true; })},
      {"handshake", endpoint([](VirtualEndpoint& e) { e.handshake_hangs = true; })},
      {"response", script("")},
      {"header", script("HTTP/1.1 200 OK\r\n")},
      {"body", script("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123")},
  };
  for (const Step& step : steps) {
    VirtualWorld world;
    step.prepare(world);
    HttpClientSettings settings;
    settings.connections_per_pool = 1;
    auto client = make_http_client(world.environment(), settings).value();
    // The second one waits for its turn in the pool.
    std::vector<std::string> codes(2);
    std::vector<asio::cancellation_signal> signals(2);
    auto ask = [](HttpClient& asked, std::string& code) -> asio::awaitable<void> {
      HttpRequest request = post("https://a.test/", "x");
      HttpOptions options;
      auto response = co_await asked.send(std::move(request), std::move(options));
      code = code_of(response);
    };
    for (std::size_t i = 0; i < 2; ++i) {
      asio::co_spawn(world.executor(), ask(*client, codes[i]),
                     asio::bind_cancellation_slot(signals[i].slot(), asio::detached));
    }
    world.run_for(seconds(2));
    EXPECT_EQ(codes, std::vector<std::string>(2)) << step.name;
    for (const std::size_t i : {1u, 0u}) {
      signals[i].emit(asio::cancellation_type::terminal);
      world.run_for(milliseconds(1));
      EXPECT_EQ(codes[i], "cancelled") << step.name << i;
    }
    EXPECT_LT(world.elapsed(), seconds(3));
  }
}

TEST(HostileServer, ADeadFirstAddressDoesNotEatTheTimeOfTheSecond) {
  VirtualWorld world;
  serve_text(world, "a.test", 443, ok("fine"));
  world.set_addresses("b.test", {"192.0.2.1", world.address_of("a.test")});
  auto client = make_http_client(world.environment()).value();
  const auto response = world.run(client->send(get("https://b.test/"), {}));
  ASSERT_TRUE(response) << response.error().describe();
  EXPECT_LE(world.elapsed(), seconds(8));
}

TEST(HostileServer, ARefusalWhileTheBodyIsStillBeingSentIsRead) {
  VirtualWorld world;
  world.listen("a.test", 80, {}, [&world](StreamPtr stream, std::string) {
    world.spawn([](StreamPtr s) -> asio::awaitable<void> {
      std::vector<std::byte> buffer(100);
      static_cast<void>(co_await s->read_some(buffer));
      const std::string text = "HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nmuch";
      static_cast<void>(
          co_await s->write_all(std::as_bytes(std::span<const char>(text.data(), text.size()))));
      for (;;) {
        auto count = co_await s->read_some(buffer);
        if (!count || *count == 0) co_return;
      }
    }(std::move(stream)));
  });
  auto client = make_http_client(world.environment()).value();
  const auto response = world.run(client->send(post("http://a.test/", std::string(8 << 20, 'x')), {}));
  ASSERT_TRUE(response) << response.error().describe();
  EXPECT_EQ(response->status, 413);
  EXPECT_EQ(response->body, "much");
}

TEST(HostileServer, ARequestThatCouldBeSplitIsNotSent) {
  VirtualWorld world;
  const auto seen = serve_text(world, "a.test", 80, ok(""));
  auto client = make_http_client(world.environment()).value();
  for (int kind = 0; kind < 4; ++kind) {
    HttpRequest request = get("http://a.test/");
    if (kind == 0) request.headers.add("X", "a\r\nEvil: b");
    if (kind == 1) request.headers.add("X\r\nEvil", "b");
    if (kind == 2) request.method = "GET / HTTP/1.1\r\nEvil: b\r\n\r\nGET";
    if (kind == 3) request.url.target = "/ HTTP/1.1\r\nEvil: b";
    EXPECT_EQ(code_of(world.run(client->send(std::move(request), {}))), "bad-request");
  }
  EXPECT_EQ(seen->connections, 0u);
}

}  // namespace
}  // namespace syncline::net::testing
