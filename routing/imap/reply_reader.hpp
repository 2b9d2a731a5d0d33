// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Octets to replies, cut anywhere. Literals of FETCH sections are handed on as they come; nothing waits for a
// whole message.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "routing/imap/limits.hpp"
#include "routing/imap/reply.hpp"
#include "routing/imap/tokens.hpp"

namespace syncline::imap {

/// A literal that is streamed: of which message and which of its sections.
struct StreamedLiteral {
  std::uint64_t sequence = 0;
  Uid uid = 0;               ///< 0: the server says it behind the literal
  std::string section = {};  ///< "BODY[]"
  std::uint64_t octets = 0;
};

class ReplyReader {
 public:
  enum class Step : std::uint8_t {
    need_more,      ///< the input is used up
    literal_start,  ///< literal() says of what
    literal_data,   ///< data() is a piece of it, valid until the input goes
    literal_end,
    reply,  ///< reply() is complete
  };

  explicit ReplyReader(const Limits& limits) : limits_(limits) {}

  /// Takes octets from the front of `input` up to the next step. After an error nothing more can be read.
  /// Errors (mail, never): "bad-response", "line-too-long", "too-deep", "too-large", "literal-too-large".
  Result<Step> next(std::string_view& input);

  const StreamedLiteral& literal() const noexcept { return literal_; }
  std::string_view data() const noexcept { return data_; }
  Reply& reply() noexcept { return reply_; }
  /// Between two replies: the room that large ones took. reply() is empty then.
  void give_back();

 private:
  enum class State : std::uint8_t { line, kept_literal, streamed_literal };

  Result<bool> take_line(std::string_view& input);
  Result<Step> end_of_segment();
  bool is_streamed() const;
  void describe_literal(std::uint64_t octets);

  Limits limits_;
  Tokens tokens_;
  State state_ = State::line;
  std::size_t segment_begin_ = 0;
  std::size_t literal_begin_ = 0;
  std::uint64_t remaining_ = 0;
  bool finished_ = false;  ///< the reply was handed out: the next octet begins another one
  StreamedLiteral literal_;
  std::string_view data_;
  Reply reply_;
};

}  // namespace syncline::imap
