// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What both halves of the driver know of their mailbox. Learnt again after a restart; nothing here is a
// memory that a run would miss.
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ews/client/items.hpp"
#include "ews/types/ids.hpp"
#include "sync/driver.hpp"
#include "time/zone.hpp"

namespace syncline::ews {

/// What kind of store the folders stand in. Only a mailbox has SyncFolderItems.
enum class StoreKind : std::uint8_t { mailbox, group_mailbox, public_folders };

struct DriverSettings {
  std::string mailbox = {};  ///< SMTP address
  StoreKind store = StoreKind::mailbox;
  /// The credential is another one's and does not impersonate: folders are named with the mailbox's address.
  bool is_delegate = false;
  /// IANA; of people in this mailbox: for what the server says without a zone.
  std::string time_zone = "UTC";
  /// How long a lost request may still be at work on the server (invariant 6).
  std::chrono::milliseconds server_time_limit{60'000};
  /// A claim that was not renewed for so long is nobody's (invariant 22).
  std::chrono::milliseconds claim_lease{std::chrono::hours{24}};
};

struct DriverState {
  /// An unknown time zone is UTC. `client` must outlive it.
  DriverState(EwsClient& client, DriverSettings given);

  DriverSettings settings;
  time::Zone zone;                                              ///< of settings.time_zone
  std::optional<std::vector<sync::RemoteFolder>> folders = {};  ///< as folders() last read them
  ItemReader reader;                                            ///< keeps its pace from call to call

  /// A folder by its fixed name ("inbox", "calendar", "deleteditems"), in this mailbox.
  FolderRef distinguished(std::string_view name) const;
  FolderRef folder(std::string id) const { return FolderId{.id = std::move(id)}; }
};

/// The fixed name of the folder that new items of a kind go to; of e-mails "drafts".
std::string_view own_folder_name(model::RecordKind kind) noexcept;
/// The fixed name of a role; "" for FolderRole::other.
std::string_view folder_name(sync::FolderRole role) noexcept;

}  // namespace syncline::ews
