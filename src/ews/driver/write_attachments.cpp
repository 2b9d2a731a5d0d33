// SPDX-License-Identifier: GPL-3.0-or-later
// Attachments and contact photos. What the item has already is the evidence: the list of its attachments by
// name and size. Every attachment moves the item's key, and the next request carries the new one.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <memory>
#include <set>

#include "base/text.hpp"
#include "ews/client/bulk.hpp"
#include "ews/driver/to_item.hpp"
#include "ews/driver/write.hpp"

namespace syncline::ews {
namespace {

namespace json = boost::json;

/// Exchange counts an attachment's own properties into its size.
constexpr std::uint64_t most_overhead_octets = 16 * 1024;

struct WantedFile {
  std::string sha256;
  std::uint64_t size = 0;
  Attachment attachment;
  bool is_photo() const { return std::get<FileContent>(attachment.content).is_contact_photo.value_or(false); }
};

bool is_true_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

/// The attachments that a side of the order names.
std::vector<const json::object*> listed(const model::Fields& fields) {
  std::vector<const json::object*> all;
  const json::value* list = fields.if_contains("attachments");
  if (list == nullptr || !list->is_array()) return all;
  for (const json::value& element : list->get_array())
    if (const json::object* one = element.if_object()) all.push_back(one);
  return all;
}

/// The id tells, or name and content: what we wrote ourselves has no id in our books.
bool is_same_file(const json::object& one, const json::object& other) {
  const std::string id = text_at(one, "id");
  if (!id.empty() && id == text_at(other, "id")) return true;
  return !text_at(one, "sha256").empty() && text_at(one, "sha256") == text_at(other, "sha256") &&
         text_at(one, "name") == text_at(other, "name");
}

bool has_file(const std::vector<const json::object*>& all, const json::object& file) {
  return std::any_of(all.begin(), all.end(),
                     [&](const json::object* one) { return is_same_file(*one, file); });
}

std::vector<WantedFile> files_of(const sync::WriteOrder& order) {
  std::vector<WantedFile> files;
  const std::vector<const json::object*> there_already = listed(order.base);
  for (const json::object* one : listed(order.fields)) {
    if (text_at(*one, "sha256").empty() || has_file(there_already, *one)) continue;
    WantedFile& file = files.emplace_back();
    file.sha256 = text_at(*one, "sha256");
    file.attachment.name = text_at(*one, "name");
    if (std::string type = text_at(*one, "contentType"); !type.empty())
      file.attachment.content_type = std::move(type);
    if (std::string id = text_at(*one, "contentId"); !id.empty()) file.attachment.content_id = std::move(id);
    if (is_true_at(*one, "isInline")) file.attachment.is_inline = true;
  }
  const json::value* photo = order.fields.if_contains("photo");
  if (order.kind == model::RecordKind::contact && photo != nullptr && photo->is_object() &&
      !text_at(photo->get_object(), "sha256").empty()) {
    WantedFile& file = files.emplace_back();
    file.sha256 = text_at(photo->get_object(), "sha256");
    file.attachment.name = "ContactPicture.jpg";
    if (std::string type = text_at(photo->get_object(), "contentType"); !type.empty())
      file.attachment.content_type = std::move(type);
    file.attachment.content = FileContent{.is_contact_photo = true};
  }
  return files;
}

bool is_photo(const Attachment& attachment) {
  const auto* file = std::get_if<FileContent>(&attachment.content);
  return file != nullptr && file->is_contact_photo.value_or(false);
}

/// The content store as a body of a request.
class StoredContent final : public net::Source {
 public:
  explicit StoredContent(std::unique_ptr<sync::ContentSource> content) : content_(std::move(content)) {}
  net::Async<std::size_t> read(std::span<std::byte> buffer) override { co_return content_->read(buffer); }
  Result<void> rewind() override { return content_->rewind(); }
  std::optional<std::uint64_t> size() const override { return content_->size(); }

