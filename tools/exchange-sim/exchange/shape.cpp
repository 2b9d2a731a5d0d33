// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/exchange/shape.hpp"

#include <algorithm>
#include <functional>
#include <map>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "tools/exchange-sim/exchange/mime.hpp"
#include "tools/exchange-sim/exchange/recurrence.hpp"

namespace exchange_sim {
namespace {

constexpr std::string_view kAddressParts[] = {"Street", "City", "State", "CountryOrRegion", "PostalCode"};
constexpr std::size_t kFindBodyLimit = 512;

std::string_view boolean(bool value) {
  return value ? "true" : "false";
}

std::string strip_html(std::string_view html) {
  std::string out;
  bool in_tag = false;
  for (std::size_t i = 0; i < html.size(); ++i) {
    const char c = html[i];
    if (c == '<') {
      in_tag = true;
      const std::string tag = syncline::text::to_lower_ascii(html.substr(i + 1, 3));
      if (tag.starts_with("br") || tag.starts_with("/p")) out += "\r\n";
    } else if (c == '>') {
      in_tag = false;
    } else if (!in_tag) {
      constexpr std::pair<std::string_view, std::string_view> kEntities[] = {
          {"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"}, {"&quot;", "\""}, {"&nbsp;", " "}};
      bool replaced = false;
      if (c == '&') {
        for (const auto& [entity, character] : kEntities) {
          if (!html.substr(i).starts_with(entity)) continue;
          out += character;
          i += entity.size() - 1;
          replaced = true;
          break;
        }
      }
      if (!replaced) out += c;
    }
  }
  return out;
}

std::string wrap_html(std::string_view text) {
  std::string out =
      "<html><head><meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\"></head><body>";
  for (const char c : text) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '\n') {
      out += "<br>\n";
    } else if (c != '\r') {
      out += c;
    }
  }
  return out + "</body></html>";
}

/// Not longer than `limit` octets, cut between characters.
std::string_view cut(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  return text.substr(0, limit);
}

std::string names_of(std::string_view xml) {
  std::string out;
  for (const Recipient& r : recipients_in(xml)) {
    if (!out.empty()) out += "; ";
    out += r.name.empty() ? r.address : r.name;
  }
  return out;
}

void write_body(std::string& out, std::string_view element, const std::string& text, bool html,
                bool truncated) {
  out += "<t:";
  out += element;
  append_attribute(out, "BodyType", html ? "HTML" : "Text");
  if (truncated) append_attribute(out, "IsTruncated", "true");
  out += '>';
  append_escaped(out, text);
  out += "</t:";
  out += element;
  out += '>';
}

std::string occurrence_info(const Store& store, const ItemRef& ref, std::string_view element) {
  std::string out = "<t:" + std::string(element) + '>';
  append_item_id(out, store, ref);
  append_text_element(out, "Start", format_utc(start_of(ref)));
  append_text_element(out, "End", format_utc(end_of(ref)));
  append_text_element(out, "OriginalStart", format_utc(original_start_of(ref)));
  return out + "</t:" + std::string(element) + '>';
}

void write_dictionary(std::string& out, Context& context, const ItemRef& ref, const Shape& shape,
                      Field field) {
  const bool whole = shape.whole_dictionary.test(field);
  // Addresses have their parts gathered under one key; the others have one text a key.
  std::map<std::string, std::map<std::string, std::string>> entries;
  const auto add = [&](PropertyId id, std::string_view value) {
    if (id < kFirstDynamic) return;
    const DictionaryName* name = context.store.dictionary_name(id);
    if (name == nullptr || name->field != field) return;
    if (!whole && std::find(shape.dictionary.begin(), shape.dictionary.end(), id) == shape.dictionary.end())
      return;
    entries[name->key][name->part] = value;
  };
  ref.item->bag.for_each(add);
  if (entries.empty()) return;
  const FieldDefinition& definition = field_definition(field);
  out += "<t:";
  out += definition.element;
  out += '>';
  for (const auto& [key, parts] : entries) {
    out += "<t:Entry";
    append_attribute(out, "Key", key);
    if (field == f_email_addresses) {
      const auto name = parts.find("Name");
      if (name != parts.end()) append_attribute(out, "Name", name->second);
      if (name != parts.end()) append_attribute(out, "RoutingType", "SMTP");
    }
    out += '>';
    if (field == f_physical_addresses) {
      for (const std::string_view part : kAddressParts)
        if (const auto at = parts.find(std::string(part)); at != parts.end())
          append_text_element(out, part, at->second);
    } else if (const auto at = parts.find(""); at != parts.end()) {
      append_escaped(out, at->second);
    }
    out += "</t:Entry>";
  }
  out += "</t:";
  out += definition.element;
  out += '>';
}

