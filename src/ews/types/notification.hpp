// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Events of pull and streaming subscriptions.
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ews/types/date_time.hpp"
#include "ews/types/enums.hpp"
#include "ews/types/ids.hpp"

namespace syncline::ews {

struct Event {
  Open<EventKind> kind = EventKind::status_event;  ///< the element's name; StatusEvent is a heartbeat
  std::optional<std::string> watermark = std::nullopt;
  std::optional<DateTime> time_stamp = std::nullopt;
  std::optional<ItemId> item_id = std::nullopt;      ///< either this …
  std::optional<FolderId> folder_id = std::nullopt;  ///< … or this
  std::optional<FolderId> parent_folder_id = std::nullopt;
  std::optional<ItemId> old_item_id = std::nullopt;  ///< moved, copied
  std::optional<FolderId> old_folder_id = std::nullopt;
  std::optional<FolderId> old_parent_folder_id = std::nullopt;
  std::optional<std::int64_t> unread_count = std::nullopt;  ///< modified folders
  bool operator==(const Event&) const = default;
};

struct Notification {
  std::string subscription_id;
  std::optional<std::string> previous_watermark = std::nullopt;
  std::optional<bool> more_events = std::nullopt;
  std::vector<Event> events = {};  ///< in document order
  bool operator==(const Notification&) const = default;
};

}  // namespace syncline::ews
