// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/layout.hpp"

#include "base/text.hpp"

namespace syncline::cli {
namespace {

// The blocks of Unicode's East_Asian_Width W and F that our languages use.
bool is_wide(char32_t c) noexcept {
  return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0x303E) || (c >= 0x3041 && c <= 0x33FF) ||
         (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0xAC00 && c <= 0xD7A3) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
         (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x20000 && c <= 0x3FFFD);
}

// A line may not begin with these (closing punctuation, small kana's full stops).
bool clings(char32_t c) noexcept {
  return c == U'、' || c == U'。' || c == U'」' || c == U')' || c == U',' || c == U'.' || c == U'：' ||
         c == U'・' || c == U'ー';
}

struct Piece {
  std::string_view text;
  std::size_t width = 0;
  bool space_before = false;
};

// The next unbreakable piece of `rest`: a word, or one wide character with what clings to it.
Piece next_piece(std::string_view& rest) {
  Piece piece;
  while (!rest.empty() && rest.front() == ' ') {
    piece.space_before = true;
    rest.remove_prefix(1);
  }
  std::size_t length = 0;
  bool wide_seen = false;
  while (length < rest.size() && rest[length] != ' ') {
    const auto c = text::next_code_point(rest.substr(length));
    const char32_t value = c ? c->value : U'?';
    const bool wide = is_wide(value);
    if (length > 0 && (wide_seen || wide) && !clings(value)) break;
    wide_seen = wide_seen || wide;
    length += c ? c->length : 1;
    piece.width += wide ? 2 : 1;
  }
  piece.text = rest.substr(0, length);
  rest.remove_prefix(length);
  return piece;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const auto c = text::next_code_point(text);
    width += c && is_wide(c->value) ? 2 : 1;
    text.remove_prefix(c ? c->length : 1);
  }
  return width;
}

std::string padded(std::string_view text, std::size_t width) {
  std::string result{text};
  const std::size_t taken = display_width(text);
  if (taken < width) result.append(width - taken, ' ');
  return result;
}

void append_wrapped(std::string& out, std::string_view first, std::string_view text) {
  const std::size_t indent = display_width(first);
  out += first;
  std::size_t column = indent;
  while (!text.empty()) {
    const Piece piece = next_piece(text);
    if (piece.text.empty()) break;
    const std::size_t space = piece.space_before && column > indent ? 1 : 0;
    if (column > indent && column + space + piece.width > kColumns) {
      out.push_back('\n');
      out.append(indent, ' ');
      column = indent;
    } else if (space == 1) {
      out.push_back(' ');
      ++column;
    }
    out += piece.text;
    column += piece.width;
  }
  out.push_back('\n');
}

}  // namespace syncline::cli