void write_extended(std::string& out, Context& context, const ItemRef& ref, const Shape& shape) {
  for (std::size_t i = 0; i < shape.extended.size(); ++i) {
    std::optional<std::string> value;
    if (shape.extended[i].tag == kTagSearchKey) {
      value = text_of(context, ref, f_search_key);
    } else if (shape.extended_ids[i] != 0) {
      if (const auto set = ref.find(shape.extended_ids[i])) value = std::string(*set);
    }
    if (!value) continue;
    out += "<t:ExtendedProperty>";
    append_extended_uri(out, shape.extended[i]);
    if (shape.extended[i].type.ends_with("Array")) {
      out += "<t:Values>";
      out += *value;  // kept as "<t:Value>…</t:Value>…"
      out += "</t:Values>";
    } else {
      append_text_element(out, "Value", *value);
    }
    out += "</t:ExtendedProperty>";
  }
}

void write_response_objects(std::string& out, const ItemRef& ref) {
  std::vector<std::string_view> names;
  const Item& item = *ref.item;
  switch (shown_kind(item)) {
    case ItemKind::message:
      if (item.is_draft) return;
      names = {"ReplyToItem", "ReplyAllToItem", "ForwardItem"};
      break;
    case ItemKind::meeting_request:
      names = {"AcceptItem",  "TentativelyAcceptItem", "DeclineItem",
               "ReplyToItem", "ReplyAllToItem",        "ForwardItem"};
      break;
    case ItemKind::meeting_cancellation:
      names = {"RemoveItem", "ReplyToItem", "ReplyAllToItem", "ForwardItem"};
      break;
    case ItemKind::calendar_item:
      if (!item.is_organizer) {
        names = {"AcceptItem",  "TentativelyAcceptItem", "DeclineItem",
                 "ReplyToItem", "ReplyAllToItem",        "ForwardItem"};
      } else if (ref.get(f_required).empty() && ref.get(f_optional).empty()) {
        names = {"ForwardItem"};
      } else {
        names = {"CancelCalendarItem", "ForwardItem"};
      }
      break;
    default:
      names = {"ForwardItem"};
  }
  out += "<t:ResponseObjects>";
  for (const std::string_view name : names) {
    out += "<t:";
    out += name;
    out += "/>";
  }
  out += "</t:ResponseObjects>";
}

void write_occurrences(std::string& out, Context& context, const ItemRef& ref, Field field) {
  if (ref.day || !is_series(*ref.item)) return;
  if (field == f_first_occurrence || field == f_last_occurrence) {
    const auto series = series_of(*ref.item);
    if (!series) return;
    const auto exists = [&](Day day) {
      const ItemRef o{ref.mailbox, ref.item, day};
      return o.occurrence() == nullptr || !o.occurrence()->deleted;
    };
    std::optional<Day> found;
    if (field == f_last_occurrence && !series->end && !series->count) return;
    walk(*series, day_of(4500, 8, 31), [&](Day day, std::size_t) {
      if (!exists(day)) return true;
      found = day;
      return field == f_last_occurrence;
    });
    if (found)
      out += occurrence_info(context.store, {ref.mailbox, ref.item, found}, field_definition(field).element);
    return;
  }
  if (!ref.item->occurrences) return;
  std::string inner;
  for (const auto& [day, o] : *ref.item->occurrences) {
    const ItemRef one{ref.mailbox, ref.item, day};
    if (field == f_modified_occurrences && !o.deleted)
      inner += occurrence_info(context.store, one, "Occurrence");
    if (field == f_deleted_occurrences && o.deleted)
      inner += "<t:DeletedOccurrence><t:Start>" + format_utc(original_start_of(one)) +
               "</t:Start></t:DeletedOccurrence>";
  }
  if (inner.empty()) return;
  out += "<t:";
  out += field_definition(field).element;
  out += '>' + inner + "</t:";
  out += field_definition(field).element;
  out += '>';
}

