// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Identifiers. All are opaque text of any length, compared octet by octet.
#include <optional>
#include <string>
#include <variant>

#include "ews/types/enums.hpp"

namespace syncline::ews {

struct ItemId {
  std::string id;
  std::string change_key = {};  ///< empty: none
  bool operator==(const ItemId&) const = default;
};

struct FolderId {
  std::string id;
  std::string change_key = {};
  bool operator==(const FolderId&) const = default;
};

struct EmailAddress {
  std::optional<std::string> name = std::nullopt;
  std::optional<std::string> address = std::nullopt;       ///< element EmailAddress
  std::optional<std::string> routing_type = std::nullopt;  ///< "SMTP", "EX"
  std::optional<Open<MailboxType>> mailbox_type = std::nullopt;
  std::optional<ItemId> item_id = std::nullopt;  ///< of a contact or private distribution list
  std::optional<std::string> original_display_name = std::nullopt;
  bool operator==(const EmailAddress&) const = default;
};

/// A folder by its fixed name ("inbox", "msgfolderroot", "root"), of the caller's mailbox or another one.
struct DistinguishedFolderId {
  std::string name;
  std::optional<std::string> mailbox_smtp = std::nullopt;
  std::string change_key = {};
  bool operator==(const DistinguishedFolderId&) const = default;
};

using FolderRef = std::variant<FolderId, DistinguishedFolderId>;

/// One occurrence, by its place in the series (from 1).
struct OccurrenceItemId {
  std::string recurring_master_id;
  int instance_index = 1;
  std::string change_key = {};
  bool operator==(const OccurrenceItemId&) const = default;
};

/// The master of the series that an occurrence belongs to.
struct RecurringMasterItemId {
  std::string occurrence_id;
  std::string change_key = {};
  bool operator==(const RecurringMasterItemId&) const = default;
};

using ItemRef = std::variant<ItemId, OccurrenceItemId, RecurringMasterItemId>;

struct AttachmentId {
  std::string id;
  std::string root_item_id = {};          ///< in replies
  std::string root_item_change_key = {};  ///< in replies to CreateAttachment: the item's new change key
  bool operator==(const AttachmentId&) const = default;
};

/// ConvertId.
struct AlternateId {
  IdFormat format = IdFormat::ews_id;
  std::string id;
  std::string mailbox;  ///< SMTP address
  std::optional<bool> is_archive = std::nullopt;
  bool operator==(const AlternateId&) const = default;
};

}  // namespace syncline::ews
