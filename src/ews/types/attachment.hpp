// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Attachments. Names are data, never paths.
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "ews/types/boxed.hpp"
#include "ews/types/date_time.hpp"
#include "ews/types/ids.hpp"

namespace syncline::ews {

struct Item;

struct FileContent {
  std::optional<bool> is_contact_photo = std::nullopt;
  std::optional<std::string> content = std::nullopt;  ///< octets, decoded; absent in GetItem replies
  bool operator==(const FileContent&) const = default;
};

struct ItemContent {
  Boxed<Item> item;  ///< absent in GetItem replies
  bool operator==(const ItemContent&) const;
};

/// A link to a file in a cloud store (Exchange 2016 and online).
struct ReferenceContent {
  std::optional<std::string> path = std::nullopt;  ///< element AttachLongPathName
  std::optional<std::string> provider_type = std::nullopt;
  std::optional<std::string> provider_endpoint_url = std::nullopt;
  std::optional<std::string> thumbnail_url = std::nullopt;
  std::optional<std::string> preview_url = std::nullopt;
  std::optional<std::int64_t> permission_type = std::nullopt;
  std::optional<std::int64_t> original_permission_type = std::nullopt;
  std::optional<bool> is_folder = std::nullopt;
  bool operator==(const ReferenceContent&) const = default;
};

/// A kind we do not know.
struct OpaqueContent {
  std::string element_name;
  bool operator==(const OpaqueContent&) const = default;
};

struct Attachment {
  std::optional<AttachmentId> id = std::nullopt;
  std::optional<std::string> name = std::nullopt;
  std::optional<std::string> content_type = std::nullopt;
  std::optional<std::string> content_id = std::nullopt;
  std::optional<std::string> content_location = std::nullopt;
  std::optional<std::int64_t> size = std::nullopt;  ///< octets
  std::optional<DateTime> last_modified_time = std::nullopt;
  std::optional<bool> is_inline = std::nullopt;
  std::variant<FileContent, ItemContent, ReferenceContent, OpaqueContent> content = FileContent{};
  bool operator==(const Attachment&) const = default;
};

}  // namespace syncline::ews

// An attachment may hold an item: whoever destroys one has to know both.
#include "ews/types/item.hpp"