void write_computed(std::string& out, Context& context, const ItemRef& ref, const Shape& shape, Field field) {
  const FieldDefinition& definition = field_definition(field);
  const Item& item = *ref.item;
  switch (field) {
    case f_item_id:
      if (item.number != 0) append_item_id(out, context.store, ref);
      return;
    case f_parent_folder_id:
      if (const Folder* folder = ref.mailbox->folder(item.folder))
        append_folder_id(out, context.store, *ref.mailbox, *folder, "ParentFolderId");
      return;
    case f_mime_content: {
      const std::string mime = mime_of(context, ref);
      out += "<t:MimeContent CharacterSet=\"UTF-8\">";
      out += syncline::base64_encode(mime);
      out += "</t:MimeContent>";
      return;
    }
    case f_attachments: {
      if (ref.attachments().empty()) return;
      out += "<t:Attachments>";
      for (const Attachment& a : ref.attachments())
        write_attachment(out, context, ref, a, {a.serial}, false, nullptr);
      out += "</t:Attachments>";
      return;
    }
    case f_response_objects:
      return write_response_objects(out, ref);
    case f_effective_rights:
      out +=
          "<t:EffectiveRights><t:CreateAssociated>false</t:CreateAssociated><t:CreateContents>false"
          "</t:CreateContents><t:CreateHierarchy>false</t:CreateHierarchy><t:Delete>true</t:Delete>"
          "<t:Modify>true</t:Modify><t:Read>true</t:Read><t:ViewPrivateItems>true</t:ViewPrivateItems>"
          "</t:EffectiveRights>";
      return;
    case f_conversation_id: {
      const std::string_view index = ref.get(f_conversation_index);
      if (index.empty()) return;
      out += "<t:ConversationId";
      append_attribute(out, "Id", "AAQk" + std::string(index.substr(0, 28)));
      out += "/>";
      return;
    }
    case f_first_occurrence:
    case f_last_occurrence:
    case f_modified_occurrences:
    case f_deleted_occurrences:
      return write_occurrences(out, context, ref, field);
    case f_associated_item:
      if (Item* associated = ref.mailbox->item(item.associated))
        append_item_id(out, context.store, {ref.mailbox, associated, std::nullopt},
                       "AssociatedCalendarItemId");
      return;
    case f_text_body:
    case f_unique_body:
    case f_normalized_body: {
      auto [text, html] = body_of(ref);
      if (field == f_text_body && html) text = strip_html(text);
      write_body(out, definition.element, text, html && field != f_text_body, false);
      return;
    }
    case f_received_by:
    case f_received_representing:
      if (item.is_draft || item.is_from_me || item.kind == ItemKind::calendar_item) return;
      out += "<t:";
      out += definition.element;
      out += '>';
      append_mailbox(out, context.store, {"", ref.mailbox->definition.address, "SMTP", "", ""});
      out += "</t:";
      out += definition.element;
      out += '>';
      return;
    case f_complete_name: {
      std::string inner;
      const auto part = [&](std::string_view name, Field from) {
        if (const auto value = ref.find(from)) append_text_element(inner, name, *value);
      };
      part("FirstName", f_given_name);
      part("MiddleName", f_middle_name);
      part("LastName", f_surname);
      part("Suffix", f_generation);
      part("Initials", f_initials);
      part("FullName", f_display_name);
      part("Nickname", f_nickname);
      if (inner.empty()) return;
      out += "<t:CompleteName>" + inner + "</t:CompleteName>";
      return;
    }
    case f_photo:
      for (const Attachment& a : ref.attachments())
        if (a.is_contact_photo && a.content) {
          out += "<t:Photo>" + syncline::base64_encode(*a.content) + "</t:Photo>";
          return;
        }
      return;
    default:
      break;
  }
  (void)shape;
  if (const auto text = text_of(context, ref, field)) append_text_element(out, definition.element, *text);
}

}  // namespace

ItemKind shown_kind(const Item& item) {
  return item.kind;
}

std::size_t size_of(const ItemRef& ref) {
  std::size_t size = 300 + ref.item->bag.bytes() + mime_size(ref.item->mime);
  for (const Attachment& a : ref.attachments()) {
    size += 100 + a.name.size() + (a.content ? a.content->size() : 0);
    if (a.item) size += a.item->bag.bytes() + mime_size(a.item->mime);
  }
  return size;
}

std::pair<std::string, bool> body_of(const ItemRef& ref) {
  if (const auto body = ref.find(f_body)) return {std::string(*body), ref.get(f_body_type) == "HTML"};
  if (std::holds_alternative<std::monostate>(ref.item->mime)) return {};
  if (auto text = generated_text(ref.item->mime)) return {std::move(*text), false};
  ParsedMail mail = parse_mail(mime_octets(ref.item->mime));
  if (mail.has_html) return {std::move(mail.html), true};
  return {std::move(mail.text), false};
}