 private:
  std::unique_ptr<sync::ContentSource> content_;
};

struct Listing {
  ItemId item;
  std::vector<Attachment> attachments;
};

Async<Listing> list_attachments(Write& write, std::string id) {
  ItemId wanted{.id = std::move(id)};
  ItemShape shape{.additional = {FieldUri{"item:Attachments"}}};
  auto item = co_await look_at(write, std::move(wanted), std::move(shape));
  if (!item) co_return fail(std::move(item.error()));
  if (!*item || !(*item)->item_id) co_return fail(gone());
  Listing listing{.item = *(*item)->item_id, .attachments = std::move((*item)->attachments)};
  co_return listing;
}

/// What is to be done, from what the item has.
struct Work {
  std::vector<std::string> unwanted;  ///< attachment ids
  std::vector<const WantedFile*> missing;
};

/// Whether the order speaks of the photo: a new one (with content of ours), or none any more.
bool says_photo(const sync::WriteOrder& order) {
  const json::value* photo = order.fields.if_contains("photo");
  return order.kind == model::RecordKind::contact && photo != nullptr &&
         (says_nothing(photo) || (photo->is_object() && !text_at(photo->get_object(), "sha256").empty()));
}

bool is_of_size(const Attachment& attachment, std::uint64_t octets) {
  const auto size = static_cast<std::uint64_t>(std::max<std::int64_t>(attachment.size.value_or(0), 0));
  return size >= octets && size - octets <= most_overhead_octets;
}

/// Whether the server's attachment is this file of our books.
bool is_file(const json::object& file, const Attachment& attachment) {
  if (const std::string id = text_at(file, "id"); !id.empty())
    return attachment.id && attachment.id->id == id;
  const json::value* size = file.if_contains("size");
  return attachment.name.value_or("") == text_at(file, "name") &&
         (size == nullptr || !size->is_int64() ||
          is_of_size(attachment, static_cast<std::uint64_t>(std::max<std::int64_t>(size->get_int64(), 0))));
}

/// `old`: ids of attachments that were there before this operation's first.
Work work_of(const sync::WriteOrder& order, const std::vector<WantedFile>& files,
             const std::vector<Attachment>& held, const std::set<std::string>& old) {
  Work work;
  std::vector<const json::object*> removed;
  if (order.fields.contains("attachments")) {
    const std::vector<const json::object*> stay = listed(order.fields);
    for (const json::object* file : listed(order.base))
      if (!has_file(stay, *file)) removed.push_back(file);
  }
  std::vector<const Attachment*> fresh;
  for (const Attachment& attachment : held) {
    if (!attachment.id) continue;
    const std::string& id = attachment.id->id;
    if (!old.contains(id)) {
      fresh.push_back(&attachment);
    } else if (is_photo(attachment)) {
      if (says_photo(order)) work.unwanted.push_back(id);
    } else if (const auto file =
                   std::find_if(removed.begin(), removed.end(),
                                [&](const json::object* one) { return is_file(*one, attachment); });
               file != removed.end()) {
      removed.erase(file);
      work.unwanted.push_back(id);
    }
  }
  for (const WantedFile& file : files) {
    const auto match = std::find_if(fresh.begin(), fresh.end(), [&](const Attachment* attachment) {
      return is_photo(*attachment) == file.is_photo() &&
             (file.is_photo() || attachment->name == file.attachment.name) &&
             is_of_size(*attachment, file.size);
    });
    if (match == fresh.end()) {
      work.missing.push_back(&file);
    } else {
      fresh.erase(match);
    }
  }
  return work;
}

/// The ids that were there before: of a new item none, else what the first look of this operation found.
std::set<std::string> old_attachments(Write& write, const std::vector<Attachment>& held) {
  std::set<std::string> old;
  if (write.order.what != sync::WriteOrder::What::update) return old;
  std::string known = write.journal.fact("attachments_before");
  if (known.empty()) {
    known = "\n";
    for (const Attachment& attachment : held)
      if (attachment.id) known += attachment.id->id + "\n";
    write.journal.set_fact("attachments_before", known);
  }
  for (const std::string_view id : text::split(known, '\n'))
    if (!id.empty()) old.emplace(id);
  return old;
}

Result<void> learn_sizes(const Write& write, std::vector<WantedFile>& files) {
  for (WantedFile& file : files) {
    auto content = write.content(file.sha256);
    if (!content) {
      // What the record names and nobody keeps is this order's trouble, not the mailbox's.
      Error error = std::move(content.error()).during("opening an attachment");
      if (error.code == "no-content") error.domain = ErrorDomain::input;
      return fail(std::move(error));
    }
    file.size = (*content)->size();
  }
  return {};
}

/// `once` for a request whose body is a stream.
Async<UploadedAttachment> upload_once(Write& write, ItemId item, const WantedFile& file) {
  constexpr unsigned attempts = 3;
  write.journal.set_fact("id", item.id);
  write.journal.set_fact("key", item.change_key);
  if (auto begun = write.journal.begin("attach"); !begun) co_return fail(std::move(begun.error()));
  Error last;
  for (unsigned attempt = 0; attempt < attempts; ++attempt) {
    auto opened = write.content(file.sha256);
    if (!opened) {
      last = std::move(opened.error());
      break;
    }
    std::shared_ptr<net::Source> content = std::make_shared<StoredContent>(std::move(*opened));
    Attachment attachment = file.attachment;
    ItemId parent = item;
    auto uploaded = co_await upload_attachment(write.client, std::move(parent), std::move(attachment),
                                               std::move(content));
    if (uploaded) {
      write.journal.close();
      co_return std::move(*uploaded);
    }
    last = std::move(uploaded.error());
    if (may_have_been_done(last)) co_return fail(uncertain(write, last));
    if (is_stale_key(last)) {
      // Agents of the server touch items; an attachment overwrites nothing of theirs.
      std::string id = item.id;
      auto now = co_await current_key(write, std::move(id));
      if (!now) {
        last = std::move(now.error());
        break;
      }
      item = std::move(*now);
      continue;
    }
    if (last.retry != RetryClass::now) break;
  }
  if (auto back = write.journal.take_back(); !back) co_return fail(std::move(back.error()));
  co_return fail(std::move(last).during("adding an attachment"));
}

}  // namespace

bool has_attachment_work(const sync::WriteOrder& order) {
  const json::value* attachments = order.fields.if_contains("attachments");
  if (order.what == sync::WriteOrder::What::update) return attachments != nullptr || says_photo(order);
  return !files_of(order).empty();
}

Async<ItemId> write_attachments(Write& write, ItemId item, bool is_new) {
  std::vector<WantedFile> files = files_of(write.order);
  if (auto learnt = learn_sizes(write, files); !learnt) co_return fail(std::move(learnt.error()));
  const bool was_open = write.journal.is_open("attach") || write.journal.is_open("detach");
  if (was_open) {
    if (auto may = may_settle(write); !may) co_return fail(std::move(may.error()));
  }
  std::vector<Attachment> held;
  if (!is_new) {
    std::string id = item.id;
    auto listing = co_await list_attachments(write, std::move(id));
    if (!listing) co_return fail(was_open ? unsettled(std::move(listing.error())) : listing.error());
    item = std::move(listing->item);
    held = std::move(listing->attachments);
  }
  const Work work = work_of(write.order, files, held, old_attachments(write, held));
  for (const std::string& unwanted : work.unwanted) {
    write.journal.set_fact("id", item.id);
    write.journal.set_fact("key", item.change_key);
    DeleteAttachmentRequest request{.ids = {unwanted}};
    std::string step = "detach";
    auto deleted = co_await once(write, std::move(step), std::move(request));
    if (!deleted && deleted.error().code != "ErrorItemNotFound" &&
        deleted.error().code != "ErrorAttachmentNotFound" &&
        deleted.error().code != "ErrorInvalidAttachmentId")
      co_return fail(std::move(deleted.error()).during("removing an attachment"));
    if (deleted && deleted->value && !deleted->value->change_key.empty()) {
      item.change_key = deleted->value->change_key;
    } else {
      std::string id = item.id;
      auto now = co_await current_key(write, std::move(id));
      if (!now) co_return fail(std::move(now.error()));
      item = std::move(*now);
    }
  }
  for (const WantedFile* file : work.missing) {
    auto uploaded = co_await upload_once(write, item, *file);
    if (!uploaded) co_return fail(std::move(uploaded.error()));
    if (!uploaded->item_change_key.empty()) {
      item.change_key = std::move(uploaded->item_change_key);
    } else {
      std::string id = item.id;
      auto now = co_await current_key(write, std::move(id));
      if (!now) co_return fail(std::move(now.error()));
      item = std::move(*now);
    }
  }
  write.journal.close();
  co_return item;
}

}  // namespace syncline::ews
