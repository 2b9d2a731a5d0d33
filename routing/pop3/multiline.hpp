// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The lines of a multi-line answer up to the lone dot (RFC 1939 section 3), out of octets in any pieces and
// without a copy. No I/O.
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace syncline::pop3 {

class MultilineReader {
 public:
  /// `bare_line_ends`: the answer's first line ended with LF alone, so its dot will as well. Otherwise only
  /// CRLF begins a line: a message may have lone LFs in it.
  explicit MultilineReader(bool bare_line_ends = false) noexcept : bare_(bare_line_ends) {}

  struct Step {
    std::size_t consumed = 0;
    std::string_view text = {};  ///< lies in what was fed, or is constant; may be empty
  };
  /// The next stretch of text with its line ends, stuffed dots removed. To be called until everything is
  /// consumed or complete().
  Step feed(std::string_view octets);
  bool complete() const noexcept { return state_ == State::complete; }

 private:
  enum class State : std::uint8_t { line_start, dot, dot_cr, in_line, complete };
  Step in_line(std::string_view octets);

  bool bare_;
  bool last_cr_ = false;
  State state_ = State::line_start;
};

}  // namespace syncline::pop3
