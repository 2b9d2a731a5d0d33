// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/pop3/status.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace syncline::pop3 {
namespace {

/// What follows an indicator, without the blank between.
std::string_view behind(std::string_view line, std::size_t indicator) {
  line.remove_prefix(indicator);
  if (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  return line;
}

bool begins(std::string_view line, std::string_view indicator) {
  return line.size() >= indicator.size() &&
         text::equals_ignore_case(line.substr(0, indicator.size()), indicator) &&
         (line.size() == indicator.size() || line[indicator.size()] == ' ' || line[indicator.size()] == '\t');
}

/// RFC 2449 section 8: a response code stands in brackets before the text.
std::string take_code(std::string_view& text) {
  if (text.empty() || text.front() != '[') return {};
  const std::size_t end = text.find(']');
  if (end == std::string_view::npos || end > 64) return {};
  std::string code(text.substr(1, end - 1));
  for (char& c : code)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  text = behind(text, end + 1);
  return code;
}

}  // namespace

Result<Status> parse_status(std::string_view line) {
  Status status;
  std::string_view rest;
  if (begins(line, "+OK")) {
    rest = behind(line, 3);
  } else if (begins(line, "-ERR")) {
    status.kind = Status::Kind::error;
    rest = behind(line, 4);
  } else if (line == "+" || line.starts_with("+ ")) {
    status.kind = Status::Kind::challenge;
    rest = behind(line, 1);
  } else {
    return fail(ErrorDomain::mail, "bad-reply", "what the server says is no POP3 reply", RetryClass::after);
  }
  if (status.kind != Status::Kind::challenge) status.code = take_code(rest);
  status.text = rest;
  return status;
}

std::string_view apop_timestamp(std::string_view greeting) noexcept {
  const std::size_t begin = greeting.rfind('<');
  if (begin == std::string_view::npos) return {};
  const std::size_t end = greeting.find('>', begin);
  if (end == std::string_view::npos) return {};
  const std::string_view stamp = greeting.substr(begin, end - begin + 1);
  // RFC 1939 section 7: a msg-id. Others put "<…>" into greetings for other reasons.
  const bool printable = std::all_of(stamp.begin(), stamp.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7f;
  });
  return printable && stamp.find('@') != std::string_view::npos && stamp.size() <= 256 ? stamp
                                                                                       : std::string_view();
}

}  // namespace syncline::pop3
