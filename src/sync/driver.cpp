// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/driver.hpp"

namespace syncline::sync {

std::string_view to_string(FolderRole role) noexcept {
  switch (role) {
    case FolderRole::inbox:
      return "inbox";
    case FolderRole::sent:
      return "sent";
    case FolderRole::drafts:
      return "drafts";
    case FolderRole::deleted:
      return "deleted";
    case FolderRole::calendar:
      return "calendar";
    case FolderRole::contacts:
      return "contacts";
    case FolderRole::tasks:
      return "tasks";
    case FolderRole::other:
      return "other";
  }
  return "other";
}

}  // namespace syncline::sync
