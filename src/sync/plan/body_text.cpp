// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/plan/body_text.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

#include "base/next_character.hpp"
#include "base/text.hpp"

namespace syncline::sync::plan {
namespace {

/// Puts words down with one blank between them.
class Words {
 public:
  /// `about_octets`: of all that will be added.
  explicit Words(std::size_t about_octets) : out_(about_octets + 1, '\0') {}

  /// Every body goes through here: eight octets at once where there is nothing to change, else one by one;
  /// each is written, and stays unless it is one more blank.
  void add(std::string_view text) {
    if (out_.size() - size_ < text.size() + 1) out_.resize(2 * out_.size() + text.size() + 1);
    char* to = out_.data() + size_;
    const char* at = text.data();
    const char* const end = at + text.size();
    bool after_blank = after_blank_;
    while (at != end) {
      std::uint64_t eight = 0;
      if (static_cast<std::size_t>(end - at) >= sizeof eight) {
        std::memcpy(&eight, at, sizeof eight);
        if (stays_as_it_is(eight, after_blank)) {
          std::memcpy(to, &eight, sizeof eight);
          at += sizeof eight;
          to += sizeof eight;
          after_blank = at[-1] == ' ';
          continue;
        }
      }
      for (const char* const stop = at + std::min<std::ptrdiff_t>(end - at, sizeof eight); at != stop; ++at) {
        const bool blank = is_blank(*at);
        *to = blank ? ' ' : *at;
        to += !(blank && after_blank);
        after_blank = blank;
      }
    }
    after_blank_ = after_blank;
    size_ = static_cast<std::size_t>(to - out_.data());
  }
  void gap() { add(" "); }
  std::string take() {
    if (size_ != 0 && out_[size_ - 1] == ' ') --size_;
    out_.resize(size_);
    return std::move(out_);
  }

 private:
  static bool is_blank(char c) {
    static constexpr std::uint64_t blanks =
        1ULL << ' ' | 1ULL << '\t' | 1ULL << '\n' | 1ULL << '\r' | 1ULL << '\f';
    const auto octet = static_cast<unsigned char>(c);
    return octet < 64 && (blanks >> octet & 1) != 0;
  }

  /// Words with single spaces between them; said of too few rather than of too many.
  static bool stays_as_it_is(std::uint64_t octets, bool after_blank) {
    static_assert(std::endian::native == std::endian::little, "the first octet is the lowest");
    constexpr std::uint64_t low_bits = 0x7f7f7f7f7f7f7f7f;
    constexpr std::uint64_t high_bits = ~low_bits;
    constexpr std::uint64_t spaces = 0x2020202020202020;
    constexpr std::uint64_t up_to_space = 0x5f5f5f5f5f5f5f5f;  // plus 0x21 is 0x80
    const std::uint64_t controls_and_spaces = ~(((octets & low_bits) + up_to_space) | octets) & high_bits;
    if (controls_and_spaces == 0) return true;
    const std::uint64_t others = octets ^ spaces;
    const std::uint64_t is_space = ~(((others & low_bits) + low_bits) | others | low_bits);
    const bool doubled = (is_space & (is_space << 8)) != 0 || (after_blank && (is_space & 0x80) != 0);
    return controls_and_spaces == is_space && !doubled;
  }

