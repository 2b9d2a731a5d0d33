// SPDX-License-Identifier: GPL-3.0-or-later
#include "mime/parameters.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "mime/charset.hpp"
#include "mime/encoded_word.hpp"

namespace syncline::mime {
namespace {

/// Names in hundreds of pieces do not come from programs that people write mail with.
constexpr std::size_t pieces_limit = 512;
constexpr int sections_limit = 1'000;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}
  bool at_end() const { return at_ >= text_.size(); }
  char peek() const { return text_[at_]; }
  void skip() { ++at_; }

  void skip_space_and_comments() {
    int depth = 0;
    for (; !at_end(); skip()) {
      const char c = peek();
      if (depth > 0 && c == '\\') {
        skip();
        if (at_end()) return;
      } else if (c == '(') {
        ++depth;
      } else if (c == ')' && depth > 0) {
        --depth;
      } else if (depth == 0 && !is_space(c)) {
        return;
      }
    }
  }
  std::string_view until(std::string_view stops) {
    const std::size_t from = at_;
    at_ = std::min(text_.find_first_of(stops, at_), text_.size());
    return text_.substr(from, at_ - from);
  }
  /// After the opening quote. A backslash stands for itself unless it is before a quote or another: senders
  /// put Windows' paths here.
  std::string quoted() {
    std::string out;
    for (; !at_end(); skip()) {
      const char c = peek();
      if (c == '"') {
        skip();
        break;
      }
      if (c == '\\' && at_ + 1 < text_.size() && (text_[at_ + 1] == '"' || text_[at_ + 1] == '\\')) skip();
      out.push_back(peek());
    }
    return out;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Parameters Parameters::parse(std::string_view field) {
  Parameters out;
  Cursor cursor(field);
  cursor.skip_space_and_comments();
  // "text / plain" and "text/plain charset=utf-8" are seen.
  for (const char c : cursor.until(";("))
    if (!is_space(c)) out.value_.push_back(c);
  out.value_ = text::to_lower_ascii(out.value_);
  cursor.skip_space_and_comments();
  cursor.until(";");

  while (!cursor.at_end() && out.pieces_.size() < pieces_limit) {
    cursor.skip();  // the ';'
    cursor.skip_space_and_comments();
    std::string_view name = text::trim(cursor.until("=;"));
    if (cursor.at_end() || cursor.peek() == ';') continue;
    cursor.skip();
    cursor.skip_space_and_comments();
    Piece piece;
    if (!cursor.at_end() && cursor.peek() == '"') {
      cursor.skip();
      piece.octets = cursor.quoted();
      cursor.until(";");
    } else {
      piece.octets = std::string(text::trim(cursor.until(";")));
    }
    if (!name.empty() && name.back() == '*') {
      piece.is_encoded = true;
      name.remove_suffix(1);
    }
    if (const std::size_t star = name.find('*'); star != std::string_view::npos) {
      const auto section = text::parse_int(name.substr(star + 1));
      if (!section || *section < 0 || *section >= sections_limit) continue;
      piece.section = static_cast<int>(*section);
      name = name.substr(0, star);
    }
    piece.name = text::to_lower_ascii(text::trim(name));
    if (!piece.name.empty()) out.pieces_.push_back(std::move(piece));
  }
  return out;
}

std::optional<Parameters::Found> Parameters::find(std::string_view name) const {
  const Piece* plain = nullptr;
  const Piece* single = nullptr;
  std::vector<const Piece*> sections;
  for (const Piece& piece : pieces_) {
    if (piece.name != name) continue;
    if (piece.section >= 0) {
      sections.push_back(&piece);
    } else if (piece.is_encoded) {
      if (single == nullptr) single = &piece;
    } else if (plain == nullptr) {
      plain = &piece;
    }
  }
  if (single != nullptr) {
    sections = {single};
  } else {
    std::stable_sort(sections.begin(), sections.end(),
                     [](const Piece* a, const Piece* b) { return a->section < b->section; });
    // Without its beginning a value in pieces is none.
    if (!sections.empty() && sections[0]->section > 1) sections.clear();
  }
  if (sections.empty()) {
    if (plain == nullptr) return std::nullopt;
    Found found;
    found.octets = plain->octets;
    return found;
  }

  Found found;
  int last = -2;
  for (const Piece* piece : sections) {
    if (piece->section == last) continue;  // twice: the first holds
    if (last >= 0 && piece->section != last + 1) break;
    last = piece->section;
    std::string_view octets = piece->octets;
    if (piece->is_encoded) {
      if (piece == sections[0]) {
        const std::size_t charset_end = octets.find('\'');
        const std::size_t language_end =
            charset_end == std::string_view::npos ? charset_end : octets.find('\'', charset_end + 1);
        if (language_end != std::string_view::npos) {
          found.charset = std::string(octets.substr(0, charset_end));
          octets.remove_prefix(language_end + 1);
        }
      }
      found.is_encoded = true;
      found.octets += text::percent_decoded(octets);
    } else {
      found.octets += octets;
    }
  }
  return found;
}

std::optional<std::string> Parameters::octets(std::string_view name) const {
  auto found = find(name);
  if (!found) return std::nullopt;
  return std::move(found->octets);
}

std::optional<std::string> Parameters::text(std::string_view name, std::string_view hint,
                                            Defects& defects) const {
  const auto found = find(name);
  if (!found) return std::nullopt;
  if (!found->is_encoded) {
    HeaderText decoded = decode_unstructured(found->octets, hint);
    defects.add(decoded.defects);
    return std::move(decoded.text);
  }
  DecodedText decoded = to_utf8(found->octets, found->charset, hint);
  defects.add(decoded.defects);
  return printable(decoded.utf8);
}

}  // namespace syncline::mime
