// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Writing JSON into a string, for lines that are printed by the hundred thousand.
#include <string>
#include <string_view>

namespace syncline::service {

/// Appends `text` (valid UTF-8) as a JSON string, with its quotes.
inline void append_json(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out.push_back('"');
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    if (octet >= 0x20 && octet != '"' && octet != '\\' && octet != 0x7F) continue;
    out.append(text.substr(plain, i - plain));
    plain = i + 1;
    switch (octet) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += "\\u00";
        out.push_back(kHex[octet >> 4U]);
        out.push_back(kHex[octet & 15U]);
    }
  }
  out.append(text.substr(plain));
  out.push_back('"');
}

/// `"name":`
inline void append_key(std::string& out, std::string_view name) {
  append_json(out, name);
  out.push_back(':');
}

}  // namespace syncline::service