std::string mime_of(Context& context, const ItemRef& ref) {
  if (!ref.day && !std::holds_alternative<std::monostate>(ref.item->mime)) return mime_octets(ref.item->mime);
  MailToWrite mail;
  const auto addresses = [&](Field field) {
    std::string out;
    for (const Recipient& r : recipients_in(ref.get(field))) {
      if (!out.empty()) out += ", ";
      std::string name = r.name;
      std::replace(name.begin(), name.end(), '"', '\'');
      out += name.empty() ? r.address : '"' + name + "\" <" + r.address + '>';
    }
    return out;
  };
  const auto add = [&](const char* name, std::string value) {
    if (!value.empty()) mail.headers.emplace_back(name, std::move(value));
  };
  add("From", addresses(ref.item->kind == ItemKind::calendar_item ? f_organizer : f_from));
  add("To", addresses(ref.item->kind == ItemKind::calendar_item ? f_required : f_to));
  add("Cc", addresses(ref.item->kind == ItemKind::calendar_item ? f_optional : f_cc));
  add("Subject", std::string(ref.get(f_subject)));
  const auto sent = parse_time(ref.get(f_sent).empty() ? ref.get(f_created) : ref.get(f_sent));
  if (sent) add("Date", format_mail_date(sent->utc()));
  add("Message-ID", std::string(ref.get(f_internet_message_id)));
  add("In-Reply-To", std::string(ref.get(f_in_reply_to)));
  add("References", std::string(ref.get(f_references)));
  ref.item->bag.for_each([&](PropertyId id, std::string_view value) {
    const ExtendedName* own = id < kFirstDynamic ? nullptr : context.store.extended_name(id);
    if (own == nullptr || own->set != "InternetHeaders") return;
    // RFC 5322 section 2.2: what a field's name may hold.
    const bool is_name = !own->name.empty() && std::all_of(own->name.begin(), own->name.end(), [](char c) {
      return c > 0x20 && c < 0x7F && c != ':';
    });
    if (is_name) mail.headers.emplace_back(own->name, std::string(value));
  });
  std::tie(mail.body, mail.is_html) = body_of(ref);
  mail.attachments = &ref.attachments();
  mail.boundary = "_000_" + std::to_string(ref.item->number) + "_" + std::to_string(ref.item->version) + "_";
  const auto compact = [](Seconds utc) {
    std::string text = format_utc(utc);
    std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
    return text;
  };
  if (ref.item->kind == ItemKind::calendar_item || ref.item->kind == ItemKind::meeting_request) {
    std::string subject(ref.get(f_subject));
    std::replace(subject.begin(), subject.end(), '\n', ' ');
    mail.calendar = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//exchange-sim//EN\r\nBEGIN:VEVENT\r\nUID:" +
                    std::string(ref.get(f_uid)) + "\r\nDTSTAMP:" + compact(ref.item->modified) +
                    "\r\nDTSTART:" + compact(start_of(ref)) + "\r\nDTEND:" + compact(end_of(ref)) +
                    "\r\nSUMMARY:" + subject + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
  }
  return write_mail(mail);
}

std::string mime_for_others(Context& context, Item& message) {
  const ItemRef ref{&context.mailbox, &message, std::nullopt};
  const MailAddress me{context.mailbox.definition.display_name, context.mailbox.definition.address};
  std::vector<std::pair<std::string, std::string>> needed{
      {"From", me.name.empty() ? me.address : '"' + me.name + "\" <" + me.address + '>'},
      {"Message-ID", std::string(ref.get(f_internet_message_id))}};
  if (const auto sent = parse_time(ref.get(f_sent)))
    needed.emplace_back("Date", format_mail_date(sent->utc()));
  return with_headers(mime_of(context, ref), needed, "Bcc");
}

