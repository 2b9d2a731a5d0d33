// SPDX-License-Identifier: GPL-3.0-or-later
#include "mime/encoded_word.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "mime/charset.hpp"
#include "mime/transfer_decoding.hpp"

namespace syncline::mime {
namespace {

constexpr std::string_view mark = "\xE2\x81\xA0";
constexpr std::size_t charset_octets_limit = 64;
/// Looking for a charset that does not exist takes long; after so many in one field the others are guessed.
constexpr int unknown_charsets_limit = 8;
/// Raw texts between encoded words that are guessed with the hint; the others without.
constexpr int hinted_limit = 64;

struct EncodedWord {
  std::string_view charset = {};
  char encoding = 'B';
  std::string_view payload = {};
  std::size_t length = 0;  ///< of the whole, "=?" to "?="
};

/// Finds words one after the other; the look for an end that is not there is made once.
class WordReader {
 public:
  explicit WordReader(std::string_view text) : text_(text) {}

  /// The word that begins at `at`, where "=?" stands.
  std::optional<EncodedWord> at(std::size_t at) {
    if (at >= no_end_from_) return std::nullopt;
    const std::string_view rest = text_.substr(at + 2);
    const std::size_t charset_end = rest.substr(0, charset_octets_limit).find('?');
    if (charset_end == std::string_view::npos || charset_end == 0) return std::nullopt;
    if (charset_end + 2 >= rest.size() || rest[charset_end + 2] != '?') return std::nullopt;
    const char encoding = rest[charset_end + 1];
    if (encoding != 'B' && encoding != 'b' && encoding != 'Q' && encoding != 'q') return std::nullopt;
    const std::size_t payload = charset_end + 3;
    const std::size_t end = rest.find("?=", payload);
    if (end == std::string_view::npos) {
      no_end_from_ = at;
      return std::nullopt;
    }
    EncodedWord word;
    word.charset = rest.substr(0, charset_end);
    word.charset = word.charset.substr(0, word.charset.find('*'));
    word.encoding = encoding == 'b' || encoding == 'B' ? 'B' : 'Q';
    word.payload = rest.substr(payload, end - payload);
    word.length = 2 + end + 2;
    return word;
  }

