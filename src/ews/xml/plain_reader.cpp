// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/xml/plain_reader.hpp"

#include <array>
#include <cstring>
#include <deque>
#include <vector>

#include "base/text.hpp"

namespace syncline::ews::xml {
namespace {

constexpr std::size_t most_open = 64;
constexpr std::size_t most_attributes = 16;
constexpr std::size_t longest_reference = 10;  // "&#1114111;"

constexpr std::array<bool, 256> make_name_octets() {
  std::array<bool, 256> octets{};
  for (unsigned c = 'a'; c <= 'z'; ++c) octets[c] = octets[c - 'a' + 'A'] = true;
  for (unsigned c = '0'; c <= '9'; ++c) octets[c] = true;
  for (const char c : {'_', '-', '.'}) octets[static_cast<unsigned char>(c)] = true;
  return octets;
}
constexpr std::array<bool, 256> name_octets = make_name_octets();

constexpr bool begins_name(char c) noexcept {
  return name_octets[static_cast<unsigned char>(c)] && c != '-' && c != '.' && (c < '0' || c > '9');
}
constexpr bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\n';
}

/// Only characters of XML 1.0, section 2.2, without carriage returns.
bool is_clean(std::string_view text) noexcept {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    // Where this bit is set there is a control character or something beyond ASCII.
    constexpr std::uint64_t ones = 0x0101010101010101;
    constexpr std::uint64_t highs = 0x8080808080808080;
    for (std::uint64_t eight = 0; end - at >= 8; at += 8) {
      std::memcpy(&eight, at, sizeof eight);
      if (((eight | (eight - ones * 0x20)) & highs) != 0) break;
    }
    if (at == end) return true;
    const auto octet = static_cast<unsigned char>(*at);
    if (octet < 0x80) {
      if (octet < 0x20 && octet != '\t' && octet != '\n') return false;
      ++at;
      continue;
    }
    const auto point = text::next_code_point({at, static_cast<std::size_t>(end - at)});
    if (!point || !text::is_xml_char(point->value)) return false;
    at += point->length;
  }
  return true;
}

/// The character that "&…;" stands for, and the octets it takes; 0: none that is known here.
struct Reference {
  char32_t character = 0;
  std::size_t length = 0;
};
Reference reference_at(std::string_view text) noexcept {
  const std::size_t end = text.substr(0, longest_reference).find(';');
  if (end == std::string_view::npos) return {};
  const std::string_view name = text.substr(1, end - 1);
  if (name == "amp") return {'&', end + 1};
  if (name == "lt") return {'<', end + 1};
  if (name == "gt") return {'>', end + 1};
  if (name == "quot") return {'"', end + 1};
  if (name == "apos") return {'\'', end + 1};
  if (name.size() < 2 || name[0] != '#') return {};
  const bool is_hex = name[1] == 'x';
  const std::string_view digits = name.substr(is_hex ? 2 : 1);
  if (digits.empty()) return {};
  char32_t value = 0;
  for (const char c : digits) {
    unsigned digit = 16;
    if (c >= '0' && c <= '9') digit = static_cast<unsigned>(c - '0');
    if (is_hex && c >= 'a' && c <= 'f') digit = static_cast<unsigned>(c - 'a') + 10;
    if (is_hex && c >= 'A' && c <= 'F') digit = static_cast<unsigned>(c - 'A') + 10;
    if (digit == 16) return {};
    value = value * (is_hex ? 16 : 10) + digit;
  }
  return text::is_xml_char(value) ? Reference{value, end + 1} : Reference{};
}

class PlainReader {
 public:
  PlainReader(std::string_view document, SaxHandler& handler)
      : at_(document.data()), end_(at_ + document.size()), handler_(handler) {}

  Result<void> run() {
    if (!is_clean(rest())) return not_plain();
    if (!skip_declaration()) return not_plain();
    skip_blanks();
    do {
      if (at_ == end_ || *at_ != '<') return not_plain();
      if (++at_ == end_) return not_plain();
      if (auto told = *at_ == '/' ? end_tag() : start_tag(); !told) return told;
      if (auto told = text(); !told) return told;
    } while (open_count_ > 0);
    return at_ == end_ ? handler_.end_document() : not_plain();
  }

 private:
  struct Name {
    std::string_view qualified = {};
    std::string_view prefix = {};
    std::string_view local = {};
  };
  struct Binding {
    std::string_view prefix;
    std::string_view space;
    std::size_t depth;
  };

  static Result<void> not_plain() { return fail(ErrorDomain::xml, "not-plain", "the document is not plain"); }
  std::string_view rest() const noexcept { return {at_, static_cast<std::size_t>(end_ - at_)}; }
  void skip_blanks() noexcept {
    while (at_ != end_ && is_blank(*at_)) ++at_;
  }

  /// The XML declaration says nothing that the scanner did not see to.
  bool skip_declaration() noexcept {
    if (rest().starts_with("\xEF\xBB\xBF")) at_ += 3;
    if (!rest().starts_with("<?xml ")) return true;
    const std::size_t end = rest().find("?>");
    if (end == std::string_view::npos || rest().substr(0, end).find('<', 1) != std::string_view::npos)
      return false;
    at_ += end + 2;
    return true;
  }

  bool name(Name& found) noexcept {
    const char* const from = at_;
    const auto part = [this] {
      const char* const begin = at_;
      if (at_ != end_ && begins_name(*at_))
        while (at_ != end_ && name_octets[static_cast<unsigned char>(*at_)]) ++at_;
      return std::string_view(begin, static_cast<std::size_t>(at_ - begin));
    };
    found.local = part();
    found.prefix = {};
    if (at_ != end_ && *at_ == ':') {
      ++at_;
      found.prefix = found.local;
      found.local = part();
      if (found.prefix.empty()) return false;
    }
    found.qualified = {from, static_cast<std::size_t>(at_ - from)};
    return !found.local.empty();
  }