  std::string out_;
  std::size_t size_ = 0;
  bool after_blank_ = true;  ///< also before anything was put down
};

/// What mail programs write; other names stay as they are, on both sides of a comparison.
constexpr std::pair<std::string_view, std::string_view> entities[] = {
    {"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""}, {"apos", "'"}, {"nbsp", " "},
};

/// The text of "&name;" or "&#number;" at `at`, and where it ends.
std::optional<std::pair<std::string, std::size_t>> entity_at(std::string_view html, std::size_t at) {
  const std::size_t end = html.substr(at, 12).find(';');
  if (end == std::string_view::npos || end < 2) return std::nullopt;
  std::string_view name = html.substr(at + 1, end - 1);
  const std::size_t after = at + end + 1;
  if (name[0] != '#') {
    for (const auto& [known, meaning] : entities)
      if (known == name) return std::pair{std::string(meaning), after};
    return std::nullopt;
  }
  name.remove_prefix(1);
  std::uint32_t code = 0;
  const bool hexadecimal = !name.empty() && (name[0] == 'x' || name[0] == 'X');
  if (hexadecimal) name.remove_prefix(1);
  if (name.empty()) return std::nullopt;
  for (const char c : name) {
    std::uint32_t digit = 16;
    if (c >= '0' && c <= '9') digit = static_cast<std::uint32_t>(c - '0');
    if (hexadecimal && (c | 0x20) >= 'a' && (c | 0x20) <= 'f')
      digit = static_cast<std::uint32_t>((c | 0x20) - 'a') + 10;
    if (digit >= (hexadecimal ? 16U : 10U) || code > 0x10ffff) return std::nullopt;
    code = code * (hexadecimal ? 16 : 10) + digit;
  }
  if (code == 0xa0) return std::pair{std::string(" "), after};
  if (!text::is_xml_char(code)) return std::nullopt;
  std::string character;
  text::append_utf8(character, code);
  return std::pair{character, after};
}

bool starts_with_ignoring_case(std::string_view text, std::string_view start) {
  return text.size() >= start.size() && text::equals_ignore_case(text.substr(0, start.size()), start);
}

/// Where the element that begins with `<style` or `<script` ends.
std::size_t end_of_raw_element(std::string_view html, std::size_t at, std::string_view name) {
  for (std::size_t close = html.find("</", at); close != std::string_view::npos;
       close = html.find("</", close + 2))
    if (starts_with_ignoring_case(html.substr(close + 2), name)) {
      const std::size_t end = html.find('>', close);
      return end == std::string_view::npos ? html.size() : end + 1;
    }
  return html.size();
}

}  // namespace

namespace {

constexpr std::string_view no_break_space = "\xc2\xa0";

/// "html", "text", or empty for what is no body.
std::string_view type_of_body(const model::FieldValue& body) {
  const boost::json::object* object = body.if_object();
  const boost::json::value* type = object == nullptr ? nullptr : object->if_contains("type");
  return type != nullptr && type->is_string() ? std::string_view(type->get_string()) : std::string_view();
}

/// The end of "<https://…>" or "[cid:…]" at `at`; npos: there is none.
std::size_t end_of_addition(std::string_view text, std::size_t at) {
  const std::string_view rest = text.substr(at + 1, 8);
  const char close = text[at] == '<' ? '>' : ']';
  bool found = false;
  for (const std::string_view scheme : {"http:", "https:", "mailto:", "file:", "tel:", "ftp:"})
    found |= close == '>' && starts_with_ignoring_case(rest, scheme);
  found |= close == ']' && starts_with_ignoring_case(rest, "cid:");
  if (!found) return std::string_view::npos;
  const std::size_t end = text.find_first_of("<>[] \n", at + 1);
  return end == std::string_view::npos || text[end] != close ? std::string_view::npos : end;
}

/// Words without the blanks between them and without what a plain copy has beyond its original.
std::string bare(std::string_view words) {
  std::string out;
  for (std::size_t at = 0; at < words.size(); ++at) {
    if (words[at] == ' ') continue;
    if (words[at] == '<' || words[at] == '[')
      if (const std::size_t end = end_of_addition(words, at); end != std::string_view::npos) {
        at = end;
        continue;
      }
    out += words[at];
  }
  return out;
}

}  // namespace

std::string words_of_html(std::string_view html) {
  Words words(html.size());
  text::NextCharacter tag(html, '<');
  text::NextCharacter entity_sign(html, '&');
  std::size_t at = 0;
  while (at < html.size()) {
    if (html[at] == '&') {
      if (auto entity = entity_at(html, at)) {
        words.add(entity->first);
        at = entity->second;
        continue;
      }
      words.add("&");
      ++at;
      continue;
    }
    if (html[at] != '<') {
      const std::size_t next = std::min(tag.from(at), entity_sign.from(at));
      words.add(html.substr(at, next - at));
      at = next;
      continue;
    }
    words.gap();
    const std::string_view rest = html.substr(at);
    if (rest.starts_with("<!--")) {
      const std::size_t end = html.find("-->", at + 4);
      at = end == std::string_view::npos ? html.size() : end + 3;
    } else if (starts_with_ignoring_case(rest, "<style")) {
      at = end_of_raw_element(html, at, "style");
    } else if (starts_with_ignoring_case(rest, "<script")) {
      at = end_of_raw_element(html, at, "script");
    } else if (starts_with_ignoring_case(rest, "<title")) {
      at = end_of_raw_element(html, at, "title");
    } else {
      const std::size_t end = html.find('>', at);
      at = end == std::string_view::npos ? html.size() : end + 1;
    }
  }
  return words.take();
}

std::string words_of_text(std::string_view text) {
  Words words(text.size());
  // A no-break space separates words in HTML's plain copies.
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t next = text.find(no_break_space, at);
    words.add(text.substr(at, next == std::string_view::npos ? next : next - at));
    if (next == std::string_view::npos) break;
    words.gap();
    at = next + no_break_space.size();
  }
  return words.take();
}

std::string words_of_body(const model::FieldValue& body) {
  const boost::json::object* object = body.if_object();
  if (object == nullptr) return {};
  const boost::json::value* value = object->if_contains("value");
  if (value == nullptr || !value->is_string()) return {};
  if (type_of_body(body) != "html") return words_of_text(value->get_string());
  std::string words = words_of_html(value->get_string());
  return words.find(no_break_space) == std::string::npos ? words : words_of_text(words);
}

bool is_plain_copy(const model::FieldValue& plain, const model::FieldValue& rich) {
  if (type_of_body(plain) != "text" || type_of_body(rich) != "html") return false;
  return bare(words_of_body(plain)) == bare(words_of_body(rich));
}

}  // namespace syncline::sync::plan
