// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A connection and what has been read ahead of it; both sides of HTTP read through this.
#include <functional>
#include <memory>
#include <vector>

#include "net/event.hpp"
#include "net/stream.hpp"

namespace syncline::net {

/// Held by shared_ptr: a read in the background keeps it alive until the stream is closed.
class Wire : public std::enable_shared_from_this<Wire> {
 public:
  /// `limit_octets`: how much may be read ahead; at least 64 KiB.
  Wire(asio::any_io_executor executor, StreamPtr stream, std::size_t limit_octets);

  Stream& stream() noexcept { return *stream_; }
  std::span<const std::byte> buffered() const noexcept;
  void consume(std::size_t octets) noexcept;
  /// Reads more behind what is buffered. Octets read; 0 at the end of the stream. Error http "too-large"
  /// where the buffer is full, and those of the stream. What buffered() gave before is not valid any more.
  Async<std::size_t> fill();
  /// Keeps reading in the background, so that the end of a quiet connection is seen at once: `on_end` is
  /// called (once) at the end or an error, `on_data` after each read. The read under way is handed on to the
  /// next fill().
  void watch(std::function<void()> on_data, std::function<void()> on_end);
  /// No more callbacks.
  void unwatch() noexcept;
  bool ended() const noexcept { return ended_; }
  void close() noexcept;

 private:
  Async<std::size_t> read_once();
  static asio::awaitable<void> read_in_background(std::shared_ptr<Wire> self);

  asio::any_io_executor executor_;
  StreamPtr stream_;
  std::size_t limit_octets_;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  Event read_done_;
  Result<std::size_t> last_{std::size_t{0}};
  bool reading_ = false;
  bool watching_ = false;
  bool ended_ = false;
  std::function<void()> on_data_;
  std::function<void()> on_end_;
};

}  // namespace syncline::net
