// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Small, locale-free text functions. Case is ASCII case: header names, domains, response codes.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::text {

std::string to_lower_ascii(std::string_view text);
bool equals_ignore_case(std::string_view a, std::string_view b) noexcept;
/// Without leading and trailing space, tab, CR and LF.
std::string_view trim(std::string_view text) noexcept;
/// Split at every `separator`; "a,,b" has three parts, "" has one.
std::vector<std::string_view> split(std::string_view text, char separator);

/// Decimal, the whole text, no sign but '-', no white space; nullopt for anything else or overflow.
std::optional<std::int64_t> parse_int(std::string_view text) noexcept;

/// The scalar value of the well-formed UTF-8 sequence at the front of `text`, and its length in octets (RFC
/// 3629: no surrogates, no overlong forms, nothing above 10FFFF); nullopt if the front is not one.
struct CodePoint {
  char32_t value;
  unsigned length;
};
std::optional<CodePoint> next_code_point(std::string_view text) noexcept;
void append_utf8(std::string& out, char32_t code_point);
bool is_valid_utf8(std::string_view text) noexcept;

/// XML 1.0 section 2.2, production Char.
bool is_xml_char(char32_t code_point) noexcept;
/// Valid UTF-8 with only XML characters: everything else becomes U+FFFD, one for each offending octet or
/// character. `replaced`, if given, is increased by the number of replacements.
std::string to_xml_text(std::string_view text, std::size_t* replaced = nullptr);
/// to_xml_text, written so that it stands for itself in an element and in an attribute between double quotes.
std::string escape_for_xml(std::string_view text);

/// RFC 3986 section 2.1; '+' and a '%' without two hexadecimal digits stay as they are. The octets may be
/// anything.
std::string percent_decoded(std::string_view text);

/// For terminals and logs: control characters (C0 but tab, DEL, C1), bidirectional controls and broken UTF-8
/// as \n, \r, \x1b, \u202e … (invariant 29).
std::string escape_for_display(std::string_view text);

}  // namespace syncline::text
