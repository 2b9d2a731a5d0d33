// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Texts of header fields, decoded: encoded words (RFC 2047, with RFC 2231's language), raw UTF-8 (RFC 6532),
// raw octets of other charsets. Ours, because a character may be cut in two between encoded words, which
// GMime decodes one by one, and because GMime's time grows with the square of what a peer sends.
#include <string>
#include <string_view>

#include "mime/defects.hpp"

namespace syncline::mime {

struct HeaderText {
  std::string text = {};  ///< UTF-8; control characters are spaces, none at either end
  Defects defects = {};   ///< bad_encoded_word, raw_8bit_header, unknown_charset, bad_charset
};

/// Of an unstructured field: "Subject". `hint` as in to_utf8().
HeaderText decode_unstructured(std::string_view value, std::string_view hint = {});

/// Of a structured field: what encoded words hold stands in quoted strings, so that it cannot be taken for
/// structure; between angle brackets nothing is decoded. No "=?" is left: what is no encoded word has U+2060
/// between the two.
HeaderText decode_structured(std::string_view value, std::string_view hint = {});
/// Takes the U+2060 of decode_structured() out again.
void remove_marks(std::string& text);

/// Control characters (C0, DEL, C1) as spaces, none at either end. `text` is UTF-8.
std::string printable(std::string_view text);

}  // namespace syncline::mime
