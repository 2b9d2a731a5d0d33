// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/exchange/state.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "tools/exchange-sim/exchange/xml.hpp"

namespace exchange_sim {
namespace {

struct StandardFolder {
  const char* distinguished;
  const char* parent;
  const char* name;
  const char* folder_class;
};

// In the order they are made: parents first. The names are those of an English mailbox.
constexpr StandardFolder kStandardFolders[] = {
    {"root", "", "", ""},
    {"msgfolderroot", "root", "Top of Information Store", "IPF.Note"},
    {"inbox", "msgfolderroot", "Inbox", "IPF.Note"},
    {"sentitems", "msgfolderroot", "Sent Items", "IPF.Note"},
    {"deleteditems", "msgfolderroot", "Deleted Items", "IPF.Note"},
    {"drafts", "msgfolderroot", "Drafts", "IPF.Note"},
    {"outbox", "msgfolderroot", "Outbox", "IPF.Note"},
    {"calendar", "msgfolderroot", "Calendar", "IPF.Appointment"},
    {"contacts", "msgfolderroot", "Contacts", "IPF.Contact"},
    {"tasks", "msgfolderroot", "Tasks", "IPF.Task"},
    {"notes", "msgfolderroot", "Notes", "IPF.StickyNote"},
    {"journal", "msgfolderroot", "Journal", "IPF.Journal"},
    {"junkemail", "msgfolderroot", "Junk Email", "IPF.Note"},
    {"conversationhistory", "msgfolderroot", "Conversation History", "IPF.Note"},
    {"searchfolders", "root", "Finder", ""},
    {"recoverableitemsroot", "root", "Recoverable Items", ""},
    {"recoverableitemsdeletions", "recoverableitemsroot", "Deletions", "IPF.Note"},
    {"recoverableitemsversions", "recoverableitemsroot", "Versions", "IPF.Note"},
    {"recoverableitemspurges", "recoverableitemsroot", "Purges", "IPF.Note"},
    {"publicfoldersroot", "", "IPM_SUBTREE", "IPF.Note"},
};

std::string item_id_xml(std::string_view element, const std::string& id, const std::string& key) {
  std::string out = "<t:";
  out += element;
  append_attribute(out, "Id", id);
  append_attribute(out, "ChangeKey", key);
  return out + "/>";
}

constexpr std::string_view kEventNames[] = {"CopiedEvent",         "CreatedEvent", "DeletedEvent",
                                            "ModifiedEvent",       "MovedEvent",   "NewMailEvent",
                                            "FreeBusyChangedEvent"};

}  // namespace

std::uint8_t response_index(std::string_view response) noexcept {
  for (std::uint8_t i = 0; i < std::size(kResponses); ++i)
    if (kResponses[i] == response) return i;
  return 0;
}

std::string_view element_of(Attachment::Kind kind) noexcept {
  constexpr std::string_view kNames[] = {"FileAttachment", "ItemAttachment", "ReferenceAttachment"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view to_string(EventType type) noexcept {
  return kEventNames[static_cast<std::size_t>(type)];
}

Item::Item(const Item& other)
    : number(other.number),
      folder(other.folder),
      kind(other.kind),
      is_read(other.is_read),
      is_draft(other.is_draft),
      is_submitted(other.is_submitted),
      is_from_me(other.is_from_me),
      is_unmodified(other.is_unmodified),
      is_organizer(other.is_organizer),
      is_cancelled(other.is_cancelled),
      invitations_sent(other.invitations_sent),
      my_response(other.my_response),
      version(other.version),
      created_at(other.created_at),
      changed_at(other.changed_at),
      read_at(other.read_at),
      modified(other.modified),
      search_number(other.search_number),
      next_serial(other.next_serial),
      associated(other.associated),
      bag(other.bag),
      mime(other.mime),
      attachments(other.attachments),
      occurrences(other.occurrences ? std::make_unique<std::map<Day, Occurrence>>(*other.occurrences)
                                    : nullptr),
      changed_in(other.changed_in ? std::make_unique<std::map<PropertyOf, std::uint64_t>>(*other.changed_in)
                                  : nullptr) {}

std::set<PropertyOf> differences(const Item& a, const Item& b) {
  std::set<PropertyOf> out;
  const auto compare = [&out](std::optional<Day> day, const PropertyBag& left, const PropertyBag& right) {
    left.for_each([&](PropertyId id, std::string_view value) {
      if (right.find(id) != value) out.insert({day, id});
    });
    right.for_each([&](PropertyId id, std::string_view) {
      if (!left.has(id)) out.insert({day, id});
    });
  };
  compare(std::nullopt, a.bag, b.bag);
  const PropertyBag nothing;
  const auto days_of = [&](const Item& item, const Item& other) {
    if (!item.occurrences) return;
    for (const auto& [day, occurrence] : *item.occurrences) {
      const Occurrence* same = nullptr;
      if (other.occurrences)
        if (const auto at = other.occurrences->find(day); at != other.occurrences->end()) same = &at->second;
      compare(day, occurrence.changes, same == nullptr ? nothing : same->changes);
    }
  };
  days_of(a, b);
  days_of(b, a);
  if (a.is_read != b.is_read) out.insert({std::nullopt, f_is_read});
  if (a.mime.index() != b.mime.index()) out.insert({std::nullopt, f_mime_content});
  if (a.next_serial != b.next_serial || a.attachments.size() != b.attachments.size())
    out.insert({std::nullopt, f_attachments});
  return out;
}

Item* Mailbox::item(std::uint32_t number) const {
  return number == 0 || number > items.size() ? nullptr : items[number - 1].get();
}

Folder* Mailbox::folder(std::uint32_t number) const {
  return number == 0 || number > folders.size() ? nullptr : folders[number - 1].get();
}

Folder* Mailbox::folder(std::string_view distinguished_name) const {
  const auto at = distinguished.find(distinguished_name);
  return at == distinguished.end() ? nullptr : folder(at->second);
}

Store::Store(const syncline::Clock& clock, syncline::Random& random, const Limits& limits)
    : clock_(clock), random_(random), limits_(limits) {}

Seconds Store::now() const {
  return std::chrono::duration_cast<std::chrono::seconds>(clock_.now().time_since_epoch()).count();
}

void Store::give_guid(Mailbox& mailbox) {
  std::array<std::byte, 16> octets{};
  random_.fill(octets);
  for (std::size_t i = 0; i < octets.size(); ++i) mailbox.guid[i] = static_cast<unsigned char>(octets[i]);
  guids_[mailbox.guid] = mailbox.index;
}

Mailbox& Store::add_mailbox(const MailboxDefinition& definition) {
  auto mailbox = std::make_unique<Mailbox>();
  mailbox->definition = definition;
  mailbox->definition.address = syncline::text::to_lower_ascii(definition.address);
  mailbox->index = static_cast<std::uint32_t>(mailboxes_.size());
  give_guid(*mailbox);
  addresses_[mailbox->definition.address] = mailbox->index;
  for (const std::string& alias : definition.aliases)
    addresses_[syncline::text::to_lower_ascii(alias)] = mailbox->index;
  mailboxes_.push_back(std::move(mailbox));
  Mailbox& made = *mailboxes_.back();
  for (const StandardFolder& f : kStandardFolders) {
    const Folder* parent = made.folder(f.parent);
    Folder& folder =
        add_folder(made, parent == nullptr ? 0 : parent->number, f.name, f.folder_class, f.distinguished);
    folder.is_public = folder.distinguished == "publicfoldersroot";
  }
  return made;
}

Mailbox* Store::mailbox(std::string_view address) const {
  const auto at = addresses_.find(syncline::text::to_lower_ascii(address));
  if (at == addresses_.end()) return nullptr;
  Mailbox* mailbox = mailboxes_[at->second].get();
  return mailbox->removed ? nullptr : mailbox;
}

Mailbox* Store::mailbox(const MailboxGuid& guid) const {
  const auto at = guids_.find(guid);
  if (at == guids_.end() || mailboxes_[at->second]->removed) return nullptr;
  return mailboxes_[at->second].get();
}

void Store::remove_mailbox(Mailbox& mailbox) {
  mailbox.removed = true;
  std::erase_if(addresses_, [&](const auto& entry) { return entry.second == mailbox.index; });
  std::erase_if(subscriptions_, [&](const auto& entry) { return entry.second.mailbox == mailbox.index; });
  mailbox.items.clear();
  mailbox.folders.clear();
  mailbox.distinguished.clear();
}

void Store::move_mailbox(Mailbox& mailbox, std::string site, std::string_view alias) {
  guids_.erase(mailbox.guid);
  give_guid(mailbox);
  mailbox.definition.site = std::move(site);
  if (!alias.empty()) {
    mailbox.definition.aliases.emplace_back(alias);
    addresses_[syncline::text::to_lower_ascii(alias)] = mailbox.index;
  }
  std::erase_if(subscriptions_, [&](const auto& entry) { return entry.second.mailbox == mailbox.index; });
}

Folder& Store::add_folder(Mailbox& mailbox, std::uint32_t parent, std::string_view name,
                          std::string_view folder_class, std::string_view distinguished) {
  auto folder = std::make_unique<Folder>();
  folder->number = static_cast<std::uint32_t>(mailbox.folders.size() + 1);
  folder->parent = parent;
  folder->name = name;
  folder->folder_class = folder_class;
  folder->distinguished = distinguished;
  folder->version = ++version_;
  folder->created_at = folder->changed_at = ++mailbox.sequence;
  if (const Folder* above = mailbox.folder(parent)) folder->is_public = above->is_public;
  if (!distinguished.empty()) mailbox.distinguished.emplace(distinguished, folder->number);
  mailbox.folders.push_back(std::move(folder));
  Folder& made = *mailbox.folders.back();
  folder_event(mailbox, EventType::created, made);
  return made;
}

void Store::touch_folder(Mailbox& mailbox, Folder& folder) {
  folder.version = ++version_;
  folder.changed_at = ++mailbox.sequence;
  folder_event(mailbox, EventType::modified, folder);
}

void Store::remove_folder(Mailbox& mailbox, std::uint32_t number) {
  // The folders below first, without recursion: collect, then remove from the leaves up.
  std::vector<std::uint32_t> doomed{number};
  for (std::size_t i = 0; i < doomed.size(); ++i)
    for (const std::uint32_t child : children_of(mailbox, doomed[i])) doomed.push_back(child);
  for (auto at = doomed.rbegin(); at != doomed.rend(); ++at) {
    Folder* folder = mailbox.folder(*at);
    if (folder == nullptr) continue;
    for (const std::uint32_t item : folder->items) {
      mailbox.unreadable.erase(item);
      mailbox.items[item - 1].reset();
    }
    mailbox.folder_tombstones.push_back({++mailbox.sequence, *at, folder->created_at});
    folder_event(mailbox, EventType::deleted, *folder);
    mailbox.folders[*at - 1].reset();
  }
}

void Store::move_folder(Mailbox& mailbox, Folder& folder, std::uint32_t parent) {
  folder.parent = parent;
  folder.version = ++version_;
  folder.changed_at = ++mailbox.sequence;
  folder_event(mailbox, EventType::modified, folder);
}

std::vector<std::uint32_t> Store::children_of(const Mailbox& mailbox, std::uint32_t folder) const {
  std::vector<std::uint32_t> children;
  for (const auto& candidate : mailbox.folders)
    if (candidate && candidate->parent == folder && folder != 0) children.push_back(candidate->number);
  return children;
}

bool Store::is_below(const Mailbox& mailbox, std::uint32_t folder, std::uint32_t ancestor) const {
  for (const Folder* at = mailbox.folder(folder); at != nullptr; at = mailbox.folder(at->parent))
    if (at->number == ancestor) return true;
  return false;
}

void Store::log(Mailbox& mailbox, Folder& folder, const Item& item, FolderChange::What what) {
  folder.log.push_back({++mailbox.sequence, item.number, what, item.created_at});
}

Item& Store::insert(Mailbox& mailbox, std::uint32_t folder_number, std::unique_ptr<Item> item,
                    bool new_mail) {
  Folder& folder = *mailbox.folder(folder_number);
  item->number = static_cast<std::uint32_t>(mailbox.items.size() + 1);
  item->folder = folder_number;
  item->version = ++version_;
  if (item->modified == 0) item->modified = now();
  if (item->search_number == 0) item->search_number = ++search_numbers_;
  if (!item->bag.has(f_created)) item->bag.set(f_created, format_utc(now()));
  item->created_at = mailbox.sequence + 1;
  item->changed_at = item->created_at;
  item->read_at = item->created_at;
  item->bag.shrink();
  mailbox.items.push_back(std::move(item));
  Item& made = *mailbox.items.back();
  log(mailbox, folder, made, FolderChange::What::created);
  folder.items.push_back(made.number);
  if (!made.is_read) ++folder.unread;
  if (new_mail) item_event(mailbox, EventType::new_mail, folder, made);
  item_event(mailbox, EventType::created, folder, made);
  folder_event(mailbox, EventType::modified, folder);
  return made;
}

void Store::touch(Mailbox& mailbox, Item& item, const Item* before) {
  Folder& folder = *mailbox.folder(item.folder);
  item.version = ++version_;
  item.modified = now();
  item.changed_at = mailbox.sequence + 1;
  if (before != nullptr) {
    if (!item.changed_in) item.changed_in = std::make_unique<std::map<PropertyOf, std::uint64_t>>();
    for (const PropertyOf& property : differences(item, *before)) (*item.changed_in)[property] = item.version;
  }
  log(mailbox, folder, item, FolderChange::What::changed);
  item_event(mailbox, EventType::modified, folder, item);
}

void Store::set_read(Mailbox& mailbox, Item& item, bool is_read) {
  if (item.is_read == is_read) return;
  Folder& folder = *mailbox.folder(item.folder);
  item.is_read = is_read;
  folder.unread = is_read ? folder.unread - std::min<std::uint32_t>(folder.unread, 1) : folder.unread + 1;
  item.version = ++version_;
  item.read_at = mailbox.sequence + 1;
  log(mailbox, folder, item, FolderChange::What::read);
  item_event(mailbox, EventType::modified, folder, item);
  folder_event(mailbox, EventType::modified, folder);
}

void Store::detach(Mailbox& mailbox, Item& item) {
  Folder& folder = *mailbox.folder(item.folder);
  log(mailbox, folder, item, FolderChange::What::removed);
  const auto at = std::lower_bound(folder.items.begin(), folder.items.end(), item.number);
  if (at != folder.items.end() && *at == item.number) folder.items.erase(at);
  if (!item.is_read && folder.unread > 0) --folder.unread;
  mailbox.unreadable.erase(item.number);
}

void Store::remove(Mailbox& mailbox, std::uint32_t number) {
  Item* item = mailbox.item(number);
  if (item == nullptr) return;
  detach(mailbox, *item);
  const Folder& folder = *mailbox.folder(item->folder);
  item_event(mailbox, EventType::deleted, folder, *item);
  folder_event(mailbox, EventType::modified, folder);
  mailbox.items[number - 1].reset();
}

Item& Store::move(Mailbox& mailbox, std::uint32_t number, Mailbox& target, std::uint32_t folder_number) {
  Item& old = *mailbox.item(number);
  const Folder& from = *mailbox.folder(old.folder);
  const std::string old_id =
      item_id_xml("OldItemId", item_id(mailbox, old), encode_change_key(old.version, false));
  const std::string old_folder =
      item_id_xml("OldParentFolderId", folder_id(mailbox, from), encode_change_key(from.version, true));
  detach(mailbox, old);
  std::unique_ptr<Item> item = std::move(mailbox.items[number - 1]);
  Folder& folder = *target.folder(folder_number);
  item->number = static_cast<std::uint32_t>(target.items.size() + 1);
  item->folder = folder_number;
  item->version = ++version_;
  item->created_at = target.sequence + 1;
  item->changed_at = item->created_at;
  item->read_at = item->created_at;
  target.items.push_back(std::move(item));
  Item& made = *target.items.back();
  log(target, folder, made, FolderChange::What::created);
  folder.items.push_back(made.number);
  if (!made.is_read) ++folder.unread;
  const std::string body =
      item_id_xml("ItemId", item_id(target, made), encode_change_key(made.version, false)) +
      item_id_xml("ParentFolderId", folder_id(target, folder), encode_change_key(folder.version, true)) +
      old_id + old_folder;
  emit(target, EventType::moved, folder, body, from.number);
  folder_event(mailbox, EventType::modified, from);
  folder_event(target, EventType::modified, folder);
  return made;
}

Item& Store::copy(Mailbox& mailbox, const Item& item, Mailbox& target, std::uint32_t folder_number) {
  const Folder& from = *mailbox.folder(item.folder);
  const std::string old_id =
      item_id_xml("OldItemId", item_id(mailbox, item), encode_change_key(item.version, false));
  const std::string old_folder =
      item_id_xml("OldParentFolderId", folder_id(mailbox, from), encode_change_key(from.version, true));
  auto copied = std::make_unique<Item>(item);
  Folder& folder = *target.folder(folder_number);
  copied->number = static_cast<std::uint32_t>(target.items.size() + 1);
  copied->folder = folder_number;
  copied->version = ++version_;
  copied->created_at = copied->changed_at = copied->read_at = target.sequence + 1;
  target.items.push_back(std::move(copied));
  Item& made = *target.items.back();
  log(target, folder, made, FolderChange::What::created);
  folder.items.push_back(made.number);
  if (!made.is_read) ++folder.unread;
  emit(target, EventType::copied, folder,
       item_id_xml("ItemId", item_id(target, made), encode_change_key(made.version, false)) +
           item_id_xml("ParentFolderId", folder_id(target, folder), encode_change_key(folder.version, true)) +
           old_id + old_folder);
  folder_event(target, EventType::modified, folder);
  return made;
}

PropertyId Store::extended_id(const ExtendedName& name) {
  const auto at = extended_ids_.find(name);
  if (at != extended_ids_.end()) return at->second;
  if (next_dynamic_ == std::numeric_limits<PropertyId>::max()) return 0;
  const auto made = extended_ids_.emplace(name, next_dynamic_++).first;
  extended_names_.emplace(made->second, &made->first);
  return made->second;
}

PropertyId Store::find_extended(const ExtendedName& name) const {
  const auto at = extended_ids_.find(name);
  return at == extended_ids_.end() ? PropertyId{0} : at->second;
}

const ExtendedName* Store::extended_name(PropertyId id) const {
  const auto at = extended_names_.find(id);
  return at == extended_names_.end() ? nullptr : at->second;
}

PropertyId Store::dictionary_id(const DictionaryName& name) {
  const auto at = dictionary_ids_.find(name);
  if (at != dictionary_ids_.end()) return at->second;
  if (next_dynamic_ == std::numeric_limits<PropertyId>::max()) return 0;
  const auto made = dictionary_ids_.emplace(name, next_dynamic_++).first;
  dictionary_names_.emplace(made->second, &made->first);
  return made->second;
}

PropertyId Store::find_dictionary(const DictionaryName& name) const {
  const auto at = dictionary_ids_.find(name);
  return at == dictionary_ids_.end() ? PropertyId{0} : at->second;
}

const DictionaryName* Store::dictionary_name(PropertyId id) const {
  const auto at = dictionary_names_.find(id);
  return at == dictionary_names_.end() ? nullptr : at->second;
}

std::string Store::new_subscription_id(const Mailbox& mailbox) {
  return syncline::base64_encode("sub" + mailbox.definition.address + '/' + random_.uuid());
}

std::string Store::new_message_id() {
  return '<' + random_.uuid() + '.' + std::to_string(++names_made_) + "@mail.example>";
}

std::string Store::new_uid() {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string uid = "040000008200E00074C5B7101A82E00800000000";
  std::array<std::byte, 36> octets{};
  random_.fill(octets);
  for (const std::byte b : octets) {
    uid += kDigits[static_cast<unsigned>(b) >> 4];
    uid += kDigits[static_cast<unsigned>(b) & 15];
  }
  return uid;
}

std::string Store::item_id(const Mailbox& mailbox, const Item& item) const {
  return encode_id({IdType::item, mailbox.guid, item.number, 0, {}});
}

std::string Store::folder_id(const Mailbox& mailbox, const Folder& folder) const {
  return encode_id({IdType::folder, mailbox.guid, folder.number, 0, {}});
}

void Store::emit(Mailbox& mailbox, EventType type, const Folder& folder, const std::string& body,
                 unsigned also_folder) {
  if (subscriptions_.empty()) return;
  for (auto& [id, subscription] : subscriptions_) {
    if (subscription.mailbox != mailbox.index ||
        (subscription.types & (1U << static_cast<unsigned>(type))) == 0)
      continue;
    if (!subscription.all_folders && !subscription.folders.contains(folder.number) &&
        !subscription.folders.contains(also_folder))
      continue;
    const std::string_view name = to_string(type);
    Event event;
    event.sequence = ++event_sequence_;
    event.xml = "<t:" + std::string(name) + "><t:TimeStamp>" + format_utc(now()) + "</t:TimeStamp>" + body +
                "</t:" + std::string(name) + '>';
    subscription.events.push_back(std::move(event));
    if (subscription.events.size() > limits_.events_kept) {
      subscription.first_kept = subscription.events.front().sequence;
      subscription.events.pop_front();
    }
    if (subscription.streaming && on_event_) on_event_(id);
  }
}

void Store::item_event(Mailbox& mailbox, EventType type, const Folder& folder, const Item& item) {
  if (subscriptions_.empty()) return;
  emit(
      mailbox, type, folder,
      item_id_xml("ItemId", item_id(mailbox, item), encode_change_key(item.version, false)) +
          item_id_xml("ParentFolderId", folder_id(mailbox, folder), encode_change_key(folder.version, true)));
}

void Store::folder_event(Mailbox& mailbox, EventType type, const Folder& folder) {
  if (subscriptions_.empty()) return;
  const Folder* parent = mailbox.folder(folder.parent);
  std::string body =
      item_id_xml("FolderId", folder_id(mailbox, folder), encode_change_key(folder.version, true)) +
      item_id_xml("ParentFolderId", folder_id(mailbox, parent == nullptr ? folder : *parent),
                  encode_change_key(parent == nullptr ? folder.version : parent->version, true));
  if (type == EventType::modified)
    body += "<t:UnreadCount>" + std::to_string(folder.unread) + "</t:UnreadCount>";
  emit(mailbox, type, folder, body);
}

}  // namespace exchange_sim
