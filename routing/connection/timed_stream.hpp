// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A stream that counts how long its peer takes from the last octet of what it is sent to the first of what
// comes back.
#include <memory>
#include <optional>
#include <utility>

#include "base/clock.hpp"
#include "base/duration_histogram.hpp"
#include "net/stream.hpp"

namespace syncline::mail {

class TimedStream final : public net::Stream {
 public:
  /// `clock` must outlive it.
  TimedStream(const Clock& clock, net::StreamPtr stream, std::shared_ptr<RequestTimes> times)
      : clock_(clock), stream_(std::move(stream)), times_(std::move(times)) {}

  net::Async<std::size_t> read_some(std::span<std::byte> buffer) override {
    auto count = co_await stream_->read_some(buffer);
    if (count && *count > 0 && asked_at_)
      times_->add(clock_.steady_now() - *std::exchange(asked_at_, std::nullopt));
    co_return count;
  }
  net::Async<void> write_all(std::span<const std::byte> octets) override {
    // An answer may be read before the write that it is to has said that it is over.
    asked_at_ = clock_.steady_now();
    auto written = co_await stream_->write_all(octets);
    if (asked_at_) asked_at_ = clock_.steady_now();
    co_return written;
  }
  net::Async<void> shutdown_write() override { return stream_->shutdown_write(); }
  void close() noexcept override { stream_->close(); }
  std::string tls_server_end_point() const override { return stream_->tls_server_end_point(); }
  std::string tls_exporter() const override { return stream_->tls_exporter(); }
  bool is_tls() const noexcept override { return stream_->is_tls(); }
  void set_quick_ack(bool on) noexcept override { stream_->set_quick_ack(on); }

 private:
  const Clock& clock_;
  net::StreamPtr stream_;
  std::shared_ptr<RequestTimes> times_;
  std::optional<SteadyTime> asked_at_;  ///< nothing has come since
};

}  // namespace syncline::mail
