// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/imap/tokens.hpp"

#include <charconv>
#include <limits>

#include "base/text.hpp"

namespace syncline::imap {
namespace {

unexpected<Error> bad_response(std::string_view what) {
  return fail(ErrorDomain::mail, "bad-response",
              "the IMAP server sent what is no IMAP: " + std::string(what));
}

/// Names of FETCH items whose section stands in brackets and may hold blanks and parentheses.
bool has_section(std::string_view name) {
  return text::equals_ignore_case(name, "BODY") || text::equals_ignore_case(name, "BINARY") ||
         text::equals_ignore_case(name, "BINARY.SIZE");
}

}  // namespace

void Tokens::clear() {
  // What one large reply needed is not kept for the rest of the connection.
  if (text_.capacity() > 256 * 1024) std::string().swap(text_);
  if (tokens_.capacity() > 16 * 1024) std::vector<Token>().swap(tokens_);
  text_.clear();
  tokens_.clear();
  depth_ = 0;
}

Result<void> Tokens::append_segment(std::size_t begin, std::size_t end, const Limits& limits) {
  std::size_t at = begin;
  while (at < end) {
    const char c = text_[at];
    if (c == ' ' || c == '\t') {
      ++at;
      continue;
    }
    if (tokens_.size() >= limits.tokens)
      return fail(ErrorDomain::mail, "too-large", "a reply of the IMAP server has too many parts");
    if (c == '(') {
      if (++depth_ > limits.depth)
        return fail(ErrorDomain::mail, "too-deep", "a reply of the IMAP server is nested too deeply");
      tokens_.push_back({TokenKind::open, at, 1});
      ++at;
    } else if (c == ')') {
      if (depth_ == 0) return bad_response("a parenthesis that was not opened");
      --depth_;
      tokens_.push_back({TokenKind::close, at, 1});
      ++at;
    } else if (c == '"') {
      const std::size_t first = ++at;
      std::size_t out = first;
      for (;; ++at) {
        if (at >= end) return bad_response("a quoted string without an end");
        if (text_[at] == '"') break;
        if (text_[at] == '\\' && at + 1 < end) ++at;
        text_[out++] = text_[at];
      }
      ++at;
      tokens_.push_back({TokenKind::quoted, first, out - first});
    } else {
      const std::size_t first = at;
      while (at < end) {
        const char one = text_[at];
        if (one == ' ' || one == '\t' || one == '(' || one == ')' || one == '"') break;
        if (one == '[' && has_section(std::string_view(text_).substr(first, at - first))) {
          const std::size_t closing = text_.find(']', at);
          if (closing == std::string::npos || closing >= end) return bad_response("a section without an end");
          at = closing;
        }
        ++at;
      }
      tokens_.push_back({TokenKind::atom, first, at - first});
    }
  }
  return {};
}

std::optional<std::string_view> TokenCursor::take_text() noexcept {
  const Token* token = peek();
  if (token == nullptr || (token->kind != TokenKind::atom && token->kind != TokenKind::quoted &&
                           token->kind != TokenKind::literal))
    return std::nullopt;
  ++at_;
  return tokens_.text_of(*token);
}

std::optional<std::string_view> TokenCursor::take_atom() noexcept {
  if (!is(TokenKind::atom)) return std::nullopt;
  return tokens_.text_of(tokens_[at_++]);
}

std::optional<std::optional<std::string_view>> TokenCursor::take_nstring() noexcept {
  if (is_nil()) {
    ++at_;
    return std::optional<std::string_view>();
  }
  const auto said = take_text();
  if (!said) return std::nullopt;
  return said;
}

std::optional<std::uint64_t> TokenCursor::take_number() noexcept {
  if (!is(TokenKind::atom)) return std::nullopt;
  const auto number = parse_number(tokens_.text_of(tokens_[at_]));
  if (number) ++at_;
  return number;
}

void TokenCursor::skip() noexcept {
  std::size_t open = 0;
  while (!done()) {
    const TokenKind kind = tokens_[at_].kind;
    if (kind == TokenKind::close && open == 0) return;  // the list that holds us
    ++at_;
    if (kind == TokenKind::open) ++open;
    if (kind == TokenKind::close) --open;
    if (open == 0) return;
  }
}

bool TokenCursor::is_nil() const noexcept {
  return is(TokenKind::atom) && text::equals_ignore_case(tokens_.text_of(tokens_[at_]), "NIL");
}

std::optional<std::uint64_t> parse_number(std::string_view text) noexcept {
  std::uint64_t value = 0;
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
  return value;
}

}  // namespace syncline::imap
