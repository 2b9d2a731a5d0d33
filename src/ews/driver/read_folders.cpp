// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/driver/read_folders.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "base/text.hpp"
#include "ews/client/patient_call.hpp"
#include "ews/types/requests.hpp"

namespace syncline::ews {
namespace {

using sync::FolderRole;

/// A tree that is larger is none.
constexpr std::size_t most_folders = 50'000;
constexpr unsigned most_empty_pages = 8;
constexpr std::int64_t page_folders = 1000;

constexpr std::array roles{FolderRole::inbox,   FolderRole::sent,     FolderRole::drafts,
                           FolderRole::deleted, FolderRole::calendar, FolderRole::contacts,
                           FolderRole::tasks};

/// PidTagAttributeHidden (MS-OXCFOLD): folders that no client shows.
const ExtendedFieldUri& hidden_property() {
  static const ExtendedFieldUri property{.property_tag = "0x10F4",
                                         .property_type = MapiPropertyType::boolean};
  return property;
}

FolderShape shape() {
  FolderShape made{.base = BaseShape::id_only, .additional = {}};
  for (const char* uri :
       {"folder:ParentFolderId", "folder:DisplayName", "folder:FolderClass", "folder:TotalCount",
        "folder:ChildFolderCount", "folder:EffectiveRights", "folder:DistinguishedFolderId"})
    made.additional.emplace_back(FieldUri{uri});
  made.additional.emplace_back(hidden_property());
  return made;
}

bool is_hidden(const Folder& folder) {
  return std::any_of(folder.extended_properties.begin(), folder.extended_properties.end(),
                     [](const ExtendedProperty& property) {
                       return property.uri.property_tag && !property.values.empty() &&
                              text::equals_ignore_case(*property.uri.property_tag, "0x10f4") &&
                              text::equals_ignore_case(property.values.front(), "true");
                     });
}

unexpected<Error> tree_stuck() {
  return fail(ErrorDomain::ews, "paging-stuck", "the server's pages of folders do not come to an end",
              RetryClass::after);
}

/// By id, in the order in which the server named them first.
struct Tree {
  std::vector<Folder> folders = {};
  std::set<std::string, std::less<>> ids = {};
  std::int64_t promised = 0;  ///< by TotalItemsInView

