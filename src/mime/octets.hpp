// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Where octets of unlimited size come from and go to. Nothing here is ever whole in memory unless the caller
// put it there.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace syncline::mime {

class Sink {
 public:
  virtual ~Sink() = default;
  virtual Result<void> write(std::string_view octets) = 0;
};

class Source {
 public:
  virtual ~Source() = default;
  /// Octets from the start to the end.
  virtual std::uint64_t size() const = 0;
  /// 0 at the end.
  virtual Result<std::size_t> read(std::span<char> buffer) = 0;
  virtual Result<void> rewind() = 0;
};

class StringSink final : public Sink {
 public:
  Result<void> write(std::string_view octets) override;
  std::string octets = {};
};

/// The octets must outlive it.
class MemorySource final : public Source {
 public:
  explicit MemorySource(std::string_view octets) : octets_(octets) {}
  std::uint64_t size() const override { return octets_.size(); }
  Result<std::size_t> read(std::span<char> buffer) override;
  Result<void> rewind() override;

 private:
  std::string_view octets_;
  std::size_t at_ = 0;
};

/// Errors of this and of the source: domain local, "cannot-open" and "cannot-read".
Result<std::unique_ptr<Source>> open_file(const std::string& path);

}  // namespace syncline::mime
