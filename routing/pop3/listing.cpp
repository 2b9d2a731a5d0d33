// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/pop3/listing.hpp"

#include <algorithm>
#include <limits>

#include "base/text.hpp"

namespace syncline::pop3 {
namespace {

constexpr std::size_t most_uid_octets = 500;

/// The number in front, and the word behind it.
struct Fields {
  std::uint32_t number = 0;
  std::string_view word = {};
};

std::optional<Fields> fields_of(std::string_view line) {
  const std::size_t blank = line.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  const auto number = text::parse_int(line.substr(0, blank));
  if (!number || *number < 1 || *number > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  const std::size_t begin = line.find_first_not_of(' ', blank);
  if (begin == std::string_view::npos) return std::nullopt;
  const std::size_t end = std::min(line.find(' ', begin), line.size());
  return Fields{static_cast<std::uint32_t>(*number), line.substr(begin, end - begin)};
}

}  // namespace

std::optional<ListedSize> parse_list_line(std::string_view line) {
  const auto fields = fields_of(line);
  if (!fields) return std::nullopt;
  const auto octets = text::parse_int(fields->word);
  if (!octets || *octets < 0) return std::nullopt;
  return ListedSize{fields->number, static_cast<std::uint64_t>(*octets)};
}

std::optional<ListedUid> parse_uidl_line(std::string_view line) {
  const auto fields = fields_of(line);
  if (!fields || fields->word.size() > most_uid_octets) return std::nullopt;
  const bool printable = std::all_of(fields->word.begin(), fields->word.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) != 0x7f;
  });
  if (!printable) return std::nullopt;
  return ListedUid{fields->number, std::string(fields->word)};
}

}  // namespace syncline::pop3
