// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/imap/mailbox_name.hpp"

#include <cstdint>
#include <optional>

#include "base/text.hpp"

namespace syncline::imap {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// UTF-16 between "&" and "-"; nullopt where it is not that.
std::optional<std::string> decode_run(std::string_view run) {
  std::string out;
  std::uint32_t bits = 0;
  unsigned count = 0;
  char32_t high = 0;
  for (const char c : run) {
    const std::size_t value = alphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 6U) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 16) continue;
    count -= 16;
    const char32_t unit = (bits >> count) & 0xFFFFU;
    bits &= (1U << count) - 1;
    if (unit >= 0xD800 && unit < 0xDC00) {
      if (high != 0) return std::nullopt;
      high = unit;
    } else if (unit >= 0xDC00 && unit < 0xE000) {
      if (high == 0) return std::nullopt;
      text::append_utf8(out, 0x10000 + ((high - 0xD800) << 10U) + (unit - 0xDC00));
      high = 0;
    } else {
      if (high != 0) return std::nullopt;
      text::append_utf8(out, unit);
    }
  }
  if (high != 0 || bits != 0 || out.empty()) return std::nullopt;
  return out;
}

void append_run(std::string& out, const std::u16string& units) {
  out += '&';
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char16_t unit : units) {
    bits = (bits << 16U) | unit;
    count += 16;
    while (count >= 6) {
      count -= 6;
      out += alphabet[(bits >> count) & 63U];
    }
    bits &= (1U << count) - 1;
  }
  if (count > 0) out += alphabet[(bits << (6 - count)) & 63U];
  out += '-';
}

}  // namespace

std::string decode_mailbox_name(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size();) {
    if (name[i] != '&') {
      out += name[i++];
      continue;
    }
    const std::size_t end = name.find('-', i);
    if (end == i + 1) {
      out += '&';
      i += 2;
      continue;
    }
    const auto run =
        end == std::string_view::npos ? std::nullopt : decode_run(name.substr(i + 1, end - i - 1));
    if (!run) return text::to_xml_text(name);
    out += *run;
    i = end + 1;
  }
  return text::to_xml_text(out);
}

std::string encode_mailbox_name(std::string_view name) {
  std::string out;
  std::u16string run;
  const std::string clean = text::to_xml_text(name);
  std::string_view rest = clean;
  while (const auto point = text::next_code_point(rest)) {
    rest.remove_prefix(point->length);
    const char32_t value = point->value;
    if (value >= 0x20 && value <= 0x7E) {
      if (!run.empty()) append_run(out, run);
      run.clear();
      out += static_cast<char>(value);
      if (value == U'&') out += '-';
    } else if (value < 0x10000) {
      run += static_cast<char16_t>(value);
    } else {
      run += static_cast<char16_t>(0xD800 + ((value - 0x10000) >> 10U));
      run += static_cast<char16_t>(0xDC00 + ((value - 0x10000) & 0x3FFU));
    }
  }
  if (!run.empty()) append_run(out, run);
  return out;
}

}  // namespace syncline::imap
