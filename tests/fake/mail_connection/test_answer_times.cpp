// SPDX-License-Identifier: GPL-3.0-or-later
// How long a mail server took, as metrics tell it: of what it was asked, not of what it says by itself.
#include <gtest/gtest.h>

#include "routing/connection/connection.hpp"
#include "tests/support/line_peer.hpp"

namespace syncline::mail {
namespace {

using namespace std::chrono_literals;

class AnswerTimes : public ::testing::Test {
 protected:
  /// Greets after a minute; answers "ask" after a quarter of a second; a minute after "idle" it says
  /// something by itself.
  net::asio::awaitable<void> serve(testing::LinePeer& peer) {
    static_cast<void>(co_await world.sleep(1min));
    co_await peer.say("hello\r\n");
    for (;;) {
      auto line = co_await peer.line();
      if (!line) co_return;
      static_cast<void>(co_await world.sleep(250ms));
      co_await peer.say("answer\r\n");
      if (*line != "idle") continue;
      static_cast<void>(co_await world.sleep(1min));
      co_await peer.say("news\r\n");
    }
  }

  net::Async<void> read(Connection& connection) {
    connection.begin(5min, 10min);
    auto read = co_await connection.fill();
    connection.end();
    co_return read;
  }
  net::Async<void> ask(Connection& connection, std::string_view command) {
    auto written = co_await connection.write(command);
    if (!written) co_return written;
    co_return co_await read(connection);
  }

  net::testing::VirtualWorld world;
  std::shared_ptr<RequestTimes> times = std::make_shared<RequestTimes>();
};

TEST_F(AnswerTimes, AreFromTheLastOctetOfACommandToTheFirstOfItsAnswer) {
  testing::serve_lines(world, "mail.example.test", 143, {},
                       [this](testing::LinePeer& peer, std::size_t) { return serve(peer); });
  const Endpoint endpoint{
      .host = "mail.example.test", .port = 143, .tls = TlsMode::none, .answer_times = times};
  auto opened = world.run(Connection::open(world.environment(), endpoint, 10s));
  ASSERT_TRUE(opened);
  Connection& connection = **opened;
  ASSERT_TRUE(world.run(read(connection)));
  for (const char* command : {"ask\r\n", "ask\r\n", "idle\r\n"})
    ASSERT_TRUE(world.run(ask(connection, command)));
  ASSERT_TRUE(world.run(read(connection)));
  EXPECT_EQ(connection.buffered(), "news\r\n");
  std::uint64_t all = 0;
  for (const std::uint64_t count : times->counts()) all += count;
  EXPECT_EQ(all, 3U) << "neither the greeting nor the news";
  EXPECT_GE(times->sum(), 750ms);
  EXPECT_LT(times->sum(), 1s);
}

}  // namespace
}  // namespace syncline::mail
