// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The server's end of a connection, as a script says it.
#include <functional>
#include <string>
#include <string_view>

#include "net/stream.hpp"

namespace syncline::imap::testing {

class Peer {
 public:
  explicit Peer(net::StreamPtr stream) : stream_(std::move(stream)) {}

  /// Without its end; fails when the client has closed.
  net::Async<std::string> line() {
    for (;;) {
      if (const std::size_t end = received_.find("\r\n"); end != std::string::npos) {
        std::string line = received_.substr(0, end);
        received_.erase(0, end + 2);
        co_return line;
      }
      auto more = co_await fill();
      if (!more) co_return fail(std::move(more.error()));
    }
  }
  net::Async<std::string> octets(std::size_t count) {
    while (received_.size() < count) {
      auto more = co_await fill();
      if (!more) co_return fail(std::move(more.error()));
    }
    std::string octets = received_.substr(0, count);
    received_.erase(0, count);
    co_return octets;
  }
  net::Async<void> send(std::string_view text) {
    const auto all = std::as_bytes(std::span(text.data(), text.size()));
    co_return co_await stream_->write_all(all);
  }
  /// Whatever came and was not read yet.
  const std::string& received() const { return received_; }
  net::Stream& stream() { return *stream_; }
  void close() { stream_->close(); }
  std::function<void(std::size_t octets)> on_hear = {};

 private:
  net::Async<void> fill() {
    std::byte buffer[4096];
    const std::span<std::byte> room(buffer);
    auto count = co_await stream_->read_some(room);
    if (!count) co_return fail(std::move(count.error()));
    if (*count == 0) co_return fail(ErrorDomain::net, "end", "the client has closed");
    if (on_hear) on_hear(*count);
    received_.append(reinterpret_cast<const char*>(buffer), *count);
    co_return Result<void>{};
  }
  net::StreamPtr stream_;
  std::string received_;
};

/// "s12 UID FETCH …": the tag, and what it is about.
inline std::string tag_of(const std::string& line) {
  return line.substr(0, line.find(' '));
}
inline std::string command_of(const std::string& line) {
  const std::size_t blank = line.find(' ');
  return blank == std::string::npos ? std::string() : line.substr(blank + 1);
}

}  // namespace syncline::imap::testing
