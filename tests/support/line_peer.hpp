// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The server's side of a conversation in lines, for scripted mail servers in a VirtualWorld.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/testing/virtual_world.hpp"

namespace syncline::testing {

class LinePeer {
 public:
  explicit LinePeer(net::StreamPtr stream) : stream_(std::move(stream)) {}

  /// The next line without its CRLF; nullopt at the end of the connection.
  net::asio::awaitable<std::optional<std::string>> line() {
    for (;;) {
      const std::size_t end = read_.find("\r\n");
      if (end != std::string::npos) {
        std::string one = read_.substr(0, end);
        read_.erase(0, end + 2);
        answering_ = one;
        co_return one;
      }
      const bool more = co_await fill();
      if (!more) co_return std::nullopt;
    }
  }
  /// So many octets, or fewer at the end of the connection.
  net::asio::awaitable<std::string> octets(std::size_t count) {
    while (read_.size() < count) {
      const bool more = co_await fill();
      if (!more) break;
    }
    std::string taken = read_.substr(0, count);
    read_.erase(0, taken.size());
    co_return taken;
  }
  /// Everything up to and with `end`; less at the end of the connection.
  net::asio::awaitable<std::string> until(std::string end) {
    for (;;) {
      const std::size_t at = read_.find(end);
      if (at != std::string::npos) {
        std::string taken = read_.substr(0, at + end.size());
        read_.erase(0, taken.size());
        answering_ = end;
        co_return taken;
      }
      const bool more = co_await fill();
      if (!more) co_return std::exchange(read_, {});
    }
  }
  net::asio::awaitable<void> say(std::string text) {
    if (on_say) on_say(answering_, text.size());
    const auto octets = std::as_bytes(std::span<const char>(text.data(), text.size()));
    static_cast<void>(co_await stream_->write_all(octets));
  }
  void close() { stream_->close(); }
  /// What was read and not asked for yet: more than one command in one piece is pipelining.
  const std::string& ahead() const { return read_; }
  std::size_t reads() const { return reads_; }

  /// Told of everything that is said: what it answers (the last line, or the end of a text), and its octets.
  std::function<void(const std::string& to, std::size_t octets)> on_say = {};
  std::function<void(std::size_t octets)> on_hear = {};

 private:
  net::asio::awaitable<bool> fill() {
    std::byte buffer[16 * 1024];
    const std::span<std::byte> room(buffer);
    auto count = co_await stream_->read_some(room);
    if (!count || *count == 0) co_return false;
    ++reads_;
    if (on_hear) on_hear(*count);
    read_.append(reinterpret_cast<const char*>(buffer), *count);
    co_return true;
  }

  net::StreamPtr stream_;
  std::string read_;
  std::string answering_;
  std::size_t reads_ = 0;
};

using PeerScript = std::function<net::asio::awaitable<void>(LinePeer& peer, std::size_t nth)>;

/// Every connection to host:port runs the script; `nth` counts from 0. The world ends before the script's
/// captures.
inline void serve_lines(net::testing::VirtualWorld& world, const std::string& host, std::uint16_t port,
                        net::testing::VirtualEndpoint endpoint, PeerScript script) {
  auto shared = std::make_shared<PeerScript>(std::move(script));
  auto connections = std::make_shared<std::size_t>(0);
  world.listen(host, port, std::move(endpoint),
               [&world, shared, connections](net::StreamPtr stream, std::string) {
                 auto run = [](std::shared_ptr<PeerScript> of_all, std::shared_ptr<LinePeer> one,
                               std::size_t nth) -> net::asio::awaitable<void> {
                   co_await (*of_all)(*one, nth);
                   one->close();
                 };
                 auto peer = std::make_shared<LinePeer>(std::move(stream));
                 world.spawn(run(shared, std::move(peer), (*connections)++));
               });
}

}  // namespace syncline::testing
