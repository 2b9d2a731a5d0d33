// SPDX-License-Identifier: GPL-3.0-or-later
// Pools, authentication, redirects, proxies, the protocol log: what goes where, and what never does.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "http_scripts.hpp"

namespace syncline::net::testing {
namespace {

using std::chrono::seconds;

const std::string unauthorized_text =
    "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\nContent-Length: "
    "2\r\n\r\nno";
const std::string challenge_text =
    "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM T2\r\nContent-Length: 2\r\n\r\nno";

std::string field(const std::string& request, const std::string& name) {
  const std::size_t at = request.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  const std::size_t begin = at + name.size() + 4;
  return request.substr(begin, request.find("\r\n", begin) - begin);
}

std::string code_of(const Result<HttpResponse>& result) {
  return result ? "status " + std::to_string(result->status) : result.error().code;
}

HttpOptions with(std::shared_ptr<Authenticator> authenticator) {
  HttpOptions options;
  options.authenticator = std::move(authenticator);
  return options;
}

/// A server that authenticates connections, as IIS with NTLM does.
std::shared_ptr<Seen> serve_ntlm(VirtualWorld& world, const std::string& host, std::uint16_t port) {
  auto seen = std::make_shared<Seen>();
  VirtualEndpoint endpoint;
  endpoint.tls = true;
  world.listen(host, port, endpoint, [&world, seen](StreamPtr stream, std::string) {
    auto identity = std::make_shared<std::string>();
    world.spawn(play(world, std::move(stream), seen, [identity](std::size_t, const std::string& request) {
      const std::string value = field(request, "Authorization");
      if (value == "NTLM T1") return Answer{challenge_text};
      if (value.starts_with("NTLM T3-")) *identity = value.substr(8);
      if (identity->empty()) return Answer{unauthorized_text};
      return Answer{ok("you are " + *identity)};
    }));
  });
  return seen;
}

TEST(HttpAuthentication, AConnectionOfOneIdentityIsNeverUsedByAnother) {
  VirtualWorld world;
  const auto seen = serve_ntlm(world, "mail.test", 443);
  auto client = make_http_client(world.environment()).value();
  const auto jo = std::make_shared<ScriptedAuthenticator>("jo", true);
  const auto al = std::make_shared<ScriptedAuthenticator>("al", true, false);
  for (int i = 0; i < 4; ++i) {
    for (const auto& [who, name] : {std::pair(jo, "jo"), std::pair(al, "al")}) {
      const auto response =
          world.run(client->send(post("https://mail.test/EWS", "body " + std::string(name)), with(who)));
      ASSERT_TRUE(response) << response.error().describe();
      EXPECT_EQ(response->body, "you are " + std::string(name));
    }
  }
  EXPECT_EQ(code_of(world.run(client->send(get("https://mail.test/EWS"), {}))), "unauthorized");
  EXPECT_EQ(seen->connections, 3u) << "one for each identity, one anonymous";
  std::map<std::size_t, std::string> owner;
  for (std::size_t i = 0; i < seen->requests.size(); ++i) {
    const std::size_t at = seen->requests[i].find("body ");
    const std::string who = at == std::string::npos ? "nobody" : seen->requests[i].substr(at + 5);
    EXPECT_EQ(owner.emplace(seen->on_connection[i], who).first->second, who);
  }
  EXPECT_EQ(jo->targets.size(), 1u) << "a connection that is authenticated stays so";
  EXPECT_EQ(jo->targets[0].tls_server_end_point, "end point of mail.test");
}

TEST(HttpAuthentication, ARefusalIsAnErrorThatNamesWhatIsOffered) {
  VirtualWorld world;
  serve_text(world, "a.test", 443, unauthorized_text);
  auto client = make_http_client(world.environment()).value();
  const auto refused = world.run(client->send(get("https://a.test/"), {}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().domain, ErrorDomain::auth);
  EXPECT_EQ(refused.error().retry, RetryClass::reauthenticate);
  EXPECT_EQ(refused.error().http_status, 401);
  EXPECT_NE(refused.error().message.find("Negotiate, NTLM"), std::string::npos);
  const auto basic = std::make_shared<ScriptedAuthenticator>("secretpassword", false);
  const auto again = world.run(client->send(get("https://a.test/"), with(basic)));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().domain, ErrorDomain::auth);
  EXPECT_EQ(again.error().describe().find("secretpassword"), std::string::npos);
}

TEST(HttpAuthentication, AServerThatClosesWithItsChallengeIsAnsweredOnANewConnection) {
  for (const bool bound : {false, true}) {
    VirtualWorld world;
    const auto seen = serve_script(world, "a.test", 443, [](std::size_t, const std::string& request) {
      const std::string value = field(request, "Authorization");
      if (value.empty()) {
        std::string text = unauthorized_text;
        text.insert(text.find("Content-Length"), "Connection: close\r\n");
        return Answer{text, true};
      }
      if (value == "NTLM T1") return Answer{challenge_text};
      return Answer{ok("in")};
    });
    auto client = make_http_client(world.environment()).value();
    const auto who = std::make_shared<ScriptedAuthenticator>("jo", bound, false);
    const auto response = world.run(client->send(post("https://a.test/", "x"), with(who)));
    ASSERT_TRUE(response) << response.error().describe();
    EXPECT_EQ(response->body, "in");
    EXPECT_EQ(seen->connections, 2u);
  }
}

TEST(HttpPools, NothingIsSharedThatMustNotBe) {
  VirtualWorld world;
  const auto clear = serve_text(world, "a.test", 80, ok("c"));
  const auto secure = serve_text(world, "a.test", 443, ok("s"));
  auto client = make_http_client(world.environment()).value();
  HttpOptions hanging;
  hanging.pool = "hanging";
  HttpOptions strict;
  strict.tls = TlsPolicy{"", true};
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(world.run(client->send(get("http://a.test/"), {}))->body, "c");
    EXPECT_EQ(world.run(client->send(get("https://a.test/"), {}))->body, "s");
    EXPECT_EQ(world.run(client->send(get("https://a.test/"), hanging))->body, "s");
    EXPECT_EQ(world.run(client->send(get("https://a.test/"), strict))->body, "s");
  }
  EXPECT_EQ(clear->connections, 1u);
  EXPECT_EQ(secure->connections, 3u);
}

TEST(HttpPools, MoreRequestsThanConnectionsWaitTheirTurnAndIdleOnesExpire) {
  VirtualWorld world;
  std::size_t inside = 0;
  std::size_t most = 0;
  std::string order;
  HttpServer& server = world.serve_http(
      "a.test", 443, [&](const ServerRequest& request, Responder& responder) -> asio::awaitable<void> {
        most = std::max(most, ++inside);
        order += request.target.substr(1);
        static_cast<void>(co_await world.sleep(seconds(1)));
        --inside;
        static_cast<void>(co_await responder.respond(200, Headers(), "x"));
      });
  HttpClientSettings settings;
  settings.connections_per_pool = 2;
  settings.idle_expiry = seconds(30);
  auto client = make_http_client(world.environment(), settings).value();
  int answered = 0;
  for (char name = 'a'; name < 'i'; ++name) {
    auto one = [&](char who) -> asio::awaitable<void> {
      HttpRequest request = get("https://a.test/" + std::string(1, who));
      HttpOptions options;
      auto response = co_await client->send(std::move(request), std::move(options));
      if (response) ++answered;
    };
    auto* const kept = new auto(one);  // the coroutine refers to its closure
    world.spawn([](auto* closure, char who) -> asio::awaitable<void> {
      const std::unique_ptr<std::remove_pointer_t<decltype(closure)>> owner(closure);
      co_await (*owner)(who);
    }(kept, name));
  }
  world.run_for(seconds(20));
  EXPECT_EQ(answered, 8);
  EXPECT_EQ(most, 2u);
  EXPECT_EQ(order, "abcdefgh");
  EXPECT_EQ(server.connections(), 2u);
  world.run_for(seconds(20));
  EXPECT_EQ(server.connections(), 0u);
}

TEST(HttpRedirects, OnlyTheRuleDecides) {
  VirtualWorld world;
  const auto redirect = [](std::string to, int status = 302) {
    return "HTTP/1.1 " + std::to_string(status) + " x\r\nLocation: " + to + "\r\nContent-Length: 0\r\n\r\n";
  };
  const auto start = serve_script(world, "a.test", 443, [&](std::size_t, const std::string& request) {
    const std::string path =
        request.substr(request.find(' ') + 1, request.find(" HTTP") - request.find(' ') - 1);
    if (path == "/loop") return Answer{redirect("/loop2")};
    if (path == "/loop2") return Answer{redirect("/loop")};
    if (path == "/down") return Answer{redirect("http://b.test/")};
    if (path == "/303") return Answer{redirect("/end", 303)};
    if (path == "/end") return Answer{ok("end")};
    if (path == "/bad") return Answer{redirect("https://u:p@b.test/")};
    if (path.starts_with("/more")) return Answer{redirect(path + "x")};
    return Answer{redirect("https://b.test/target")};
  });
  const auto target = serve_text(world, "b.test", 443, ok("arrived"));
  auto client = make_http_client(world.environment()).value();
  const auto who = std::make_shared<ScriptedAuthenticator>("jo", false);
  HttpOptions options = with(who);
  EXPECT_EQ(code_of(world.run(client->send(get("https://a.test/"), options))), "status 302");
  options.redirect = [](const Url&, const Url& to, int) { return to.host != "b.test"; };
  EXPECT_EQ(code_of(world.run(client->send(get("https://a.test/"), options))), "redirect-refused");
  EXPECT_EQ(target->connections, 0u) << "not even a connection to a host that is not allowed";
  options.redirect = [](const Url&, const Url&, int) { return true; };
  HttpRequest request = post("https://a.test/", "ask");
  request.headers.add("Cookie", "c=1");
  request.headers.add("X-Kept", "1");
  const auto response = world.run(client->send(std::move(request), options));
  ASSERT_TRUE(response) << response.error().describe();
  EXPECT_EQ(response->body, "arrived");
  EXPECT_EQ(response->url.host, "b.test");
  ASSERT_EQ(target->requests.size(), 1u);
  EXPECT_TRUE(target->requests[0].starts_with("POST /target HTTP/1.1\r\nHost: b.test\r\n"))
      << target->requests[0];
  EXPECT_TRUE(target->requests[0].ends_with("\r\n\r\nask"));
  EXPECT_EQ(field(target->requests[0], "Cookie"), "");
  EXPECT_EQ(field(target->requests[0], "X-Kept"), "1");
  EXPECT_EQ(who->targets.back().url.host, "b.test") << "a new session for the new target";
  EXPECT_EQ(code_of(world.run(client->send(get("https://a.test/loop"), options))), "redirect-loop");
  EXPECT_EQ(code_of(world.run(client->send(get("https://a.test/more"), options))), "too-many-redirects");
  EXPECT_EQ(code_of(world.run(client->send(get("https://a.test/down"), options))), "redirect-refused");
  EXPECT_EQ(code_of(world.run(client->send(get("https://a.test/bad"), options))), "redirect-refused");
  EXPECT_EQ(world.run(client->send(post("https://a.test/303", "x"), options))->body, "end");
  EXPECT_TRUE(start->requests.back().starts_with("GET /end "));
}

TEST(HttpProxy, ClearRequestsGoInAbsoluteFormAndTheProxyGetsItsOwnCredentials) {
  VirtualWorld world;
  const auto proxy = serve_script(world, "proxy.test", 3128, [](std::size_t, const std::string& request) {
    if (field(request, "Proxy-Authorization").empty()) {
      return Answer{"HTTP/1.1 407 x\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"};
    }
    return Answer{ok("by proxy")};
  });
  const auto direct = serve_text(world, "local.test", 80, ok("direct"));
  HttpClientSettings settings;
  settings.proxy.http = parse_url("http://proxy.test:3128").value();
  settings.proxy.no_proxy = {"local.test"};
  settings.proxy.authenticator = std::make_shared<ScriptedAuthenticator>("proxyuser", false, false);
  auto client = make_http_client(world.environment(), settings).value();
  const auto jo = std::make_shared<ScriptedAuthenticator>("jo", false);
  EXPECT_EQ(world.run(client->send(get("http://local.test/"), {}))->body, "direct");
  const auto response = world.run(client->send(get("http://a.test/x"), with(jo)));
  ASSERT_TRUE(response) << response.error().describe();
  EXPECT_EQ(response->body, "by proxy");
  ASSERT_EQ(proxy->requests.size(), 2u);
  EXPECT_TRUE(proxy->requests[1].starts_with("GET http://a.test/x HTTP/1.1\r\nHost: a.test\r\n"))
      << proxy->requests[1];
  EXPECT_EQ(field(proxy->requests[1], "Authorization"), "Basic jo");
  EXPECT_EQ(field(proxy->requests[1], "Proxy-Authorization"), "Basic proxyuser");
  EXPECT_EQ(field(direct->requests[0], "Proxy-Authorization"), "");
}

TEST(HttpProxy, SecureRequestsGoThroughATunnelThatDoesNotSeeTheirCredentials) {
  VirtualWorld world;
  int status = 200;
  std::string connect;
  world.listen("proxy.test", 3128, {}, [&](StreamPtr stream, std::string) {
    world.spawn([](StreamPtr s, int with_status, std::string& text) -> asio::awaitable<void> {
      std::vector<std::byte> buffer(65536);
      auto count = co_await s->read_some(buffer);
      if (!count) co_return;
      text.assign(reinterpret_cast<const char*>(buffer.data()), *count);
      std::string answer = "HTTP/1.1 " + std::to_string(with_status) + " x\r\n\r\n";
      static_cast<void>(
          co_await s->write_all(std::as_bytes(std::span<const char>(answer.data(), answer.size()))));
      count = co_await s->read_some(buffer);
      if (!count || *count == 0) co_return;
      answer = ok("through the tunnel");
      static_cast<void>(
          co_await s->write_all(std::as_bytes(std::span<const char>(answer.data(), answer.size()))));
      static_cast<void>(co_await s->read_some(buffer));
    }(std::move(stream), status, connect));
  });
  HttpClientSettings settings;
  settings.proxy.https = parse_url("http://proxy.test:3128").value();
  auto client = make_http_client(world.environment(), settings).value();
  const auto jo = std::make_shared<ScriptedAuthenticator>("jo", false);
  const auto response = world.run(client->send(get("https://a.test/x"), with(jo)));
  ASSERT_TRUE(response) << response.error().describe();
  EXPECT_EQ(response->body, "through the tunnel");
  EXPECT_TRUE(connect.starts_with("CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n")) << connect;
  EXPECT_EQ(connect.find("jo"), std::string::npos);
  status = 403;
  const auto refused = world.run(client->send(get("https://c.test/"), {}));
  EXPECT_EQ(code_of(refused), "proxy-refused");
  EXPECT_EQ(refused.error().http_status, 403);
}

TEST(HttpClient, ChunkedBodiesExpectationsAndHeadAreFramedRight) {
  class Unsized final : public Source {
   public:
    Async<std::size_t> read(std::span<std::byte> buffer) override {
      if (left_ == 0) co_return std::size_t{0};
      --left_;
      buffer[0] = std::byte{'a'};
      buffer[1] = std::byte{'b'};
      co_return std::size_t{2};
    }
    Result<void> rewind() override {
      left_ = 3;
      return {};
    }
    std::optional<std::uint64_t> size() const override { return std::nullopt; }

   private:
    int left_ = 3;
  };
  VirtualWorld world;
  world.serve_http("a.test", 443,
                   [](const ServerRequest& request, Responder& responder) -> asio::awaitable<void> {
                     Headers headers;
                     headers.add("X-Length", std::to_string(request.body.size()));
                     std::string body = request.body;
                     static_cast<void>(co_await responder.respond(200, std::move(headers), std::move(body)));
                   });
  auto client = make_http_client(world.environment()).value();
  HttpRequest request = post("https://a.test/", "");
  request.body = std::make_shared<Unsized>();
  EXPECT_EQ(world.run(client->send(request, {}))->body, "ababab");
  HttpOptions expecting;
  expecting.expect_continue = true;
  const auto expected =
      world.run(client->send(post("https://a.test/", std::string(300'000, 'x')), expecting));
  ASSERT_TRUE(expected) << expected.error().describe();
  EXPECT_EQ(expected->body.size(), 300'000u);
  EXPECT_LT(world.elapsed(), seconds(1)) << "the server said 100, nobody waited";
  HttpRequest head = get("https://a.test/");
  head.method = "HEAD";
  EXPECT_EQ(world.run(client->send(head, {}))->body, "");
  EXPECT_EQ(world.connections_made("a.test", 443), 1u);
  // A server that has never heard of the expectation gets the body after a second.
  serve_text(world, "old.test", 443, ok("took it"));
  EXPECT_EQ(world.run(client->send(post("https://old.test/", "x"), expecting))->body, "took it");
  EXPECT_GE(world.elapsed(), seconds(1));
}

TEST(ProtocolLog, NothingSecretGetsIntoItAndNobodyElseMayReadIt) {
  const std::string secret = "Hunter2-Known-Secret";
  const auto path =
      std::filesystem::temp_directory_path() / ("syncline-raw-log-" + std::to_string(::getpid()));
  std::filesystem::remove(path);
  VirtualWorld world;
  serve_script(world, "a.test", 443, [&](std::size_t, const std::string&) {
    return Answer{"HTTP/1.1 200 OK\r\nSet-Cookie: s=" + secret +
                  "\r\nContent-Type: application/json\r\nContent-Length: " +
                  std::to_string(secret.size() + 20) + "\r\n\r\n{\"access_token\": \"" + secret + "\"}"};
  });
  HttpClientSettings settings;
  settings.raw_log.file = path.string();
  settings.raw_log.bodies = true;
  {
    auto client = make_http_client(world.environment(), settings).value();
    HttpRequest request =
        post("https://a.test/token?x=1&client_secret=" + secret, "grant_type=x&password=" + secret);
    request.headers.add("Cookie", "c=" + secret);
    HttpOptions options = with(std::make_shared<ScriptedAuthenticator>(secret, false));
    options.request_id = "req-7";
    const auto response = world.run(client->send(std::move(request), std::move(options)));
    ASSERT_TRUE(response) << response.error().describe();
  }
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str().find("Hunter2"), std::string::npos) << text.str();
  EXPECT_NE(text.str().find("req-7"), std::string::npos);
  EXPECT_NE(text.str().find("POST /token?x=1&client_secret=[hidden] HTTP/1.1"), std::string::npos)
      << text.str();
  EXPECT_NE(text.str().find("grant_type=x&password=[hidden]"), std::string::npos) << text.str();
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace syncline::net::testing
