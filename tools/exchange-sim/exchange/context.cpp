// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/exchange/context.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "tools/exchange-sim/exchange/recurrence.hpp"

namespace exchange_sim {
namespace {

syncline::unexpected<syncline::Error> malformed() {
  return refuse("ErrorInvalidIdMalformed", "Id is malformed.");
}

/// The item of an id, wherever it points; its mailbox must be the caller's.
syncline::Result<ItemRef> look_up(Context& context, const DecodedId& id) {
  if (id.mailbox != context.mailbox.guid) {
    if (context.store.mailbox(id.mailbox) != nullptr)
      return refuse("ErrorAccessDenied", "Access is denied. Check credentials and try again.");
    return item_not_found();
  }
  Item* item = context.mailbox.item(id.number);
  if (item == nullptr) return item_not_found();
  ItemRef ref{&context.mailbox, item, std::nullopt};
  if (id.type == IdType::occurrence) {
    const auto series = series_of(*item);
    if (!series) return item_not_found();
    ref.day = id.original_day;
    const Occurrence* o = ref.occurrence();
    if (o != nullptr && o->deleted)
      return refuse("ErrorCalendarOccurrenceIsDeletedFromRecurrence",
                    "Occurrence with the specified index was deleted.");
    bool exists = false;
    walk(*series, id.original_day, [&](Day day, std::size_t) {
      exists = day == id.original_day;
      return true;
    });
    if (!exists) return item_not_found();
  }
  return ref;
}

}  // namespace

syncline::unexpected<syncline::Error> refuse(std::string code, std::string text) {
  return syncline::fail(syncline::ErrorDomain::ews, std::move(code), std::move(text));
}

syncline::unexpected<syncline::Error> item_not_found() {
  return refuse("ErrorItemNotFound", "The specified object was not found in the store.");
}

const Occurrence* ItemRef::occurrence() const {
  if (!day || !item->occurrences) return nullptr;
  const auto at = item->occurrences->find(*day);
  return at == item->occurrences->end() ? nullptr : &at->second;
}

std::optional<std::string_view> ItemRef::find(PropertyId id) const {
  if (const Occurrence* o = occurrence())
    if (const auto own = o->changes.find(id)) return own;
  return item->bag.find(id);
}

std::uint64_t ItemRef::version() const {
  const Occurrence* o = occurrence();
  return o != nullptr && o->version > item->version ? o->version : item->version;
}

const std::vector<Attachment>& ItemRef::attachments() const {
  const Occurrence* o = occurrence();
  return o != nullptr && o->own_attachments ? o->attachments : item->attachments;
}

syncline::Result<ItemRef> find_item(Context& context, std::string_view id_text) {
  if (id_text.empty()) return refuse("ErrorInvalidIdEmpty", "Id must be non-empty.");
  const auto id = decode_id(id_text);
  if (!id) return malformed();
  if (id->type == IdType::folder)
    return refuse("ErrorCannotUseFolderIdForItemId", "Id must be an item id: this is a folder id.");
  if (id->type == IdType::attachment) return refuse("ErrorInvalidId", "The Id is invalid.");
  return look_up(context, *id);
}

syncline::Result<ItemRef> find_item(Context& context, const Element& id_element,
                                    std::optional<std::uint64_t>* change_key) {
  if (change_key != nullptr) {
    change_key->reset();
    if (const std::string* key = id_element.attribute("ChangeKey"); key != nullptr && !key->empty()) {
      const auto version = decode_change_key(*key);
      if (!version) return refuse("ErrorInvalidChangeKey", "The change key is invalid.");
      *change_key = *version;
    }
  }
  if (id_element.name == "ItemId") return find_item(context, id_element.attribute_or("Id", ""));
  if (id_element.name == "RecurringMasterItemId") {
    auto ref = find_item(context, id_element.attribute_or("OccurrenceId", ""));
    if (!ref) return ref;
    if (!ref->day)
      return refuse("ErrorCalendarCannotUseIdForRecurringMasterId", "The id is not that of an occurrence.");
    ref->day.reset();
    return ref;
  }
  if (id_element.name != "OccurrenceItemId") return malformed();
  auto ref = find_item(context, id_element.attribute_or("RecurringMasterId", ""));
  if (!ref) return ref;
  const auto series = series_of(*ref->item);
  if (ref->day || !series)
    return refuse("ErrorCalendarCannotUseIdForOccurrenceId", "The id is not that of a recurring master.");
  const auto index = syncline::text::parse_int(id_element.attribute_or("InstanceIndex", ""));
  if (!index || *index < 1)
    return refuse("ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange",
                  "Occurrence index is out of recurrence range.");
  walk(*series, day_of(4500, 8, 31), [&](Day day, std::size_t at) {
    if (at == static_cast<std::size_t>(*index)) ref->day = day;
    return !ref->day;
  });
  if (!ref->day)
    return refuse("ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange",
                  "Occurrence index is out of recurrence range.");
  if (const Occurrence* o = ref->occurrence(); o != nullptr && o->deleted)
    return refuse("ErrorCalendarOccurrenceIsDeletedFromRecurrence",
                  "Occurrence with the specified index was deleted.");
  return ref;
}

syncline::Result<FolderRef> find_folder(Context& context, const Element& id) {
  if (id.name == "DistinguishedFolderId") {
    Mailbox* mailbox = &context.mailbox;
    if (const Element* other = id.child("Mailbox")) {
      const std::string_view address = other->child_text("EmailAddress");
      Mailbox* named = context.store.mailbox(address);
      if (named == nullptr)
        return refuse("ErrorNonExistentMailbox", "The SMTP address has no mailbox associated with it.");
      if (named != mailbox)
        return refuse("ErrorAccessDenied", "Access is denied. Check credentials and try again.");
    }
    Folder* folder = mailbox->folder(id.attribute_or("Id", ""));
    if (folder == nullptr)
      return refuse("ErrorFolderNotFound", "The specified folder could not be found in the store.");
    return FolderRef{mailbox, folder};
  }
  const std::string_view text = id.attribute_or("Id", "");
  if (text.empty()) return refuse("ErrorInvalidIdEmpty", "Id must be non-empty.");
  const auto decoded = decode_id(text);
  if (!decoded) return malformed();
  if (decoded->type != IdType::folder)
    return refuse("ErrorCannotUseItemIdForFolderId", "Id must be a folder id: this is an item id.");
  if (decoded->mailbox != context.mailbox.guid && context.store.mailbox(decoded->mailbox) != nullptr)
    return refuse("ErrorAccessDenied", "Access is denied. Check credentials and try again.");
  Folder* folder =
      decoded->mailbox == context.mailbox.guid ? context.mailbox.folder(decoded->number) : nullptr;
  if (folder == nullptr)
    return refuse("ErrorFolderNotFound", "The specified folder could not be found in the store.");
  return FolderRef{&context.mailbox, folder};
}

std::string item_ref_id(const Store&, const ItemRef& ref) {
  DecodedId id{IdType::item, ref.mailbox->guid, ref.item->number, 0, {}};
  if (ref.day) {
    id.type = IdType::occurrence;
    id.original_day = *ref.day;
  }
  return encode_id(id);
}

void append_item_id(std::string& out, const Store& store, const ItemRef& ref, std::string_view element) {
  out += "<t:";
  out += element;
  out += " Id=\"";
  out += item_ref_id(store, ref);
  out += "\" ChangeKey=\"";
  out += encode_change_key(ref.version(), false);
  out += "\"/>";
}

void append_folder_id(std::string& out, const Store& store, const Mailbox& mailbox, const Folder& folder,
                      std::string_view element) {
  out += "<t:";
  out += element;
  out += " Id=\"";
  out += store.folder_id(mailbox, folder);
  out += "\" ChangeKey=\"";
  out += encode_change_key(folder.version, true);
  out += "\"/>";
}

Response::Response(std::string_view operation)
    : operation_(operation), message_(operation_ + "ResponseMessage") {
  out_ = "<m:" + operation_ +
         "Response xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\""
         " xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\"><m:ResponseMessages>";
}

std::string& Response::begin() {
  out_ += "<m:" + message_ + " ResponseClass=\"Success\"><m:ResponseCode>NoError</m:ResponseCode>";
  return out_;
}

void Response::end() {
  out_ += "</m:" + message_ + '>';
}

void Response::error(const syncline::Error& error, std::string_view content) {
  out_ += "<m:" + message_ + " ResponseClass=\"Error\"><m:MessageText>";
  append_escaped(out_, error.message);
  out_ += "</m:MessageText><m:ResponseCode>" + error.code +
          "</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>";
  out_ += content;
  end();
}

std::string Response::take() {
  out_ += "</m:ResponseMessages></m:" + operation_ + "Response>";
  return std::move(out_);
}

bool is_true(std::string_view text) noexcept {
  text = syncline::text::trim(text);
  return text == "true" || text == "1";
}

syncline::Result<Seconds> read_time(const Context& context, std::string_view text) {
  const auto parsed = parse_time(text);
  if (!parsed) return refuse("ErrorInvalidValueForProperty", "The value is not a date and time.");
  return parsed->offset_minutes ? parsed->utc() : context.zone.to_utc(parsed->wall);
}

std::vector<Recipient> recipients_in(const Element& element) {
  std::vector<Recipient> found;
  for (const Element& child : element.children) {
    const Element* mailbox = child.name == "Mailbox" ? &child : child.child("Mailbox");
    if (mailbox == nullptr) continue;
    Recipient r;
    r.name = mailbox->child_text("Name");
    r.address = mailbox->child_text("EmailAddress");
    if (const auto type = mailbox->child_text("RoutingType"); !type.empty()) r.routing_type = type;
    if (child.name == "Attendee") {
      r.response = child.child_text("ResponseType");
      r.last_response = child.child_text("LastResponseTime");
    }
    found.push_back(std::move(r));
  }
  return found;
}

std::vector<Recipient> recipients_in(std::string_view xml) {
  if (xml.empty()) return {};
  const auto root = parse_fragment(xml);
  return root ? recipients_in(*root) : std::vector<Recipient>();
}

void append_mailbox(std::string& out, const Store& store, const Recipient& r) {
  const Mailbox* known = store.mailbox(r.address);
  out += "<t:Mailbox>";
  append_text_element(out, "Name",
                      !r.name.empty()    ? r.name
                      : known != nullptr ? known->definition.display_name
                                         : r.address);
  if (!r.address.empty()) append_text_element(out, "EmailAddress", r.address);
  append_text_element(out, "RoutingType", r.routing_type);
  append_text_element(out, "MailboxType", known != nullptr ? "Mailbox" : "OneOff");
  out += "</t:Mailbox>";
}

std::string mailboxes_xml(const Store& store, const std::vector<Recipient>& recipients) {
  std::string out;
  for (const Recipient& r : recipients) append_mailbox(out, store, r);
  return out;
}

std::string attendees_xml(const Store& store, const std::vector<Recipient>& attendees) {
  std::string out;
  for (const Recipient& r : attendees) {
    out += "<t:Attendee>";
    append_mailbox(out, store, r);
    append_text_element(out, "ResponseType", r.response.empty() ? "Unknown" : std::string_view(r.response));
    if (!r.last_response.empty()) append_text_element(out, "LastResponseTime", r.last_response);
    out += "</t:Attendee>";
  }
  return out;
}

Zone item_zone(const ItemRef& ref) {
  const std::string_view xml = ref.get(f_start_zone);
  if (xml.empty()) return utc_zone();
  const auto root = parse_fragment(xml);
  if (!root || root->children.empty()) return utc_zone();
  auto zone = read_zone(root->children.front());
  return zone ? *zone : utc_zone();
}

bool is_series(const Item& item) {
  return item.kind == ItemKind::calendar_item && item.bag.has(f_recurrence);
}

std::optional<Recurrence> series_of(const Item& item) {
  if (!is_series(item)) return std::nullopt;
  const auto root = parse_fragment(item.bag.get(f_recurrence));
  if (!root) return std::nullopt;
  auto recurrence = read_recurrence(*root, false);
  return recurrence ? std::optional(*recurrence) : std::nullopt;
}

namespace {
Seconds stored_time(std::string_view text) {
  const auto parsed = parse_time(text);
  return parsed ? parsed->utc() : 0;
}
}  // namespace

Seconds original_start_of(const ItemRef& ref) {
  const Seconds first = stored_time(ref.item->bag.get(f_start));
  if (!ref.day) return first;
  const Zone zone = item_zone({ref.mailbox, ref.item, std::nullopt});
  const Seconds wall = zone.to_wall(first);
  return zone.to_utc(*ref.day * kDaySeconds + (wall - day_of_seconds(wall) * kDaySeconds));
}

Seconds start_of(const ItemRef& ref) {
  if (const Occurrence* o = ref.occurrence())
    if (const auto own = o->changes.find(f_start)) return stored_time(*own);
  return original_start_of(ref);
}

Seconds end_of(const ItemRef& ref) {
  if (const Occurrence* o = ref.occurrence())
    if (const auto own = o->changes.find(f_end)) return stored_time(*own);
  const Seconds start = stored_time(ref.item->bag.get(f_start));
  const Seconds end = stored_time(ref.item->bag.get(f_end));
  if (!ref.day) return end;
  // The wall clock decides: a day-long occurrence over a change of the clock lasts 23 or 25 hours.
  const Zone zone = item_zone({ref.mailbox, ref.item, std::nullopt});
  const Seconds length = zone.to_wall(end) - zone.to_wall(start);
  return zone.to_utc(zone.to_wall(original_start_of(ref)) + length);
}

std::optional<Day> series_day_at(const Item& item, Seconds original_start) {
  const auto series = series_of(item);
  if (!series) return std::nullopt;
  const Zone zone = item_zone({nullptr, const_cast<Item*>(&item), std::nullopt});
  const Day day = day_of_seconds(zone.to_wall(original_start));
  std::optional<Day> found;
  walk(*series, day, [&](Day d, std::size_t) {
    if (d == day) found = d;
    return true;
  });
  return found;
}

}  // namespace exchange_sim