std::optional<std::string> text_of(Context& context, const ItemRef& ref, Field field) {
  const Item& item = *ref.item;
  const auto flag = [](bool value) { return std::optional<std::string>(boolean(value)); };
  switch (field) {
    case f_is_read:
      return flag(item.is_read);
    case f_is_draft:
      return flag(item.is_draft);
    case f_is_submitted:
      return flag(item.is_submitted);
    case f_is_from_me:
      return flag(item.is_from_me);
    case f_is_resend:
    case f_is_associated:
      return flag(false);
    case f_is_unmodified:
      return flag(item.is_unmodified);
    case f_item_class:
      if (ref.occurrence() != nullptr) return "IPM.OLE.CLASS.{00061055-0000-0000-C000-000000000046}";
      if (const auto own = ref.find(field)) return std::string(*own);
      return std::string(default_class(item.kind));
    case f_sensitivity:
    case f_importance:
      return std::string(ref.find(field).value_or("Normal"));
    case f_culture:
      return std::string(ref.find(field).value_or("en-US"));
    case f_size:
      return std::to_string(size_of(ref));
    case f_has_attachments:
      return flag(std::any_of(ref.attachments().begin(), ref.attachments().end(),
                              [](const Attachment& a) { return !a.is_inline; }));
    case f_display_to:
      return names_of(ref.get(item.kind == ItemKind::calendar_item ? f_required : f_to));
    case f_display_cc:
      return names_of(ref.get(item.kind == ItemKind::calendar_item ? f_optional : f_cc));
    case f_display_bcc:
      return names_of(ref.get(f_bcc));
    case f_modified:
      return format_utc(item.modified);
    case f_modified_name:
      return ref.mailbox->definition.display_name.empty() ? ref.mailbox->definition.address
                                                          : ref.mailbox->definition.display_name;
    case f_reminder_set:
      return std::string(ref.find(field).value_or("false"));
    case f_reminder_minutes:
      return std::string(ref.find(field).value_or(item.kind == ItemKind::calendar_item ? "15" : "0"));
    case f_reminder_due:
      if (const auto own = ref.find(field)) return std::string(*own);
      if (item.kind == ItemKind::calendar_item) return format_utc(start_of(ref));
      return std::nullopt;
    case f_body:
      return body_of(ref).first;
    case f_preview:
    case f_text_body: {
      auto [text, html] = body_of(ref);
      if (html) text = strip_html(text);
      return field == f_preview ? std::string(cut(text, 255)) : text;
    }
    case f_search_key:
      return syncline::base64_encode("EX:" + std::to_string(item.search_number));
    case f_instance_key:
      return syncline::base64_encode(std::to_string(item.number));
    case f_start:
      if (item.kind == ItemKind::calendar_item && item.bag.has(f_start)) return format_utc(start_of(ref));
      break;
    case f_end:
      if (item.kind == ItemKind::calendar_item && item.bag.has(f_end)) return format_utc(end_of(ref));
      break;
    case f_original_start:
      if (item.kind == ItemKind::calendar_item && ref.day) return format_utc(original_start_of(ref));
      if (const auto own = ref.find(field)) return std::string(*own);
      return std::nullopt;
    case f_recurrence_id:
      if (item.kind == ItemKind::calendar_item && ref.day) return format_utc(original_start_of(ref));
      break;
    case f_all_day:
    case f_response_requested:
    case f_allow_new_time:
      return std::string(ref.find(field).value_or(field == f_all_day ? "false" : "true"));
    case f_online_meeting:
    case f_read_receipt:
    case f_delivery_receipt:
    case f_message_response_requested:
    case f_is_delegated:
    case f_is_out_of_date:
    case f_has_been_processed:
    case f_is_team_task:
      return std::string(ref.find(field).value_or("false"));
    case f_free_busy:
      return std::string(ref.find(field).value_or("Busy"));
    case f_is_meeting:
      return flag(item.kind == ItemKind::meeting_request || !item.is_organizer ||
                  !ref.get(f_required).empty() || !ref.get(f_optional).empty() ||
                  !ref.get(f_resources).empty());
    case f_is_cancelled:
      return flag(item.is_cancelled ||
                  (ref.occurrence() != nullptr && ref.get(f_state_flags) == "cancelled"));
    case f_is_recurring:
      return flag(ref.day.has_value() || !ref.get(f_recurrence_id).empty());
    case f_request_was_sent:
      return flag(item.invitations_sent);
    case f_calendar_item_type: {
      if (item.kind != ItemKind::calendar_item)
        return item.bag.has(f_recurrence)         ? "RecurringMaster"
               : ref.get(f_recurrence_id).empty() ? "Single"
                                                  : "Occurrence";
      if (ref.day) return ref.occurrence() != nullptr ? "Exception" : "Occurrence";
      return is_series(item) ? "RecurringMaster" : "Single";
    }
    case f_my_response: {
      if (const Occurrence* o = ref.occurrence())
        if (const auto own = o->changes.find(f_my_response)) return std::string(*own);
      return std::string(kResponses[item.my_response]);
    }
    case f_duration:
      return format_minutes((end_of(ref) - start_of(ref)) / 60);
    case f_time_zone_name:
      if (ref.get(f_start_zone).empty()) return std::nullopt;
      return item_zone(ref).name;
    case f_sequence:
      return std::string(ref.find(field).value_or("0"));
    case f_appointment_state: {
      const bool meeting = *text_of(context, ref, f_is_meeting) == "true";
      return std::to_string((meeting ? 1 : 0) + (item.is_organizer ? 0 : 2) + (item.is_cancelled ? 4 : 0));
    }
    case f_start_wall:
    case f_end_wall: {
      if (!item.bag.has(f_start)) return std::nullopt;
      const Seconds utc = field == f_start_wall ? start_of(ref) : end_of(ref);
      return format_wall(item_zone(ref).to_wall(utc));
    }
    case f_start_zone_id:
    case f_end_zone_id:
      return item_zone(ref).id;
    case f_is_organizer:
      return flag(item.is_organizer);
    case f_conflicting_count:
    case f_adjacent_count:
      return "0";
    case f_has_picture:
      return flag(std::any_of(ref.attachments().begin(), ref.attachments().end(),
                              [](const Attachment& a) { return a.is_contact_photo; }));
    case f_contact_source:
      return std::nullopt;
    case f_notes: {
      auto text = body_of(ref).first;
      return text.empty() ? std::nullopt : std::optional(text);
    }
    case f_change_count:
      return std::to_string(
          item.changed_at - item.created_at + 1 > 99 ? 99 : item.changed_at - item.created_at + 1);
    case f_is_complete:
      return flag(ref.get(f_status) == "Completed");
    case f_task_is_recurring:
      return flag(item.bag.has(f_task_recurrence));
    case f_percent:
      return std::string(ref.find(field).value_or("0"));
    case f_status:
      return std::string(ref.find(field).value_or("NotStarted"));
    case f_status_description: {
      const std::string_view status = ref.find(f_status).value_or("NotStarted");
      return status == "NotStarted"        ? "Not Started"
             : status == "InProgress"      ? "In Progress"
             : status == "WaitingOnOthers" ? "Waiting on someone else"
                                           : std::string(status);
    }
    default:
      break;
  }
  const ValueKind kind = field_definition(field).kind;
  if (kind == ValueKind::computed || kind == ValueKind::dictionary) return std::nullopt;
  const auto own = ref.find(field);
  return own ? std::optional(std::string(*own)) : std::nullopt;
}

