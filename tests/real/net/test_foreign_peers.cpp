// SPDX-License-Identifier: GPL-3.0-or-later
// Peers that are not ours: curl against our server, our client against Python's http.server.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "net/http_client.hpp"
#include "net/http_server.hpp"
#include "net/system_environment.hpp"
#include "net/tcp.hpp"

namespace syncline::net::testing {
namespace {

bool have(const char* program) {
  return std::system((std::string("command -v ") + program + " >/dev/null 2>&1").c_str()) == 0;
}

std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = ::popen(command.c_str(), "r");
  std::array<char, 4096> buffer{};
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe))
    text.append(buffer.data(), count);
  ::pclose(pipe);
  return text;
}

TEST(ForeignPeers, CurlUnderstandsOurServer) {
  if (!have("curl")) GTEST_SKIP() << "curl is not installed";
  asio::io_context context(1);
  auto system = system_environment(context.get_executor()).value();
  auto server = listen_http(system->get(), ListenOptions(),
                            [](const ServerRequest& request, Responder& responder) -> asio::awaitable<void> {
                              if (request.target == "/chunks") {
                                static_cast<void>(co_await responder.begin(200, Headers()));
                                static_cast<void>(co_await responder.write("one "));
                                static_cast<void>(co_await responder.write("two"));
                                static_cast<void>(co_await responder.finish());
                                co_return;
                              }
                              std::string body = request.method + " " + std::to_string(request.body.size());
                              if (request.target == "/big") body.assign(200'000, 'x');
                              static_cast<void>(co_await responder.respond(200, Headers(), std::move(body)));
                            })
                    .value();
  const std::string base = "http://127.0.0.1:" + std::to_string(server->port());
  std::thread running([&] { context.run(); });
  const std::string curl = "curl -sS --noproxy '*' --max-time 20 ";
  EXPECT_EQ(output_of(curl + base + "/"), "GET 0");
  EXPECT_EQ(output_of(curl + base + "/ " + base + "/chunks"), "GET 0one two");
  EXPECT_EQ(output_of("head -c 3000000 /dev/zero | " + curl + "-H 'Expect: 100-continue' --data-binary @- " +
                      base + "/"),
            "POST 3000000");
  EXPECT_EQ(output_of("head -c 300000 /dev/zero | " + curl +
                      "-H 'Transfer-Encoding: chunked' --data-binary @- " + base + "/"),
            "POST 300000");
  EXPECT_EQ(output_of(curl + "--compressed " + base + "/big").size(), 200'000u);
  EXPECT_NE(output_of(curl + "-I " + base + "/big").find("Content-Length: 200000"), std::string::npos);
  EXPECT_EQ(output_of(curl + "-0 " + base + "/chunks"), "one two");
  asio::post(context, [&] { server->stop(); });
  // What is left ends by itself: the connections are closed.
  context.stop();
  running.join();
}

TEST(ForeignPeers, OurClientUnderstandsPythonsServer) {
  if (!have("python3")) GTEST_SKIP() << "python3 is not installed";
  const auto directory =
      std::filesystem::temp_directory_path() / ("syncline-foreign-" + std::to_string(::getpid()));
  std::filesystem::create_directories(directory);
  std::ofstream(directory / "file.txt") << std::string(500'000, 'y');
  asio::io_context context(1);
  std::uint16_t port = 0;
  {
    // A port that was free a moment ago; Python cannot tell us which one it was given.
    auto listener = listen_tcp(context.get_executor(), "127.0.0.1", 0).value();
    port = listener->port();
    listener->close();
  }
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::freopen("/dev/null", "w", stdout);
    std::freopen("/dev/null", "w", stderr);
    const std::string port_text = std::to_string(port);
    const std::string folder = directory.string();
    ::execlp("python3", "python3", "-m", "http.server", "--bind", "127.0.0.1", "--directory", folder.c_str(),
             port_text.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  auto system = system_environment(context.get_executor()).value();
  auto client = make_http_client(system->get()).value();
  const auto ask = [&](const std::string& target) {
    std::optional<Result<HttpResponse>> outcome;
    auto asking = [&]() -> asio::awaitable<void> {
      HttpRequest request;
      request.url = Url{"http", "127.0.0.1", port, target};
      HttpOptions options;
      outcome.emplace(co_await client->send(std::move(request), std::move(options)));
    };
    context.restart();
    asio::co_spawn(context, asking(), asio::detached);
    while (!outcome && context.run_one() > 0) {
    }
    return std::move(*outcome);
  };
  Result<HttpResponse> first = ask("/file.txt");
  for (int tries = 0; !first && tries < 200; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    first = ask("/file.txt");
  }
  ASSERT_TRUE(first) << first.error().describe();
  EXPECT_EQ(first->body.size(), 500'000u);
  EXPECT_EQ(ask("/missing")->status, 404);
  EXPECT_EQ(ask("/")->status, 200);
  ::kill(child, SIGTERM);
  ::waitpid(child, nullptr, 0);
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace syncline::net::testing
