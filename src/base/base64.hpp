// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Base64 (RFC 4648 sections 4 and 5), whole and in pieces. The pieces never hold more than they were given.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace syncline {

std::string base64_encode(std::span<const std::byte> octets);
std::string base64_encode(std::string_view octets);
/// Without padding, '-' and '_' (JWT, PKCE).
std::string base64url_encode(std::string_view octets);
/// XML white space between the characters is passed over; anything else that does not belong is an error.
Result<std::string> base64_decode(std::string_view text);

/// Encodes a stream: feed any number of octets, then finish() once.
class Base64Encoder {
 public:
  /// Appends the complete groups to `out`.
  void feed(std::string_view octets, std::string& out);
  void finish(std::string& out);
  /// Length of the encoding of `octets` octets.
  static constexpr std::uint64_t encoded_size(std::uint64_t octets) noexcept { return (octets + 2) / 3 * 4; }

 private:
  unsigned char pending_[3] = {};
  unsigned pending_count_ = 0;
};

/// Decodes a stream cut anywhere. White space is passed over.
class Base64Decoder {
 public:
  /// Appends what could be decoded to `out`; error "bad-base64" at the first character that does not belong.
  Result<void> feed(std::string_view text, std::string& out);
  /// Error "bad-base64" if a group is unfinished.
  Result<void> finish(std::string& out);

 private:
  std::uint32_t group_ = 0;
  unsigned count_ = 0;
  bool padded_ = false;
};

}  // namespace syncline
