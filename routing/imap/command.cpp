// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/imap/command.hpp"

#include <algorithm>

namespace syncline::imap {
namespace {

/// Longer ones go as literals: servers limit a command's line (RFC 7162 section 4 advises 8192 octets).
constexpr std::size_t quoted_octets = 1000;

bool can_be_quoted(std::string_view text) noexcept {
  return text.size() <= quoted_octets &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

}  // namespace

Command::Command(std::string_view words) : name_(words) {
  pieces_.push_back({.text = std::string(words)});
}

Command::~Command() {
  if (!secret_) return;
  for (Piece& piece : pieces_) {
    wipe(piece.text);
    wipe(piece.literal);
  }
}

Command& Command::raw(std::string_view text) {
  pieces_.back().text += text;
  return *this;
}

Command& Command::string(std::string_view text) {
  has_nul_ = has_nul_ || text.find('\0') != std::string_view::npos;
  if (!pieces_.back().text.ends_with('(')) raw(" ");
  if (!can_be_quoted(text)) {
    Piece& piece = pieces_.back();
    piece.has_literal = true;
    piece.literal = std::string(text);
    piece.octets = text.size();
    pieces_.emplace_back();
    return *this;
  }
  std::string& out = pieces_.back().text;
  out.reserve(out.size() + text.size() + 16);
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
  return *this;
}

Command& Command::secret(const Secret& text) {
  secret_ = true;
  // Growing would leave copies behind that nobody wipes.
  pieces_.back().text.reserve(pieces_.back().text.size() + 2 * text.reveal().size() + 16);
  return string(text.reveal());
}

Command& Command::initial_response(const Secret& base64) {
  secret_ = true;
  pieces_.back().text.reserve(pieces_.back().text.size() + base64.reveal().size() + 16);
  return word(base64.reveal());
}

Command& Command::stream(std::uint64_t octets, ReadOctets read) {
  raw(" ");
  Piece& piece = pieces_.back();
  piece.has_literal = true;
  piece.octets = octets;
  piece.read = std::move(read);
  pieces_.emplace_back();
  return *this;
}

Result<void> Command::check() const {
  if (has_nul_) return fail(ErrorDomain::input, "bad-text", "a text for " + name_ + " holds a NUL octet");
  return {};
}

bool is_flag(std::string_view flag) noexcept {
  if (flag.starts_with('\\')) flag.remove_prefix(1);
  return !flag.empty() && std::all_of(flag.begin(), flag.end(), [](char c) {
    return c > 0x20 && c < 0x7F && std::string_view("(){%*\"\\]").find(c) == std::string_view::npos;
  });
}

}  // namespace syncline::imap
