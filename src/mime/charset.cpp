// SPDX-License-Identifier: GPL-3.0-or-later
#include "mime/charset.hpp"

#include <iconv.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "base/ascii.hpp"
#include "base/text.hpp"

namespace syncline::mime {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";
constexpr std::size_t label_octets_limit = 40;
constexpr std::size_t html_head_octets = 2048;

/// Octets 0x80-0x9f of windows-1252; 0: none.
constexpr char16_t windows_1252[32] = {0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                       0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
                                       0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                       0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

struct Meant {
  std::string_view label;
  std::string_view charset;
};
/// What senders mean by a label (the WHATWG Encoding Standard's labels, as far as they differ from what iconv
/// takes them for). The C library's names on the right; where there are two the first that has all octets
/// holds.
constexpr Meant meant[] = {{"gb2312", "GB18030"},
                           {"gb_2312-80", "GB18030"},
                           {"gb2312-80", "GB18030"},
                           {"csgb2312", "GB18030"},
                           {"chinese", "GB18030"},
                           {"gbk", "GB18030"},
                           {"x-gbk", "GB18030"},
                           {"cp936", "GB18030"},
                           {"ms936", "GB18030"},
                           {"windows-936", "GB18030"},
                           {"gb18030", "GB18030"},
                           {"big5", "BIG5"},
                           {"big5", "BIG5-HKSCS"},
                           {"big-5", "BIG5"},
                           {"x-x-big5", "BIG5"},
                           {"cn-big5", "BIG5"},
                           {"cp950", "BIG5"},
                           {"euc-kr", "UHC"},
                           {"ks_c_5601-1987", "UHC"},
                           {"ks_c_5601-1989", "UHC"},
                           {"ks_c_5601", "UHC"},
                           {"ksc5601", "UHC"},
                           {"ksc_5601", "UHC"},
                           {"korean", "UHC"},
                           {"cp949", "UHC"},
                           {"windows-949", "UHC"},
                           {"shift_jis", "CP932"},
                           {"shift-jis", "CP932"},
                           {"sjis", "CP932"},
                           {"x-sjis", "CP932"},
                           {"ms_kanji", "CP932"},
                           {"windows-31j", "CP932"},
                           {"cp932", "CP932"},
                           {"iso-2022-jp", "ISO-2022-JP"},
                           {"iso-2022-jp", "ISO-2022-JP-3"},
                           {"cp50220", "ISO-2022-JP-3"},
                           {"cp50221", "ISO-2022-JP-3"},
                           {"euc-jp", "EUC-JP-MS"},
                           {"x-euc-jp", "EUC-JP-MS"},
                           {"iso-8859-9", "CP1254"},
                           {"latin5", "CP1254"},
                           {"iso-8859-11", "CP874"},
                           {"tis-620", "CP874"},
                           {"windows-874", "CP874"},
                           {"dos-874", "CP874"},
                           {"x-mac-roman", "MACINTOSH"},
                           {"macintosh", "MACINTOSH"},
                           {"mac", "MACINTOSH"},
                           {"x-mac-cyrillic", "MAC-CYRILLIC"},
                           {"unicode-1-1-utf-7", "UTF-7"},
                           {"x-unicode-2-0-utf-7", "UTF-7"},
                           {"iso-8859-8-i", "ISO-8859-8"},
                           {"logical", "ISO-8859-8"},
                           {"koi", "KOI8-R"},
                           {"x-windows-1251", "CP1251"},
                           {"win-1251", "CP1251"},
                           {"cp-1251", "CP1251"}};

bool is_one_of(std::string_view label, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), label) != names.end();
}

bool is_latin1(std::string_view label) {
  return is_one_of(
      label, {"iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "l1", "windows-1252", "cp1252", "x-cp1252",
              "iso-8859-1:1987", "iso_8859-1:1987", "cp819", "x-ansi", "ansi", "8859_1"});
}
bool is_utf8_label(std::string_view label) {
  return is_one_of(label,
                   {"utf-8", "utf8", "unicode-1-1-utf-8", "x-utf-8", "utf-8mb4", "utf8mb4", "cp65001"});
}
bool says_nothing(std::string_view label) {
  return label.empty() ||
         is_one_of(label, {"us-ascii", "ascii", "ansi_x3.4-1968", "iso646-us", "unknown-8bit", "unknown",
                           "x-unknown", "default", "default_charset", "none", "8bit", "7bit", "binary"});
}

/// What no charset is called.
constexpr std::string_view no_name = "?";

