// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/imap/driver/feed_cursor.hpp"

#include <vector>

#include "base/text.hpp"
#include "routing/imap/tokens.hpp"

namespace syncline::imap {
namespace {

constexpr std::string_view version = "1";
constexpr std::size_t most_ranges = 4'000'000;

std::string set_text(const UidSet& set) {
  return set.empty() ? "-" : set.to_string();
}

}  // namespace

std::string FeedCursor::text() const {
  std::string out(version);
  for (const std::uint64_t number : {std::uint64_t{uid_validity}, modseq, next_modseq, std::uint64_t{mark},
                                     std::uint64_t{floor}, std::uint64_t{down}, hidden})
    out += " " + std::to_string(number);
  return out + " " + set_text(known) + " " + set_text(seen);
}

std::optional<FeedCursor> FeedCursor::parse(std::string_view text) {
  const std::vector<std::string_view> words = syncline::text::split(text, ' ');
  if (words.size() != 10 || words[0] != version) return std::nullopt;
  std::uint64_t numbers[7] = {};
  for (std::size_t i = 0; i < 7; ++i) {
    const auto number = parse_number(words[i + 1]);
    if (!number || (i != 1 && i != 2 && i != 6 && *number > 0xFFFFFFFFU)) return std::nullopt;
    numbers[i] = *number;
  }
  FeedCursor cursor;
  cursor.uid_validity = static_cast<std::uint32_t>(numbers[0]);
  cursor.modseq = numbers[1];
  cursor.next_modseq = numbers[2];
  cursor.mark = static_cast<Uid>(numbers[3]);
  cursor.floor = static_cast<Uid>(numbers[4]);
  cursor.down = static_cast<Uid>(numbers[5]);
  cursor.hidden = numbers[6];
  for (auto [word, set] : {std::pair(words[8], &cursor.known), std::pair(words[9], &cursor.seen)}) {
    if (word == "-") continue;
    auto parsed = UidSet::parse(word, most_ranges);
    if (!parsed) return std::nullopt;
    *set = std::move(*parsed);
  }
  return cursor;
}

}  // namespace syncline::imap