std::string attachment_id(const ItemRef& owner, const std::vector<std::uint32_t>& path) {
  return encode_id(
      {IdType::attachment, owner.mailbox->guid, owner.item->number, owner.day.value_or(0), path});
}

void write_attachment(std::string& out, Context& context, const ItemRef& owner, const Attachment& a,
                      const std::vector<std::uint32_t>& path, bool with_content, const Shape* inner) {
  const std::string_view element = element_of(a.kind);
  out += "<t:";
  out += element;
  out += "><t:AttachmentId Id=\"" + attachment_id(owner, path) + "\"/>";
  append_text_element(out, "Name", a.name);
  if (!a.content_type.empty()) append_text_element(out, "ContentType", a.content_type);
  if (!a.content_id.empty()) append_text_element(out, "ContentId", a.content_id);
  if (!a.content_location.empty()) append_text_element(out, "ContentLocation", a.content_location);
  const std::size_t size = a.content ? a.content->size()
                           : a.item  ? size_of({owner.mailbox, a.item.get(), std::nullopt})
                                     : 0;
  append_text_element(out, "Size", std::to_string(size));
  append_text_element(out, "LastModifiedTime", format_utc(a.modified));
  append_text_element(out, "IsInline", boolean(a.is_inline));
  if (a.kind == Attachment::Kind::file) {
    append_text_element(out, "IsContactPhoto", boolean(a.is_contact_photo));
    if (with_content) {
      // Straight into the reply: an attachment may be large.
      out += "<t:Content>";
      syncline::Base64Encoder encoder;
      if (a.content) encoder.feed(*a.content, out);
      encoder.finish(out);
      out += "</t:Content>";
    }
  } else if (a.kind == Attachment::Kind::reference) {
    out += a.reference_xml;
  } else if (with_content && a.item && inner != nullptr) {
    write_item(out, context, {owner.mailbox, a.item.get(), std::nullopt}, *inner);
  }
  out += "</t:";
  out += element;
  out += '>';
}

