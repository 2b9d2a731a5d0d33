// SPDX-License-Identifier: GPL-3.0-or-later
#include "mime/message_ids.hpp"

#include <algorithm>
#include <unordered_set>

#include "base/text.hpp"
#include "mime/encoded_word.hpp"

namespace syncline::mime {
namespace {

constexpr std::size_t id_octets_limit = 2'000;
constexpr std::size_t ids_limit = 1'000;
constexpr std::size_t written_octets_limit = 900;

/// The id between the brackets at `open`, blanks that folding left in it dropped; empty if there is none.
std::string bracketed(std::string_view text, std::size_t open, std::size_t& end) {
  const std::size_t close = text.find_first_of("<>", open + 1);
  if (close == std::string_view::npos || text[close] == '<') {
    end = close;
    return {};
  }
  end = close + 1;
  std::string id = "<";
  for (const char c : text.substr(open + 1, close - open - 1))
    if (c != ' ') id.push_back(c);
  id.push_back('>');
  return id.size() > 2 && id.size() <= id_octets_limit ? id : std::string();
}

}  // namespace

MessageId read_message_id(std::string_view field) {
  const std::string text = printable(text::to_xml_text(field));
  for (std::size_t open = text.find('<'); open != std::string::npos;) {
    std::size_t end = 0;
    std::string id = bracketed(text, open, end);
    if (!id.empty()) return {.id = id, .is_clean = id == text};
    open = end == std::string::npos ? end : text.find('<', end);
  }
  // No brackets: still what its sender knows it by.
  if (text.empty() || text.size() > id_octets_limit) return {};
  return {.id = text, .is_clean = false};
}

std::vector<std::string> read_message_ids(std::string_view field) {
  const std::string text = printable(text::to_xml_text(field));
  std::vector<std::string> ids;
  std::unordered_set<std::string> seen;
  for (std::size_t open = text.find('<'); open != std::string::npos && ids.size() < ids_limit;) {
    std::size_t end = 0;
    std::string id = bracketed(text, open, end);
    if (!id.empty() && seen.insert(id).second) ids.push_back(std::move(id));
    open = end == std::string::npos ? end : text.find('<', end);
  }
  if (ids.empty() && text.size() <= id_octets_limit && text.find('@') != std::string::npos &&
      text.find_first_of(" <>\"") == std::string::npos)
    ids.push_back(text);
  return ids;
}

bool is_message_id(std::string_view text, bool utf8) noexcept {
  if (text.size() < 3 || text.size() > written_octets_limit || text.front() != '<' || text.back() != '>')
    return false;
  const std::string_view inner = text.substr(1, text.size() - 2);
  return std::all_of(inner.begin(), inner.end(),
                     [&](char c) {
                       const auto octet = static_cast<unsigned char>(c);
                       return octet > 0x20 && octet != 0x7F && c != '<' && c != '>' && (octet < 0x80 || utf8);
                     }) &&
         text::is_valid_utf8(inner);
}

}  // namespace syncline::mime
