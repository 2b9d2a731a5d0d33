// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Lines out of octets that come in any pieces. No I/O.
#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace syncline::mail {

/// Collects one line. A line ends with LF; a CR before it goes with it (servers that send LF alone exist).
class LineReader {
 public:
  /// The line end counts towards the limit.
  explicit LineReader(std::size_t limit_octets) : limit_octets_(limit_octets) {}

  /// Takes octets up to the end of the line; returns how many. Error: mail "line-too-long" (never), from then
  /// on at every call.
  Result<std::size_t> feed(std::string_view octets);
  bool complete() const noexcept { return complete_; }
  /// Whether the complete line ended with LF alone.
  bool bare_line_end() const noexcept { return bare_; }
  /// The line without its end; the reader begins the next one.
  std::string take();

 private:
  std::size_t limit_octets_;
  std::string line_;
  bool complete_ = false;
  bool bare_ = false;
};

}  // namespace syncline::mail
