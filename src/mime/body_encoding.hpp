// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Bodies for the wire: line ends, line lengths, transfer encodings.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/base64.hpp"

namespace syncline::mime {

/// CRLF line ends, whatever they were.
std::string with_crlf(std::string_view text);

enum class BodyEncoding : std::uint8_t { seven_bit, eight_bit, quoted_printable, base64 };
/// "7bit", …
std::string_view to_string(BodyEncoding encoding) noexcept;

/// The plainest encoding that carries a text (CRLF line ends): lines of at most 998 octets, no line that a
/// mail store takes for a delimiter ("From ", our own boundaries), 8bit only if allowed; else the shorter of
/// the two others.
BodyEncoding choose_encoding(std::string_view text, bool eight_bit) noexcept;

/// RFC 2045 section 6.7, lines of at most 76; CRLF in `text` is a line end.
std::string quoted_printable(std::string_view text);

/// Base64 in lines of 76, in pieces.
class Base64Lines {
 public:
  void feed(std::string_view octets, std::string& out);
  /// Ends the last line.
  void finish(std::string& out);
  static constexpr std::uint64_t encoded_size(std::uint64_t octets) noexcept {
    const std::uint64_t characters = Base64Encoder::encoded_size(octets);
    return characters + (characters + 75) / 76 * 2;
  }

 private:
  void append_lines(std::string& out);

  Base64Encoder encoder_ = {};
  std::string line_ = {};
};

}  // namespace syncline::mime
