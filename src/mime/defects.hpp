// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What is wrong with a message that was read all the same (docs/protocol-notes/mime.md lists each with what
// is done about it). No content of a message is an error; it is a defect, and something sensible is
// read in its place.
#include <cstdint>
#include <string_view>
#include <vector>

namespace syncline::mime {

enum class Defect : std::uint8_t {
  no_headers,         ///< the file has no header field at all: everything is text
  missing_separator,  ///< a line that is no header field ended the header; the body begins with it
  bad_header_line,    ///< such a line among header fields was passed over
  bare_cr,            ///< lines end with CR alone
  nul_octets,         ///< in the header or a body text; replaced
  header_too_large,   ///< fields beyond the limits were dropped, long ones cut
  duplicate_header,   ///< a field that may stand once stands twice: the first holds
  missing_from,
  missing_date,
  bad_date,
  date_without_zone,  ///< taken for UTC
  missing_message_id,
  bad_message_id,    ///< present, but not one <id>
  bad_address,       ///< something in an address field could not be read as an address
  bad_encoded_word,  ///< looks like an encoded word (RFC 2047) and is none: left as it stands
  raw_8bit_header,   ///< octets above 127 that are not UTF-8: the charset was guessed
  unknown_charset,   ///< guessed instead
  bad_charset,       ///< octets that the charset does not have; guessed or U+FFFD
  bad_content_type,  ///< read as application/octet-stream or text
  unknown_encoding,  ///< a Content-Transfer-Encoding that nobody knows: octets as they are
  bad_base64,
  bad_quoted_printable,
  bad_uuencode,
  missing_boundary,      ///< a multipart that does not say its boundary: read as text
  unfinished_multipart,  ///< no closing delimiter before the end
  too_deep,              ///< a multipart beyond the depth limit is one attachment
  too_many_parts,        ///< parts beyond the limit were passed over
  body_cut,              ///< a body text is longer than the limit
  name_cut,              ///< an attachment's name is longer than the limit
};
inline constexpr int defect_count = static_cast<int>(Defect::name_cut) + 1;

/// "bad-date"
std::string_view to_string(Defect defect) noexcept;

/// Each defect once, however often it was found.
class Defects {
 public:
  void add(Defect defect) noexcept { bits_ |= std::uint64_t{1} << static_cast<unsigned>(defect); }
  void add(const Defects& others) noexcept { bits_ |= others.bits_; }
  bool has(Defect defect) const noexcept { return (bits_ >> static_cast<unsigned>(defect) & 1U) != 0; }
  bool empty() const noexcept { return bits_ == 0; }
  /// In the order of the enumeration.
  std::vector<Defect> list() const;
  friend bool operator==(const Defects&, const Defects&) = default;

 private:
  std::uint64_t bits_ = 0;
};

}  // namespace syncline::mime
