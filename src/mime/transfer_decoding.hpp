// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Content-Transfer-Encodings (RFC 2045 section 6), read as they come, in pieces. Ours, because GMime drops
// what an unfinished last group of base64 and an unfinished escape at the end hold, and keeps blanks at ends
// of lines.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mime/defects.hpp"

namespace syncline::mime {

enum class TransferEncoding : std::uint8_t { identity, base64, quoted_printable, uuencode };

/// nullopt: nobody knows it. Empty, 7bit, 8bit and binary are identity.
std::optional<TransferEncoding> parse_transfer_encoding(std::string_view text);

class TransferDecoder {
 public:
  explicit TransferDecoder(TransferEncoding encoding) : encoding_(encoding) {}

  /// Appends what can be decoded to `out`. Holds back no more than one line of blanks or of uuencode, each at
  /// most 1 KiB.
  void feed(std::string_view octets, std::string& out);
  /// Appends what was held back.
  void finish(std::string& out);
  const Defects& defects() const { return defects_; }

 private:
  void feed_base64(std::string_view octets, std::string& out);
  void end_base64_group(std::string& out);
  void feed_quoted(std::string_view octets, std::string& out);
  void feed_uuencode(std::string_view octets, std::string& out);
  void read_uuencode_line(std::string_view line, std::string& out);

  TransferEncoding encoding_;
  Defects defects_ = {};
  std::uint32_t group_ = 0;
  unsigned group_count_ = 0;
  std::string held_ = {};  ///< quoted-printable: blanks or an unfinished escape; uuencode: an unfinished line
  enum class Uu : std::uint8_t { before, inside, after } uu_ = Uu::before;
};

}  // namespace syncline::mime
