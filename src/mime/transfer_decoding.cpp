// SPDX-License-Identifier: GPL-3.0-or-later
#include "mime/transfer_decoding.hpp"

#include <algorithm>
#include <array>

#include "base/next_character.hpp"
#include "base/text.hpp"

namespace syncline::mime {
namespace {

constexpr std::size_t held_limit = 1024;

constexpr unsigned char is_blank = 64;
constexpr unsigned char is_padding = 65;
constexpr unsigned char is_foreign = 66;

constexpr std::array<unsigned char, 256> make_ranks() {
  std::array<unsigned char, 256> ranks{};
  for (auto& rank : ranks) rank = is_foreign;
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    ranks[static_cast<unsigned char>(alphabet[i])] = static_cast<unsigned char>(i);
  for (const char c : {' ', '\t', '\r', '\n'}) ranks[static_cast<unsigned char>(c)] = is_blank;
  ranks['='] = is_padding;
  return ranks;
}
constexpr std::array<unsigned char, 256> ranks = make_ranks();

unsigned char rank_of(char c) {
  return ranks[static_cast<unsigned char>(c)];
}

bool is_line_blank(char c) {
  return c == ' ' || c == '\t';
}

/// `line` stands before a line feed.
bool ends_in_blank(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return !line.empty() && is_line_blank(line.back());
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::optional<TransferEncoding> parse_transfer_encoding(std::string_view text) {
  // "base64 (comment)", "7bit;": the first word says it.
  text = text::trim(text);
  text = text.substr(0, text.find_first_of(" \t;(,"));
  if (text.size() > 1 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  const std::string word = text::to_lower_ascii(text);
  if (word.empty() || word == "7bit" || word == "8bit" || word == "binary" || word == "7-bit" ||
      word == "8-bit")
    return TransferEncoding::identity;
  if (word == "base64" || word == "base-64" || word == "b") return TransferEncoding::base64;
  if (word == "quoted-printable" || word == "quotedprintable" || word == "qp")
    return TransferEncoding::quoted_printable;
  if (word == "x-uuencode" || word == "uuencode" || word == "x-uue" || word == "x-uu")
    return TransferEncoding::uuencode;
  return std::nullopt;
}

void TransferDecoder::feed(std::string_view octets, std::string& out) {
  switch (encoding_) {
    case TransferEncoding::identity:
      out.append(octets);
      return;
    case TransferEncoding::base64:
      return feed_base64(octets, out);
    case TransferEncoding::quoted_printable:
      return feed_quoted(octets, out);
    case TransferEncoding::uuencode:
      return feed_uuencode(octets, out);
  }
}

void TransferDecoder::finish(std::string& out) {
  switch (encoding_) {
    case TransferEncoding::identity:
      return;
    case TransferEncoding::base64:
      // Without its padding the group still holds one or two octets.
      if (group_count_ != 0) defects_.add(Defect::bad_base64);
      return end_base64_group(out);
    case TransferEncoding::quoted_printable:
      if (!held_.empty() && held_[0] == '=') {
        // A soft break as the very last thing says nothing; anything else is shown as it stands.
        if (held_ != "=" && held_ != "=\r") {
          defects_.add(Defect::bad_quoted_printable);
          out.append(held_);
        }
      }
      held_.clear();
      return;
    case TransferEncoding::uuencode:
      if (!held_.empty()) read_uuencode_line(held_, out);
      held_.clear();
      if (uu_ != Uu::after) defects_.add(Defect::bad_uuencode);
      return;
  }
}

void TransferDecoder::end_base64_group(std::string& out) {
  if (group_count_ == 2) {
    out.push_back(static_cast<char>(group_ >> 4U & 0xFFU));
  } else if (group_count_ == 3) {
    out.push_back(static_cast<char>(group_ >> 10U & 0xFFU));
    out.push_back(static_cast<char>(group_ >> 2U & 0xFFU));
  }
  group_ = 0;
  group_count_ = 0;
}

void TransferDecoder::feed_base64(std::string_view octets, std::string& out) {
  std::size_t i = 0;
  while (i < octets.size()) {
    // Whole groups, the usual case.
    if (group_count_ == 0) {
      char block[256 / 4 * 3];
      std::size_t size = 0;
      while (i + 4 <= octets.size() && size < sizeof block) {
        const unsigned a = rank_of(octets[i]);
        const unsigned b = rank_of(octets[i + 1]);
        const unsigned c = rank_of(octets[i + 2]);
        const unsigned d = rank_of(octets[i + 3]);
        if ((a | b | c | d) >= 64) break;
        const std::uint32_t group = a << 18U | b << 12U | c << 6U | d;
        block[size++] = static_cast<char>(group >> 16U);
        block[size++] = static_cast<char>(group >> 8U & 0xFFU);
        block[size++] = static_cast<char>(group & 0xFFU);
        i += 4;
      }
      out.append(block, size);
      if (size == sizeof block) continue;
      if (i == octets.size()) return;
    }
    const unsigned char rank = rank_of(octets[i++]);
    if (rank < 64) {
      group_ = group_ << 6U | rank;
      if (++group_count_ == 4) {
        const char three[3] = {static_cast<char>(group_ >> 16U & 0xFFU),
                               static_cast<char>(group_ >> 8U & 0xFFU), static_cast<char>(group_ & 0xFFU)};
        out.append(three, 3);
        group_ = 0;
        group_count_ = 0;
      }
    } else if (rank == is_padding) {
      // What follows padding is another text: some senders encode piece by piece.
      if (group_count_ == 1) defects_.add(Defect::bad_base64);
      end_base64_group(out);
    } else if (rank == is_foreign) {
      defects_.add(Defect::bad_base64);
    }
  }
}

void TransferDecoder::feed_quoted(std::string_view octets, std::string& out) {
  text::NextCharacter next_escape(octets, '=');
  text::NextCharacter next_line_end(octets, '\n');
  std::size_t i = 0;
  while (i < octets.size()) {
    if (held_.empty()) {
      // Whole lines, and what stands before an escape: blanks matter only where a line ends.
      const std::size_t escape = next_escape.from(i);
      const std::size_t line_end = next_line_end.from(i);
      if (escape < line_end) {
        out.append(octets.substr(i, escape - i));
        i = escape;
      } else if (line_end < octets.size() && !ends_in_blank(octets.substr(i, line_end - i))) {
        out.append(octets.substr(i, line_end + 1 - i));
        i = line_end + 1;
        continue;
      }
      // Up to an escape, or to blanks that may end a line.
      std::size_t stop = i;
      for (; stop < octets.size() && octets[stop] != '='; ++stop) {
        if (!is_line_blank(octets[stop])) continue;
        if (stop + 1 == octets.size() || is_line_blank(octets[stop + 1]) || octets[stop + 1] == '\r' ||
            octets[stop + 1] == '\n')
          break;
      }
      out.append(octets.substr(i, stop - i));
      if (stop == octets.size()) return;
      if (octets[stop] == '=' && octets.size() - stop > 2) {
        const int high = hex_value(octets[stop + 1]);
        const int low = hex_value(octets[stop + 2]);
        const bool is_soft_break = octets[stop + 1] == '\r' && octets[stop + 2] == '\n';
        if (is_soft_break || (high >= 0 && low >= 0)) {
          if (!is_soft_break) out.push_back(static_cast<char>(high * 16 + low));
          i = stop + 3;
          continue;
        }
      }
      held_.push_back(octets[stop]);
      i = stop + 1;
      continue;
    }
    const char c = octets[i];
    if (held_[0] != '=') {
      // Blanks: if the line ends here a gateway added them (RFC 2045 section 6.7 rule 3).
      if ((c == ' ' || c == '\t' || c == '\r') && held_.size() < held_limit && held_.back() != '\r') {
        held_.push_back(c);
        ++i;
      } else if (c == '\n') {
        if (held_.back() == '\r') out.push_back('\r');
        held_.clear();
      } else {
        out.append(held_);
        held_.clear();
      }
      continue;
    }
    // An escape. Blanks between "=" and the line's end were added on the way, too.
    if (held_.size() == 1 && hex_value(c) >= 0) {
      held_.push_back(c);
      ++i;
    } else if (held_.size() == 2 && hex_value(held_[1]) >= 0 && hex_value(c) >= 0) {
      out.push_back(static_cast<char>(hex_value(held_[1]) * 16 + hex_value(c)));
      held_.clear();
      ++i;
    } else if (c == '\n' && (held_.size() == 1 || hex_value(held_[1]) < 0)) {
      held_.clear();
      ++i;
    } else if ((c == ' ' || c == '\t' || c == '\r') && (held_.size() == 1 || hex_value(held_[1]) < 0) &&
               held_.size() < held_limit) {
      held_.push_back(c);
      ++i;
    } else {
      defects_.add(Defect::bad_quoted_printable);
      out.append(held_);
      held_.clear();
    }
  }
}

void TransferDecoder::feed_uuencode(std::string_view octets, std::string& out) {
  while (!octets.empty()) {
    const std::size_t end = octets.find('\n');
    const std::string_view piece = octets.substr(0, end);
    // A line has 61 characters; what is longer than the limit is none, and its rest is passed over.
    held_.append(piece.substr(0, held_limit - std::min(held_limit, held_.size())));
    if (end == std::string_view::npos) return;
    read_uuencode_line(held_, out);
    held_.clear();
    octets.remove_prefix(end + 1);
  }
}

void TransferDecoder::read_uuencode_line(std::string_view line, std::string& out) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (uu_ == Uu::before) {
    if (line.starts_with("begin ")) uu_ = Uu::inside;
    return;
  }
  if (uu_ == Uu::after || line.empty()) return;
  if (line == "end") {
    uu_ = Uu::after;
    return;
  }
  const auto value = [](char c) {
    return static_cast<unsigned>(static_cast<unsigned char>(c) - 0x20U) & 0x3FU;
  };
  std::size_t count = value(line[0]);
  for (std::size_t i = 1; count > 0; i += 4) {
    // Blanks at the end of a line, which are zeros, may have been cut on the way.
    const auto at = [&](std::size_t offset) {
      return i + offset < line.size() ? value(line[i + offset]) : 0U;
    };
    if (i >= line.size() + 2) {
      defects_.add(Defect::bad_uuencode);
      return;
    }
    const std::uint32_t group = at(0) << 18U | at(1) << 12U | at(2) << 6U | at(3);
    for (unsigned shift = 16;; shift -= 8) {
      out.push_back(static_cast<char>(group >> shift & 0xFFU));
      if (--count == 0 || shift == 0) break;
    }
  }
}

}  // namespace syncline::mime
