// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What stands before every XML parser that reads from a peer (invariant 25). Octets go in, cut anywhere;
// clean UTF-8 XML comes out, the same whatever the cuts:
//   - references to characters that XML forbids (&#x0; …, surrogates, FFFE, above 10FFFF) become U+FFFD;
//   every
//     other numeric reference becomes the character itself, unless it must stay escaped, and is then short
//     and decimal (gSOAP mis-reads references above FFFF);
//   - raw octets that are not UTF-8 or not XML characters become U+FFFD, one for each octet or character;
//   - the XML declaration goes, comments and processing instructions lose their content, line breaks stay;
//   - a document type declaration is refused, and with it every entity but the five of XML;
//   - depth, elements, attributes and octets are counted before a parser sees them.
// Octets of base64 text are never changed. Whether tags match is the parser's business.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "ews/xml/limits.hpp"
#include "ews/xml/transcoder.hpp"

namespace syncline::ews::xml {

class Scanner {
 public:
  explicit Scanner(Limits limits = {}) : limits_(limits) {}

  /// Appends what is clean to `out`, at most three times `octets.size()` and a few octets held back earlier.
  /// With `document_ends` the input is documents one after the other: the places in `out` where one ends are
  /// appended to it, and the limits hold for each document.
  /// Errors: "not-xml", "dtd-refused", "too-deep", "too-large", "unsupported-encoding"; the scanner is then
  /// spent.
  Result<void> feed(std::string_view octets, std::string& out,
                    std::vector<std::size_t>* document_ends = nullptr);
  /// The input is over. Error "truncated" if a document is unfinished, "not-xml" if there was none at all
  /// (a sequence of documents may be empty).
  /// `out` may get what was held back.
  Result<void> finish(std::string& out, std::vector<std::size_t>* document_ends = nullptr);

  /// Of the octet that is looked at, counted from 1.
  std::uint64_t line() const noexcept { return line_; }
  std::uint64_t replaced() const noexcept { return replaced_ + transcoder_.replaced(); }
  std::uint64_t documents() const noexcept { return documents_; }
  bool in_document() const noexcept { return root_seen_ && !root_done_; }

 private:
  enum class State : std::uint8_t {
    text,
    less_than,
    bang,
    comment,
    cdata,
    pi_target,
    pi,
    start_tag,
    start_tag_slash,
    value,
    end_tag,
    reference,
    reference_number,
    reference_decimal,
    reference_hex,
    reference_name,
  };

  Result<void> scan(std::string_view text, std::string& out, std::vector<std::size_t>* document_ends);
  Result<void> open_element();
  void close_root(const std::string& out, std::vector<std::size_t>* document_ends);
  Result<void> end_reference(std::string& out);
  Result<void> put_character(char32_t character, std::string& out);
  Result<void> replace(std::string& out);
  const char* take_multibyte(const char* at, const char* end);
  Result<void> settle_multibyte(std::string& out);
  void begin_blanked(State state, std::string& out);
  void end_blanked(std::string& out);

  Limits limits_;
  Transcoder transcoder_;
  State state_ = State::text;
  State after_reference_ = State::text;
  char quote_ = 0;
  std::uint8_t run_ = 0;  ///< of '-', ']' or '?' just seen
  bool root_seen_ = false;
  bool root_done_ = false;
  std::uint32_t depth_ = 0;
  std::uint32_t attributes_ = 0;
  std::uint32_t tag_octets_ = 0;
  std::uint32_t blank_lines_ = 0;  ///< line breaks kept of the present comment
  std::uint32_t number_ = 0;
  bool has_digits_ = false;
  std::uint64_t elements_ = 0;
  std::uint64_t octets_ = 0;
  std::uint64_t line_ = 1;
  std::uint64_t replaced_ = 0;
  std::uint64_t documents_ = 0;
  std::string token_;       ///< of a "<!…", a target or an entity's name; a few octets
  char multibyte_[4] = {};  ///< a UTF-8 sequence in the making
  unsigned multibyte_count_ = 0;
  unsigned multibyte_need_ = 0;
};

}  // namespace syncline::ews::xml
