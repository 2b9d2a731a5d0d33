// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What an SMTP server answers (RFC 5321 section 4.2, RFC 2034), read from octets in any pieces. No I/O.
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "routing/connection/line_reader.hpp"

namespace syncline::smtp {

/// "5.1.1" (RFC 3463). Each part 0 to 999.
struct EnhancedCode {
  int status_class = 0;
  int subject = 0;
  int detail = 0;
  friend bool operator==(const EnhancedCode&, const EnhancedCode&) = default;
};
std::string to_string(const EnhancedCode& code);
/// At the front of `text`, before a blank or its end; nullopt if there is none.
std::optional<EnhancedCode> parse_enhanced_code(std::string_view text) noexcept;

struct Reply {
  int code = 0;                         ///< 200 to 599
  std::vector<std::string> lines = {};  ///< without code and separator; as they came, any octets

  bool positive() const noexcept { return code / 100 == 2; }
  /// Of the first line that has one of the reply's own class: servers that have none may begin with digits.
  std::optional<EnhancedCode> enhanced() const noexcept;
  /// The lines in one, "550 5.1.1 no such user": for errors and journals.
  std::string describe() const;
};

struct ReplyLimits {
  std::size_t line_octets = 8 * 1024;  ///< RFC 5321 says 512; EHLO lines of large systems are longer
  std::size_t lines = 256;
  std::size_t octets = 64 * 1024;
};

class ReplyReader {
 public:
  explicit ReplyReader(ReplyLimits limits = {}) : limits_(limits), line_(limits.line_octets) {}

  /// Takes octets up to the end of the reply; returns how many. Errors (mail, class after: another connection
  /// may do better): "bad-reply", "line-too-long", "reply-too-long". After one the reader is of no more use.
  Result<std::size_t> feed(std::string_view octets);
  bool complete() const noexcept { return complete_; }
  Reply take();

 private:
  Result<void> take_line(std::string line);

  ReplyLimits limits_;
  mail::LineReader line_;
  Reply reply_;
  std::size_t octets_ = 0;
  bool complete_ = false;
};

}  // namespace syncline::smtp