/// Lower case, without quotes and blanks; no_name if it has characters that no charset's name has: such a
/// name must not reach iconv, which reads "/" as options and nothing as the locale's charset.
std::string tidy(std::string_view label) {
  std::string name;
  for (const char c : text::trim(label)) {
    if (c == '"' || c == '\'') continue;
    const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_' || c == '.' || c == ':' || c == '+' || c == '(' || c == ')';
    if (!good || name.size() == label_octets_limit) return std::string(no_name);
    name.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  const bool is_name =
      name.empty() || (name[0] >= 'a' && name[0] <= 'z') || (name[0] >= '0' && name[0] <= '9');
  return is_name ? name : std::string(no_name);
}

void from_windows_1252(std::string_view octets, DecodedText& out) {
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x80) {
      out.utf8.push_back(c);
    } else if (octet >= 0xA0) {
      text::append_utf8(out.utf8, octet);
    } else if (windows_1252[octet - 0x80] != 0) {
      text::append_utf8(out.utf8, windows_1252[octet - 0x80]);
    } else {
      out.utf8.append(replacement);
      out.defects.add(Defect::bad_charset);
    }
  }
}

/// Well-formed parts as they are, everything else replaced. Returns how many characters of several octets
/// were good.
std::size_t repair_utf8(std::string_view octets, std::string& out) {
  std::size_t good = 0;
  while (!octets.empty()) {
    const auto next = text::next_code_point(octets);
    if (next) {
      out.append(octets.substr(0, next->length));
      if (next->length > 1) ++good;
      octets.remove_prefix(next->length);
    } else {
      out.append(replacement);
      octets.remove_prefix(1);
    }
  }
  return good;
}

class Converter {
 public:
  explicit Converter(const std::string& from) : handle_(::iconv_open("UTF-8", from.c_str())) {}
  ~Converter() {
    if (is_open()) ::iconv_close(handle_);
  }
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;
  bool is_open() const { return handle_ != reinterpret_cast<iconv_t>(-1); }

  DecodedText convert(std::string_view octets) {
    ::iconv(handle_, nullptr, nullptr, nullptr, nullptr);
    DecodedText out;
    out.utf8.reserve(octets.size() + octets.size() / 2);
    char* in = const_cast<char*>(octets.data());  // iconv's signature; it does not write there
    std::size_t in_left = octets.size();
    char buffer[4096];
    while (in_left > 0) {
      char* to = buffer;
      std::size_t to_left = sizeof buffer;
      const std::size_t done = ::iconv(handle_, &in, &in_left, &to, &to_left);
      const int why = errno;
      out.utf8.append(buffer, static_cast<std::size_t>(to - buffer));
      if (done != static_cast<std::size_t>(-1) || why == E2BIG) continue;
      out.utf8.append(replacement);
      out.defects.add(Defect::bad_charset);
      if (why != EILSEQ || in_left == 0) break;  // an unfinished character at the end
      ++in;
      --in_left;
    }
    // A stateful charset may hold a character back.
    char* to = buffer;
    std::size_t to_left = sizeof buffer;
    ::iconv(handle_, nullptr, nullptr, &to, &to_left);
    out.utf8.append(buffer, static_cast<std::size_t>(to - buffer));
    return out;
  }

 private:
  iconv_t handle_;
};

/// The C library loads a charset's table anew each time, so the latest are kept. nullptr: it has none.
Converter* converter_from(const std::string& charset) {
  struct Kept {
    std::string charset;
    std::unique_ptr<Converter> converter;
  };
  constexpr std::size_t most_kept = 8;
  thread_local std::vector<Kept> kept;  // the latest first
  auto found =
      std::find_if(kept.begin(), kept.end(), [&](const Kept& one) { return one.charset == charset; });
  if (found == kept.end()) {
    auto made = std::make_unique<Converter>(charset);
    if (!made->is_open()) return nullptr;
    if (kept.size() == most_kept) kept.pop_back();
    found = kept.insert(kept.end(), Kept{charset, std::move(made)});
  }
  std::rotate(kept.begin(), found, found + 1);
  return kept.front().converter.get();
}

