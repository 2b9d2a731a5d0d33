// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/exchange/apply.hpp"

#include <algorithm>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "tools/exchange-sim/exchange/mime.hpp"
#include "tools/exchange-sim/exchange/recurrence.hpp"
#include "tools/exchange-sim/exchange/shape.hpp"

namespace exchange_sim {
namespace {

using syncline::Result;

std::vector<Recipient> from_addresses(const std::vector<MailAddress>& addresses) {
  std::vector<Recipient> out;
  for (const MailAddress& a : addresses) out.push_back({a.name, a.address, "SMTP", "", ""});
  return out;
}

bool is_recipient_field(Field field) {
  return field == f_to || field == f_cc || field == f_bcc || field == f_reply_to || field == f_from ||
         field == f_sender || field == f_organizer;
}
bool is_attendee_field(Field field) {
  return field == f_required || field == f_optional || field == f_resources;
}
bool is_zone_field(Field field) {
  return field == f_start_zone || field == f_end_zone || field == f_meeting_time_zone;
}

/// New attendees take over the answers already known for their addresses.
std::vector<Recipient> keep_responses(std::vector<Recipient> attendees, std::string_view old_xml) {
  const auto old = recipients_in(old_xml);
  for (Recipient& r : attendees) {
    r.response = "Unknown";
    r.last_response.clear();
    for (const Recipient& o : old)
      if (syncline::text::equals_ignore_case(o.address, r.address)) {
        r.response = o.response;
        r.last_response = o.last_response;
      }
  }
  return attendees;
}

Result<void> set_dictionary_entry(Context& context, Target target, Field field, const Element& entry) {
  const std::string_view key = entry.attribute_or("Key", "");
  if (key.empty()) return refuse("ErrorInvalidPropertySet", "An entry has no key.");
  const auto put = [&](std::string_view part, std::string_view value) -> Result<void> {
    const PropertyId id = context.store.dictionary_id({field, std::string(key), std::string(part)});
    if (id == 0) return refuse("ErrorItemSavePropertyError", "Too many properties.");
    if (value.empty()) {
      target.bag.erase(id);
    } else {
      target.bag.set(id, value);
    }
    return {};
  };
  if (field == f_physical_addresses) {
    for (const Element& part : entry.children)
      if (auto done = put(part.name, part.text); !done) return done;
    return {};
  }
  if (field == f_email_addresses)
    if (const std::string* name = entry.attribute("Name"))
      if (auto done = put("Name", *name); !done) return done;
  return put("", entry.text);
}

Result<std::string> extended_value(const Element& property, const ExtendedName& name) {
  if (name.type.ends_with("Array")) {
    const Element* values = property.child("Values");
    if (values == nullptr) return refuse("ErrorInvalidExtendedPropertyValue", "Values are expected.");
    std::string out;
    for (const Element& v : values->children) append_text_element(out, "Value", v.text);
    return out;
  }
  const Element* value = property.child("Value");
  if (value == nullptr) return refuse("ErrorInvalidExtendedPropertyValue", "A value is expected.");
  const auto bad = [] {
    return refuse("ErrorInvalidExtendedPropertyValue", "The value does not fit the property's type.");
  };
  const std::string_view text =
      name.type == "String" ? std::string_view(value->text) : syncline::text::trim(value->text);
  if ((name.type == "Integer" || name.type == "Long" || name.type == "Short") &&
      !syncline::text::parse_int(text))
    return bad();
  if (name.type == "Boolean") {
    if (text != "true" && text != "false" && text != "1" && text != "0") return bad();
    return std::string(is_true(text) ? "true" : "false");
  }
  if (name.type == "SystemTime") {
    const auto time = parse_time(text);
    if (!time) return bad();
    return format_utc(time->utc());
  }
  if (name.type == "Binary" && !syncline::base64_decode(text)) return bad();
  return std::string(text);
}

Seconds time_or_zero(std::string_view text) {
  const auto parsed = parse_time(text);
  return parsed ? parsed->utc() : 0;
}

/// What percent, status and date of completion say to each other.
void settle_task(Context& context, Item& item, const Item* before) {
  PropertyBag& bag = item.bag;
  const auto changed = [&](Field f) {
    return before == nullptr ? bag.has(f) : bag.find(f) != before->bag.find(f);
  };
  const std::string today = format_utc(day_of_seconds(context.store.now()) * kDaySeconds);
  const auto complete = [&] {
    bag.set(f_status, "Completed");
    bag.set(f_percent, "100");
    if (!bag.has(f_complete_date)) bag.set(f_complete_date, today);
  };
  const auto reopen = [&](std::string_view status) {
    bag.set(f_status, status);
    bag.erase(f_complete_date);
    if (bag.get(f_percent) == "100") bag.set(f_percent, "0");
  };
  if (changed(f_status)) {
    const std::string status(bag.find(f_status).value_or("NotStarted"));
    if (status == "Completed") {
      complete();
    } else {
      reopen(status);
      if (status == "NotStarted") bag.set(f_percent, "0");
    }
  } else if (changed(f_percent)) {
    const std::string percent(bag.find(f_percent).value_or("0"));
    if (percent == "100" || percent == "100.0") {
      complete();
    } else {
      bag.erase(f_complete_date);
      bag.set(f_status, percent == "0" ? "NotStarted" : "InProgress");
    }
  } else if (changed(f_complete_date)) {
    if (bag.has(f_complete_date)) {
      complete();
    } else {
      reopen("NotStarted");
    }
  }
}

Result<void> settle_calendar(Context& context, Item& item, const Item* before) {
  PropertyBag& bag = item.bag;
  if (!bag.has(f_start) || !bag.has(f_end)) {
    const Seconds half = (context.store.now() / 1800 + 1) * 1800;
    const Seconds start = bag.has(f_start) ? time_or_zero(bag.get(f_start)) : half;
    bag.set(f_start, format_utc(start));
    if (!bag.has(f_end)) bag.set(f_end, format_utc(start + 1800));
  }
  if (!bag.has(f_start_zone)) {
    std::string xml;
    write_zone(xml, context.zone, true, "StartTimeZone");
    bag.set(f_start_zone, xml);
  }
  if (!bag.has(f_end_zone)) {
    std::string xml(bag.get(f_start_zone));
    for (std::size_t at = xml.find("StartTimeZone"); at != std::string::npos;
         at = xml.find("StartTimeZone", at))
      xml.replace(at, 13, "EndTimeZone");
    bag.set(f_end_zone, xml);
  }
  const ItemRef ref{&context.mailbox, &item, std::nullopt};
  const Zone zone = item_zone(ref);
  Seconds start = time_or_zero(bag.get(f_start));
  Seconds end = time_or_zero(bag.get(f_end));
  if (end < start)
    return refuse("ErrorCalendarEndDateIsEarlierThanStartDate", "End date is earlier than start date.");
  if (end - start > 5LL * 366 * kDaySeconds)
    return refuse("ErrorCalendarDurationIsTooLong", "Duration is longer than five years.");
  if (bag.get(f_all_day) == "true") {
    // Midnight to midnight of the item's own zone.
    const Day first = day_of_seconds(zone.to_wall(start));
    const Seconds end_wall = zone.to_wall(end);
    Day last = day_of_seconds(end_wall);
    if (last * kDaySeconds != end_wall) ++last;
    last = std::max(last, first + 1);
    start = zone.to_utc(first * kDaySeconds);
    end = zone.to_utc(last * kDaySeconds);
  }
  if (bag.has(f_recurrence)) {
    const auto series = series_of(item);
    if (!series) return refuse("ErrorCalendarInvalidRecurrence", "Recurrence is invalid.");
    const auto first = first_day(*series);
    if (!first)
      return refuse("ErrorRecurrenceHasNoOccurrence",
                    "Recurrence has no occurrences in the specified range.");
    const Seconds start_wall = zone.to_wall(start);
    const Seconds length = zone.to_wall(end) - start_wall;
    const Seconds of_day = start_wall - day_of_seconds(start_wall) * kDaySeconds;
    start = zone.to_utc(*first * kDaySeconds + of_day);
    end = zone.to_utc(*first * kDaySeconds + of_day + length);
  }
  bag.set(f_start, format_utc(start));
  bag.set(f_end, format_utc(end));
  if (before != nullptr && item.occurrences) {
    const auto differs = [&](Field f) { return bag.find(f) != before->bag.find(f); };
    // A new pattern, range or time of day makes a new series: what differed on single days is gone.
    if (differs(f_recurrence) || differs(f_start) || differs(f_end) || differs(f_start_zone))
      item.occurrences.reset();
  }
  if (!bag.has(f_uid)) bag.set(f_uid, context.store.new_uid());
  if (!bag.has(f_date_time_stamp)) bag.set(f_date_time_stamp, format_utc(context.store.now()));
  if (!bag.has(f_organizer))
    bag.set(f_organizer,
            mailboxes_xml(context.store, {{context.mailbox.definition.display_name,
                                           context.mailbox.definition.address, "SMTP", "", ""}}));
  if (before == nullptr && item.is_organizer) {
    const bool meeting = bag.has(f_required) || bag.has(f_optional) || bag.has(f_resources);
    item.my_response = response_index(meeting ? "Organizer" : "Unknown");
  }
  return {};
}

}  // namespace

void set_conversation(Context& context, Item& item, std::string_view parent_index) {
  if (item.bag.has(f_conversation_index)) return;
  // A copy: what the bag gave is gone with the bag's next change.
  std::string topic(item.bag.get(f_subject));
  for (const std::string_view prefix : {"RE: ", "Re: ", "FW: ", "Fw: ", "AW: "})
    while (topic.starts_with(prefix)) topic.erase(0, prefix.size());
  // The child block follows the parent's 22 octets; a new thread gets a header of its own.
  std::string index;
  if (const auto parent = syncline::base64_decode(parent_index); parent && parent->size() >= 22) {
    index = parent->substr(0, 500) + std::string("\0\0\0\0", 4) + static_cast<char>(index.size());
  } else {
    index = "\x01";
    std::uint64_t hash = 1469598103934665603ULL;
    const std::string seed = topic + std::string(item.bag.get(f_internet_message_id));
    for (const char c : seed) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    for (int i = 0; i < 21; ++i) {
      index += static_cast<char>(hash >> 56);
      hash = hash * 6364136223846793005ULL + 1442695040888963407ULL;
    }
  }
  item.bag.set(f_conversation_index, syncline::base64_encode(index));
  item.bag.set(f_conversation_topic, topic);
  (void)context;
}

Result<void> set_extended(Context& context, Target target, const Element& property) {
  const Element* uri = property.child("ExtendedFieldURI");
  if (uri == nullptr) return refuse("ErrorInvalidExtendedProperty", "The extended property has no name.");
  auto name = read_extended_name(*uri);
  if (!name) return syncline::fail(std::move(name.error()));
  auto value = extended_value(property, *name);
  if (!value) return syncline::fail(std::move(value.error()));
  const PropertyId id = context.store.extended_id(*name);
  if (id == 0) return refuse("ErrorItemSavePropertyError", "Too many properties.");
  target.bag.set(id, *value);
  return {};
}

Result<void> set_property(Context& context, Target target, Field field, const Element& value) {
  const FieldDefinition& definition = field_definition(field);
  const bool not_settable = definition.read_only && field != f_attachments && field != f_mime_content &&
                            field != f_received && field != f_sent && field != f_sender &&
                            field != f_created && field != f_organizer;
  if (field == f_item_id || field == f_parent_folder_id) return {};
  if (field == f_is_read) {
    target.item.is_read = is_true(value.text);
    return {};
  }
  if (field == f_mime_content) {
    auto octets = syncline::base64_decode(value.text);
    if (!octets) return refuse("ErrorMimeContentInvalidBase64String", "MimeContent is not valid base64.");
    if (target.occurrence)
      return refuse("ErrorInvalidPropertySet", "MimeContent can not be set for an occurrence.");
    // The octets replace what was said of the message so far; properties set beside them come after.
    std::unique_ptr<Item> parsed = item_from_mime(context, std::move(*octets));
    target.item.mime = parsed->mime;
    parsed->bag.for_each([&](PropertyId id, std::string_view text) {
      if (!target.bag.has(id)) target.bag.set(id, text);
    });
    for (Attachment& a : parsed->attachments) {
      a.serial = target.item.next_serial++;
      target.item.attachments.push_back(std::move(a));
    }
    return {};
  }
  if (field == f_attachments) {
    for (const Element& element : value.children) {
      auto attachment = build_attachment(context, element, 1);
      if (!attachment) return syncline::fail(std::move(attachment.error()));
      attachment->serial = target.item.next_serial++;
      target.item.attachments.push_back(std::move(*attachment));
    }
    return {};
  }
  if (not_settable)
    return refuse("ErrorInvalidPropertySet",
                  "Set action is invalid for property " + std::string(definition.uri) + '.');
  switch (definition.kind) {
    case ValueKind::body:
      target.bag.set(f_body, value.text);
      target.bag.set(f_body_type, value.attribute_or("BodyType", "Text"));
      return {};
    case ValueKind::boolean:
      target.bag.set(field, is_true(value.text) ? "true" : "false");
      return {};
    case ValueKind::time: {
      auto time = read_time(context, value.text);
      if (!time) return syncline::fail(std::move(time.error()));
      // Dates of tasks are dates: the wall clock's day, whatever its zone.
      if (field == f_due_date || field == f_start_date || field == f_complete_date)
        *time = day_of_seconds(parse_time(value.text)->wall) * kDaySeconds;
      target.bag.set(field, format_utc(*time));
      return {};
    }
    case ValueKind::dictionary:
      for (const Element& entry : value.children)
        if (auto done = set_dictionary_entry(context, target, field, entry); !done) return done;
      return {};
    case ValueKind::xml:
      break;
    case ValueKind::text:
    case ValueKind::computed: {
      const std::string_view trimmed = syncline::text::trim(value.text);
      if (field == f_percent) {
        const auto whole = syncline::text::parse_int(trimmed.substr(0, trimmed.find('.')));
        if (!whole || *whole < 0 || *whole > 100)
          return refuse("ErrorInvalidPropertySet", "PercentComplete must be between 0 and 100.");
      }
      target.bag.set(field, value.text);
      return {};
    }
  }
  if (is_recipient_field(field)) {
    target.bag.set(field, mailboxes_xml(context.store, recipients_in(value)));
  } else if (is_attendee_field(field)) {
    target.bag.set(field,
                   attendees_xml(context.store, keep_responses(recipients_in(value), target.bag.get(field))));
  } else if (is_zone_field(field)) {
    auto zone = field == f_meeting_time_zone ? read_meeting_zone(value) : read_zone(value);
    if (!zone) return syncline::fail(std::move(zone.error()));
    // A definition with rules is kept as it came; a mere id gets the server's own rules.
    if (field == f_meeting_time_zone) {
      if (!target.bag.has(f_start_zone)) {
        std::string own;
        write_zone(own, *zone, true, "StartTimeZone");
        target.bag.set(f_start_zone, own);
      }
      return {};
    }
    std::string xml;
    if (value.child("Transitions") != nullptr) {
      append_element(xml, value);
    } else {
      write_zone(xml, *zone, true, definition.element);
    }
    target.bag.set(field, xml);
  } else if (field == f_recurrence || field == f_task_recurrence) {
    if (target.occurrence)
      return refuse("ErrorInvalidPropertySet", "An occurrence can not have a recurrence of its own.");
    auto recurrence = read_recurrence(value, field == f_task_recurrence);
    if (!recurrence) return syncline::fail(std::move(recurrence.error()));
    target.bag.set(field, write_recurrence(*recurrence));
  } else if (field == f_members) {
    std::string xml;
    std::size_t key = 1;
    for (const Element& member : value.children) {
      const Element* mailbox = member.child("Mailbox");
      if (mailbox == nullptr) continue;
      xml += "<t:Member";
      append_attribute(xml, "Key", member.attribute_or("Key", "member" + std::to_string(key++)));
      xml += '>';
      const auto all = recipients_in(member);
      xml += mailboxes_xml(context.store, all);
      append_text_element(xml, "Status", "Normal");
      xml += "</t:Member>";
    }
    target.bag.set(field, xml);
  } else {
    const std::string xml = inner_xml(value);
    if (xml.empty()) {
      target.bag.erase(field);
    } else {
      target.bag.set(field, xml);
    }
  }
  return {};
}

Result<Attachment> build_attachment(Context& context, const Element& element, std::size_t depth) {
  if (depth > context.store.limits().attachment_depth)
    return refuse("ErrorAttachmentNestLevelLimitExceeded", "Attachments are nested too deeply.");
  Attachment a;
  // As it is: a name is data, blanks at its ends too.
  if (const Element* name = element.child("Name")) a.name = name->text;
  a.content_type = element.child_text("ContentType");
  a.content_id = element.child_text("ContentId");
  a.content_location = element.child_text("ContentLocation");
  a.is_inline = is_true(element.child_text("IsInline"));
  a.modified = context.store.now();
  if (element.name == "FileAttachment") {
    a.is_contact_photo = is_true(element.child_text("IsContactPhoto"));
    const Element* content = element.child("Content");
    auto octets =
        syncline::base64_decode(content == nullptr ? std::string_view() : std::string_view(content->text));
    if (!octets) return refuse("ErrorInvalidValueForProperty", "The content is not valid base64.");
    a.content = std::make_shared<const std::string>(std::move(*octets));
    if (a.content_type.empty()) a.content_type = "application/octet-stream";
  } else if (element.name == "ReferenceAttachment") {
    a.kind = Attachment::Kind::reference;
    for (const std::string_view name :
         {"AttachLongPathName", "ProviderType", "ProviderEndpointUrl", "AttachmentThumbnailUrl",
          "AttachmentPreviewUrl", "PermissionType", "OriginalPermissionType", "AttachmentIsFolder"})
      if (const Element* child = element.child(name)) append_element(a.reference_xml, *child);
  } else if (element.name == "ItemAttachment") {
    a.kind = Attachment::Kind::item;
    for (const Element& child : element.children) {
      if (!kind_by_element(child.name)) continue;
      auto item = build_item(context, child, depth);
      if (!item) return syncline::fail(std::move(item.error()));
      (*item)->modified = context.store.now();
      a.item = std::move(*item);
    }
    if (!a.item)
      return refuse("ErrorMissingItemForCreateItemAttachment", "An item attachment without an item.");
  } else {
    return refuse("ErrorInvalidAttachmentId", "Not an attachment: " + element.name);
  }
  return a;
}

Result<std::unique_ptr<Item>> build_item(Context& context, const Element& element, std::size_t depth) {
  const auto kind = kind_by_element(element.name);
  if (!kind)
    return refuse("ErrorInvalidItemForOperationCreateItem", "This item can not be created: " + element.name);
  auto item = std::make_unique<Item>();
  item->kind = *kind;
  if (const std::string_view item_class = element.child_text("ItemClass"); !item_class.empty()) {
    item->kind = kind_by_class(item_class);
    // A class of another kind of element is refused, as on the server; foreign classes stay with their
    // element.
    if (*kind != ItemKind::message && *kind != ItemKind::item && item->kind != *kind &&
        item->kind != ItemKind::message)
      return refuse("ErrorObjectTypeChanged", "The item class does not fit the element.");
    if (item->kind == ItemKind::message || *kind != ItemKind::item) item->kind = *kind;
  }
  if (item->kind == ItemKind::item) item->kind = ItemKind::message;
  Target target{*item, item->bag, false};
  // MIME last, so that the properties given beside it win.
  for (const Element& child : element.children) {
    if (child.name == "MimeContent") continue;
    if (child.name == "ExtendedProperty") {
      if (auto done = set_extended(context, target, child); !done)
        return syncline::fail(std::move(done.error()));
      continue;
    }
    const auto field = field_by_element(*kind, child.name);
    if (!field) continue;  // known to the schema, of no use here
    if (*field == f_attachments) {
      for (const Element& a : child.children) {
        auto attachment = build_attachment(context, a, depth + 1);
        if (!attachment) return syncline::fail(std::move(attachment.error()));
        attachment->serial = item->next_serial++;
        item->attachments.push_back(std::move(*attachment));
      }
      continue;
    }
    if (auto done = set_property(context, target, *field, child); !done)
      return syncline::fail(std::move(done.error()));
  }
  if (const Element* mime = element.child("MimeContent"))
    if (auto done = set_property(context, target, f_mime_content, *mime); !done)
      return syncline::fail(std::move(done.error()));
  if (auto done = settle(context, *item, nullptr); !done) return syncline::fail(std::move(done.error()));
  return item;
}

Result<void> settle(Context& context, Item& item, const Item* before) {
  switch (item.kind) {
    case ItemKind::calendar_item:
      return settle_calendar(context, item, before);
    case ItemKind::task:
      settle_task(context, item, before);
      return {};
    case ItemKind::contact: {
      PropertyBag& bag = item.bag;
      const std::string given(bag.get(f_given_name));
      const std::string surname(bag.get(f_surname));
      if (!bag.has(f_display_name) && !(given + surname).empty())
        bag.set(f_display_name, given.empty() ? surname : surname.empty() ? given : given + ' ' + surname);
      const std::string mapping(bag.get(f_file_as_mapping));
      if (mapping == "LastCommaFirst")
        bag.set(f_file_as, surname.empty() ? given : given.empty() ? surname : surname + ", " + given);
      if (mapping == "FirstSpaceLast")
        bag.set(f_file_as, given.empty() ? surname : surname.empty() ? given : given + ' ' + surname);
      if (mapping == "Company") bag.set(f_file_as, std::string(bag.get(f_company_name)));
      if (!bag.has(f_subject) && bag.has(f_display_name))
        bag.set(f_subject, std::string(bag.get(f_display_name)));
      return {};
    }
    case ItemKind::distribution_list:
      if (item.bag.has(f_display_name)) item.bag.set(f_subject, std::string(item.bag.get(f_display_name)));
      return {};
    default:
      return {};
  }
}

namespace {

Result<void> delete_field(Context& context, Target target, const Element& path) {
  if (path.name == "ExtendedFieldURI") {
    auto name = read_extended_name(path);
    if (!name) return syncline::fail(std::move(name.error()));
    if (const PropertyId id = context.store.find_extended(*name)) target.bag.erase(id);
    return {};
  }
  if (path.name == "IndexedFieldURI") {
    const auto name = read_dictionary_name(path);
    if (!name) return refuse("ErrorInvalidPropertyDelete", "The indexed property can not be deleted.");
    if (const PropertyId id = context.store.find_dictionary(*name)) target.bag.erase(id);
    return {};
  }
  const auto field = field_by_uri(path.attribute_or("FieldURI", ""));
  if (!field || (field_definition(*field).read_only && *field != f_notes) || *field == f_start ||
      *field == f_end)
    return refuse("ErrorInvalidPropertyDelete", "Delete action is not supported for this property.");
  if (field_definition(*field).kind == ValueKind::dictionary) {
    std::vector<PropertyId> doomed;
    target.bag.for_each([&](PropertyId id, std::string_view) {
      const DictionaryName* name = id < kFirstDynamic ? nullptr : context.store.dictionary_name(id);
      if (name != nullptr && name->field == *field) doomed.push_back(id);
    });
    for (const PropertyId id : doomed) target.bag.erase(id);
    return {};
  }
  target.bag.erase(*field);
  if (*field == f_body) target.bag.erase(f_body_type);
  return {};
}

Result<void> append_field(Context& context, Target target, Field field, const Element& value) {
  if (field == f_body) {
    target.bag.set(f_body, std::string(target.bag.get(f_body)) + value.text);
    if (!target.bag.has(f_body_type)) target.bag.set(f_body_type, value.attribute_or("BodyType", "Text"));
    return {};
  }
  if (is_recipient_field(field) && field != f_from && field != f_sender && field != f_organizer) {
    auto all = recipients_in(target.bag.get(field));
    for (Recipient& r : recipients_in(value)) all.push_back(std::move(r));
    target.bag.set(field, mailboxes_xml(context.store, all));
    return {};
  }
  if (is_attendee_field(field)) {
    auto all = recipients_in(target.bag.get(field));
    for (Recipient& r : keep_responses(recipients_in(value), "")) all.push_back(std::move(r));
    target.bag.set(field, attendees_xml(context.store, all));
    return {};
  }
  return refuse("ErrorInvalidPropertyAppend", "Append action is not supported for this property.");
}

}  // namespace

Result<void> apply_updates(Context& context, Target target, const Element& updates) {
  for (const Element& change : updates.children) {
    if (change.children.empty()) return refuse("ErrorInvalidPropertySet", "An update without a property.");
    const Element& path = change.children.front();
    if (change.name == "DeleteItemField") {
      if (auto done = delete_field(context, target, path); !done) return done;
      continue;
    }
    const bool append = change.name == "AppendToItemField";
    if (!append && change.name != "SetItemField")
      return refuse("ErrorInvalidPropertySet", "Not an update: " + change.name);
    if (change.children.size() != 2)
      return refuse("ErrorIncorrectUpdatePropertyCount", "One value is expected.");
    const Element& item_element = change.children[1];
    if (path.name == "ExtendedFieldURI") {
      const Element* property = item_element.child("ExtendedProperty");
      if (property == nullptr || append)
        return refuse("ErrorUpdatePropertyMismatch", "The extended property is not in the item.");
      const Element* inner = property->child("ExtendedFieldURI");
      if (inner == nullptr)
        return refuse("ErrorUpdatePropertyMismatch", "The extended property has no name.");
      auto outer_name = read_extended_name(path);
      auto inner_name = read_extended_name(*inner);
      if (!outer_name) return syncline::fail(std::move(outer_name.error()));
      if (!inner_name) return syncline::fail(std::move(inner_name.error()));
      if (*outer_name != *inner_name)
        return refuse("ErrorUpdatePropertyMismatch", "The property does not match the one in the path.");
      if (auto done = set_extended(context, target, *property); !done) return done;
      continue;
    }
    if (item_element.children.size() != 1)
      return refuse(
          "ErrorIncorrectUpdatePropertyCount",
          "An object within a change description must contain one and only one property to modify.");
    const Element& value = item_element.children.front();
    if (path.name == "IndexedFieldURI") {
      const auto name = read_dictionary_name(path);
      if (!name || append) return refuse("ErrorInvalidPropertySet", "The indexed property can not be set.");
      const Element* entry = value.child("Entry");
      if (value.name != field_definition(name->field).element || entry == nullptr ||
          entry->attribute_or("Key", "") != name->key)
        return refuse("ErrorUpdatePropertyMismatch", "The property does not match the one in the path.");
      if (auto done = set_dictionary_entry(context, target, name->field, *entry); !done) return done;
      continue;
    }
    const std::string_view uri = path.attribute_or("FieldURI", "");
    const auto field = field_by_uri(uri);
    if (!field)
      return refuse("ErrorInvalidPropertySet",
                    "Set action is invalid for property " + std::string(uri) + '.');
    if (value.name != field_definition(*field).element)
      return refuse("ErrorUpdatePropertyMismatch", "The property does not match the one in the path.");
    if (!has_field(target.item.kind, *field))
      return refuse("ErrorInvalidPropertySet", "The property is not one of this kind of item.");
    if (append) {
      if (auto done = append_field(context, target, *field, value); !done) return done;
      continue;
    }
    if (*field == f_attachments)
      return refuse("ErrorInvalidPropertySet", "Set action is invalid for property item:Attachments.");
    if (*field == f_mime_content) {
      // New octets replace the message's content.
      for (const Field f : {f_body, f_body_type, f_subject, f_to, f_cc, f_from, f_internet_message_id})
        target.bag.erase(f);
      target.item.attachments.clear();
    }
    if (field_definition(*field).kind == ValueKind::dictionary)
      return refuse("ErrorInvalidPropertySet", "A dictionary is set entry by entry.");
    if (auto done = set_property(context, target, *field, value); !done) return done;
    // A body that was set hides the one in the octets, which are not the item any more.
    if (*field == f_body && !target.occurrence) target.item.mime = std::monostate{};
  }
  return {};
}

namespace {
/// A report on a message that failed, or on one that arrived.
std::string_view delivery_report_class(const ParsedMail& mail) {
  for (const MailPart& part : mail.attachments) {
    if (part.content_type != "message/delivery-status") continue;
    const std::string lower = syncline::text::to_lower_ascii(part.content);
    if (lower.find("\naction: failed") == std::string::npos) return "REPORT.IPM.Note.DR";
  }
  return "REPORT.IPM.Note.NDR";
}
}  // namespace

std::unique_ptr<Item> item_from_mime(Context& context, std::string mime) {
  auto item = std::make_unique<Item>();
  ParsedMail mail = parse_mail(mime);
  item->mime = std::make_shared<const std::string>(std::move(mime));
  PropertyBag& bag = item->bag;
  const auto set = [&](Field field, std::string_view value) {
    if (!value.empty()) bag.set(field, value);
  };
  const auto recipients = [&](Field field, const std::vector<MailAddress>& from) {
    if (!from.empty()) bag.set(field, mailboxes_xml(context.store, from_addresses(from)));
  };
  set(f_subject, mail.subject);
  recipients(f_from, mail.from);
  recipients(f_sender, mail.sender.empty() ? mail.from : mail.sender);
  recipients(f_to, mail.to);
  recipients(f_cc, mail.cc);
  recipients(f_bcc, mail.bcc);
  recipients(f_reply_to, mail.reply_to);
  set(f_internet_message_id, mail.message_id);
  set(f_in_reply_to, mail.in_reply_to);
  set(f_references, mail.references);
  set(f_importance, mail.importance);
  if (mail.report_type == "delivery-status") set(f_item_class, delivery_report_class(mail));
  if (mail.date) bag.set(f_sent, format_utc(*mail.date));
  std::string headers;
  for (const auto& [name, value] : mail.headers) {
    if (headers.size() > 64 * 1024) break;
    headers += "<t:InternetMessageHeader";
    append_attribute(headers, "HeaderName", name);
    headers += '>';
    append_escaped(headers, value);
    headers += "</t:InternetMessageHeader>";
  }
  set(f_internet_headers, headers);
  for (MailPart& part : mail.attachments) {
    Attachment a;
    a.serial = item->next_serial++;
    a.name = part.name;
    a.content_type = part.content_type;
    a.content_id = part.content_id;
    a.is_inline = part.is_inline || (!part.content_id.empty() && part.content_type.starts_with("image/"));
    a.modified = context.store.now();
    if (part.content_type == "message/rfc822") {
      // One level is opened; what is deeper stays in the octets.
      a.kind = Attachment::Kind::item;
      auto inner = std::make_shared<Item>();
      ParsedMail inner_mail = parse_mail(part.content, true);
      inner->bag.set(f_subject, inner_mail.subject);
      if (!inner_mail.from.empty())
        inner->bag.set(f_from, mailboxes_xml(context.store, from_addresses(inner_mail.from)));
      if (!inner_mail.to.empty())
        inner->bag.set(f_to, mailboxes_xml(context.store, from_addresses(inner_mail.to)));
      if (!inner_mail.message_id.empty()) inner->bag.set(f_internet_message_id, inner_mail.message_id);
      if (inner_mail.date) inner->bag.set(f_sent, format_utc(*inner_mail.date));
      if (a.name.empty()) a.name = inner_mail.subject;
      inner->modified = context.store.now();
      inner->mime = std::make_shared<const std::string>(std::move(part.content));
      a.item = std::move(inner);
    } else {
      a.content = std::make_shared<const std::string>(std::move(part.content));
    }
    item->attachments.push_back(std::move(a));
  }
  return item;
}

std::unique_ptr<Item> item_from_generated(const GeneratedMail& mail) {
  auto item = std::make_unique<Item>();
  const GeneratedHeaders h = generated_headers(mail);
  item->mime = mail;
  item->bag.set(f_subject, h.subject);
  const auto mailbox = [](const std::string& name, const std::string& address) {
    return "<t:Mailbox><t:Name>" + name + "</t:Name><t:EmailAddress>" + address +
           "</t:EmailAddress><t:RoutingType>SMTP</t:RoutingType><t:MailboxType>OneOff</t:MailboxType></"
           "t:Mailbox>";
  };
  item->bag.set(f_from, mailbox(h.from_name, h.from));
  item->bag.set(f_to, mailbox(h.to, h.to));
  item->bag.set(f_internet_message_id, h.message_id);
  item->bag.set(f_sent, format_utc(h.date));
  item->bag.set(f_received, format_utc(h.date + 2));
  item->bag.set(f_created, format_utc(h.date + 2));
  item->modified = h.date + 2;
  item->is_unmodified = true;
  return item;
}

}  // namespace exchange_sim
