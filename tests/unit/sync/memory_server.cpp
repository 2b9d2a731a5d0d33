// SPDX-License-Identifier: GPL-3.0-or-later
#include "memory_server.hpp"

#include <algorithm>
#include <boost/json/array.hpp>

#include "base/text.hpp"
#include "model/field_catalogue.hpp"

namespace syncline::sync::testing {
namespace {

namespace json = boost::json;
using model::RecordKind;

const std::vector<RemoteFolder> all_folders = {
    {.id = "inbox", .name = "Inbox", .role = FolderRole::inbox},
    {.id = "sent", .name = "Sent Items", .role = FolderRole::sent},
    {.id = "drafts", .name = "Drafts", .role = FolderRole::drafts},
    {.id = "deleted", .name = "Deleted Items", .role = FolderRole::deleted},
    {.id = "calendar", .name = "Calendar", .role = FolderRole::calendar, .kind = RecordKind::appointment},
    {.id = "contacts", .name = "Contacts", .role = FolderRole::contacts, .kind = RecordKind::contact},
    {.id = "tasks", .name = "Tasks", .role = FolderRole::tasks, .kind = RecordKind::task},
    {.id = "partners", .name = "Partners", .parent_id = "contacts", .kind = RecordKind::contact},
    {.id = "projects", .name = "Projects", .parent_id = "inbox", .role = FolderRole::other},
};

Error gone() {
  return {.domain = ErrorDomain::ews, .code = "gone", .message = "there is no such item"};
}
Error conflict() {
  return {.domain = ErrorDomain::ews,
          .code = "conflict",
          .message = "the item has changed",
          .retry = RetryClass::now};
}

std::optional<std::int64_t> number_after(std::string_view text, std::string_view prefix) {
  return text.starts_with(prefix) ? text::parse_int(text.substr(prefix.size())) : std::nullopt;
}

void apply_fields(model::Fields& fields, const model::Fields& changes, RecordKind kind) {
  for (const auto& [name, value] : changes) {
    const model::FieldInfo* field = model::find_field(kind, name);
    const bool dictionary = field != nullptr && (field->type == model::FieldType::entries ||
                                                 field->type == model::FieldType::addresses);
    if (value.is_null()) {
      fields.erase(name);
    } else if (dictionary && fields.contains(name) && fields[name].is_object() && value.is_object()) {
      for (const auto& [key, entry] : value.get_object()) {
        if (entry.is_null())
          fields[name].get_object().erase(key);
        else
          fields[name].get_object()[key] = entry;
      }
    } else {
      fields[name] = value;
    }
  }
}

bool holds(const model::Fields& fields, const model::Fields& wanted, RecordKind kind) {
  model::Fields after = fields;
  apply_fields(after, wanted, kind);
  for (const auto& [name, value] : after) {
    const model::FieldInfo* field = model::find_field(kind, name);
    const json::value* there = fields.if_contains(name);
    if (field == nullptr) continue;
    if (!model::same_value(*field, value, there == nullptr ? json::value() : *there)) return false;
  }
  for (const auto& [name, value] : wanted)
    if (value.is_null() && fields.contains(name)) return false;
  return true;
}

}  // namespace

MemoryServer::MemoryServer(const Clock& clock, std::string address)
    : clock_(clock), address_(std::move(address)) {}

RemoteFolder MemoryServer::folder(const std::string& id) {
  return *std::find_if(all_folders.begin(), all_folders.end(),
                       [&](const RemoteFolder& folder) { return folder.id == id; });
}

std::vector<RemoteFolder> MemoryServer::folders() const {
  std::vector<RemoteFolder> there = all_folders;
  std::erase_if(there, [&](const RemoteFolder& folder) { return removed_folders_.contains(folder.id); });
  return there;
}

void MemoryServer::give_new_ids() {
  std::map<std::string, MemoryItem> before;
  std::swap(before, items_);
  feeds_.clear();
  invalidate_cursors();
  for (auto& [_, item] : before) {
    item.id = "there/" + std::to_string(++next_id_);
    MemoryItem& placed = items_[item.id] = std::move(item);
    touch(placed, placed.folder);
  }
}

void MemoryServer::remove_folder(const std::string& id) {
  removed_folders_.insert(id);
  std::erase_if(items_, [&](const auto& entry) { return entry.second.folder == id; });
}

void MemoryServer::touch(MemoryItem& item, const std::string& folder_of_feed, bool deleted) {
  if (!deleted) {
    ++item.version;
    item.modified = clock_.now();
  }
  feeds_[folder_of_feed].push_back({.item = item.id, .deleted = deleted});
}

MemoryItem& MemoryServer::add(const std::string& folder_id, model::Fields fields) {
  MemoryItem item;
  item.id = folder_id + "/" + std::to_string(++next_id_);
  item.folder = folder_id;
  item.kind = folder(folder_id).kind;
  item.fields = std::move(fields);
  item.search_key = "key-" + std::to_string(next_id_);
  MemoryItem& placed = items_[item.id] = std::move(item);
  touch(placed, folder_id);
  return placed;
}

MemoryItem& MemoryServer::add_unseen(const std::string& folder_id, model::Fields fields) {
  MemoryItem& item = add(folder_id, std::move(fields));
  feeds_[folder_id].pop_back();
  return item;
}

void MemoryServer::remove_unseen(const std::string& id) {
  items_.erase(id);
}

void MemoryServer::edit(const std::string& id, const model::Fields& changes) {
  MemoryItem& item = items_.at(id);
  apply_fields(item.fields, changes, item.kind);
  touch(item, item.folder);
}

std::string MemoryServer::move(const std::string& id, const std::string& folder_id) {
  MemoryItem item = items_.at(id);
  touch(items_.at(id), item.folder, true);
  items_.erase(id);
  item.id = folder_id + "/" + std::to_string(++next_id_);
  item.folder = folder_id;
  MemoryItem& placed = items_[item.id] = item;
  touch(placed, folder_id);
  return placed.id;
}

void MemoryServer::remove(const std::string& id) {
  move(id, "deleted");
}

MemoryItem& MemoryServer::copy(const std::string& id, const std::string& folder_id) {
  MemoryItem item = items_.at(id);
  item.id = folder_id + "/" + std::to_string(++next_id_);
  item.folder = folder_id;
  MemoryItem& placed = items_[item.id] = item;
  touch(placed, folder_id);
  return placed;
}

MemoryItem* MemoryServer::find(const std::string& id) {
  const auto found = items_.find(id);
  return found == items_.end() ? nullptr : &found->second;
}

std::vector<const MemoryItem*> MemoryServer::in(const std::string& folder_id) const {
  std::vector<const MemoryItem*> found;
  for (const auto& [_, item] : items_)
    if (item.folder == folder_id) found.push_back(&item);
  return found;
}

std::optional<Error> MemoryDriver::before(const std::string& request) {
  ++requests_;
  if (fault_)
    if (auto error = fault_(request, FaultMoment::before)) return error;
  ++server_.requests[request];
  return std::nullopt;
}

std::optional<Error> MemoryDriver::after(const std::string& request) {
  return fault_ ? fault_(request, FaultMoment::after) : std::nullopt;
}

Async<std::vector<RemoteFolder>> MemoryDriver::folders() {
  if (auto error = before("folders")) co_return fail(std::move(*error));
  co_return server_.folders();
}

Async<FeedPage> MemoryDriver::pull(const RemoteFolder& folder, std::string cursor, std::size_t most) {
  if (auto error = before("pull")) co_return fail(std::move(*error));
  const auto& feed = server_.feeds_[folder.id];
  const std::string prefix = std::to_string(server_.epoch_) + ":";
  std::size_t at = 0;
  if (!cursor.empty()) {
    const auto position = number_after(cursor, prefix);
    if (!position)
      co_return fail(ErrorDomain::ews, "ErrorInvalidSyncStateData", "the state is not valid",
                     RetryClass::resync);
    at = static_cast<std::size_t>(*position);
  }
  FeedPage page;
  std::size_t end = at;
  for (; end < feed.size() && page.entries.size() < std::min(most, server_.page_size); ++end) {
    const MemoryServer::Change& change = feed[end];
    const MemoryItem* item = server_.find(change.item);
    if (cursor.empty() && at == 0 && (change.deleted || item == nullptr))
      continue;  // a first reading knows no deletes
    FeedEntry entry;
    entry.what = change.deleted || item == nullptr ? FeedEntry::What::deleted : FeedEntry::What::changed;
    entry.item = {.id = change.item, .version = item == nullptr ? "" : std::to_string(item->version)};
    page.entries.push_back(std::move(entry));
  }
  page.cursor = prefix + std::to_string(end);
  page.last = end == feed.size();
  co_return page;
}

Async<std::vector<std::string>> MemoryDriver::received_since(const RemoteFolder& folder, SystemTime from) {
  if (auto error = before("received_since")) co_return fail(std::move(*error));
  std::vector<std::string> ids;
  for (const MemoryItem* item : server_.in(folder.id))
    if (item->modified >= from) ids.push_back(item->id);
  std::reverse(ids.begin(), ids.end());
  co_return ids;
}

Async<std::vector<RemoteRef>> MemoryDriver::list(const RemoteFolder& folder) {
  if (auto error = before("list")) co_return fail(std::move(*error));
  std::vector<RemoteRef> refs;
  for (const MemoryItem* item : server_.in(folder.id))
    refs.push_back({.id = item->id, .version = std::to_string(item->version)});
  co_return refs;
}

Async<std::vector<Result<RemoteItem>>> MemoryDriver::read(RecordKind kind, std::vector<std::string> ids,
                                                          bool with_body) {
  if (auto error = before("read")) co_return fail(std::move(*error));
  std::vector<Result<RemoteItem>> results;
  for (const std::string& id : ids) {
    const MemoryItem* item = server_.find(id);
    if (item == nullptr) {
      results.push_back(fail(gone()));
      continue;
    }
    if (item->unreadable) {
      results.push_back(
          fail(ErrorDomain::ews, "ErrorItemCorrupt", "the item is corrupt", RetryClass::quarantine));
      continue;
    }
    RemoteItem read{.ref = {.id = item->id, .version = std::to_string(item->version)},
                    .kind = kind,
                    .folder_id = item->folder,
                    .item_class = item->item_class,
                    .opaque = item->opaque,
                    .search_key = item->search_key,
                    .operation_id = item->mark,
                    .last_modified = item->modified,
                    .is_organizer = item->is_organizer,
                    .is_private = item->is_private,
                    .fields = item->fields};
    if (kind == RecordKind::email && !with_body) read.fields.erase("body");
    results.push_back(std::move(read));
  }
  co_return results;
}

Async<bool> MemoryDriver::fetch_mime(std::string id, ContentSink& sink, std::uint64_t) {
  if (auto error = before("fetch_mime")) co_return fail(std::move(*error));
  const MemoryItem* item = server_.find(id);
  if (item == nullptr) co_return fail(gone());
  if (item->mime.empty()) co_return false;
  if (auto done = sink.write(std::as_bytes(std::span(item->mime.data(), item->mime.size()))); !done)
    co_return fail(std::move(done.error()));
  co_return true;
}

Async<void> MemoryDriver::fetch_attachment(std::string id, ContentSink& sink, std::uint64_t) {
  for (const auto& [_, item] : server_.items_)
    if (const auto found = item.attachments.find(id); found != item.attachments.end())
      co_return sink.write(std::as_bytes(std::span(found->second)));
  if (!id.ends_with("/attached")) co_return fail(gone());
  constexpr std::string_view octets = "Subject: attached\r\n\r\n";
  co_return sink.write(std::as_bytes(std::span(octets)));
}

Async<std::optional<RemoteItem>> MemoryDriver::attached_message(std::string id) {
  if (auto error = before("attached_message")) co_return fail(std::move(*error));
  const MemoryItem* item = server_.find(id);
  if (item == nullptr) co_return fail(gone());
  if (item->attached.empty()) co_return std::optional<RemoteItem>();
  RemoteItem attached;
  attached.ref.id = id + "/attached";
  attached.fields = item->attached;
  co_return attached;
}

Async<std::optional<Driver::Found>> MemoryDriver::find(RecordKind, std::string search_key) {
  if (auto error = before("find")) co_return fail(std::move(*error));
  for (const auto& [id, item] : server_.items_)
    if (item.search_key == search_key)
      co_return Found{.item = {.id = id, .version = std::to_string(item.version)},
                      .folder_id = item.folder,
                      .in_deleted_items = item.folder == "deleted"};
  co_return std::optional<Found>();
}

MemoryItem* MemoryDriver::marked(const std::string& operation) {
  for (auto& [_, item] : server_.items_)
    if (item.mark == operation && item.folder != "deleted") return &item;
  return nullptr;
}

namespace {

/// A begun step may still be at work on the server.
std::optional<Error> too_early(const Progress& progress, const Clock& clock) {
  const SystemTime now = clock.now();
  if (now >= progress.settled_after()) return std::nullopt;
  Error error{.domain = ErrorDomain::ews,
              .code = "uncertain",
              .message = "a reply was lost",
              .retry = RetryClass::after};
  error.retry_after = std::chrono::duration_cast<std::chrono::milliseconds>(progress.settled_after() - now);
  return error;
}

Error lost(const Progress& progress, const Clock& clock) {
  Error error{.domain = ErrorDomain::ews,
              .code = "uncertain",
              .message = "a reply was lost",
              .retry = RetryClass::after};
  error.retry_after =
      std::chrono::duration_cast<std::chrono::milliseconds>(progress.settled_after() - clock.now());
  return error;
}

Applied applied_to(const MemoryItem& item) {
  Applied applied;
  applied.item = {.id = item.id, .version = std::to_string(item.version)};
  return applied;
}

}  // namespace

Async<Applied> MemoryDriver::apply(const WriteOrder& order, Progress& progress, const OpenContent&) {
  switch (order.what) {
    case WriteOrder::What::create:
      co_return create(order, progress);
    case WriteOrder::What::update:
      co_return update(order, progress);
    case WriteOrder::What::remove:
      co_return remove(order, progress);
    case WriteOrder::What::send:
      co_return send(order, progress);
  }
  co_return fail(gone());
}

Result<void> MemoryDriver::mail(const std::string& item, const WriteOrder& order, Progress& progress,
                                const std::string& step) {
  if (!progress.text().starts_with("mail")) {
    if (auto saved = progress.save("mail " + item + " " + step); !saved) return saved;
    if (auto error = before("mail")) return fail(std::move(*error));
  } else {
    if (auto early = too_early(progress, clock_)) return fail(std::move(*early));
    if (server_.mailed_marks_[item] == order.operation_id) return {};
    if (auto saved = progress.save("mail " + item + " " + step); !saved) return saved;
    if (auto error = before("mail")) return fail(std::move(*error));
  }
  server_.mailed_marks_[item] = order.operation_id;
  server_.mailed_.push_back(order.operation_id);
  if (MemoryItem* there = server_.find(item)) server_.touch(*there, there->folder);
  if (after("mail")) return fail(lost(progress, clock_));
  return {};
}

Result<Applied> MemoryDriver::create(const WriteOrder& order, Progress& progress) {
  std::string id;
  std::vector<RemoteRef> copies;
  if (progress.text().starts_with("mail ")) {
    id = std::string(progress.text().substr(5, progress.text().find(' ', 5) - 5));
  } else {
    if (progress.text() == "create") {
      if (auto early = too_early(progress, clock_)) return fail(std::move(*early));
      if (const MemoryItem* there = marked(order.operation_id)) id = there->id;
      for (const auto& [other, item] : server_.items_)
        if (item.mark == order.operation_id && item.folder != "deleted" && other != id)
          copies.push_back({.id = other, .version = std::to_string(item.version)});
    }
    if (id.empty()) {
      if (auto saved = progress.save("create"); !saved) return fail(std::move(saved.error()));
      if (auto error = before("create")) return fail(std::move(*error));
      std::string folder;
      for (const RemoteFolder& candidate : server_.folders())
        if (candidate.kind == order.kind && candidate.role != FolderRole::other) folder = candidate.id;
      MemoryItem& made = server_.add(folder, order.fields);
      made.mark = order.operation_id;
      id = made.id;
      if (after("create")) return fail(lost(progress, clock_));
    }
  }
  if (order.mail_attendees)
    if (auto mailed = mail(id, order, progress, "create"); !mailed) return fail(std::move(mailed.error()));
  const MemoryItem* made = server_.find(id);
  if (made == nullptr) return fail(gone());
  Applied applied = applied_to(*made);
  applied.copies = std::move(copies);
  return applied;
}

Result<Applied> MemoryDriver::update(const WriteOrder& order, Progress& progress) {
  MemoryItem* item = server_.find(order.item.id);
  if (item == nullptr) return fail(gone());
  bool written = progress.text().starts_with("mail ");
  if (progress.text() == "update") {
    if (auto early = too_early(progress, clock_)) return fail(std::move(*early));
    if (std::to_string(item->version) != order.item.version) {
      if (!holds(item->fields, order.fields, order.kind)) return fail(conflict());
      written = true;
    }
  }
  if (!written) {
    if (auto saved = progress.save("update"); !saved) return fail(std::move(saved.error()));
    if (auto error = before("update")) return fail(std::move(*error));
    if (std::to_string(item->version) != order.item.version) return fail(conflict());
    if (server_.on_update) server_.on_update(order.fields);
    apply_fields(item->fields, order.fields, item->kind);
    server_.touch(*item, item->folder);
    if (after("update")) return fail(lost(progress, clock_));
  }
  if (order.mail_attendees)
    if (auto mailed = mail(item->id, order, progress, "update"); !mailed)
      return fail(std::move(mailed.error()));
  return applied_to(*item);
}

Result<Applied> MemoryDriver::remove(const WriteOrder& order, Progress& progress) {
  if (progress.text() == "remove")
    if (auto early = too_early(progress, clock_)) return fail(std::move(*early));
  MemoryItem* item = server_.find(order.item.id);
  Applied applied;
  applied.item = order.item;
  if (item == nullptr) return applied;
  if (!order.item.version.empty() && std::to_string(item->version) != order.item.version)
    return fail(conflict());
  if (auto saved = progress.save("remove"); !saved) return fail(std::move(saved.error()));
  if (auto error = before("remove")) return fail(std::move(*error));
  if (order.mail_attendees) server_.mailed_.push_back(order.operation_id);
  server_.remove(order.item.id);
  if (after("remove")) return fail(lost(progress, clock_));
  return applied;
}

Result<Applied> MemoryDriver::send(const WriteOrder& order, Progress& progress) {
  // A draft with our mark, then one request that sends it: gone from the drafts means sent.
  const auto sent_copy = [&]() -> MemoryItem* {
    for (auto& [_, item] : server_.items_)
      if (item.folder == "sent" && item.mark == order.operation_id) return &item;
    return nullptr;
  };
  MemoryItem* draft = nullptr;
  if (!progress.text().empty()) {
    if (auto early = too_early(progress, clock_)) return fail(std::move(*early));
    if (MemoryItem* copy = sent_copy()) {
      Applied applied = applied_to(*copy);
      applied.sent_message_id = std::string(copy->fields.at("internetMessageId").as_string());
      return applied;
    }
    draft = marked(order.operation_id);
    if (draft == nullptr && progress.text() == "send")
      return fail(ErrorDomain::ews, "needs-person", "the draft was removed before it was sent");
  }
  if (draft == nullptr) {
    if (auto saved = progress.save("draft"); !saved) return fail(std::move(saved.error()));
    if (auto error = before("draft")) return fail(std::move(*error));
    draft = &server_.add("drafts", order.fields);
    draft->mark = order.operation_id;
    if (after("draft")) return fail(lost(progress, clock_));
  }
  const std::string id = draft->id;
  if (auto saved = progress.save("send"); !saved) return fail(std::move(saved.error()));
  if (auto error = before("send")) return fail(std::move(*error));
  model::Fields message = order.fields;
  message["from"] = json::object{{"emailAddress", order.send_as.empty() ? server_.address_ : order.send_as}};
  message["internetMessageId"] = "<" + order.operation_id + "@memory.example>";
  message["dateTimeSent"] = "2026-01-05T08:00:00Z";
  message["dateTimeReceived"] = "2026-01-05T08:00:00Z";
  server_.items_.at(id).fields = message;
  const std::string copy_id = server_.move(id, "sent");
  server_.sent_.push_back({.from = server_.address_, .fields = message, .operation = order.operation_id});
  if (server_.deliver) server_.deliver(server_.sent_.back());
  if (after("send")) return fail(lost(progress, clock_));
  Applied applied = applied_to(server_.items_.at(copy_id));
  applied.sent_message_id = std::string(message.at("internetMessageId").as_string());
  return applied;
}

Async<RemoteRef> MemoryDriver::unmark(RemoteRef item, RecordKind) {
  if (auto error = before("unmark")) co_return fail(std::move(*error));
  MemoryItem* there = server_.find(item.id);
  if (there == nullptr) co_return fail(gone());
  there->mark.reset();
  server_.touch(*there, there->folder);
  co_return RemoteRef{.id = there->id, .version = std::to_string(there->version)};
}

Async<Claim> MemoryDriver::claim(std::string organisation_id, std::string organisation_name, bool take_over) {
  if (auto error = before("claim")) co_return fail(std::move(*error));
  if (server_.claimed_by.empty() || take_over) server_.claimed_by = organisation_id;
  Claim claim;
  claim.ours = server_.claimed_by == organisation_id;
  claim.owner_id = server_.claimed_by;
  claim.owner_name = claim.ours ? organisation_name : "another one";
  co_return claim;
}

}  // namespace syncline::sync::testing
