// SPDX-License-Identifier: GPL-3.0-or-later
// The real client against the real server, over memory streams in virtual time.
#include <gtest/gtest.h>

#include "net/http_client.hpp"
#include "net/testing/virtual_world.hpp"

namespace syncline::net::testing {
namespace {

HttpRequest get(std::string_view url) {
  HttpRequest request;
  request.url = parse_url(url).value();
  return request;
}

HttpRequest post(std::string_view url, std::string body) {
  HttpRequest request = get(url);
  request.method = "POST";
  request.body = std::make_shared<StringSource>(std::move(body));
  return request;
}

asio::awaitable<void> echo(const ServerRequest& request, Responder& responder) {
  Headers headers;
  headers.add("Content-Type", "text/plain");
  std::string body = request.method + " " + request.target + " " + request.body;
  static_cast<void>(co_await responder.respond(200, std::move(headers), std::move(body)));
}

TEST(HttpExchange, ARequestIsAnsweredAndTheConnectionIsKept) {
  VirtualWorld world;
  world.serve_http("a.test", 443, echo);
  auto client = make_http_client(world.environment()).value();
  for (int i = 0; i < 5; ++i) {
    auto response = world.run(client->send(post("https://a.test/x?y=1", "hello"), {}));
    ASSERT_TRUE(response) << response.error().describe();
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body, "POST /x?y=1 hello");
    world.run_for(std::chrono::seconds(5));
  }
  EXPECT_EQ(world.connections_made("a.test", 443), 1u);
}

TEST(HttpExchange, Invariant30AVirtualDayOfPollingTakesUnderASecond) {
  VirtualWorld world;
  int asked = 0;
  world.serve_http("a.test", 443, [&](const ServerRequest&, Responder& responder) -> asio::awaitable<void> {
    ++asked;
    static_cast<void>(co_await responder.respond(200, Headers(), "ok"));
  });
  auto client = make_http_client(world.environment()).value();
  auto day = [&]() -> Async<void> {
    while (world.elapsed() < std::chrono::hours(24)) {
      HttpRequest request = get("https://a.test/");
      HttpOptions options;
      auto response = co_await client->send(std::move(request), std::move(options));
      if (!response) co_return fail(std::move(response).error());
      auto slept = co_await world.sleep(std::chrono::seconds(60));
      if (!slept) co_return slept;
    }
    co_return Result<void>{};
  };
  auto done = world.run(day());
  ASSERT_TRUE(done) << done.error().describe();
  EXPECT_EQ(asked, 24 * 60);
}

}  // namespace
}  // namespace syncline::net::testing
