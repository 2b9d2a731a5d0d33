// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/xml/transcoder.hpp"

#include "base/text.hpp"

namespace syncline::ews::xml {
namespace {

// An XML declaration takes some 60 octets; blanks before it are tolerated.
constexpr std::size_t head_limit = 1024;
constexpr std::string_view blanks = " \t\r\n";
constexpr char32_t replacement = 0xFFFD;

bool is_blank(char c) noexcept {
  return blanks.find(c) != std::string_view::npos;
}

/// The value of `encoding` in an XML declaration ("<?xml … ?>"), empty if it has none.
std::string_view declared_encoding(std::string_view declaration) noexcept {
  std::size_t at = declaration.find("encoding");
  if (at == std::string_view::npos) return {};
  at = declaration.find_first_not_of(blanks, at + 8);
  if (at == std::string_view::npos || declaration[at] != '=') return {};
  at = declaration.find_first_not_of(blanks, at + 1);
  if (at == std::string_view::npos || (declaration[at] != '"' && declaration[at] != '\'')) return {};
  const std::size_t end = declaration.find(declaration[at], at + 1);
  if (end == std::string_view::npos) return {};
  return declaration.substr(at + 1, end - at - 1);
}

}  // namespace

Result<bool> Transcoder::decide(bool at_end) {
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(head_[i]); };
  if (head_.size() < 4 && !at_end) return false;
  if (head_.size() >= 4) {
    const std::uint32_t four = std::uint32_t{octet(0)} << 24 | std::uint32_t{octet(1)} << 16 |
                               std::uint32_t{octet(2)} << 8 | octet(3);
    if (four == 0x0000FEFF || four == 0xFFFE0000 || four == 0x0000003C || four == 0x3C000000) {
      return fail(ErrorDomain::xml, "unsupported-encoding", "the text is in UTF-32, which is not read");
    }
    if (four == 0x4C6FA794) {
      return fail(ErrorDomain::xml, "unsupported-encoding", "the text is in EBCDIC, which is not read");
    }
  }
  if (head_.size() >= 2) {
    const unsigned two = octet(0) << 8 | octet(1);
    if (two == 0xFFFE || two == 0xFEFF) {
      encoding_ = two == 0xFFFE ? Encoding::utf16le : Encoding::utf16be;
      head_.erase(0, 2);
      return true;
    }
    if (two == 0x3C00 || two == 0x003C) {  // "<" without a mark
      encoding_ = two == 0x3C00 ? Encoding::utf16le : Encoding::utf16be;
      return true;
    }
  }
  if (head_.starts_with("\xEF\xBB\xBF")) {
    encoding_ = Encoding::utf8;
    head_.erase(0, 3);
    return true;
  }
  const std::size_t start = head_.find_first_not_of(blanks);
  if (start == std::string::npos) {
    if (!at_end && head_.size() < head_limit) return false;
    encoding_ = Encoding::utf8;
    return true;
  }
  const std::string_view rest = std::string_view(head_).substr(start);
  constexpr std::string_view opening = "<?xml";
  const bool may_be_declaration =
      rest.substr(0, 5) == opening.substr(0, rest.size()) && (rest.size() <= 5 || is_blank(rest[5]));
  if (!may_be_declaration) {
    encoding_ = Encoding::utf8;
    return true;
  }
  const std::size_t end = rest.find("?>");
  if (end == std::string_view::npos && !at_end && head_.size() < head_limit) return false;
  const std::string name = text::to_lower_ascii(declared_encoding(rest.substr(0, end)));
  // A declaration that says UTF-16 in octets that plainly are not comes from serialisers that wrote to a
  // string.
  if (name.empty() || name == "utf-8" || name == "utf8" || name == "us-ascii" || name == "ascii" ||
      name.starts_with("utf-16")) {
    encoding_ = Encoding::utf8;
  } else if (name == "iso-8859-1" || name == "latin1" || name == "iso_8859-1") {
    encoding_ = Encoding::latin1;
  } else {
    return fail(ErrorDomain::xml, "unsupported-encoding",
                "the text says it is in \"" + text::escape_for_display(std::string_view(name).substr(0, 40)) +
                    "\", which is not read");
  }
  return true;
}

Result<std::string_view> Transcoder::feed(std::string_view octets) {
  if (encoding_ == Encoding::utf8) return octets;
  if (encoding_ != Encoding::undecided) return convert(octets);
  // Only as much is kept as the decision may need, so that a large first piece is not copied.
  const std::size_t taken = std::min(octets.size(), head_limit - std::min(head_limit, head_.size()));
  head_.append(octets.substr(0, taken));
  const auto decided = decide(false);
  if (!decided) return fail(decided.error());
  if (!*decided) return std::string_view{};
  octets.remove_prefix(taken);
  if (encoding_ == Encoding::utf8) {
    converted_ = std::move(head_);
    converted_.append(octets);
  } else {
    converted_.clear();
    const std::string head = std::move(head_);
    encoding_ == Encoding::latin1 ? convert_latin1(head) : convert_utf16(head);
    encoding_ == Encoding::latin1 ? convert_latin1(octets) : convert_utf16(octets);
  }
  head_.clear();
  return std::string_view(converted_);
}

Result<std::string_view> Transcoder::finish() {
  converted_.clear();
  if (encoding_ == Encoding::undecided) {
    if (auto decided = decide(true); !decided) return fail(decided.error());
    if (encoding_ == Encoding::utf8) {
      converted_ = std::move(head_);
    } else if (encoding_ == Encoding::latin1) {
      convert_latin1(head_);
    } else {
      convert_utf16(head_);
    }
    head_.clear();
  }
  if (high_ != 0 || odd_octet_ >= 0) {
    text::append_utf8(converted_, replacement);
    ++replaced_;
    high_ = 0;
    odd_octet_ = -1;
  }
  return std::string_view(converted_);
}

std::string_view Transcoder::convert(std::string_view octets) {
  converted_.clear();
  encoding_ == Encoding::latin1 ? convert_latin1(octets) : convert_utf16(octets);
  return converted_;
}

void Transcoder::convert_latin1(std::string_view octets) {
  converted_.reserve(converted_.size() + octets.size());
  for (const char c : octets) text::append_utf8(converted_, static_cast<unsigned char>(c));
}

void Transcoder::convert_utf16(std::string_view octets) {
  converted_.reserve(converted_.size() + octets.size());
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    if (odd_octet_ < 0) {
      odd_octet_ = octet;
      continue;
    }
    const auto first = static_cast<unsigned>(odd_octet_);
    odd_octet_ = -1;
    put_utf16_unit(
        static_cast<char16_t>(encoding_ == Encoding::utf16le ? first | octet << 8u : first << 8u | octet));
  }
}

void Transcoder::put_utf16_unit(char16_t unit) {
  const bool is_low = unit >= 0xDC00 && unit <= 0xDFFF;
  if (high_ != 0) {
    if (is_low) {
      text::append_utf8(converted_, 0x10000u + ((high_ - 0xD800u) << 10) + (unit - 0xDC00u));
      high_ = 0;
      return;
    }
    text::append_utf8(converted_, replacement);
    ++replaced_;
    high_ = 0;
  }
  if (unit >= 0xD800 && unit <= 0xDBFF) {
    high_ = unit;
  } else if (is_low) {
    text::append_utf8(converted_, replacement);
    ++replaced_;
  } else {
    text::append_utf8(converted_, unit);
  }
}

}  // namespace syncline::ews::xml