  Result<void> start_tag() {
    Name tag;
    if (open_count_ == most_open || !name(tag)) return not_plain();
    attributes_.clear();
    declarations_.clear();
    decoded_values_.clear();
    for (;;) {
      const char* const before = at_;
      skip_blanks();
      if (at_ == end_) return not_plain();
      if (*at_ == '>' || *at_ == '/') break;
      if (at_ == before || !attribute()) return not_plain();
    }
    const std::string_view* const space = space_of(tag.prefix);
    if (space == nullptr) return not_plain();
    const bool is_empty = *at_ == '/';
    if (is_empty && (++at_ == end_ || *at_ != '>')) return not_plain();
    ++at_;
    open_[open_count_++] = tag.qualified;
    auto told = handler_.start_element({*space, tag.local, tag.prefix, attributes_, declarations_});
    if (!told) return told;
    return is_empty ? close() : Result<void>{};
  }

  bool attribute() {
    Name given;
    if (!name(given) || end_ - at_ < 3 || *at_ != '=') return false;
    const char quote = *++at_;
    if (quote != '"' && quote != '\'') return false;
    const char* const from = ++at_;
    bool has_references = false;
    while (at_ != end_ && *at_ != quote) {
      if (*at_ == '<' || *at_ == '\t' || *at_ == '\n') return false;
      has_references = has_references || *at_ == '&';
      ++at_;
    }
    if (at_ == end_) return false;
    std::string_view value(from, static_cast<std::size_t>(at_ - from));
    ++at_;
    if (has_references) {
      std::string& decoded = decoded_values_.emplace_back();
      const auto append = [&decoded](std::string_view piece) -> Result<void> {
        decoded += piece;
        return {};
      };
      if (!with_references(value, append)) return false;
      value = decoded;
    }
    if (given.prefix == "xmlns" || given.qualified == "xmlns") {
      const std::string_view prefix = given.prefix.empty() ? std::string_view() : given.local;
      // Whatever is said of "xml" and "xmlns", and a prefix for nothing, is not ordinary; nor a relative or
      // an odd name for a namespace, of which libxml2 warns.
      if (has_references || prefix.starts_with("xml") || value.empty() ||
          value.find(' ') != std::string_view::npos)
        return false;
      for (const NamespaceDeclaration& one : declarations_)
        if (one.prefix == prefix) return false;
      if (declarations_.size() == most_attributes) return false;
      declarations_.push_back({prefix, value});
      bindings_.push_back({prefix, value, open_count_});
      return true;
    }
    if (!given.prefix.empty() || attributes_.size() == most_attributes) return false;
    for (const Attribute& one : attributes_)
      if (one.local == given.local) return false;
    attributes_.push_back({{}, given.local, {}, value});
    return true;
  }

  const std::string_view* space_of(std::string_view prefix) const noexcept {
    static constexpr std::string_view none;
    for (auto one = bindings_.rbegin(); one != bindings_.rend(); ++one)
      if (one->prefix == prefix) return &one->space;
    return prefix.empty() ? &none : nullptr;
  }

  Result<void> end_tag() {
    ++at_;
    if (open_count_ == 0) return not_plain();
    const std::string_view expected = open_[open_count_ - 1];
    if (!rest().starts_with(expected)) return not_plain();
    at_ += expected.size();
    skip_blanks();
    if (at_ == end_ || *at_ != '>') return not_plain();
    ++at_;
    return close();
  }

  Result<void> close() {
    --open_count_;
    while (!bindings_.empty() && bindings_.back().depth == open_count_) bindings_.pop_back();
    return handler_.end_element();
  }

  /// Up to the next tag.
  Result<void> text() {
    if (open_count_ == 0) {
      skip_blanks();
      return {};
    }
    const void* const found = std::memchr(at_, '<', static_cast<std::size_t>(end_ - at_));
    if (found == nullptr) return not_plain();
    std::string_view piece(at_, static_cast<std::size_t>(static_cast<const char*>(found) - at_));
    at_ += piece.size();
    // "]]>" may not stand in text (XML 1.0, section 2.4).
    if (piece.find("]]>") != std::string_view::npos) return not_plain();
    return with_references(piece, [this](std::string_view part) { return handler_.text(part); });
  }

  /// `take`s the text in parts, references decoded.
  template <class Take>
  Result<void> with_references(std::string_view piece, const Take& take) {
    while (!piece.empty()) {
      const std::size_t plain = std::min(piece.find('&'), piece.size());
      if (plain > 0)
        if (auto taken = take(piece.substr(0, plain)); !taken) return taken;
      piece.remove_prefix(plain);
      if (piece.empty()) break;
      const Reference reference = reference_at(piece);
      if (reference.length == 0) return not_plain();
      character_.clear();
      text::append_utf8(character_, reference.character);
      if (auto taken = take(character_); !taken) return taken;
      piece.remove_prefix(reference.length);
    }
    return {};
  }

  const char* at_;
  const char* const end_;
  SaxHandler& handler_;
  std::array<std::string_view, most_open> open_ = {};
  std::size_t open_count_ = 0;
  std::vector<Binding> bindings_;
  std::vector<Attribute> attributes_;
  std::vector<NamespaceDeclaration> declarations_;
  std::deque<std::string> decoded_values_;  ///< of attributes_
  std::string character_;
};

}  // namespace

Result<void> read_plain(std::string_view document, SaxHandler& handler) {
  return PlainReader(document, handler).run();
}

}  // namespace syncline::ews::xml
