// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Octets in whatever charset a message says (or does not say) to UTF-8. Never fails: what cannot be read is
// U+FFFD and marked.
#include <string>
#include <string_view>

#include "mime/defects.hpp"

namespace syncline::mime {

struct DecodedText {
  std::string utf8 = {};  ///< valid, whatever came in
  Defects defects = {};   ///< unknown_charset, bad_charset
};

/// `label`: the charset as a header names it; empty: none was named. `hint`: the charset that the same
/// message names elsewhere, tried when this has to be guessed.
///
/// Labels are read as what senders mean by them: iso-8859-1 is windows-1252, gb2312 is GB18030, ks_c_5601 is
/// CP949, shift_jis is CP932. Guessed: ISO-2022-JP by its escapes, UTF-8 by its form, then the hint, then
/// windows-1252.
DecodedText to_utf8(std::string_view octets, std::string_view label, std::string_view hint = {});

/// The charset that HTML names itself: a byte order mark, or "charset=" of a <meta> among the first 2 KiB;
/// empty: none.
std::string charset_of_html(std::string_view octets);

}  // namespace syncline::mime
