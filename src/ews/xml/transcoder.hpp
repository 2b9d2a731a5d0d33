// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// From the encoding an XML document comes in to UTF-8 (XML 1.0 appendix F): byte order mark, shape of the
// first octets, XML declaration. UTF-8 and US-ASCII pass unchanged and unchecked, the scanner checks them;
// UTF-16 and ISO-8859-1 are converted; every other encoding is refused.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace syncline::ews::xml {

class Transcoder {
 public:
  /// The octets to scan: `octets` itself where nothing has to be converted, otherwise a view that is valid
  /// until the next call. Error "unsupported-encoding".
  Result<std::string_view> feed(std::string_view octets);
  /// What was still held back for the decision about the encoding, or half a character.
  Result<std::string_view> finish();
  /// Lone surrogates and odd octets replaced by U+FFFD so far.
  std::uint64_t replaced() const noexcept { return replaced_; }

 private:
  enum class Encoding { undecided, utf8, latin1, utf16le, utf16be };

  Result<bool> decide(bool at_end);
  std::string_view convert(std::string_view octets);
  void convert_latin1(std::string_view octets);
  void convert_utf16(std::string_view octets);
  void put_utf16_unit(char16_t unit);

  Encoding encoding_ = Encoding::undecided;
  std::string head_;       ///< the first octets, until the encoding is known; at most head_limit
  std::string converted_;  ///< reused between calls
  std::uint64_t replaced_ = 0;
  char16_t high_ = 0;  ///< a high surrogate that waits for its other half
  int odd_octet_ = -1;
};

}  // namespace syncline::ews::xml
