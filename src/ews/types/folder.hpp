// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Folders.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ews/types/ids.hpp"
#include "ews/types/property_path.hpp"

namespace syncline::ews {

struct EffectiveRights {
  std::optional<bool> create_associated = std::nullopt;
  std::optional<bool> create_contents = std::nullopt;
  std::optional<bool> create_hierarchy = std::nullopt;
  std::optional<bool> delete_ = std::nullopt;
  std::optional<bool> modify = std::nullopt;
  std::optional<bool> read = std::nullopt;
  std::optional<bool> view_private_items = std::nullopt;
  bool operator==(const EffectiveRights&) const = default;
};

enum class FolderKind { folder, calendar, contacts, search, tasks, opaque };

struct Folder {
  FolderKind kind = FolderKind::folder;
  std::string element_name = {};  ///< for FolderKind::opaque: the element's local name
  std::optional<FolderId> folder_id = std::nullopt;
  std::optional<FolderId> parent_folder_id = std::nullopt;
  std::optional<std::string> folder_class = std::nullopt;  ///< "IPF.Note", …
  std::optional<std::string> display_name = std::nullopt;
  std::optional<std::int64_t> total_count = std::nullopt;
  std::optional<std::int64_t> child_folder_count = std::nullopt;
  std::vector<ExtendedProperty> extended_properties = {};
  std::optional<EffectiveRights> effective_rights = std::nullopt;
  std::optional<std::string> distinguished_folder_id = std::nullopt;  ///< Exchange 2013 and later
  std::optional<std::int64_t> unread_count = std::nullopt;
  bool operator==(const Folder&) const = default;
};

}  // namespace syncline::ews
