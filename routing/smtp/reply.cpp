// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/smtp/reply.hpp"

#include <utility>

namespace syncline::smtp {
namespace {

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

unexpected<Error> unreadable(std::string code, std::string message) {
  return fail(ErrorDomain::mail, std::move(code), std::move(message), RetryClass::after);
}

}  // namespace

std::string to_string(const EnhancedCode& code) {
  return std::to_string(code.status_class) + "." + std::to_string(code.subject) + "." +
         std::to_string(code.detail);
}

std::optional<EnhancedCode> parse_enhanced_code(std::string_view text) noexcept {
  int parts[3] = {};
  std::size_t at = 0;
  for (int part = 0; part < 3; ++part) {
    if (part > 0) {
      if (at == text.size() || text[at] != '.') return std::nullopt;
      ++at;
    }
    std::size_t digits = 0;
    for (; at < text.size() && is_digit(text[at]) && digits < 3; ++at, ++digits)
      parts[part] = parts[part] * 10 + (text[at] - '0');
    if (digits == 0) return std::nullopt;
  }
  if (at < text.size() && text[at] != ' ' && text[at] != '\t') return std::nullopt;
  if (parts[0] != 2 && parts[0] != 4 && parts[0] != 5) return std::nullopt;
  return EnhancedCode{parts[0], parts[1], parts[2]};
}

std::optional<EnhancedCode> Reply::enhanced() const noexcept {
  for (const std::string& line : lines)
    if (const auto found = parse_enhanced_code(line); found && found->status_class == code / 100)
      return found;
  return std::nullopt;
}

std::string Reply::describe() const {
  std::string text = std::to_string(code);
  for (const std::string& line : lines)
    if (!line.empty()) text.append(" ").append(line);
  return text;
}

Result<std::size_t> ReplyReader::feed(std::string_view octets) {
  std::size_t used = 0;
  while (!complete_ && used < octets.size()) {
    auto count = line_.feed(octets.substr(used));
    if (!count) {
      Error error = std::move(count.error());
      error.retry = RetryClass::after;
      return fail(std::move(error));
    }
    used += *count;
    octets_ += *count;
    if (octets_ > limits_.octets)
      return unreadable("reply-too-long",
                        "the server's reply is longer than " + std::to_string(limits_.octets) + " octets");
    if (!line_.complete()) break;
    if (auto taken = take_line(line_.take()); !taken) return fail(std::move(taken.error()));
  }
  return used;
}

Result<void> ReplyReader::take_line(std::string line) {
  const bool has_code = line.size() >= 3 && line[0] >= '2' && line[0] <= '5' && is_digit(line[1]) &&
                        is_digit(line[2]) && (line.size() == 3 || line[3] == ' ' || line[3] == '-');
  if (!has_code) return unreadable("bad-reply", "what the server says is no SMTP reply");
  const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  if (reply_.code != 0 && reply_.code != code)
    return unreadable("bad-reply", "the lines of the server's reply have different codes");
  if (reply_.lines.size() == limits_.lines)
    return unreadable("reply-too-long",
                      "the server's reply has more than " + std::to_string(limits_.lines) + " lines");
  reply_.code = code;
  complete_ = line.size() == 3 || line[3] == ' ';
  reply_.lines.push_back(line.size() > 4 ? line.substr(4) : std::string());
  return {};
}

Reply ReplyReader::take() {
  complete_ = false;
  octets_ = 0;
  return std::exchange(reply_, {});
}

}  // namespace syncline::smtp
