// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Content codings gzip and deflate, as streams. Compressed input is inflated into limits, never first and
// measured then (invariant 29).
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace syncline::net {

struct InflateLimits {
  std::uint64_t output_octets = 0;  ///< in all; error http "too-large"
  std::uint64_t ratio = 200;  ///< output : input; error http "compression-bomb". 1032 is deflate's own bound
  std::uint64_t ratio_free = 16 << 20;  ///< output that the ratio does not judge yet
};

class Inflater {
 public:
  /// `coding` is "gzip", "x-gzip" or "deflate" (zlib or, as some servers send it, raw deflate).
  static bool knows(std::string_view coding) noexcept;
  Inflater(std::string_view coding, InflateLimits limits);
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Takes octets from the front of `input` and fills `output` as far as possible. Returns the octets
  /// produced; 0 means that all input is used up. Errors: http "bad-compression", "compression-bomb",
  /// "too-large".
  Result<std::size_t> inflate(std::span<const std::byte>& input, std::span<std::byte> output);
  /// True once the compressed data came to their own end (and at least one member was read).
  bool complete() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// All of it at once, as gzip; for answers of the server, which are in memory anyway.
std::string gzip_compress(std::string_view octets);

}  // namespace syncline::net
