// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include "base/text.hpp"
#include "tools/exchange-sim/exchange/operations.hpp"
#include "tools/exchange-sim/exchange/restriction.hpp"
#include "tools/exchange-sim/exchange/shape.hpp"

namespace exchange_sim {
namespace {

using syncline::Result;

struct FolderShape {
  bool id_only = false;
  bool parent = false;
  bool folder_class = false;
  bool name = false;
  bool counts = false;
  bool unread = false;
  bool rights = false;
  bool distinguished = false;
  std::vector<ExtendedName> extended;
};

Result<FolderShape> read_folder_shape(const Element* element) {
  FolderShape shape;
  if (element == nullptr) return shape;
  const std::string_view base = element->child_text("BaseShape");
  if (base == "Default" || base == "AllProperties") shape.name = shape.counts = shape.unread = true;
  if (base == "AllProperties") shape.parent = shape.folder_class = shape.rights = shape.distinguished = true;
  const Element* additional = element->child("AdditionalProperties");
  if (additional == nullptr) return shape;
  for (const Element& path : additional->children) {
    if (path.name == "ExtendedFieldURI") {
      auto name = read_extended_name(path);
      if (!name) return syncline::fail(std::move(name.error()));
      shape.extended.push_back(std::move(*name));
      continue;
    }
    const std::string_view uri = path.attribute_or("FieldURI", "");
    if (uri == "folder:ParentFolderId") shape.parent = true;
    if (uri == "folder:FolderClass") shape.folder_class = true;
    if (uri == "folder:DisplayName") shape.name = true;
    if (uri == "folder:TotalCount" || uri == "folder:ChildFolderCount") shape.counts = true;
    if (uri == "folder:UnreadCount") shape.unread = true;
    if (uri == "folder:EffectiveRights") shape.rights = true;
    if (uri == "folder:DistinguishedFolderId") shape.distinguished = true;
  }
  return shape;
}

std::string_view folder_element(const Folder& folder) {
  if (folder.folder_class.starts_with("IPF.Appointment")) return "CalendarFolder";
  if (folder.folder_class.starts_with("IPF.Contact")) return "ContactsFolder";
  if (folder.folder_class.starts_with("IPF.Task")) return "TasksFolder";
  return "Folder";
}

// Tags that are properties of every folder, kept nowhere.
constexpr int kTagHidden = 0x10F4;
constexpr int kTagContainerClass = 0x3613;
constexpr int kTagDisplayName = 0x3001;

std::optional<std::string> folder_extended(const Store& store, const Folder& folder,
                                           const ExtendedName& name) {
  if (const PropertyId id = store.find_extended(name))
    if (const auto value = folder.bag.find(id)) return std::string(*value);
  if (name.tag == kTagHidden) return "false";
  if (name.tag == kTagContainerClass && !folder.folder_class.empty()) return folder.folder_class;
  if (name.tag == kTagDisplayName) return folder.name;
  return std::nullopt;
}

void write_folder(std::string& out, Context& context, const Folder& folder, const FolderShape& shape) {
  const std::string_view element = folder_element(folder);
  const Store& store = context.store;
  out += "<t:";
  out += element;
  out += '>';
  append_folder_id(out, store, context.mailbox, folder);
  if (shape.parent) {
    const Folder* parent = context.mailbox.folder(folder.parent);
    append_folder_id(out, store, context.mailbox, parent == nullptr ? folder : *parent, "ParentFolderId");
  }
  if (shape.folder_class && !folder.folder_class.empty())
    append_text_element(out, "FolderClass", folder.folder_class);
  if (shape.name) append_text_element(out, "DisplayName", folder.name);
  if (shape.counts) {
    append_text_element(out, "TotalCount", std::to_string(folder.items.size()));
    append_text_element(out, "ChildFolderCount",
                        std::to_string(store.children_of(context.mailbox, folder.number).size()));
  }
  for (const ExtendedName& name : shape.extended) {
    const auto value = folder_extended(store, folder, name);
    if (!value) continue;
    out += "<t:ExtendedProperty>";
    append_extended_uri(out, name);
    append_text_element(out, "Value", *value);
    out += "</t:ExtendedProperty>";
  }
  if (shape.rights)
    out +=
        "<t:EffectiveRights><t:CreateAssociated>true</t:CreateAssociated><t:CreateContents>true</"
        "t:CreateContents>"
        "<t:CreateHierarchy>true</t:CreateHierarchy><t:Delete>true</t:Delete><t:Modify>true</t:Modify>"
        "<t:Read>true</t:Read><t:ViewPrivateItems>true</t:ViewPrivateItems></t:EffectiveRights>";
  if (shape.distinguished && !folder.distinguished.empty())
    append_text_element(out, "DistinguishedFolderId", folder.distinguished);
  if (shape.unread && element != "CalendarFolder" && element != "ContactsFolder")
    append_text_element(out, "UnreadCount", std::to_string(folder.unread));
  out += "</t:";
  out += element;
  out += '>';
}

Folder* child_named(Context& context, std::uint32_t parent, std::string_view name) {
  for (const std::uint32_t child : context.store.children_of(context.mailbox, parent)) {
    Folder* folder = context.mailbox.folder(child);
    if (syncline::text::equals_ignore_case(folder->name, name)) return folder;
  }
  return nullptr;
}

const Element* only_folder_id(const Element* parent) {
  return parent == nullptr || parent->children.empty() ? nullptr : &parent->children.front();
}

syncline::unexpected<syncline::Error> schema(std::string what) {
  return refuse("ErrorSchemaValidation", std::move(what));
}

Values folder_values(Context& context, const Folder& folder) {
  return [&context, &folder](const Path& path) -> std::optional<std::string> {
    if (path.is_extended) {
      const ExtendedName* name = context.store.extended_name(path.dynamic);
      return name == nullptr ? std::nullopt : folder_extended(context.store, folder, *name);
    }
    if (path.folder_uri == "folder:DisplayName") return folder.name;
    if (path.folder_uri == "folder:FolderClass") return folder.folder_class;
    if (path.folder_uri == "folder:TotalCount") return std::to_string(folder.items.size());
    if (path.folder_uri == "folder:UnreadCount") return std::to_string(folder.unread);
    if (path.folder_uri == "folder:ChildFolderCount")
      return std::to_string(context.store.children_of(context.mailbox, folder.number).size());
    return std::nullopt;
  };
}

Result<void> apply_folder_element(Context& context, Folder& folder, const Element& element) {
  for (const Element& child : element.children) {
    if (child.name == "DisplayName") folder.name = child.text;
    if (child.name == "FolderClass") folder.folder_class = child.text;
    if (child.name != "ExtendedProperty") continue;
    const Element* uri = child.child("ExtendedFieldURI");
    if (uri == nullptr) return refuse("ErrorInvalidExtendedProperty", "The extended property has no name.");
    auto name = read_extended_name(*uri);
    if (!name) return syncline::fail(std::move(name.error()));
    folder.bag.set(context.store.extended_id(*name), child.child_text("Value"));
  }
  return {};
}

void dispose_folder(Context& context, Folder& folder, std::string_view type) {
  const Folder* trash = context.mailbox.folder("deleteditems");
  if (type == "MoveToDeletedItems" &&
      !context.store.is_below(context.mailbox, folder.number, trash->number)) {
    while (child_named(context, trash->number, folder.name) != nullptr) folder.name += '1';
    context.store.move_folder(context.mailbox, folder, trash->number);
  } else {
    context.store.remove_folder(context.mailbox, folder.number);
  }
}

}  // namespace

OperationResult get_folder(Context& context, const Element& request) {
  const Element* ids = request.child("FolderIds");
  if (ids == nullptr) return schema("FolderIds is missing");
  auto shape = read_folder_shape(request.child("FolderShape"));
  if (!shape) return syncline::fail(std::move(shape.error()));
  Response response("GetFolder");
  for (const Element& id : ids->children) {
    auto folder = find_folder(context, id);
    if (!folder) {
      response.error(folder.error(), "<m:Folders/>");
      continue;
    }
    std::string& out = response.begin();
    out += "<m:Folders>";
    write_folder(out, context, *folder->folder, *shape);
    out += "</m:Folders>";
    response.end();
  }
  return response.take();
}

OperationResult find_folders(Context& context, const Element& request) {
  const Element* parents = request.child("ParentFolderIds");
  if (parents == nullptr) return schema("ParentFolderIds is missing");
  auto shape = read_folder_shape(request.child("FolderShape"));
  if (!shape) return syncline::fail(std::move(shape.error()));
  const std::string_view traversal = request.attribute_or("Traversal", "Shallow");
  // A restriction on a tag that no folder was given must still see the built-in values: names are made known
  // first.
  std::optional<Restriction> restriction;
  if (const Element* element = request.child("Restriction")) {
    std::vector<const Element*> open{element};
    while (!open.empty()) {
      const Element* at = open.back();
      open.pop_back();
      if (at->name == "ExtendedFieldURI")
        if (auto name = read_extended_name(*at)) context.store.extended_id(*name);
      for (const Element& child : at->children) open.push_back(&child);
    }
    auto read = Restriction::read(context, *element);
    if (!read) return syncline::fail(std::move(read.error()));
    restriction = std::move(*read);
  }
  std::size_t offset = 0;
  bool from_end = false;
  std::size_t limit = context.store.limits().find_count;
  if (const Element* view = request.child("IndexedPageFolderView")) {
    const auto asked = syncline::text::parse_int(view->attribute_or("MaxEntriesReturned", "1000000"));
    const auto from = syncline::text::parse_int(view->attribute_or("Offset", "0"));
    if (!asked || *asked < 1 || !from || *from < 0)
      return refuse("ErrorInvalidPagingMaxRows", "The page is invalid.");
    limit = std::min<std::size_t>(limit, static_cast<std::size_t>(*asked));
    offset = static_cast<std::size_t>(*from);
    from_end = view->attribute_or("BasePoint", "Beginning") == "End";
  }
  Response response("FindFolder");
  for (const Element& id : parents->children) {
    auto parent = find_folder(context, id);
    if (!parent) {
      response.error(parent.error());
      continue;
    }
    std::vector<std::uint32_t> open = context.store.children_of(context.mailbox, parent->folder->number);
    std::vector<std::uint32_t> found;
    while (!open.empty()) {
      const std::uint32_t number = open.front();
      open.erase(open.begin());
      const Folder& folder = *context.mailbox.folder(number);
      if (!restriction || restriction->matches(folder_values(context, folder))) found.push_back(number);
      if (traversal == "Deep") {
        const auto below = context.store.children_of(context.mailbox, number);
        open.insert(open.begin(), below.begin(), below.end());
      }
    }
    if (from_end) std::reverse(found.begin(), found.end());
    const std::size_t first = std::min(offset, found.size());
    const std::size_t last = std::min(found.size(), first + limit);
    std::string& out = response.begin();
    out += "<m:RootFolder IndexedPagingOffset=\"" + std::to_string(last) + "\" TotalItemsInView=\"" +
           std::to_string(found.size()) + "\" IncludesLastItemInRange=\"" +
           (last == found.size() ? "true" : "false") + "\"><t:Folders>";
    for (std::size_t i = first; i < last; ++i)
      write_folder(out, context, *context.mailbox.folder(found[i]), *shape);
    out += "</t:Folders></m:RootFolder>";
    response.end();
  }
  return response.take();
}

OperationResult create_folder(Context& context, const Element& request) {
  const Element* parent_id = only_folder_id(request.child("ParentFolderId"));
  const Element* folders = request.child("Folders");
  if (parent_id == nullptr || folders == nullptr) return schema("ParentFolderId or Folders is missing");
  Response response("CreateFolder");
  auto parent = find_folder(context, *parent_id);
  for (const Element& element : folders->children) {
    if (!parent) {
      syncline::Error error = parent.error();
      if (error.code == "ErrorFolderNotFound") error.code = "ErrorParentFolderNotFound";
      response.error(error, "<m:Folders/>");
      continue;
    }
    const std::string_view name = element.child_text("DisplayName");
    if (name.empty()) {
      response.error(refuse("ErrorFolderSavePropertyError", "A folder needs a name.").value(),
                     "<m:Folders/>");
      continue;
    }
    if (child_named(context, parent->folder->number, name) != nullptr) {
      response.error(refuse("ErrorFolderExists", "A folder with the specified name already exists.").value(),
                     "<m:Folders/>");
      continue;
    }
    const std::string_view given = element.child_text("FolderClass");
    const std::string folder_class = !given.empty()                         ? std::string(given)
                                     : element.name == "CalendarFolder"     ? "IPF.Appointment"
                                     : element.name == "ContactsFolder"     ? "IPF.Contact"
                                     : element.name == "TasksFolder"        ? "IPF.Task"
                                     : parent->folder->folder_class.empty() ? "IPF.Note"
                                                                            : parent->folder->folder_class;
    Folder& made = context.store.add_folder(context.mailbox, parent->folder->number, name, folder_class);
    if (auto done = apply_folder_element(context, made, element); !done) {
      context.store.remove_folder(context.mailbox, made.number);
      response.error(done.error(), "<m:Folders/>");
      continue;
    }
    if (made.folder_class.empty()) made.folder_class = folder_class;
    std::string& out = response.begin();
    out += "<m:Folders>";
    write_folder(out, context, made, {});
    out += "</m:Folders>";
    response.end();
  }
  return response.take();
}

OperationResult update_folder(Context& context, const Element& request) {
  const Element* changes = request.child("FolderChanges");
  if (changes == nullptr) return schema("FolderChanges is missing");
  Response response("UpdateFolder");
  for (const Element& change : changes->children) {
    const Element* updates = change.child("Updates");
    if (change.children.empty() || updates == nullptr) return schema("FolderChange is incomplete");
    auto found = find_folder(context, change.children.front());
    if (!found) {
      response.error(found.error(), "<m:Folders/>");
      continue;
    }
    Folder& folder = *found->folder;
    // All updates of a folder or none.
    const std::string old_name = folder.name;
    const std::string old_class = folder.folder_class;
    const PropertyBag old_bag = folder.bag;
    std::optional<syncline::Error> error;
    for (const Element& update : updates->children) {
      if (update.name == "DeleteFolderField") {
        if (const Element* plain = update.child("FieldURI")) {
          const std::string_view property = plain->attribute_or("FieldURI", "");
          if (property == "folder:FolderClass") {
            folder.folder_class = "IPF.Note";
            continue;
          }
          if (property == "folder:PermissionSet") continue;
        }
        const Element* uri = update.child("ExtendedFieldURI");
        auto name = uri == nullptr
                        ? Result<ExtendedName>(refuse("ErrorInvalidPropertyDelete",
                                                      "Delete action is not supported for this property."))
                        : read_extended_name(*uri);
        if (!name) {
          error = name.error();
          break;
        }
        if (const PropertyId property = context.store.find_extended(*name)) folder.bag.erase(property);
        continue;
      }
      if (update.children.size() != 2) {
        error = refuse("ErrorIncorrectUpdatePropertyCount", "One value is expected.").value();
        break;
      }
      const Element& value = update.children[1];
      if (const Element* name = value.child("DisplayName")) {
        Folder* other = child_named(context, folder.parent, name->text);
        if (name->text.empty()) {
          error = refuse("ErrorFolderSavePropertyError", "A folder needs a name.").value();
        } else if (!folder.distinguished.empty()) {
          error = refuse("ErrorAccessDenied", "A distinguished folder can not be renamed.").value();
        } else if (other != nullptr && other != &folder) {
          error = refuse("ErrorFolderExists", "A folder with the specified name already exists.").value();
        }
        if (error) break;
      }
      if (auto done = apply_folder_element(context, folder, value); !done) {
        error = done.error();
        break;
      }
    }
    if (error) {
      folder.name = old_name;
      folder.folder_class = old_class;
      folder.bag = old_bag;
      response.error(*error, "<m:Folders/>");
      continue;
    }
    context.store.touch_folder(context.mailbox, folder);
    std::string& out = response.begin();
    out += "<m:Folders>";
    write_folder(out, context, folder, {});
    out += "</m:Folders>";
    response.end();
  }
  return response.take();
}

OperationResult delete_folder(Context& context, const Element& request) {
  const Element* ids = request.child("FolderIds");
  if (ids == nullptr) return schema("FolderIds is missing");
  const std::string_view type = request.attribute_or("DeleteType", "HardDelete");
  Response response("DeleteFolder");
  for (const Element& id : ids->children) {
    auto found = find_folder(context, id);
    if (!found) {
      response.error(found.error());
      continue;
    }
    Folder& folder = *found->folder;
    if (!folder.distinguished.empty()) {
      response.error(
          refuse("ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted.").value());
      continue;
    }
    dispose_folder(context, folder, type);
    response.success();
  }
  return response.take();
}

OperationResult empty_folder(Context& context, const Element& request) {
  const Element* ids = request.child("FolderIds");
  if (ids == nullptr) return schema("FolderIds is missing");
  const std::string type(request.attribute_or("DeleteType", "HardDelete"));
  const bool subfolders = is_true(request.attribute_or("DeleteSubFolders", "false"));
  Response response("EmptyFolder");
  for (const Element& id : ids->children) {
    auto found = find_folder(context, id);
    if (!found) {
      response.error(found.error());
      continue;
    }
    const std::string& kind = found->folder->folder_class;
    if (kind.starts_with("IPF.Appointment")) {
      response.error(
          refuse("ErrorCannotEmptyFolder", "Emptying the calendar folder or search folder isn't permitted.")
              .value());
      continue;
    }
    if (subfolders)
      for (const std::uint32_t child : context.store.children_of(context.mailbox, found->folder->number))
        if (context.mailbox.folder(child)->distinguished.empty())
          dispose_folder(context, *context.mailbox.folder(child), type);
    const std::vector<std::uint32_t> items = found->folder->items;
    for (auto at = items.rbegin(); at != items.rend(); ++at)
      dispose(context, {&context.mailbox, context.mailbox.item(*at), std::nullopt}, type);
    response.success();
  }
  return response.take();
}

OperationResult move_folder(Context& context, const Element& request) {
  const Element* to = only_folder_id(request.child("ToFolderId"));
  const Element* ids = request.child("FolderIds");
  if (to == nullptr || ids == nullptr) return schema("ToFolderId or FolderIds is missing");
  auto target = find_folder(context, *to);
  Response response("MoveFolder");
  for (const Element& id : ids->children) {
    auto found = find_folder(context, id);
    if (!target || !found) {
      syncline::Error error = target ? found.error() : target.error();
      if (!target && error.code == "ErrorFolderNotFound") error.code = "ErrorToFolderNotFound";
      response.error(error, "<m:Folders/>");
      continue;
    }
    Folder& folder = *found->folder;
    if (!folder.distinguished.empty()) {
      response.error(refuse("ErrorMoveDistinguishedFolder", "Distinguished folders cannot be moved.").value(),
                     "<m:Folders/>");
      continue;
    }
    if (context.store.is_below(context.mailbox, target->folder->number, folder.number)) {
      response.error(refuse("ErrorMoveCopyFailed", "A folder can not be moved below itself.").value(),
                     "<m:Folders/>");
      continue;
    }
    Folder* same = child_named(context, target->folder->number, folder.name);
    if (same != nullptr && same != &folder) {
      response.error(refuse("ErrorFolderExists", "A folder with the specified name already exists.").value(),
                     "<m:Folders/>");
      continue;
    }
    context.store.move_folder(context.mailbox, folder, target->folder->number);
    std::string& out = response.begin();
    out += "<m:Folders>";
    write_folder(out, context, folder, {});
    out += "</m:Folders>";
    response.end();
  }
  return response.take();
}

OperationResult mark_all_items_as_read(Context& context, const Element& request) {
  const Element* ids = request.child("FolderIds");
  if (ids == nullptr) return schema("FolderIds is missing");
  if (request.child("ReadFlag") == nullptr) return schema("ReadFlag is missing");
  const bool read = is_true(request.child_text("ReadFlag"));
  Response response("MarkAllItemsAsRead");
  for (const Element& id : ids->children) {
    auto found = find_folder(context, id);
    if (!found) {
      response.error(found.error());
      continue;
    }
    for (const std::uint32_t number : found->folder->items)
      context.store.set_read(context.mailbox, *context.mailbox.item(number), read);
    response.success();
  }
  return response.take();
}

OperationResult sync_folder_hierarchy(Context& context, const Element& request) {
  Response response("SyncFolderHierarchy");
  auto shape = read_folder_shape(request.child("FolderShape"));
  if (!shape) return syncline::fail(std::move(shape.error()));
  constexpr std::string_view kNothing =
      "<m:SyncState></m:SyncState><m:IncludesLastFolderInRange>true</m:IncludesLastFolderInRange>";
  Folder* root = context.mailbox.folder("msgfolderroot");
  const Element* root_id = only_folder_id(request.child("SyncFolderId"));
  if (root_id != nullptr) {
    auto found = find_folder(context, *root_id);
    if (!found) {
      syncline::Error error = found.error();
      if (error.code == "ErrorFolderNotFound") error.code = "ErrorSyncFolderNotFound";
      response.error(error, kNothing);
      return response.take();
    }
    root = found->folder;
  }
  Mailbox& mailbox = context.mailbox;
  SyncState state{mailbox.guid, root->number, mailbox.hierarchy_epoch, 0, 0, 0, false, true};
  if (const std::string_view given = request.child_text("SyncState"); !given.empty()) {
    const auto read = decode_sync_state(given);
    if (!read || !read->hierarchy || read->mailbox != mailbox.guid || read->folder != root->number ||
        read->epoch != mailbox.hierarchy_epoch || read->from > mailbox.sequence) {
      response.error(
          refuse("ErrorInvalidSyncStateData", "Synchronization state data is corrupt or otherwise invalid.")
              .value(),
          kNothing);
      return response.take();
    }
    state = *read;
  }
  std::string changes;
  for (const auto& folder : mailbox.folders) {
    if (!folder || folder->number == root->number || folder->changed_at <= state.from) continue;
    if (!context.store.is_below(mailbox, folder->number, root->number)) continue;
    const std::string_view what = folder->created_at > state.from ? "Create" : "Update";
    changes += "<t:" + std::string(what) + '>';
    write_folder(changes, context, *folder, *shape);
    changes += "</t:" + std::string(what) + '>';
  }
  for (const auto& gone : mailbox.folder_tombstones) {
    if (gone.sequence <= state.from || gone.created_at > state.from) continue;
    changes += "<t:Delete><t:FolderId Id=\"" + encode_id({IdType::folder, mailbox.guid, gone.folder, 0, {}}) +
               "\"/></t:Delete>";
  }
  state.from = mailbox.sequence;
  std::string& out = response.begin();
  out += "<m:SyncState>" + encode_sync_state(state) +
         "</m:SyncState><m:IncludesLastFolderInRange>true</m:IncludesLastFolderInRange><m:Changes>" +
         changes + "</m:Changes>";
  response.end();
  return response.take();
}

}  // namespace exchange_sim
