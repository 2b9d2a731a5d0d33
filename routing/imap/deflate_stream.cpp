// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/imap/deflate_stream.hpp"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>
#include <vector>

namespace syncline::imap {
namespace {

constexpr std::size_t buffer_octets = 16 * 1024;
constexpr int raw_window = -15;

class DeflateStream final : public net::Stream {
 public:
  DeflateStream(net::StreamPtr inner, std::string_view received)
      : inner_(std::move(inner)),
        incoming_(std::max(buffer_octets, received.size())),
        outgoing_(buffer_octets) {
    if (inflateInit2(&inflate_, raw_window) != Z_OK) throw std::bad_alloc();
    if (deflateInit2(&deflate_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, raw_window, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
      inflateEnd(&inflate_);
      throw std::bad_alloc();
    }
    std::transform(received.begin(), received.end(), incoming_.begin(),
                   [](char c) { return static_cast<std::byte>(c); });
    inflate_.next_in = reinterpret_cast<Bytef*>(incoming_.data());
    inflate_.avail_in = static_cast<uInt>(received.size());
  }
  ~DeflateStream() override {
    inflateEnd(&inflate_);
    deflateEnd(&deflate_);
  }

  net::Async<std::size_t> read_some(std::span<std::byte> buffer) override {
    if (buffer.empty() || ended_) co_return std::size_t{0};
    const auto room =
        static_cast<uInt>(std::min<std::size_t>(buffer.size(), std::numeric_limits<uInt>::max()));
    for (;;) {
      inflate_.next_out = reinterpret_cast<Bytef*>(buffer.data());
      inflate_.avail_out = room;
      const int done = ::inflate(&inflate_, Z_SYNC_FLUSH);
      if (done == Z_STREAM_END) ended_ = true;
      if (done != Z_OK && done != Z_STREAM_END && done != Z_BUF_ERROR)
        co_return fail(ErrorDomain::mail, "bad-compression", "the server's compressed data is damaged",
                       RetryClass::after);
      const std::size_t count = room - inflate_.avail_out;
      if (count > 0 || ended_) co_return count;
      auto more = co_await inner_->read_some(incoming_);
      if (!more) co_return fail(std::move(more.error()));
      if (*more == 0) co_return std::size_t{0};
      inflate_.next_in = reinterpret_cast<Bytef*>(incoming_.data());
      inflate_.avail_in = static_cast<uInt>(*more);
    }
  }

  net::Async<void> write_all(std::span<const std::byte> octets) override {
    while (!octets.empty()) {
      const auto piece = octets.first(std::min<std::size_t>(octets.size(), 1U << 20U));
      octets = octets.subspan(piece.size());
      deflate_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(piece.data()));
      deflate_.avail_in = static_cast<uInt>(piece.size());
      do {
        deflate_.next_out = reinterpret_cast<Bytef*>(outgoing_.data());
        deflate_.avail_out = static_cast<uInt>(outgoing_.size());
        ::deflate(&deflate_, octets.empty() ? Z_SYNC_FLUSH : Z_NO_FLUSH);
        const std::size_t count = outgoing_.size() - deflate_.avail_out;
        const auto ready = std::span<const std::byte>(outgoing_).first(count);
        auto written = co_await inner_->write_all(ready);
        if (!written) co_return fail(std::move(written.error()));
      } while (deflate_.avail_out == 0);
    }
    co_return Result<void>{};
  }

  net::Async<void> shutdown_write() override { return inner_->shutdown_write(); }
  void close() noexcept override { inner_->close(); }
  std::string tls_server_end_point() const override { return inner_->tls_server_end_point(); }
  bool is_tls() const noexcept override { return inner_->is_tls(); }

 private:
  net::StreamPtr inner_;
  z_stream inflate_{};
  z_stream deflate_{};
  std::vector<std::byte> incoming_;
  std::vector<std::byte> outgoing_;
  bool ended_ = false;
};

}  // namespace

net::StreamPtr make_deflate_stream(net::StreamPtr inner, std::string_view received) {
  return std::make_unique<DeflateStream>(std::move(inner), received);
}

}  // namespace syncline::imap