  void add(Folder folder) {
    if (!folder.folder_id || folder.folder_id->id.empty() || folders.size() >= most_folders) return;
    if (ids.insert(folder.folder_id->id).second) folders.push_back(std::move(folder));
  }
  /// The root is the only parent that a whole tree does not hold.
  std::size_t unknown_parents() const {
    std::set<std::string_view> unknown;
    for (const Folder& folder : folders)
      if (folder.parent_folder_id && !ids.contains(folder.parent_folder_id->id))
        unknown.insert(folder.parent_folder_id->id);
    return unknown.size();
  }
  bool is_doubtful() const {
    return static_cast<std::int64_t>(folders.size()) < promised || unknown_parents() > 1;
  }
};

Async<Nothing> find_below(EwsClient& client, FolderRef root, FolderTraversal traversal, Tree& tree) {
  IndexedView view{.offset = 0, .max_entries = page_folders};
  for (unsigned empty_pages = 0;;) {
    FindFolderRequest request{.shape = shape(), .traversal = traversal, .view = view, .parents = {root}};
    auto reply = co_await call_patiently(client, std::move(request));
    if (!reply) co_return fail(std::move(reply.error()));
    if (auto complete = reply->expect(1); !complete) co_return fail(std::move(complete.error()));
    auto page = std::move(reply->messages.front()).result();
    if (!page) co_return fail(std::move(page.error()));
    const auto count = static_cast<std::int64_t>(page->folders.size());
    if (traversal == FolderTraversal::deep) tree.promised = page->total_items_in_view.value_or(0);
    for (Folder& folder : page->folders) tree.add(std::move(folder));
    if (page->includes_last_item_in_range.value_or(count == 0)) co_return Nothing{};
    empty_pages = count == 0 ? empty_pages + 1 : 0;
    const std::int64_t next = page->indexed_paging_offset.value_or(view.offset + count);
    if (empty_pages >= most_empty_pages || (next <= view.offset && count > 0)) co_return tree_stuck();
    view.offset = std::max(next, view.offset);
  }
}

/// The other way to read a tree: it has no pages that could be lost, but servers have been seen to cut it.
Async<Nothing> read_hierarchy(EwsClient& client, FolderRef root, Tree& tree) {
  std::string sync_state;
  for (;;) {
    SyncFolderHierarchyRequest request{.shape = shape(), .root = root};
    if (!sync_state.empty()) request.sync_state = sync_state;
    auto reply = co_await call_patiently(client, std::move(request));
    if (!reply) co_return fail(std::move(reply.error()));
    if (auto complete = reply->expect(1); !complete) co_return fail(std::move(complete.error()));
    auto feed = std::move(reply->messages.front()).result();
    if (!feed) co_return fail(std::move(feed.error()));
    for (FolderFeedEntry& change : feed->changes)
      if (change.kind != ChangeKind::delete_) tree.add(std::move(change.folder));
    if (feed->includes_last_folder_in_range.value_or(true)) co_return Nothing{};
    if (feed->sync_state == sync_state) co_return tree_stuck();
    sync_state = std::move(feed->sync_state);
  }
}

/// Servers refuse deep traversal of public folders: level by level.
Async<Nothing> walk_down(EwsClient& client, FolderRef root, Tree& tree) {
  if (auto found = co_await find_below(client, std::move(root), FolderTraversal::shallow, tree); !found)
    co_return fail(std::move(found.error()));
  for (std::size_t i = 0; i < tree.folders.size(); ++i) {
    if (tree.folders[i].child_folder_count.value_or(1) == 0) continue;
    FolderRef parent = *tree.folders[i].folder_id;
    auto found = co_await find_below(client, std::move(parent), FolderTraversal::shallow, tree);
    // One that may not be looked into hides nothing else.
    if (!found && found.error().code != "ErrorAccessDenied" && found.error().code != "ErrorFolderNotFound")
      co_return fail(std::move(found.error()));
  }
  co_return Nothing{};
}

using Roles = std::map<std::string, FolderRole, std::less<>>;

Roles roles_told(const Tree& tree) {
  Roles told;
  for (const Folder& folder : tree.folders)
    for (const FolderRole role : roles)
      if (folder.distinguished_folder_id == std::string(folder_name(role))) told[folder.folder_id->id] = role;
  return told;
}

Async<Roles> ask_for_roles(EwsClient& client, const DriverState& state) {
  GetFolderRequest request{.shape = {.base = BaseShape::id_only}, .folders = {}};
  for (const FolderRole role : roles) request.folders.push_back(state.distinguished(folder_name(role)));
  auto reply = co_await call_patiently(client, std::move(request));
  if (!reply) co_return fail(std::move(reply.error()));
  if (auto complete = reply->expect(roles.size()); !complete) co_return fail(std::move(complete.error()));
  Roles found;
  for (std::size_t i = 0; i < roles.size(); ++i) {
    // A mailbox need not have all of them.
    auto folder = std::move(reply->messages[i]).result();
    if (folder && folder->size() == 1 && folder->front().folder_id)
      found[folder->front().folder_id->id] = roles[i];
  }
  co_return found;
}

std::vector<sync::RemoteFolder> in_order(Tree tree, const Roles& roles_by_id) {
  std::map<std::string_view, std::vector<std::size_t>> children;
  std::deque<std::size_t> todo;
  for (std::size_t i = 0; i < tree.folders.size(); ++i) {
    const auto& parent = tree.folders[i].parent_folder_id;
    if (parent && tree.ids.contains(parent->id) && parent->id != tree.folders[i].folder_id->id)
      children[*tree.ids.find(parent->id)].push_back(i);
    else
      todo.push_back(i);
  }
  std::vector<sync::RemoteFolder> ordered;
  ordered.reserve(tree.folders.size());
  // What hangs in a ring of parents is reached from no root, and left out.
  for (; !todo.empty(); todo.pop_front()) {
    Folder& folder = tree.folders[todo.front()];
    const std::string& id = folder.folder_id->id;
    if (const auto below = children.find(id); below != children.end())
      todo.insert(todo.end(), below->second.begin(), below->second.end());
    const auto kind = record_kind_of(folder);
    if (!kind || is_hidden(folder)) continue;
    sync::RemoteFolder made;
    made.id = id;
    made.name = folder.display_name.value_or("");
    if (folder.parent_folder_id) made.parent_id = folder.parent_folder_id->id;
    if (const auto role = roles_by_id.find(id); role != roles_by_id.end()) made.role = role->second;
    made.kind = *kind;
    made.total_items = static_cast<std::uint64_t>(std::max<std::int64_t>(0, folder.total_count.value_or(0)));
    if (folder.effective_rights)
      made.writable = folder.effective_rights->create_contents.value_or(true) &&
                      folder.effective_rights->modify.value_or(true);
    ordered.push_back(std::move(made));
  }
  return ordered;
}

}  // namespace

std::optional<model::RecordKind> record_kind_of(const Folder& folder) {
  using model::RecordKind;
  if (folder.kind == FolderKind::search || folder.kind == FolderKind::opaque) return std::nullopt;
  const std::string_view folder_class = folder.folder_class ? std::string_view(*folder.folder_class) : "";
  const auto is = [&](std::string_view name) { return text::equals_ignore_case(folder_class, name); };
  if (is("IPF.Appointment")) return RecordKind::appointment;
  if (is("IPF.Contact")) return RecordKind::contact;
  if (is("IPF.Task")) return RecordKind::task;
  // IPF.Contact.RecipientCache, IPF.Appointment.Birthday and their kin are filled by servers and clients.
  constexpr std::string_view mail = "IPF.Note";
  if (folder_class.size() >= mail.size() &&
      text::equals_ignore_case(folder_class.substr(0, mail.size()), mail) &&
      (folder_class.size() == mail.size() || folder_class[mail.size()] == '.'))
    return RecordKind::email;
  if (!folder_class.empty()) return std::nullopt;
  switch (folder.kind) {
    case FolderKind::calendar:
      return RecordKind::appointment;
    case FolderKind::contacts:
      return RecordKind::contact;
    case FolderKind::tasks:
      return RecordKind::task;
    default:
      return RecordKind::email;  // made by IMAP clients, most of them
  }
}

Async<std::vector<sync::RemoteFolder>> read_folders(EwsClient& client, DriverState& state) {
  Tree tree;
  Roles found_roles;
  if (state.settings.store == StoreKind::public_folders) {
    FolderRef root = state.distinguished("publicfoldersroot");
    auto walked = co_await walk_down(client, std::move(root), tree);
    if (!walked) co_return fail(std::move(walked.error()));
  } else {
    FolderRef root = state.distinguished("msgfolderroot");
    auto found = co_await find_below(client, root, FolderTraversal::deep, tree);
    if (!found) co_return fail(std::move(found.error()));
    if (tree.is_doubtful()) {
      auto read = co_await read_hierarchy(client, std::move(root), tree);
      if (!read) co_return fail(std::move(read.error()));
    }
    found_roles = roles_told(tree);
    const bool tells_roles = std::any_of(found_roles.begin(), found_roles.end(),
                                         [](const auto& one) { return one.second == FolderRole::inbox; });
    if (!tells_roles) {
      auto asked = co_await ask_for_roles(client, state);
      if (!asked) co_return fail(std::move(asked.error()));
      found_roles = std::move(*asked);
    }
  }
  std::vector<sync::RemoteFolder> ordered = in_order(std::move(tree), found_roles);
  state.folders = ordered;
  co_return ordered;
}

}  // namespace syncline::ews
