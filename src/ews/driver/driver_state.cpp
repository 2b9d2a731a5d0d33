// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/driver/driver_state.hpp"

#include <utility>

namespace syncline::ews {

DriverState::DriverState(EwsClient& client, DriverSettings given)
    : settings(std::move(given)), reader(client) {
  if (auto named = time::Zone::iana(settings.time_zone)) zone = std::move(*named);
}

FolderRef DriverState::distinguished(std::string_view name) const {
  DistinguishedFolderId id{.name = std::string(name)};
  if (settings.store == StoreKind::group_mailbox || settings.is_delegate) id.mailbox_smtp = settings.mailbox;
  return id;
}

std::string_view own_folder_name(model::RecordKind kind) noexcept {
  switch (kind) {
    case model::RecordKind::email:
      return "drafts";
    case model::RecordKind::appointment:
      return "calendar";
    case model::RecordKind::contact:
      return "contacts";
    case model::RecordKind::task:
      return "tasks";
  }
  return "drafts";
}

std::string_view folder_name(sync::FolderRole role) noexcept {
  switch (role) {
    case sync::FolderRole::inbox:
      return "inbox";
    case sync::FolderRole::sent:
      return "sentitems";
    case sync::FolderRole::drafts:
      return "drafts";
    case sync::FolderRole::deleted:
      return "deleteditems";
    case sync::FolderRole::calendar:
      return "calendar";
    case sync::FolderRole::contacts:
      return "contacts";
    case sync::FolderRole::tasks:
      return "tasks";
    case sync::FolderRole::other:
      return "";
  }
  return "";
}

}  // namespace syncline::ews
