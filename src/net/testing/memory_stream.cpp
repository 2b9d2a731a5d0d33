// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/testing/memory_stream.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cstring>
#include <deque>
#include <string>

#include "net/event.hpp"
#include "net/watchdog.hpp"

namespace syncline::net::testing {
namespace {

unexpected<Error> reset() {
  return fail(ErrorDomain::net, "connection-reset", "the peer has broken the connection off",
              RetryClass::after);
}

/// One direction.
struct Pipe {
  explicit Pipe(const asio::any_io_executor& executor) : readable(executor), writable(executor) {}
  std::string arrived;
  std::size_t taken = 0;
  std::deque<std::string> under_way;
  bool writer_closed = false;  ///< the end follows what has been written
  bool broken = false;         ///< a reset: what was not read is lost
  bool reader_closed = false;
  Event readable;
  Event writable;

  std::size_t unread() const noexcept {
    std::size_t octets = arrived.size() - taken;
    for (const std::string& piece : under_way) octets += piece.size();
    return octets;
  }
  void wake() {
    readable.notify_all();
    writable.notify_all();
  }
};
using PipePtr = std::shared_ptr<Pipe>;

class MemoryStream final : public Stream {
 public:
  MemoryStream(Environment& environment, PipePtr in, PipePtr out, StreamFaults faults)
      : environment_(environment), in_(std::move(in)), out_(std::move(out)), faults_(faults) {}
  ~MemoryStream() override { close(); }

  Async<std::size_t> read_some(std::span<std::byte> buffer) override {
    if (auto good = count_operation(); !good) co_return fail(std::move(good).error());
    const PipePtr in = in_;
    for (;;) {
      if (closed_) co_return cancelled();
      if (in->broken) co_return reset();
      const std::size_t left = in->arrived.size() - in->taken;
      if (left > 0 && !faults_.black_hole) break;
      if (in->writer_closed && in->under_way.empty() && !faults_.black_hole) co_return std::size_t{0};
      auto waited = co_await in->readable.wait();
      if (!waited) co_return fail(std::move(waited).error());
    }
    std::size_t count = std::min({buffer.size(), in->arrived.size() - in->taken, faults_.fragment_octets});
    if (faults_.cut_after_read) {
      if (read_octets_ >= *faults_.cut_after_read) {
        cut();
        if (faults_.cut_by_reset) co_return reset();
        co_return std::size_t{0};
      }
      count =
          static_cast<std::size_t>(std::min<std::uint64_t>(count, *faults_.cut_after_read - read_octets_));
    }
    std::memcpy(buffer.data(), in->arrived.data() + in->taken, count);
    in->taken += count;
    read_octets_ += count;
    if (in->taken == in->arrived.size()) {
      in->arrived.clear();
      in->taken = 0;
    }
    in->writable.notify_all();
    co_return count;
  }

  Async<void> write_all(std::span<const std::byte> octets) override {
    if (auto good = count_operation(); !good) co_return fail(std::move(good).error());
    const PipePtr out = out_;
    while (!octets.empty()) {
      if (closed_ || out->writer_closed) co_return cancelled();
      if (out->broken || out->reader_closed) co_return reset();
      if (faults_.black_hole) co_return Result<void>{};
      const std::size_t unread = out->unread();
      if (unread >= faults_.window_octets) {
        auto waited = co_await out->writable.wait();
        if (!waited) co_return fail(std::move(waited).error());
        continue;
      }
      std::size_t count = std::min(octets.size(), faults_.window_octets - unread);
      bool cuts = false;
      if (faults_.cut_after_written && written_octets_ + count >= *faults_.cut_after_written) {
        count = static_cast<std::size_t>(*faults_.cut_after_written - written_octets_);
        cuts = true;
      }
      send(octets.first(count));
      written_octets_ += count;
      octets = octets.subspan(count);
      if (cuts) {
        cut();
        co_return reset();
      }
    }
    co_return Result<void>{};
  }

  Async<void> shutdown_write() override {
    out_->writer_closed = true;
    out_->wake();
    co_return Result<void>{};
  }

  void close() noexcept override {
    if (closed_) return;
    closed_ = true;
    if (faults_.black_hole) {
      in_->wake();
      out_->writable.notify_all();
      return;
    }
    in_->reader_closed = true;
    out_->writer_closed = true;
    in_->wake();
    out_->wake();
  }

 private:
  Result<void> count_operation() {
    if (faults_.fail_operation && operations_++ == *faults_.fail_operation) {
      cut();
      return reset();
    }
    return {};
  }

  /// The connection ends for both.
  void cut() {
    for (const PipePtr& pipe : {in_, out_}) {
      if (faults_.cut_by_reset) pipe->broken = true;
      pipe->writer_closed = true;
      pipe->reader_closed = true;
      pipe->wake();
    }
  }

  void send(std::span<const std::byte> octets) {
    const std::string_view text(reinterpret_cast<const char*>(octets.data()), octets.size());
    if (faults_.delay.count() == 0) {
      out_->arrived.append(text);
      out_->readable.notify_all();
      return;
    }
    out_->under_way.emplace_back(text);
    const SteadyTime due = deadline_after(environment_.clock, faults_.delay);
    asio::co_spawn(environment_.executor, deliver(environment_.timers, out_, due), asio::detached);
  }

  static asio::awaitable<void> deliver(Timers& timers, PipePtr pipe, SteadyTime due) {
    auto slept = co_await timers.sleep_until(due);
    if (!slept || pipe->under_way.empty()) co_return;
    pipe->arrived += pipe->under_way.front();
    pipe->under_way.pop_front();
    pipe->readable.notify_all();
  }

  Environment& environment_;
  PipePtr in_;
  PipePtr out_;
  StreamFaults faults_;
  std::uint64_t read_octets_ = 0;
  std::uint64_t written_octets_ = 0;
  std::uint64_t operations_ = 0;
  bool closed_ = false;
};

}  // namespace

std::pair<StreamPtr, StreamPtr> memory_stream_pair(Environment& environment, StreamFaults first,
                                                   StreamFaults second) {
  const auto forth = std::make_shared<Pipe>(environment.executor);
  const auto back = std::make_shared<Pipe>(environment.executor);
  StreamPtr a = std::make_unique<MemoryStream>(environment, back, forth, first);
  StreamPtr b = std::make_unique<MemoryStream>(environment, forth, back, second);
  return {std::move(a), std::move(b)};
}

}  // namespace syncline::net::testing
