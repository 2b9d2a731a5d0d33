// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/pop3/capabilities.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace syncline::pop3 {
namespace {

constexpr std::size_t most_mechanisms = 64;

std::string upper(std::string_view text) {
  std::string made(text);
  for (char& c : made)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return made;
}

}  // namespace

void read_capability(Capabilities& capabilities, std::string_view line) {
  std::vector<std::string_view> words = text::split(text::trim(line), ' ');
  std::erase(words, std::string_view());
  if (words.empty()) return;
  const std::string tag = upper(words.front());
  if (tag == "TOP") capabilities.top = true;
  if (tag == "UIDL") capabilities.uidl = true;
  if (tag == "USER") capabilities.user = true;
  if (tag == "PIPELINING") capabilities.pipelining = true;
  if (tag == "STLS") capabilities.stls = true;
  if (tag == "RESP-CODES") capabilities.response_codes = true;
  if (tag == "AUTH-RESP-CODE") capabilities.authentication_response_code = true;
  if (tag == "LOGIN-DELAY" && words.size() > 1)
    if (const auto seconds = text::parse_int(words[1]); seconds && *seconds > 0 && *seconds <= 86'400)
      capabilities.login_delay = std::chrono::seconds(*seconds);
  if (tag == "IMPLEMENTATION" && words.size() > 1) capabilities.implementation = words[1];
  if (tag != "SASL") return;
  for (std::size_t i = 1; i < words.size(); ++i) {
    std::string name = upper(words[i]);
    auto& known = capabilities.mechanisms;
    if (known.size() < most_mechanisms && std::find(known.begin(), known.end(), name) == known.end())
      known.push_back(std::move(name));
  }
}

}  // namespace syncline::pop3
