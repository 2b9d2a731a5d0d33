// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/imap/driver/folders.hpp"

#include <algorithm>
#include <set>

#include "base/text.hpp"

namespace syncline::imap {
namespace {

using sync::FolderRole;

bool is_virtual(const Folder& folder) {
  return folder.has("\\all") || folder.has("\\flagged") || folder.has("\\important");
}

FolderRole role_said(const Folder& folder) {
  if (text::equals_ignore_case(folder.name, "INBOX")) return FolderRole::inbox;
  if (folder.has("\\sent")) return FolderRole::sent;
  if (folder.has("\\drafts")) return FolderRole::drafts;
  if (folder.has("\\trash")) return FolderRole::deleted;
  return FolderRole::other;
}

std::string_view last_part(const Folder& folder) {
  const std::size_t cut = folder.delimiter == '\0' ? std::string::npos : folder.path.rfind(folder.delimiter);
  return std::string_view(folder.path).substr(cut == std::string::npos ? 0 : cut + 1);
}

struct Guess {
  FolderRole role;
  std::string_view name;
};
/// The better names first.
constexpr Guess guesses[] = {
    {FolderRole::sent, "Sent"},
    {FolderRole::sent, "Sent Items"},
    {FolderRole::sent, "Sent Messages"},
    {FolderRole::sent, "Sent Mail"},
    {FolderRole::drafts, "Drafts"},
    {FolderRole::drafts, "Draft"},
    {FolderRole::deleted, "Trash"},
    {FolderRole::deleted, "Deleted Items"},
    {FolderRole::deleted, "Deleted Messages"},
};

}  // namespace

std::vector<sync::RemoteFolder> mail_folders(const std::vector<Folder>& listed) {
  std::vector<const Folder*> chosen;
  for (const Folder& folder : listed)
    if (folder.selectable() && !is_virtual(folder) && text::is_valid_utf8(folder.name))
      chosen.push_back(&folder);
  // A parent's name is the beginning of its children's.
  std::sort(chosen.begin(), chosen.end(), [](const Folder* a, const Folder* b) { return a->name < b->name; });

  std::vector<sync::RemoteFolder> folders;
  std::set<FolderRole> taken;
  std::set<std::string, std::less<>> names;
  for (const Folder* folder : chosen) {
    sync::RemoteFolder made{.id = folder->name, .name = std::string(last_part(*folder))};
    made.kind = model::RecordKind::email;
    made.role = role_said(*folder);
    if (made.role != FolderRole::other && !taken.insert(made.role).second) made.role = FolderRole::other;
    const std::size_t cut =
        folder->delimiter == '\0' ? std::string::npos : folder->name.rfind(folder->delimiter);
    if (cut != std::string::npos && names.contains(std::string_view(folder->name).substr(0, cut)))
      made.parent_id = folder->name.substr(0, cut);
    names.insert(folder->name);
    folders.push_back(std::move(made));
  }
  for (const Guess& guess : guesses) {
    if (taken.contains(guess.role)) continue;
    for (sync::RemoteFolder& folder : folders) {
      if (folder.role != FolderRole::other || !text::equals_ignore_case(folder.name, guess.name)) continue;
      folder.role = guess.role;
      taken.insert(guess.role);
      break;
    }
  }
  return folders;
}

std::string archive_folder(const std::vector<Folder>& listed) {
  for (const Folder& folder : listed)
    if (folder.has("\\all") && folder.selectable()) return folder.name;
  return {};
}

}  // namespace syncline::imap
