// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What names a message for good: UID, UIDVALIDITY and folder (RFC 9051 section 2.3.1.1).
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "routing/imap/uid_set.hpp"

namespace syncline::imap {

struct ItemId {
  Uid uid = 0;
  std::uint32_t uid_validity = 0;
  std::string folder = {};  ///< as on the wire
  /// "17.1700000000.INBOX"
  std::string text() const;
  static std::optional<ItemId> parse(std::string_view text);
  friend bool operator==(const ItemId&, const ItemId&) = default;
};

/// What survives a move and a new UIDVALIDITY: Gmail's number for the message, else size, time of
/// receipt and Message-ID together.
struct SearchKey {
  std::optional<std::uint64_t> gmail_message_id = std::nullopt;
  std::uint64_t octets = 0;
  std::int64_t received_seconds = 0;  ///< since the epoch
  std::string message_id = {};        ///< may be empty
  /// "g1278455344230334865", "m4711.1700000000.<id@host>"
  std::string text() const;
  static std::optional<SearchKey> parse(std::string_view text);
};

}  // namespace syncline::imap
