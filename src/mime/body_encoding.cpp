// SPDX-License-Identifier: GPL-3.0-or-later
#include "mime/body_encoding.hpp"

#include <algorithm>

namespace syncline::mime {
namespace {

constexpr std::size_t line_octets_limit = 998;
constexpr std::size_t quoted_line_octets = 76;
constexpr std::size_t base64_line_octets = 76;

bool is_plain_in_quoted(char c) {
  return (c >= 33 && c <= 126 && c != '=') || c == ' ' || c == '\t';
}

void append_escape(std::string& out, char c) {
  static constexpr char digits[] = "0123456789ABCDEF";
  const auto octet = static_cast<unsigned char>(c);
  out.push_back('=');
  out.push_back(digits[octet >> 4U]);
  out.push_back(digits[octet & 15U]);
}

}  // namespace

std::string with_crlf(std::string_view text) {
  const auto next = [&](char c, std::size_t from) { return std::min(text.find(c, from), text.size()); };
  std::string out;
  out.reserve(text.size() + text.size() / 32);
  std::size_t cr = next('\r', 0);
  std::size_t lf = next('\n', 0);
  for (std::size_t at = 0;;) {
    const std::size_t end = std::min(cr, lf);
    out.append(text, at, end - at);
    if (end == text.size()) return out;
    out += "\r\n";
    at = end + (text.substr(end, 2) == "\r\n" ? 2 : 1);
    if (cr < at) cr = next('\r', at);
    if (lf < at) lf = next('\n', at);
  }
}

std::string_view to_string(BodyEncoding encoding) noexcept {
  switch (encoding) {
    case BodyEncoding::seven_bit:
      return "7bit";
    case BodyEncoding::eight_bit:
      return "8bit";
    case BodyEncoding::quoted_printable:
      return "quoted-printable";
    case BodyEncoding::base64:
      return "base64";
  }
  return "base64";
}

BodyEncoding choose_encoding(std::string_view text, bool eight_bit) noexcept {
  std::size_t high = 0;
  std::size_t escaped = 0;
  bool is_plain = true;
  std::size_t line_start = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || text[i] == '\n') {
      const std::string_view line = text.substr(line_start, i - line_start);
      // The CR is counted here, the limit is without.
      if (line.size() > line_octets_limit + 1 || line.starts_with("From ") || line.starts_with("--=_"))
        is_plain = false;
      line_start = i + 1;
      continue;
    }
    const auto octet = static_cast<unsigned char>(text[i]);
    if (octet >= 0x80) ++high;
    if (octet == 0) is_plain = false;
    if (!is_plain_in_quoted(text[i]) && text[i] != '\r') ++escaped;
  }
  if (is_plain && high == 0) return BodyEncoding::seven_bit;
  if (is_plain && eight_bit) return BodyEncoding::eight_bit;
  // Three characters for one against four for three.
  return escaped * 6 < text.size() ? BodyEncoding::quoted_printable : BodyEncoding::base64;
}

std::string quoted_printable(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  std::size_t line_start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n') {
      out += "\r\n";
      line_start = out.size();
      ++i;
      continue;
    }
    const bool ends_line = i + 1 == text.size() || text.substr(i + 1, 2) == "\r\n";
    // Blanks at the end of a line would be lost on the way.
    bool is_plain = is_plain_in_quoted(c) && !(ends_line && (c == ' ' || c == '\t'));
    const std::size_t length = is_plain ? 1 : 3;
    if (out.size() - line_start + length > quoted_line_octets - (ends_line ? 0 : 1)) {
      out += "=\r\n";
      line_start = out.size();
    }
    // At the start of a line it gets a ">" in an mbox.
    if (out.size() == line_start && text.substr(i, 5) == "From ") is_plain = false;
    if (is_plain) {
      out.push_back(c);
    } else {
      append_escape(out, c);
    }
  }
  return out;
}

void Base64Lines::append_lines(std::string& out) {
  std::size_t at = 0;
  for (; line_.size() - at >= base64_line_octets; at += base64_line_octets)
    out.append(line_, at, base64_line_octets).append("\r\n");
  line_.erase(0, at);
}

void Base64Lines::feed(std::string_view octets, std::string& out) {
  encoder_.feed(octets, line_);
  append_lines(out);
}

void Base64Lines::finish(std::string& out) {
  encoder_.finish(line_);
  append_lines(out);
  if (!line_.empty()) out.append(line_).append("\r\n");
  line_.clear();
}

}  // namespace syncline::mime
