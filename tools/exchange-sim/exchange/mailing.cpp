// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/exchange/mailing.hpp"

#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "tools/exchange-sim/exchange/apply.hpp"
#include "tools/exchange-sim/exchange/mime.hpp"
#include "tools/exchange-sim/exchange/operations.hpp"
#include "tools/exchange-sim/exchange/recurrence.hpp"
#include "tools/exchange-sim/exchange/shape.hpp"

namespace exchange_sim {
namespace {

using syncline::Result;

std::string lower(std::string_view text) {
  return syncline::text::to_lower_ascii(text);
}

Recipient me(const Context& context) {
  return {context.mailbox.definition.display_name, context.mailbox.definition.address, "SMTP", "", ""};
}

void write_ledger(Context& context, const std::string& to, bool delivered, MailReason reason,
                  const Item& mail, std::string recurrence_id) {
  SentMail sent;
  auto& ledger = context.store.ledger();
  sent.number = ledger.size() + 1;
  sent.sent = syncline::SystemTime(std::chrono::seconds(context.store.now()));
  sent.from = context.mailbox.definition.address;
  sent.to = lower(to);
  sent.delivered = delivered;
  sent.reason = reason;
  sent.subject = mail.bag.get(f_subject);
  sent.item_class = mail.bag.find(f_item_class).value_or(default_class(mail.kind));
  sent.internet_message_id = mail.bag.get(f_internet_message_id);
  sent.uid = mail.bag.get(f_uid);
  sent.recurrence_id = std::move(recurrence_id);
  ledger.push_back(std::move(sent));
}

/// All the attendees, required, optional and resources.
std::vector<Recipient> attendees_of(const ItemRef& ref) {
  std::vector<Recipient> all;
  for (const Field f : {f_required, f_optional, f_resources})
    for (Recipient& r : recipients_in(ref.get(f))) all.push_back(std::move(r));
  return all;
}

/// Copies the meeting's properties from one bag to another.
void copy_meeting_fields(const ItemRef& from, PropertyBag& to, bool series) {
  for (const Field f : {f_subject, f_body, f_body_type, f_start_zone, f_end_zone, f_location, f_all_day,
                        f_uid, f_required, f_optional, f_resources, f_organizer, f_sensitivity, f_importance,
                        f_categories, f_free_busy, f_sequence, f_date_time_stamp}) {
    if (f == f_categories) continue;  // each mailbox has its own
    if (const auto value = from.find(f)) to.set(f, *value);
  }
  to.set(f_start, format_utc(start_of(from)));
  to.set(f_end, format_utc(end_of(from)));
  if (series && from.item->bag.has(f_recurrence)) to.set(f_recurrence, from.item->bag.get(f_recurrence));
}

Item* meeting_with_uid(Mailbox& mailbox, std::string_view uid) {
  Folder* calendar = mailbox.folder("calendar");
  for (const std::uint32_t number : calendar->items) {
    Item* item = mailbox.item(number);
    if (item->kind == ItemKind::calendar_item && item->bag.get(f_uid) == uid) return item;
  }
  return nullptr;
}

std::unique_ptr<Item> meeting_message(Context& context, ItemKind kind, const ItemRef& meeting,
                                      std::string_view prefix) {
  auto mail = std::make_unique<Item>();
  mail->kind = kind;
  copy_meeting_fields(meeting, mail->bag, !meeting.day);
  mail->bag.set(f_item_class, default_class(kind));
  mail->bag.set(f_subject, std::string(prefix) + std::string(meeting.get(f_subject)));
  mail->bag.set(f_internet_message_id, context.store.new_message_id());
  const std::string sender = mailboxes_xml(context.store, {me(context)});
  mail->bag.set(f_from, sender);
  mail->bag.set(f_sender, sender);
  const std::string now = format_utc(context.store.now());
  mail->bag.set(f_sent, now);
  mail->bag.set(f_received, now);
  mail->bag.set(f_date_time_stamp, now);
  if (meeting.day) mail->bag.set(f_recurrence_id, format_utc(original_start_of(meeting)));
  mail->attachments = meeting.attachments();
  set_conversation(context, *mail, {});
  return mail;
}

/// The calendar of an attendee follows what the organiser sent: a new tentative item, or the change of the
/// one there.
std::uint32_t place_in_calendar(Context& context, Mailbox& target, const ItemRef& meeting,
                                bool time_changed) {
  Item* item = meeting_with_uid(target, meeting.item->bag.get(f_uid));
  if (meeting.day && item != nullptr && is_series(*item)) {
    if (!item->occurrences) item->occurrences = std::make_unique<std::map<Day, Occurrence>>();
    Occurrence& o = (*item->occurrences)[*meeting.day];
    o.deleted = false;
    if (const Occurrence* source = meeting.occurrence())
      for (const Field f :
           {f_subject, f_body, f_body_type, f_start, f_end, f_location, f_required, f_optional})
        if (const auto value = source->changes.find(f)) o.changes.set(f, *value);
    if (time_changed) o.changes.set(f_my_response, "NoResponseReceived");
    context.store.touch(target, *item);
    o.version = item->version;
    return item->number;
  }
  if (item != nullptr) {
    const bool series_changed = item->bag.get(f_recurrence) != meeting.item->bag.get(f_recurrence) ||
                                item->bag.get(f_start) != meeting.item->bag.get(f_start) ||
                                item->bag.get(f_end) != meeting.item->bag.get(f_end);
    if (!meeting.item->bag.has(f_recurrence)) item->bag.erase(f_recurrence);
    copy_meeting_fields(meeting, item->bag, true);
    if (series_changed) item->occurrences.reset();
    if (time_changed) item->my_response = response_index("NoResponseReceived");
    item->is_cancelled = false;
    context.store.touch(target, *item);
    return item->number;
  }
  auto made = std::make_unique<Item>();
  made->kind = ItemKind::calendar_item;
  copy_meeting_fields(meeting, made->bag, !meeting.day);
  made->bag.set(f_free_busy, "Tentative");
  made->is_organizer = false;
  made->invitations_sent = true;
  made->my_response = response_index("NoResponseReceived");
  made->attachments = meeting.attachments();
  return context.store.insert(target, target.folder("calendar")->number, std::move(made)).number;
}

void save_copy(Context& context, const Item& mail) {
  auto copy = std::make_unique<Item>(mail);
  copy->number = 0;
  copy->is_read = true;
  copy->is_from_me = true;
  copy->is_submitted = true;
  context.store.insert(context.mailbox, context.mailbox.folder("sentitems")->number, std::move(copy));
}

/// Puts a meeting message into the Inbox of each of ours, and all recipients into the ledger.
void mail_out(Context& context, const Item& mail, const std::vector<Recipient>& to, MailReason reason,
              const std::function<std::uint32_t(Mailbox&)>& place) {
  std::set<std::string> done;
  for (const Recipient& r : to) {
    const std::string address = lower(r.address);
    if (address.empty() || !done.insert(address).second) continue;
    Mailbox* target = context.store.mailbox(address);
    if (target == &context.mailbox) continue;
    write_ledger(context, address, target != nullptr, reason, mail,
                 std::string(mail.bag.get(f_recurrence_id)));
    if (target == nullptr) continue;
    auto copy = std::make_unique<Item>(mail);
    copy->is_read = false;
    copy->is_from_me = false;
    copy->associated = place ? place(*target) : 0;
    if (place) copy->bag.set(f_has_been_processed, "true");
    context.store.insert(*target, target->folder("inbox")->number, std::move(copy), true);
  }
}

bool contains(const std::vector<Recipient>& all, const std::string& address) {
  return std::any_of(all.begin(), all.end(), [&](const Recipient& r) {
    return syncline::text::equals_ignore_case(r.address, address);
  });
}

}  // namespace

Result<void> send_message(Context& context, Item& message, MailReason reason) {
  std::vector<Recipient> to;
  for (const Field f : {f_to, f_cc, f_bcc})
    for (Recipient& r : recipients_in(message.bag.get(f))) to.push_back(std::move(r));
  if (to.empty()) return refuse("ErrorInvalidRecipients", "At least one recipient isn't valid.");
  for (const Recipient& r : to)
    if (r.routing_type == "SMTP" && r.address.find('@') == std::string::npos)
      return refuse("ErrorInvalidRecipients", "At least one recipient isn't valid.");
  for (const Recipient& from : recipients_in(message.bag.get(f_from)))
    if (const Mailbox* other = context.store.mailbox(from.address);
        other != &context.mailbox &&
        (other == nullptr || !other->delegates.contains(context.mailbox.definition.address)))
      return refuse("ErrorSendAsDenied",
                    "The user account which was used to submit this request does not have the right to send "
                    "mail on behalf "
                    "of the specified sending account.");
  std::set<std::string> done;
  std::vector<std::string> elsewhere;
  for (const Recipient& r : to) {
    const std::string address = lower(r.address);
    if (!done.insert(address).second) continue;
    Mailbox* target = context.store.mailbox(address);
    write_ledger(context, address, target != nullptr, reason, message, {});
    if (target == nullptr) {
      if (r.routing_type == "SMTP") elsewhere.push_back(r.address);
      continue;
    }
    auto copy = std::make_unique<Item>(message);
    copy->is_read = false;
    copy->is_draft = false;
    copy->is_submitted = false;
    copy->is_from_me = target == &context.mailbox;
    copy->bag.erase(f_bcc);
    // What was set on the draft for its author alone does not travel.
    std::vector<PropertyId> own;
    copy->bag.for_each([&](PropertyId id, std::string_view) {
      if (id >= kFirstDynamic) {
        const ExtendedName* name = context.store.extended_name(id);
        if (name != nullptr && name->set != "InternetHeaders") own.push_back(id);
      }
    });
    for (const PropertyId id : own) copy->bag.erase(id);
    copy->bag.erase(f_categories);
    copy->bag.set(f_received, format_utc(context.store.now()));
    context.store.insert(*target, target->folder("inbox")->number, std::move(copy), true);
  }
  if (!elsewhere.empty() && context.store.hands_out_mail())
    context.store.hand_out({.from = context.mailbox.definition.address,
                            .to = std::move(elsewhere),
                            .subject = std::string(message.bag.get(f_subject)),
                            .message_id = std::string(message.bag.get(f_internet_message_id)),
                            .mime = mime_for_others(context, message)});
  return {};
}

Result<MeetingMailing> read_mailing(std::string_view value) {
  if (value == "SendToNone") return MeetingMailing{MeetingMail::none, false};
  if (value == "SendOnlyToAll") return MeetingMailing{MeetingMail::all, false};
  if (value == "SendToAllAndSaveCopy") return MeetingMailing{MeetingMail::all, true};
  if (value == "SendOnlyToChanged") return MeetingMailing{MeetingMail::changed_only, false};
  if (value == "SendToChangedAndSaveCopy") return MeetingMailing{MeetingMail::changed_only, true};
  return refuse("ErrorSchemaValidation", "Not a way to send meetings: " + std::string(value));
}

void mail_meeting(Context& context, const ItemRef& meeting, const MeetingMailing& mailing,
                  const Item* before) {
  Item& item = *meeting.item;
  if (mailing.to == MeetingMail::none || !item.is_organizer) return;
  const auto now = attendees_of(meeting);
  std::vector<Recipient> old;
  bool time_changed = true;
  if (before != nullptr) {
    const ItemRef was{meeting.mailbox, const_cast<Item*>(before), meeting.day};
    old = attendees_of(was);
    time_changed = start_of(was) != start_of(meeting) || end_of(was) != end_of(meeting) ||
                   before->bag.get(f_recurrence) != item.bag.get(f_recurrence);
  }
  if (now.empty() && old.empty()) return;
  const bool first = !item.invitations_sent;
  std::vector<Recipient> to;
  std::vector<Recipient> gone;
  for (const Recipient& r : now)
    if (first || mailing.to == MeetingMail::all || !contains(old, r.address)) to.push_back(r);
  if (!first)
    for (const Recipient& r : old)
      if (!contains(now, r.address)) gone.push_back(r);
  // The first mailing is the invitation, whether it comes with CreateItem or with a later UpdateItem.
  if (!first) {
    const auto sequence = syncline::text::parse_int(item.bag.find(f_sequence).value_or("0"));
    item.bag.set(f_sequence, std::to_string(sequence.value_or(0) + 1));
  }
  item.invitations_sent = true;
  item.my_response = response_index("Organizer");
  if (!to.empty()) {
    auto mail = meeting_message(context, ItemKind::meeting_request, meeting, "");
    mail->bag.set(f_to, mailboxes_xml(context.store, now));
    mail->bag.set(f_meeting_request_type, first          ? "NewMeetingRequest"
                                          : time_changed ? "FullUpdate"
                                                         : "InformationalUpdate");
    mail->bag.set(f_intended_free_busy, std::string(meeting.item->bag.find(f_free_busy).value_or("Busy")));
    mail->bag.set(f_meeting_response_type, "NoResponseReceived");
    mail->is_organizer = false;
    mail->my_response = response_index("NoResponseReceived");
    const auto place = [&](Mailbox& target) {
      return place_in_calendar(context, target, meeting, time_changed);
    };
    mail_out(context, *mail, to, first ? MailReason::invitation : MailReason::update, place);
    if (mailing.save_copy) save_copy(context, *mail);
  }
  if (!gone.empty()) {
    auto mail = meeting_message(context, ItemKind::meeting_cancellation, meeting, "Canceled: ");
    mail->bag.set(f_to, mailboxes_xml(context.store, gone));
    mail_out(context, *mail, gone, MailReason::cancellation, [&](Mailbox& target) -> std::uint32_t {
      Item* copy = meeting_with_uid(target, item.bag.get(f_uid));
      if (copy == nullptr) return 0;
      copy->is_cancelled = true;
      copy->bag.set(f_free_busy, "Free");
      context.store.touch(target, *copy);
      return copy->number;
    });
    if (mailing.save_copy) save_copy(context, *mail);
  }
}

void mail_cancellation(Context& context, const ItemRef& meeting, const MeetingMailing& mailing,
                       const Element* body) {
  Item& item = *meeting.item;
  const auto to = attendees_of(meeting);
  if (mailing.to == MeetingMail::none || !item.is_organizer || to.empty() || !item.invitations_sent) return;
  auto mail = meeting_message(context, ItemKind::meeting_cancellation, meeting, "Canceled: ");
  if (body != nullptr) {
    mail->bag.set(f_body, body->text);
    mail->bag.set(f_body_type, body->attribute_or("BodyType", "Text"));
  }
  mail->bag.set(f_to, mailboxes_xml(context.store, to));
  mail_out(context, *mail, to, MailReason::cancellation, [&](Mailbox& target) -> std::uint32_t {
    Item* copy = meeting_with_uid(target, item.bag.get(f_uid));
    if (copy == nullptr) return 0;
    if (meeting.day && is_series(*copy)) {
      if (!copy->occurrences) copy->occurrences = std::make_unique<std::map<Day, Occurrence>>();
      Occurrence& o = (*copy->occurrences)[*meeting.day];
      o.changes.set(f_state_flags, "cancelled");
      o.changes.set(f_free_busy, "Free");
    } else {
      copy->is_cancelled = true;
      copy->bag.set(f_free_busy, "Free");
    }
    context.store.touch(target, *copy);
    return copy->number;
  });
  item.is_cancelled = !meeting.day;
  if (mailing.save_copy) save_copy(context, *mail);
}

Result<std::optional<ItemRef>> respond_to_meeting(Context& context, const ItemRef& what,
                                                  std::string_view response, bool send, bool copy_sent,
                                                  const Element* body) {
  const bool is_request = what.item->kind == ItemKind::meeting_request;
  if (!is_request && what.item->kind != ItemKind::calendar_item)
    return refuse(response == "Accept"    ? "ErrorInvalidItemForOperationAcceptItem"
                  : response == "Decline" ? "ErrorInvalidItemForOperationDeclineItem"
                                          : "ErrorInvalidItemForOperationTentative",
                  "The item is not a meeting.");
  const std::string suffix = response == "Accept"    ? "Accept"
                             : response == "Decline" ? "Decline"
                                                     : "Tentative";
  ItemRef meeting = what;
  if (is_request) {
    Item* item = meeting_with_uid(context.mailbox, what.item->bag.get(f_uid));
    if (item == nullptr) {
      // Declined and deleted before: the request still holds all there is to know.
      const std::uint32_t made = place_in_calendar(context, context.mailbox, what, true);
      item = context.mailbox.item(made);
    }
    meeting = {&context.mailbox, item, std::nullopt};
    if (const std::string_view id = what.item->bag.get(f_recurrence_id); !id.empty())
      meeting.day = series_day_at(*item, parse_time(id)->utc());
  }
  if (meeting.item->is_organizer)
    return refuse("ErrorCalendarIsOrganizerFor" + suffix,
                  "The organizer can not respond to the own meeting.");
  if (meeting.item->is_cancelled)
    return refuse("ErrorCalendarIsCancelledFor" + suffix, "The meeting was cancelled.");
  const std::string now = format_utc(context.store.now());
  const std::string free_busy = response == "Accept" ? "Busy" : "Tentative";
  if (meeting.day) {
    if (!meeting.item->occurrences) meeting.item->occurrences = std::make_unique<std::map<Day, Occurrence>>();
    Occurrence& o = (*meeting.item->occurrences)[*meeting.day];
    o.changes.set(f_my_response, response);
    o.changes.set(f_reply_time, now);
    o.changes.set(f_free_busy, free_busy);
  } else {
    meeting.item->my_response = response_index(response);
    meeting.item->bag.set(f_reply_time, now);
    meeting.item->bag.set(f_free_busy, free_busy);
  }
  context.store.touch(context.mailbox, *meeting.item);
  if (send) {
    const std::string_view prefix = response == "Accept"    ? "Accepted: "
                                    : response == "Decline" ? "Declined: "
                                                            : "Tentative: ";
    auto mail = meeting_message(context, ItemKind::meeting_response, meeting, prefix);
    mail->bag.set(f_item_class, response == "Accept"    ? "IPM.Schedule.Meeting.Resp.Pos"
                                : response == "Decline" ? "IPM.Schedule.Meeting.Resp.Neg"
                                                        : "IPM.Schedule.Meeting.Resp.Tent");
    mail->bag.set(f_meeting_response_type, response);
    mail->bag.erase(f_body);
    if (body != nullptr) {
      mail->bag.set(f_body, body->text);
      mail->bag.set(f_body_type, body->attribute_or("BodyType", "Text"));
    }
    const auto organizer = recipients_in(meeting.get(f_organizer));
    mail->bag.set(f_to, mailboxes_xml(context.store, organizer));
    mail->is_organizer = true;
    mail_out(context, *mail, organizer, MailReason::response, [&](Mailbox& target) -> std::uint32_t {
      // The organiser's list of attendees learns of the answer.
      Item* own = meeting_with_uid(target, meeting.item->bag.get(f_uid));
      if (own == nullptr) return 0;
      PropertyBag* bag = &own->bag;
      if (meeting.day && is_series(*own)) {
        if (!own->occurrences) own->occurrences = std::make_unique<std::map<Day, Occurrence>>();
        bag = &(*own->occurrences)[*meeting.day].changes;
      }
      for (const Field f : {f_required, f_optional, f_resources}) {
        auto attendees = recipients_in(bag->has(f) ? bag->get(f) : own->bag.get(f));
        bool mine = false;
        for (Recipient& r : attendees)
          if (context.store.mailbox(r.address) == &context.mailbox) {
            r.response = response;
            r.last_response = now;
            mine = true;
          }
        if (mine) bag->set(f, attendees_xml(context.store, attendees));
      }
      context.store.touch(target, *own);
      return own->number;
    });
    if (copy_sent) save_copy(context, *mail);
  }
  const std::uint32_t number = meeting.item->number;
  // An answered request leaves the Inbox; a declined meeting leaves the calendar.
  if (is_request) dispose(context, what, "MoveToDeletedItems");
  if (response == "Decline") {
    dispose(context, {&context.mailbox, context.mailbox.item(number), meeting.day}, "MoveToDeletedItems");
    return std::optional<ItemRef>();
  }
  return std::optional<ItemRef>(ItemRef{&context.mailbox, context.mailbox.item(number), meeting.day});
}

Result<void> remove_cancelled(Context& context, const ItemRef& cancellation) {
  if (cancellation.item->kind != ItemKind::meeting_cancellation)
    return refuse("ErrorInvalidItemForOperationRemoveItem", "The item is not a meeting's cancellation.");
  if (Item* item = meeting_with_uid(context.mailbox, cancellation.item->bag.get(f_uid))) {
    ItemRef ref{&context.mailbox, item, std::nullopt};
    if (const std::string_view id = cancellation.item->bag.get(f_recurrence_id); !id.empty())
      ref.day = series_day_at(*item, parse_time(id)->utc());
    dispose(context, ref, "MoveToDeletedItems");
  }
  dispose(context, cancellation, "MoveToDeletedItems");
  return {};
}

}  // namespace exchange_sim
