// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/codec/detail/fragment.hpp"

#include <charconv>
#include <optional>

#include "base/text.hpp"

namespace syncline::ews::codec {
namespace {

constexpr std::size_t max_elements = 10'000;
constexpr std::string_view white_space = " \t\r\n";

std::string_view local_part(std::string_view name) {
  const auto colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

void append_reference(std::string& out, std::string_view name) {
  if (name == "amp") {
    out += '&';
  } else if (name == "lt") {
    out += '<';
  } else if (name == "gt") {
    out += '>';
  } else if (name == "quot") {
    out += '"';
  } else if (name == "apos") {
    out += '\'';
  } else if (name.starts_with('#')) {
    name.remove_prefix(1);
    const bool hex = name.starts_with('x') || name.starts_with('X');
    if (hex) name.remove_prefix(1);
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value, hex ? 16 : 10);
    const bool whole = error == std::errc{} && end == name.data() + name.size();
    text::append_utf8(out, whole && text::is_xml_char(value) ? static_cast<char32_t>(value) : U'\xFFFD');
  }
}

std::string unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto ampersand = text.find('&');
    out += text.substr(0, ampersand);
    if (ampersand == std::string_view::npos) break;
    text.remove_prefix(ampersand + 1);
    const auto semicolon = text.substr(0, 12).find(';');
    if (semicolon == std::string_view::npos) {
      out += '&';
      continue;
    }
    append_reference(out, text.substr(0, semicolon));
    text.remove_prefix(semicolon + 1);
  }
  return out;
}

// What stands between '<' and '>' of a start tag. nullopt: the text ends first.
struct Tag {
  std::string_view name;
  std::string_view attributes;
  bool empty = false;
  std::size_t length = 0;  // from '<' to '>', both included
};

std::optional<Tag> read_tag(std::string_view text) {
  std::size_t end = 1;
  char quote = 0;
  while (end < text.size() && (quote != 0 || text[end] != '>')) {
    if (quote != 0) {
      if (text[end] == quote) quote = 0;
    } else if (text[end] == '"' || text[end] == '\'') {
      quote = text[end];
    }
    ++end;
  }
  if (end >= text.size()) return std::nullopt;
  Tag tag;
  tag.length = end + 1;
  auto inner = text.substr(1, end - 1);
  if (inner.ends_with('/')) {
    tag.empty = true;
    inner.remove_suffix(1);
  }
  const auto name_end = inner.find_first_of(white_space);
  tag.name = inner.substr(0, name_end);
  if (name_end != std::string_view::npos) tag.attributes = inner.substr(name_end);
  return tag;
}

void read_attributes(std::string_view text, FragmentElement& element) {
  for (;;) {
    const auto start = text.find_first_not_of(white_space);
    if (start == std::string_view::npos) return;
    text.remove_prefix(start);
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) return;
    const auto name = text::trim(text.substr(0, equals));
    text.remove_prefix(equals + 1);
    const auto open = text.find_first_of("\"'");
    if (open == std::string_view::npos) return;
    const auto close = text.find(text[open], open + 1);
    if (close == std::string_view::npos) return;
    if (!name.starts_with("xmlns"))
      element.attributes.emplace_back(local_part(name), unescape(text.substr(open + 1, close - open - 1)));
    text.remove_prefix(close + 1);
  }
}

// The length of a comment, CDATA section, declaration or instruction at the front; 0: something else stands
// there; npos: it has no end.
std::size_t length_of_other_markup(std::string_view text) {
  const auto through = [&](std::string_view end, std::size_t from) {
    const auto at = text.find(end, from);
    return at == std::string_view::npos ? at : at + end.size();
  };
  if (text.starts_with("<!--")) return through("-->", 4);
  if (text.starts_with("<![CDATA[")) return through("]]>", 9);
  if (text.starts_with("<?")) return through("?>", 2);
  if (text.starts_with("<!")) return through(">", 2);
  return 0;
}

}  // namespace

std::string FragmentElement::attribute(std::string_view local_name) const {
  for (const auto& [name, value] : attributes)
    if (name == local_name) return value;
  return {};
}

std::vector<FragmentElement> read_fragment(std::string_view xml) {
  std::vector<FragmentElement> elements;
  std::vector<std::size_t> open;
  while (!xml.empty()) {
    const auto angle = xml.find('<');
    if (!open.empty()) elements[open.back()].text += unescape(xml.substr(0, angle));
    if (angle == std::string_view::npos) break;
    xml.remove_prefix(angle);
    if (const auto length = length_of_other_markup(xml); length != 0) {
      if (length == std::string_view::npos) break;
      if (xml.starts_with("<![CDATA[") && !open.empty())
        elements[open.back()].text += xml.substr(9, length - 12);
      xml.remove_prefix(length);
      continue;
    }
    const auto tag = read_tag(xml);
    if (!tag) break;
    xml.remove_prefix(tag->length);
    if (tag->name.starts_with('/')) {
      if (!open.empty()) open.pop_back();
      continue;
    }
    if (elements.size() == max_elements) break;
    if (!open.empty()) elements[open.back()].has_children = true;
    auto& element = elements.emplace_back(FragmentElement{.name = std::string(local_part(tag->name)),
                                                          .depth = static_cast<unsigned>(open.size())});
    read_attributes(tag->attributes, element);
    if (!tag->empty) open.push_back(elements.size() - 1);
  }
  return elements;
}

std::string_view root_name(std::string_view xml) {
  if (xml.starts_with("\xEF\xBB\xBF")) xml.remove_prefix(3);
  for (;;) {
    const auto start = xml.find_first_not_of(white_space);
    if (start == std::string_view::npos || xml[start] != '<') return {};
    xml.remove_prefix(start);
    const auto length = length_of_other_markup(xml);
    if (length == std::string_view::npos) return {};
    if (length == 0) break;
    xml.remove_prefix(length);
  }
  const auto end = xml.find_first_of("> \t\r\n/", 1);
  return local_part(xml.substr(1, end == std::string_view::npos ? end : end - 1));
}

}  // namespace syncline::ews::codec
