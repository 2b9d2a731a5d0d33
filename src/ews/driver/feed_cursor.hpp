// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How far a folder was read, as text: the server's own sync state, or, where a folder has none, the
// last modification time that was seen and what was seen of that second.
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"

namespace syncline::ews {

struct SyncCursor {
  std::string state = {};  ///< empty: from the beginning
};

struct FindCursor {
  std::string at = {};  ///< "2026-11-22T10:00:00Z"; empty: from the beginning
  /// Items last modified in that second which were given: digests of id and change key, sorted. A second may
  /// bring more after it was read, and servers tell no finer time.
  std::vector<std::string> seen = {};
};

using FeedCursor = std::variant<SyncCursor, FindCursor>;

std::string to_text(const FeedCursor& cursor);
/// Error (domain ews, resync): "bad-cursor" for a text that is none.
Result<FeedCursor> parse_cursor(std::string_view text);

/// Of an item as FindCursor::seen has it.
std::string digest_of(std::string_view id, std::string_view change_key);

}  // namespace syncline::ews
