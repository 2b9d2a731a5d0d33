// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Where bulk octets come from and go to. No function takes "the whole attachment" as a string.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "net/async.hpp"

namespace syncline::net {

/// Pulled by the sender. Rewindable, because authentication may need the same body twice.
class Source {
 public:
  virtual ~Source() = default;
  /// 0 at the end.
  virtual Async<std::size_t> read(std::span<std::byte> buffer) = 0;
  /// Back to the first octet.
  virtual Result<void> rewind() = 0;
  /// Total octets, if known: sent as Content-Length, else the body is chunked.
  virtual std::optional<std::uint64_t> size() const = 0;
};

/// Pushed by the receiver. An error ends the transfer.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual Async<void> write(std::span<const std::byte> octets) = 0;
};

/// A source over octets held in memory.
class StringSource final : public Source {
 public:
  explicit StringSource(std::string octets) : octets_(std::move(octets)) {}
  Async<std::size_t> read(std::span<std::byte> buffer) override;
  Result<void> rewind() override;
  std::optional<std::uint64_t> size() const override { return octets_.size(); }

 private:
  std::string octets_;
  std::size_t position_ = 0;
};

/// A sink into memory that refuses what goes over its limit (error "too-large").
class StringSink final : public Sink {
 public:
  explicit StringSink(std::uint64_t limit_octets) : limit_octets_(limit_octets) {}
  Async<void> write(std::span<const std::byte> octets) override;
  std::string take() { return std::move(octets_); }

 private:
  std::uint64_t limit_octets_;
  std::string octets_;
};

}  // namespace syncline::net
