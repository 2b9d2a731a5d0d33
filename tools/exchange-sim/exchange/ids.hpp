// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Opaque names as clients see them: item, folder and attachment ids, change keys, sync states. Base64 over a
// block with a checksum, so that a garbled or foreign one is known as such.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/exchange-sim/exchange/calendar_time.hpp"

namespace exchange_sim {

using MailboxGuid = std::array<unsigned char, 16>;

enum class IdType : std::uint8_t { folder = 1, item = 2, occurrence = 3, attachment = 4 };

/// What an id says.
struct DecodedId {
  IdType type = IdType::item;
  MailboxGuid mailbox{};
  std::uint32_t number = 0;              ///< folder or item
  Day original_day = 0;                  ///< occurrence: its day in the series' zone
  std::vector<std::uint32_t> path = {};  ///< attachment: serials from the item down
};

std::string encode_id(const DecodedId& id);
/// nullopt: malformed.
std::optional<DecodedId> decode_id(std::string_view text);

std::string encode_change_key(std::uint64_t version, bool folder);
std::optional<std::uint64_t> decode_change_key(std::string_view text);

/// How far a folder (or the hierarchy: folder 0) was read. A round covers changes in (from, to]; `cursor` is
/// where in the folder's log the next page begins, going back in time.
struct SyncState {
  MailboxGuid mailbox{};
  std::uint32_t folder = 0;
  std::uint32_t epoch = 0;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::uint64_t cursor = 0;
  bool in_round = false;
  bool hierarchy = false;
};

std::string encode_sync_state(const SyncState& state);
std::optional<SyncState> decode_sync_state(std::string_view text);

}  // namespace exchange_sim
