// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The words of one reply: atoms, strings and parentheses, flat. Depth is a number, never a call stack.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "routing/imap/limits.hpp"

namespace syncline::imap {

enum class TokenKind : std::uint8_t {
  atom,      ///< and numbers, flags, names of FETCH items with their section: BODY[HEADER.FIELDS (DATE)]
  quoted,    ///< without quotes and escapes
  literal,   ///< its octets
  streamed,  ///< a literal that went elsewhere
  open,
  close,
};

struct Token {
  TokenKind kind = TokenKind::atom;
  std::size_t offset = 0;
  std::size_t length = 0;
};

/// Text of a reply and its tokens. Text is appended as it arrives and tokenised a segment at a time (a
/// segment ends at a literal or with the reply).
class Tokens {
 public:
  void clear();
  std::string& text() noexcept { return text_; }
  const std::string& text() const noexcept { return text_; }
  /// Tokenises text()[begin, end). Errors: mail "bad-response", "too-deep", "too-large" (all never).
  Result<void> append_segment(std::size_t begin, std::size_t end, const Limits& limits);
  void append_literal(std::size_t begin, std::size_t end) {
    tokens_.push_back({TokenKind::literal, begin, end - begin});
  }
  void append_streamed() { tokens_.push_back({TokenKind::streamed, 0, 0}); }

  std::size_t size() const noexcept { return tokens_.size(); }
  const Token& operator[](std::size_t index) const noexcept { return tokens_[index]; }
  std::string_view text_of(const Token& token) const noexcept {
    return std::string_view(text_).substr(token.offset, token.length);
  }
  std::size_t depth() const noexcept { return depth_; }

 private:
  std::string text_;
  std::vector<Token> tokens_;
  std::size_t depth_ = 0;
};

/// Walks over the tokens of a reply. What does not fit is left in place and reported as "not taken".
class TokenCursor {
 public:
  explicit TokenCursor(const Tokens& tokens, std::size_t at = 0) : tokens_(tokens), at_(at) {}

  bool done() const noexcept { return at_ >= tokens_.size(); }
  std::size_t position() const noexcept { return at_; }
  const Token* peek() const noexcept { return done() ? nullptr : &tokens_[at_]; }
  bool at_open() const noexcept { return is(TokenKind::open); }
  bool at_close() const noexcept { return is(TokenKind::close); }
  bool take_open() noexcept { return take(TokenKind::open); }
  bool take_close() noexcept { return take(TokenKind::close); }
  /// Any kind of string, NIL among them (as the atom it is).
  std::optional<std::string_view> take_text() noexcept;
  std::optional<std::string_view> take_atom() noexcept;
  /// A string that may be NIL (outer: was there one; inner: was it NIL).
  std::optional<std::optional<std::string_view>> take_nstring() noexcept;
  std::optional<std::uint64_t> take_number() noexcept;
  /// One token, or a whole parenthesised list.
  void skip() noexcept;
  bool is_nil() const noexcept;

 private:
  bool is(TokenKind kind) const noexcept { return !done() && tokens_[at_].kind == kind; }
  bool take(TokenKind kind) noexcept {
    if (!is(kind)) return false;
    ++at_;
    return true;
  }
  const Tokens& tokens_;
  std::size_t at_ = 0;
};

/// Decimal digits alone, at most 2^63-1 (mod-sequence-value, RFC 7162).
std::optional<std::uint64_t> parse_number(std::string_view text) noexcept;

}  // namespace syncline::imap
