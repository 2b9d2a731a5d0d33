// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/wire.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cstring>

namespace syncline::net {
namespace {

constexpr std::size_t idle_octets = 4 * 1024;
constexpr std::size_t busy_octets = 64 * 1024;

}  // namespace

Wire::Wire(asio::any_io_executor executor, StreamPtr stream, std::size_t limit_octets)
    : executor_(executor),
      stream_(std::move(stream)),
      limit_octets_(std::max(limit_octets, busy_octets)),
      buffer_(idle_octets),
      read_done_(std::move(executor)) {}

std::span<const std::byte> Wire::buffered() const noexcept {
  return std::span<const std::byte>(buffer_).subspan(begin_, end_ - begin_);
}

void Wire::consume(std::size_t octets) noexcept {
  begin_ += std::min(octets, end_ - begin_);
}

Async<std::size_t> Wire::read_once() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ == buffer_.size()) {
    if (begin_ > 0) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    } else if (buffer_.size() < limit_octets_) {
      buffer_.resize(std::min(limit_octets_, std::max(busy_octets, buffer_.size() * 2)));
    } else {
      co_return fail(ErrorDomain::http, "too-large", "a header or a chunk's header is larger than the limit");
    }
  }
  const std::span<std::byte> room = std::span<std::byte>(buffer_).subspan(end_);
  auto count = co_await stream_->read_some(room);
  if (!count || *count == 0) {
    ended_ = true;
    co_return count;
  }
  end_ += *count;
  // A read that fills the small buffer means bulk: the next ones get the large one.
  if (begin_ == 0 && end_ == buffer_.size() && buffer_.size() < busy_octets) buffer_.resize(busy_octets);
  co_return count;
}

Async<std::size_t> Wire::fill() {
  if (reading_) {
    auto waited = co_await read_done_.wait();
    if (!waited) co_return fail(std::move(waited).error());
    co_return last_;
  }
  if (ended_) co_return last_;
  reading_ = true;
  last_ = co_await read_once();
  reading_ = false;
  co_return last_;
}

asio::awaitable<void> Wire::read_in_background(std::shared_ptr<Wire> self) {
  do {
    self->last_ = co_await self->read_once();
    self->read_done_.notify_all();
    if (self->ended_ || !self->last_) break;
    if (const auto on_data = self->on_data_) on_data();
  } while (self->watching_ && self->end_ - self->begin_ < busy_octets);
  self->reading_ = false;
  if (self->ended_) {
    const auto on_end = std::move(self->on_end_);
    self->on_end_ = nullptr;
    if (on_end) on_end();
  }
}

void Wire::watch(std::function<void()> on_data, std::function<void()> on_end) {
  on_data_ = std::move(on_data);
  on_end_ = std::move(on_end);
  watching_ = true;
  if (reading_ || ended_) return;
  if (begin_ == end_ && buffer_.size() > busy_octets / 2) {
    begin_ = end_ = 0;
    std::vector<std::byte>(idle_octets).swap(buffer_);
  }
  reading_ = true;
  asio::co_spawn(executor_, read_in_background(shared_from_this()), asio::detached);
}

void Wire::unwatch() noexcept {
  watching_ = false;
  on_data_ = nullptr;
  on_end_ = nullptr;
}

void Wire::close() noexcept {
  unwatch();
  ended_ = true;
  stream_->close();
}

}  // namespace syncline::net