void append_extended_uri(std::string& out, const ExtendedName& name) {
  out += "<t:ExtendedFieldURI";
  if (name.tag >= 0) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string tag = "0x";
    for (int shift = name.tag > 0xFFF ? 12 : 8; shift >= 0; shift -= 4)
      tag += kDigits[(name.tag >> shift) & 15];
    append_attribute(out, "PropertyTag", tag);
  } else if (name.set.find('-') != std::string::npos) {
    append_attribute(out, "PropertySetId", name.set);
  } else {
    append_attribute(out, "DistinguishedPropertySetId", name.set);
  }
  if (!name.name.empty()) append_attribute(out, "PropertyName", name.name);
  if (name.id >= 0) append_attribute(out, "PropertyId", std::to_string(name.id));
  append_attribute(out, "PropertyType", name.type);
  out += "/>";
}

syncline::Result<ExtendedName> read_extended_name(const Element& uri) {
  const auto invalid = [] {
    return refuse("ErrorInvalidExtendedProperty", "The extended property attribute combination is invalid.");
  };
  ExtendedName name;
  name.type = uri.attribute_or("PropertyType", "");
  if (name.type.empty()) return invalid();
  if (const std::string* tag = uri.attribute("PropertyTag")) {
    try {
      std::size_t used = 0;
      const unsigned long value = std::stoul(*tag, &used, 0);
      if (used != tag->size() || value > 0xFFFF) return invalid();
      name.tag = static_cast<int>(value);
    } catch (const std::exception&) {
      return invalid();
    }
    if (uri.attribute("PropertySetId") != nullptr || uri.attribute("DistinguishedPropertySetId") != nullptr ||
        uri.attribute("PropertyName") != nullptr || uri.attribute("PropertyId") != nullptr)
      return invalid();
    return name;
  }
  const std::string* set = uri.attribute("PropertySetId");
  const std::string* distinguished = uri.attribute("DistinguishedPropertySetId");
  if ((set == nullptr) == (distinguished == nullptr)) return invalid();
  name.set = set != nullptr ? syncline::text::to_lower_ascii(*set) : *distinguished;
  // One set, two spellings.
  if (name.set == "00020329-0000-0000-c000-000000000046") name.set = "PublicStrings";
  const std::string* property = uri.attribute("PropertyName");
  const std::string* id = uri.attribute("PropertyId");
  if ((property == nullptr) == (id == nullptr)) return invalid();
  if (property != nullptr) {
    name.name = *property;
  } else {
    const auto number = syncline::text::parse_int(*id);
    if (!number || *number < 0 || *number > 0xFFFFFFFFLL) return invalid();
    name.id = static_cast<int>(*number);
  }
  return name;
}

std::optional<DictionaryName> read_dictionary_name(const Element& uri) {
  const std::string_view field = uri.attribute_or("FieldURI", "");
  const std::string_view index = uri.attribute_or("FieldIndex", "");
  if (index.empty()) return std::nullopt;
  if (field == "contacts:EmailAddress") return DictionaryName{f_email_addresses, std::string(index), ""};
  if (field == "contacts:PhoneNumber") return DictionaryName{f_phone_numbers, std::string(index), ""};
  if (field == "contacts:ImAddress") return DictionaryName{f_im_addresses, std::string(index), ""};
  constexpr std::string_view kAddress = "contacts:PhysicalAddress:";
  if (field.starts_with(kAddress)) {
    const std::string_view part = field.substr(kAddress.size());
    if (std::find(std::begin(kAddressParts), std::end(kAddressParts), part) == std::end(kAddressParts))
      return std::nullopt;
    return DictionaryName{f_physical_addresses, std::string(index), std::string(part)};
  }
  return std::nullopt;
}

