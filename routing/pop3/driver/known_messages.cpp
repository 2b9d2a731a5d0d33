// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/pop3/driver/known_messages.hpp"

#include "base/text.hpp"
#include "routing/pop3/driver/header_hash.hpp"

namespace syncline::pop3 {
namespace {

constexpr std::string_view first_line = "pop3 1";
/// Half a million messages of 80 octets, and room.
constexpr std::size_t most_cursor_octets = std::size_t{256} << 20;

unexpected<Error> bad_cursor() {
  return fail(ErrorDomain::mail, "bad-cursor", "the saved state of the mailbox cannot be read",
              RetryClass::resync);
}

}  // namespace

Result<KnownMessages> KnownMessages::parse(std::string_view text) {
  KnownMessages known;
  if (text.empty()) return known;
  if (text.size() > most_cursor_octets) return bad_cursor();
  std::size_t at = text.find('\n');
  if (text.substr(0, at) != first_line) return bad_cursor();
  while (at != std::string_view::npos && at + 1 < text.size()) {
    const std::size_t end = text.find('\n', at + 1);
    const std::string_view line =
        text.substr(at + 1, end == std::string_view::npos ? std::string_view::npos : end - at - 1);
    at = end;
    const std::size_t first = line.find(' ');
    const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
    if (second == std::string_view::npos || first <= header_hash_characters) return bad_cursor();
    const auto octets = text::parse_int(line.substr(first + 1, second - first - 1));
    if (!octets || *octets < 0) return bad_cursor();
    known.all_.push_back({.id = std::string(line.substr(0, first)),
                          .octets = static_cast<std::uint64_t>(*octets),
                          .uid = std::string(line.substr(second + 1))});
  }
  return known;
}

std::string KnownMessages::text() const {
  std::string made(first_line);
  std::size_t size = made.size();
  for (const KnownMessage& message : all_) size += message.id.size() + message.uid.size() + 16;
  made.reserve(size);
  for (const KnownMessage& message : all_) {
    made += '\n';
    made += message.id;
    made += ' ';
    made += std::to_string(message.octets);
    made += ' ';
    made += message.uid;
  }
  return made;
}

std::string_view header_part(std::string_view id) noexcept {
  return id.substr(0, header_hash_characters);
}

}  // namespace syncline::pop3
