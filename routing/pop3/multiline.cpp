// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/pop3/multiline.hpp"

#include <cstring>

namespace syncline::pop3 {

MultilineReader::Step MultilineReader::feed(std::string_view octets) {
  std::size_t at = 0;
  while (at < octets.size() && state_ != State::complete) {
    const char next = octets[at];
    switch (state_) {
      case State::line_start:
        if (next != '.') {
          state_ = State::in_line;
          last_cr_ = false;
          break;
        }
        state_ = State::dot;
        ++at;
        break;
      case State::dot:
        if (next == '\r') {
          state_ = State::dot_cr;
          ++at;
        } else if (next == '\n' && bare_) {
          state_ = State::complete;
          ++at;
        } else {
          // The dot before was stuffing; of a server that does not stuff, a line loses its first dot.
          state_ = State::in_line;
          last_cr_ = false;
        }
        break;
      case State::dot_cr:
        if (next == '\n') {
          state_ = State::complete;
          ++at;
          break;
        }
        state_ = State::in_line;
        last_cr_ = true;
        return {at, "\r"};
      case State::in_line: {
        Step step = in_line(octets.substr(at));
        step.consumed += at;
        return step;
      }
      case State::complete:
        break;
    }
  }
  return {at, {}};
}

MultilineReader::Step MultilineReader::in_line(std::string_view octets) {
  std::size_t from = 0;
  for (;;) {
    const auto* found =
        static_cast<const char*>(::memmem(octets.data() + from, octets.size() - from, "\n.", 2));
    if (found == nullptr) break;
    const auto lf = static_cast<std::size_t>(found - octets.data());
    const bool ends_line = bare_ || (lf > 0 ? octets[lf - 1] == '\r' : last_cr_);
    from = lf + 1;
    if (!ends_line) continue;
    state_ = State::line_start;
    return {from, octets.substr(0, from)};
  }
  const bool at_lf = octets.back() == '\n';
  const bool after_cr = octets.size() > 1 ? octets[octets.size() - 2] == '\r' : last_cr_;
  if (at_lf && (bare_ || after_cr)) state_ = State::line_start;
  last_cr_ = octets.back() == '\r';
  return {octets.size(), octets};
}

}  // namespace syncline::pop3