syncline::Result<Shape> read_shape(Context& context, const Element* element, bool finding) {
  Shape shape;
  shape.finding = finding;
  shape.fields.set(f_item_id);
  if (element == nullptr) return shape;
  const std::string_view base = element->child_text("BaseShape");
  for (PropertyId i = 0; i < f_count; ++i) {
    const FieldDefinition& f = field_definition(static_cast<Field>(i));
    if (finding && f.get_only) continue;
    if (base == "Default" ? f.in_default : base == "AllProperties" && !f.on_request && f.id != f_mime_content)
      shape.fields.set(i);
  }
  if (shape.fields.test(f_email_addresses))
    for (const Field f : {f_email_addresses, f_physical_addresses, f_phone_numbers, f_im_addresses})
      shape.whole_dictionary.set(f);
  if (is_true(element->child_text("IncludeMimeContent"))) {
    if (finding)
      return refuse("ErrorInvalidPropertyRequest", "The property can not be used with this type of request.");
    shape.fields.set(f_mime_content);
  }
  const std::string_view body = element->child_text("BodyType");
  shape.body = body == "HTML" ? BodyChoice::html : body == "Text" ? BodyChoice::text : BodyChoice::best;
  const Element* additional = element->child("AdditionalProperties");
  if (additional == nullptr) return shape;
  for (const Element& path : additional->children) {
    if (path.name == "FieldURI") {
      const std::string_view uri = path.attribute_or("FieldURI", "");
      const auto field = field_by_uri(uri);
      if (!field) {
        if (is_known_uri_prefix(uri)) continue;  // known to the protocol, never set here
        return refuse("ErrorInvalidPropertyRequest", "The property is not known: " + std::string(uri));
      }
      if (finding && (*field == f_mime_content || *field == f_attachments))
        return refuse("ErrorInvalidPropertyRequest",
                      "The property can not be used with this type of request.");
      if (finding && field_definition(*field).get_only && *field != f_body) continue;
      shape.fields.set(*field);
      if (field_definition(*field).kind == ValueKind::dictionary) shape.whole_dictionary.set(*field);
    } else if (path.name == "IndexedFieldURI") {
      const auto name = read_dictionary_name(path);
      if (!name) continue;
      shape.fields.set(name->field);
      if (const PropertyId id = context.store.find_dictionary(*name)) shape.dictionary.push_back(id);
    } else if (path.name == "ExtendedFieldURI") {
      auto name = read_extended_name(path);
      if (!name) return syncline::fail(std::move(name.error()));
      shape.extended_ids.push_back(context.store.find_extended(*name));
      shape.extended.push_back(std::move(*name));
    }
  }
  return shape;
}

void write_item(std::string& out, Context& context, const ItemRef& ref, const Shape& shape) {
  const ItemKind kind = shown_kind(*ref.item);
  const std::string_view element = element_of(kind);
  out += "<t:";
  out += element;
  out += '>';
  if (shape.fields.count() == 1 && shape.extended.empty()) {
    if (ref.item->number != 0) append_item_id(out, context.store, ref);
  } else {
    for (const Field field : fields_of(kind)) {
      if (field == f_extended_place) {
        write_extended(out, context, ref, shape);
        continue;
      }
      if (!shape.fields.test(field)) continue;
      const FieldDefinition& definition = field_definition(field);
      switch (definition.kind) {
        case ValueKind::text:
        case ValueKind::boolean:
        case ValueKind::time:
          if (const auto text = text_of(context, ref, field))
            append_text_element(out, definition.element, *text);
          break;
        case ValueKind::xml:
          if (const auto xml = ref.find(field); xml && !xml->empty()) {
            // Zones have attributes of their own and are kept whole.
            if (field == f_start_zone || field == f_end_zone || field == f_meeting_time_zone) {
              out += *xml;
              break;
            }
            // An occurrence has no recurrence of its own.
            if (field == f_recurrence && ref.day) break;
            out += "<t:";
            out += definition.element;
            out += '>';
            out += *xml;
            out += "</t:";
            out += definition.element;
            out += '>';
          }
          break;
        case ValueKind::body: {
          auto [text, html] = body_of(ref);
          if (html && shape.body == BodyChoice::text) {
            text = strip_html(text);
            html = false;
          } else if (!html && shape.body == BodyChoice::html) {
            text = wrap_html(text);
            html = true;
          }
          const bool truncated = shape.finding && text.size() > kFindBodyLimit;
          if (truncated) text = cut(text, kFindBodyLimit);
          write_body(out, definition.element, text, html, truncated);
          break;
        }
        case ValueKind::dictionary:
          write_dictionary(out, context, ref, shape, field);
          break;
        case ValueKind::computed:
          write_computed(out, context, ref, shape, field);
          break;
      }
    }
  }
  out += "</t:";
  out += element;
  out += '>';
}

}  // namespace exchange_sim
