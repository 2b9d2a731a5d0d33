// SPDX-License-Identifier: GPL-3.0-or-later
#include "mime/header_writer.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "mime/encoded_word.hpp"

namespace syncline::mime {
namespace {

constexpr std::size_t fold_column = 78;
/// RFC 5322 section 2.1.1 allows 998 octets; a word that is longer has to be encoded in pieces.
constexpr std::size_t word_octets_limit = 900;
constexpr std::size_t encoded_word_octets = 75;
constexpr std::string_view encoded_start = "=?UTF-8?";
/// Of one parameter's value in a line (RFC 2231 section 3).
constexpr std::size_t parameter_octets = 55;
constexpr std::size_t local_octets_limit = 64;
constexpr std::size_t address_octets_limit = 320;

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}
bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool is_atext(char c) {
  return is_alphanumeric(c) || std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

std::size_t longest_word(std::string_view text) {
  std::size_t longest = 0;
  for (const std::string_view word : text::split(text, ' ')) longest = std::max(longest, word.size());
  return longest;
}

char hex_digit(unsigned value) {
  return "0123456789ABCDEF"[value & 15U];
}
void append_hex(std::string& out, char escape, char octet) {
  const auto value = static_cast<unsigned char>(octet);
  out.push_back(escape);
  out.push_back(hex_digit(value >> 4U));
  out.push_back(hex_digit(value));
}

/// RFC 2047 section 5 (3): what may stand in a phrase.
std::string q_encoded(std::string_view character) {
  if (character == " ") return "_";
  if (character.size() == 1 && (is_alphanumeric(character[0]) || character == "!" || character == "*" ||
                                character == "+" || character == "-" || character == "/"))
    return std::string(character);
  std::string out;
  for (const char c : character) append_hex(out, '=', c);
  return out;
}

std::string percent_encoded(std::string_view character) {
  // RFC 5987's attr-char, which is RFC 2231's without the specials that are seen to break readers.
  if (character.size() == 1 &&
      (is_alphanumeric(character[0]) || character == "." || character == "-" || character == "_"))
    return std::string(character);
  std::string out;
  for (const char c : character) append_hex(out, '%', c);
  return out;
}

std::string_view next_character(std::string_view text) {
  const auto next = text::next_code_point(text);
  return text.substr(0, next ? next->length : 1);
}

/// Words of `text` with the blanks before each.
struct Word {
  std::string_view blanks;
  std::string_view word;
};
std::vector<Word> words_of(std::string_view text) {
  std::vector<Word> words;
  while (!text.empty()) {
    const std::size_t start = std::min(text.find_first_not_of(' '), text.size());
    const std::size_t end = std::min(text.find(' ', start), text.size());
    words.push_back({text.substr(0, start), text.substr(start, end - start)});
    text.remove_prefix(end);
  }
  return words;
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

bool is_good_local(std::string_view local, bool utf8) {
  if (local.empty() || local.size() > local_octets_limit * (utf8 ? 4 : 1)) return false;
  if (local.size() >= 2 && local.front() == '"' && local.back() == '"') {
    const std::string_view inner = local.substr(1, local.size() - 2);
    for (std::size_t i = 0; i < inner.size(); ++i) {
      const auto octet = static_cast<unsigned char>(inner[i]);
      if (octet < 0x20 || octet == 0x7F || inner[i] == '"') return false;
      if (inner[i] == '\\' && ++i == inner.size()) return false;
      if (static_cast<unsigned char>(inner[i]) < 0x20) return false;
    }
    return true;
  }
  // Dots in odd places are no dot-atom, but there are such mailboxes.
  return std::all_of(local.begin(), local.end(),
                     [](char c) { return is_atext(c) || c == '.' || static_cast<unsigned char>(c) >= 0x80; });
}

bool is_good_domain(std::string_view domain) {
  if (domain.size() > 2 && domain.front() == '[' && domain.back() == ']') {
    domain = domain.substr(1, domain.size() - 2);
    return std::all_of(domain.begin(), domain.end(),
                       [](char c) { return is_alphanumeric(c) || c == '.' || c == ':' || c == '-'; });
  }
  return !domain.empty() && std::all_of(domain.begin(), domain.end(), [](char c) {
    return is_alphanumeric(c) || c == '.' || c == '-' || c == '_' || static_cast<unsigned char>(c) >= 0x80;
  });
}

}  // namespace

void HeaderWriter::begin(std::string_view name) {
  out_.append(name).push_back(':');
  column_ = name.size() + 1;
  is_first_ = true;
}

void HeaderWriter::token(std::string_view token, std::string_view blank) {
  // The first word stays in the field's line: a line of blanks alone must not come to be (RFC 5322
  // section 3.2.2).
  if (!is_first_ && column_ + blank.size() + token.size() > fold_column) {
    out_ += "\r\n";
    column_ = 0;
    if (blank.empty()) blank = " ";
  }
  out_.append(blank).append(token);
  column_ += blank.size() + token.size();
  is_first_ = false;
}

void HeaderWriter::encoded_words(std::string_view text) {
  std::string q;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view character = next_character(rest);
    q += q_encoded(character);
    rest.remove_prefix(character.size());
  }
  const bool is_base64 = Base64Encoder::encoded_size(text.size()) < q.size();
  const std::size_t frame = encoded_start.size() + 4;
  while (!text.empty()) {
    // What is left of the field's first line, if that is worth it.
    const std::size_t left = fold_column - std::min(fold_column, column_ + 1);
    const std::size_t most =
        std::min(encoded_word_octets, left >= frame + 20 ? left : fold_column - 1) - frame;
    std::string word;
    std::size_t taken = 0;
    while (taken < text.size()) {
      const std::string_view character = next_character(text.substr(taken));
      const std::string piece = is_base64 ? std::string() : q_encoded(character);
      const std::size_t length =
          is_base64 ? Base64Encoder::encoded_size(taken + character.size()) : word.size() + piece.size();
      if (length > most) break;
      word += piece;
      taken += character.size();
    }
    if (is_base64) word = base64_encode(text.substr(0, taken));
    token(std::string(encoded_start) + (is_base64 ? "B?" : "Q?") + word + "?=");
    text.remove_prefix(taken);
  }
}

void HeaderWriter::unstructured(std::string_view name, std::string_view given) {
  const std::string text = header_text(given);
  begin(name);
  const bool is_plain = (utf8_ || is_ascii(text)) && text.find("=?") == std::string::npos &&
                        longest_word(text) <= word_octets_limit;
  if (is_plain) {
    for (const Word& word : words_of(text)) token(word.word, word.blanks.empty() ? " " : word.blanks);
  } else {
    encoded_words(text);
  }
  finish_field();
}

void HeaderWriter::phrase(std::string_view text) {
  const bool is_plain = (utf8_ || is_ascii(text)) && text.find("=?") == std::string_view::npos &&
                        longest_word(text) <= word_octets_limit / 2;
  if (!is_plain) return encoded_words(text);
  const bool is_atoms = std::all_of(text.begin(), text.end(), [](char c) {
    return c == ' ' || is_atext(c) || static_cast<unsigned char>(c) >= 0x80;
  });
  const std::string written = is_atoms ? std::string(text) : quoted(text);
  for (const Word& word : words_of(written)) token(word.word, word.blanks.empty() ? " " : word.blanks);
}

void HeaderWriter::addresses(std::string_view name, std::span<const Mailbox> mailboxes) {
  if (mailboxes.empty()) return;
  begin(name);
  for (std::size_t i = 0; i < mailboxes.size(); ++i) {
    const Mailbox& one = mailboxes[i];
    const std::string address = utf8_ || is_ascii(one.address) ? one.address : with_ascii_domain(one.address);
    const std::string_view comma = i + 1 < mailboxes.size() ? "," : "";
    const std::string display = header_text(one.name);
    if (display.empty()) {
      token(address + std::string(comma));
    } else {
      phrase(display);
      token('<' + address + '>' + std::string(comma));
    }
  }
  finish_field();
}

void HeaderWriter::words(std::string_view name, std::span<const std::string> all) {
  if (all.empty()) return;
  begin(name);
  for (const std::string& word : all) token(word);
  finish_field();
}

void HeaderWriter::with_parameters(std::string_view name, std::string_view value,
                                   std::span<const std::pair<std::string, std::string>> parameters) {
  begin(name);
  // A semicolon stands at the end of what comes before it, so each token waits for the next.
  std::string waiting(value);
  const auto add = [&](std::string next) {
    token(waiting + ';');
    waiting = std::move(next);
  };
  for (const auto& [parameter, text] : parameters) {
    if (is_ascii(text) && text.size() <= parameter_octets && text.find("=?") == std::string::npos) {
      add(parameter + '=' + quoted(header_text(text)));
      continue;
    }
    std::vector<std::string> pieces(1, "utf-8''");
    const std::string clean = header_text(text);
    for (std::string_view rest = clean; !rest.empty();) {
      const std::string_view character = next_character(rest);
      const std::string encoded = percent_encoded(character);
      if (pieces.back().size() + encoded.size() > parameter_octets) pieces.emplace_back();
      pieces.back() += encoded;
      rest.remove_prefix(character.size());
    }
    if (pieces.size() == 1) {
      add(parameter + "*=" + pieces[0]);
    } else {
      for (std::size_t i = 0; i < pieces.size(); ++i)
        add(parameter + '*' + std::to_string(i) + "*=" + pieces[i]);
    }
  }
  token(waiting);
  finish_field();
}

std::string header_text(std::string_view text) {
  return text::to_xml_text(printable(text));
}

Result<void> check_address(std::string_view field, const Mailbox& mailbox, bool utf8) {
  const std::string& address = mailbox.address;
  const std::size_t at = address.rfind('@');
  const std::string_view local = std::string_view(address).substr(0, at);
  if (at == std::string::npos || address.size() > address_octets_limit || !text::is_valid_utf8(address) ||
      !is_good_local(local, utf8) || !is_good_domain(std::string_view(address).substr(at + 1)))
    return fail(ErrorDomain::input, "bad-address",
                std::string(field) + " has a text that is no mail address: " +
                    text::escape_for_display(address.substr(0, 100)));
  if (!utf8 && !is_ascii(local))
    return fail(ErrorDomain::input, "needs-smtputf8",
                std::string(field) + " has an address that only servers with SMTPUTF8 take: " + address);
  if (!utf8 && !is_ascii(with_ascii_domain(address)))
    return fail(ErrorDomain::input, "bad-address",
                std::string(field) +
                    " has an address whose domain has no ASCII form: " + text::escape_for_display(address));
  return {};
}

}  // namespace syncline::mime
