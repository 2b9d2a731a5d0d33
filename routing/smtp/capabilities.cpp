// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/smtp/capabilities.hpp"

#include <algorithm>
#include <string_view>

#include "base/text.hpp"

namespace syncline::smtp {
namespace {

constexpr std::size_t most_mechanisms = 64;

std::string upper(std::string_view text) {
  std::string made(text);
  for (char& c : made)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return made;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t begin = line.find_first_not_of(" \t", at);
    if (begin == std::string_view::npos) break;
    const std::size_t end = std::min(line.find_first_of(" \t", begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    at = end;
  }
  return words;
}

std::optional<std::uint64_t> number(std::string_view text) {
  const auto value = text::parse_int(text);
  if (!value || *value <= 0) return std::nullopt;
  return static_cast<std::uint64_t>(*value);
}

void add_mechanism(Capabilities& capabilities, std::string_view word) {
  std::string name = upper(word);
  auto& known = capabilities.mechanisms;
  if (name.empty() || known.size() == most_mechanisms) return;
  if (std::find(known.begin(), known.end(), name) == known.end()) known.push_back(std::move(name));
}

void read_limits(Capabilities& capabilities, const std::vector<std::string_view>& words) {
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::size_t equals = words[i].find('=');
    if (equals == std::string_view::npos) continue;
    const std::string name = upper(words[i].substr(0, equals));
    const auto value = number(words[i].substr(equals + 1));
    if (name == "RCPTMAX") capabilities.most_recipients = value;
    if (name == "MAILMAX") capabilities.most_messages = value;
  }
}

void read_line(Capabilities& capabilities, std::string_view line) {
  const std::vector<std::string_view> words = words_of(line);
  if (words.empty()) return;
  const std::string keyword = upper(words.front());
  if (keyword == "STARTTLS") capabilities.starttls = true;
  if (keyword == "PIPELINING") capabilities.pipelining = true;
  if (keyword == "CHUNKING") capabilities.chunking = true;
  if (keyword == "8BITMIME") capabilities.eight_bit_mime = true;
  if (keyword == "SMTPUTF8") capabilities.smtputf8 = true;
  if (keyword == "DSN") capabilities.dsn = true;
  if (keyword == "ENHANCEDSTATUSCODES") capabilities.enhanced_status_codes = true;
  if (keyword == "SIZE") {
    capabilities.size = true;
    if (words.size() > 1) capabilities.size_limit_octets = number(words[1]);
  }
  if (keyword == "LIMITS") read_limits(capabilities, words);
  if (keyword == "AUTH")
    for (std::size_t i = 1; i < words.size(); ++i) add_mechanism(capabilities, words[i]);
  // The form of a draft, still sent beside the other: "AUTH=LOGIN PLAIN".
  if (keyword.starts_with("AUTH=")) {
    add_mechanism(capabilities, std::string_view(keyword).substr(5));
    for (std::size_t i = 1; i < words.size(); ++i) add_mechanism(capabilities, words[i]);
  }
}

}  // namespace

Capabilities read_capabilities(const Reply& ehlo) {
  Capabilities capabilities;
  for (std::size_t i = 1; i < ehlo.lines.size(); ++i) read_line(capabilities, ehlo.lines[i]);
  return capabilities;
}

}  // namespace syncline::smtp