 private:
  std::string_view text_;
  std::size_t no_end_from_ = std::string_view::npos;
};

bool is_lwsp(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void append_q(std::string_view payload, std::string& octets, Defects& defects) {
  std::string underscored(payload);
  for (char& c : underscored)
    if (c == '_') c = ' ';
  // Blanks at the end belong to the text here: a character behind them keeps them.
  TransferDecoder decoder(TransferEncoding::quoted_printable);
  underscored.push_back('.');
  std::string decoded;
  decoder.feed(underscored, decoded);
  decoder.finish(decoded);
  if (!decoded.empty()) decoded.pop_back();
  octets.append(decoded);
  if (!decoder.defects().empty()) defects.add(Defect::bad_encoded_word);
}

/// One run of encoded words with only white space between: of the same charset they are joined before they
/// are read, since a character, or a group of base64, may be cut between them.
class Run {
 public:
  Run(std::string_view hint, int& unknown_left, HeaderText& out)
      : hint_(hint), unknown_left_(unknown_left), out_(out) {}

  void add(const EncodedWord& word) {
    if (!text::equals_ignore_case(word.charset, charset_)) {
      end_charset();
      charset_ = std::string(word.charset);
    }
    if (word.encoding == 'B') {
      base64_.feed(word.payload, octets_);
    } else {
      end_base64();
      append_q(word.payload, octets_, out_.defects);
    }
  }

  std::string finish() {
    end_charset();
    return std::move(text_);
  }

 private:
  void end_base64() {
    base64_.finish(octets_);
    if (!base64_.defects().empty()) out_.defects.add(Defect::bad_encoded_word);
    base64_ = TransferDecoder(TransferEncoding::base64);
  }
  void end_charset() {
    end_base64();
    if (octets_.empty()) return;
    DecodedText decoded = to_utf8(octets_, unknown_left_ > 0 ? charset_ : std::string(), hint_);
    if (decoded.defects.has(Defect::unknown_charset)) --unknown_left_;
    text_.append(decoded.utf8);
    out_.defects.add(decoded.defects);
    octets_.clear();
  }

  std::string_view hint_;
  int& unknown_left_;
  HeaderText& out_;
  std::string charset_ = {};
  std::string octets_ = {};
  std::string text_ = {};
  TransferDecoder base64_{TransferEncoding::base64};
};

/// What stands outside encoded words.
std::string literal(std::string_view octets, std::string_view hint, Defects& defects) {
  if (text::is_valid_utf8(octets)) return std::string(octets);
  defects.add(Defect::raw_8bit_header);
  return to_utf8(octets, {}, hint).utf8;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
  return out;
}

std::string escaped(std::string_view text) {
  std::string out = quoted(text);
  return out.substr(1, out.size() - 2);
}

/// "=?" no more, so that nobody decodes it again.
std::string marked(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    out.push_back(text[i]);
    if (text[i] == '=' && i + 1 < text.size() && text[i + 1] == '?') out.append(mark);
  }
  return out;
}

/// Where in a structured field the octets read so far end.
struct Place {
  bool in_quotes = false;
  bool in_angle = false;
  void pass(std::string_view octets) {
    for (std::size_t i = 0; i < octets.size(); ++i) {
      const char c = octets[i];
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_quotes = !in_quotes;
      } else if (!in_quotes && c == '<') {
        in_angle = true;
      } else if (!in_quotes && (c == '>' || c == ',')) {
        in_angle = false;
      }
    }
  }
};

HeaderText decode(std::string_view value, std::string_view hint, bool is_structured) {
  HeaderText out;
  WordReader reader(value);
  Place place;
  int unknown_left = unknown_charsets_limit;
  int hinted_left = hinted_limit;
  std::size_t literal_from = 0;
  const auto take_literal = [&](std::size_t end) {
    const std::string_view octets = value.substr(literal_from, end - literal_from);
    const std::string text = literal(octets, hinted_left-- > 0 ? hint : std::string_view(), out.defects);
    out.text.append(is_structured ? marked(text) : text);
  };
  for (std::size_t at = value.find("=?"); at != std::string_view::npos;) {
    if (is_structured) place.pass(value.substr(literal_from, at - literal_from));
    auto word = is_structured && place.in_angle ? std::nullopt : reader.at(at);
    if (!word) {
      if (!place.in_angle) out.defects.add(Defect::bad_encoded_word);
      // The two octets stay part of the literal text.
      const std::size_t next = value.find("=?", at + 2);
      take_literal(std::min(next, value.size()));
      if (is_structured) place.pass(value.substr(at, std::min(next, value.size()) - at));
      literal_from = std::min(next, value.size());
      at = next;
      continue;
    }
    take_literal(at);
    Run run(hint, unknown_left, out);
    std::size_t end = at;
    for (;;) {
      run.add(*word);
      end += word->length;
      std::size_t next = end;
      while (next < value.size() && is_lwsp(value[next])) ++next;
      if (value.substr(next, 2) != "=?") break;
      word = reader.at(next);
      if (!word) break;
      end = next;
    }
    const std::string text = run.finish();
    if (!is_structured) {
      out.text.append(text);
    } else if (place.in_quotes) {
      out.text.append(marked(escaped(printable(text))));
    } else {
      out.text.append(marked(quoted(printable(text))));
    }
    literal_from = end;
    at = value.find("=?", end);
  }
  take_literal(value.size());
  out.text = printable(out.text);
  return out;
}

}  // namespace

HeaderText decode_unstructured(std::string_view value, std::string_view hint) {
  return decode(value, hint, false);
}
HeaderText decode_structured(std::string_view value, std::string_view hint) {
  return decode(value, hint, true);
}

void remove_marks(std::string& text) {
  if (text.find(mark) == std::string::npos) return;
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const bool is_ours = text.compare(i, mark.size(), mark) == 0 && !out.empty() && out.back() == '=' &&
                         text.compare(i + mark.size(), 1, "?") == 0;
    if (is_ours) {
      i += mark.size();
    } else {
      out.push_back(text[i++]);
    }
  }
  text = std::move(out);
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    if (octet < 0x20 || octet == 0x7F) {
      out.push_back(' ');
    } else if (octet == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) {
      out.push_back(' ');  // C1
      ++i;
    } else {
      out.push_back(text[i]);
    }
  }
  return std::string(text::trim(out));
}

}  // namespace syncline::mime