std::optional<DecodedText> by_iconv(std::string_view octets, const std::string& label) {
  if (label == no_name) return std::nullopt;
  std::vector<std::string> names;
  for (const Meant& row : meant)
    if (row.label == label) names.emplace_back(row.charset);
  if (names.empty()) {
    names.push_back(label);
    // "x-mac-greek", "x-iso-8859-2": iconv knows few names with the prefix.
    if (label.size() > 2 && label.starts_with("x-")) names.push_back(label.substr(2));
  }
  std::optional<DecodedText> first;
  for (const std::string& name : names) {
    Converter* converter = converter_from(name);
    if (converter == nullptr) continue;
    DecodedText text = converter->convert(octets);
    // Some charsets have surrogates and the like; nothing but UTF-8 leaves here.
    if (!text::is_valid_utf8(text.utf8)) {
      std::string repaired;
      repair_utf8(text.utf8, repaired);
      text.utf8 = std::move(repaired);
      text.defects.add(Defect::bad_charset);
    }
    if (text.defects.empty()) return text;
    if (!first) first = std::move(text);
  }
  return first;
}

bool has_iso_2022_escape(std::string_view octets) {
  for (std::size_t at = octets.find('\x1B'); at != std::string_view::npos; at = octets.find('\x1B', at + 1)) {
    const std::string_view rest = octets.substr(at + 1, 2);
    if (rest == "$B" || rest == "$@" || rest == "$(" || rest == "(J" || rest == "(I") return true;
  }
  return false;
}

DecodedText guessed(std::string_view octets, const std::string& hint) {
  if (has_iso_2022_escape(octets)) {
    if (auto text = by_iconv(octets, "iso-2022-jp"); text && text->defects.empty()) return *std::move(text);
  }
  if (text::is_valid_utf8(octets)) return {.utf8 = std::string(octets)};
  DecodedText text;
  if (!says_nothing(hint) && !is_utf8_label(hint) && !is_latin1(hint)) {
    if (auto hinted = by_iconv(octets, hint); hinted && hinted->defects.empty()) return *std::move(hinted);
  }
  from_windows_1252(octets, text);
  return text;
}

std::string_view without_mark(std::string_view octets) {
  return octets.starts_with("\xEF\xBB\xBF") ? octets.substr(3) : octets;
}

}  // namespace

DecodedText to_utf8(std::string_view octets, std::string_view label, std::string_view hint) {
  const std::string name = tidy(label);
  const bool is_ascii =
      text::ascii_prefix(octets) == octets.size() && octets.find('\x1B') == std::string_view::npos;
  if (is_utf8_label(name)) {
    octets = without_mark(octets);
    if (is_ascii || text::is_valid_utf8(octets)) return {.utf8 = std::string(octets)};
    DecodedText text;
    text.defects.add(Defect::bad_charset);
    // Not one character in its form: it is no UTF-8 at all.
    if (repair_utf8(octets, text.utf8) == 0) {
      DecodedText guess = guessed(octets, tidy(hint));
      guess.defects.add(Defect::bad_charset);
      return guess;
    }
    return text;
  }
  if (says_nothing(name)) {
    if (is_ascii) return {.utf8 = std::string(octets)};
    DecodedText text = guessed(without_mark(octets), tidy(hint));
    // Octets above 127 that are no UTF-8 under a label that has none.
    if (!name.empty() && !text::is_valid_utf8(octets)) text.defects.add(Defect::bad_charset);
    return text;
  }
  if (is_latin1(name)) {
    if (is_ascii) return {.utf8 = std::string(octets)};
    DecodedText text;
    text.utf8.reserve(octets.size() + octets.size() / 8);
    from_windows_1252(octets, text);
    return text;
  }
  if (auto text = by_iconv(octets, name)) return *std::move(text);
  DecodedText text = guessed(without_mark(octets), tidy(hint));
  text.defects.add(Defect::unknown_charset);
  return text;
}

std::string charset_of_html(std::string_view octets) {
  if (octets.starts_with("\xEF\xBB\xBF")) return "utf-8";
  const std::string head = text::to_lower_ascii(octets.substr(0, html_head_octets));
  for (std::size_t meta = head.find("<meta"); meta != std::string::npos;
       meta = head.find("<meta", meta + 1)) {
    const std::string_view tag = std::string_view(head).substr(meta, head.find('>', meta) - meta);
    const std::size_t at = tag.find("charset=");
    if (at == std::string_view::npos) continue;
    std::string_view value = tag.substr(at + 8);
    if (!value.empty() && (value[0] == '"' || value[0] == '\'')) value.remove_prefix(1);
    value = value.substr(0, value.find_first_of("\"'; \t\r\n/>"));
    // A page that can be read this far is in no charset of two octets a character.
    if (value.starts_with("utf-16") || value.starts_with("utf-32")) return "utf-8";
    if (!value.empty()) return std::string(value);
  }
  return {};
}

}  // namespace syncline::mime
