// SPDX-License-Identifier: GPL-3.0-or-later
// CreateItem, UpdateItem, DeleteItem, MoveItem, CopyItem, SendItem.
#include <algorithm>

#include "base/text.hpp"
#include "tools/exchange-sim/exchange/apply.hpp"
#include "tools/exchange-sim/exchange/mailing.hpp"
#include "tools/exchange-sim/exchange/mime.hpp"
#include "tools/exchange-sim/exchange/operations.hpp"
#include "tools/exchange-sim/exchange/recurrence.hpp"
#include "tools/exchange-sim/exchange/shape.hpp"

namespace exchange_sim {
namespace {

using syncline::Error;
using syncline::Result;

constexpr std::string_view kNoItems = "<m:Items/>";

syncline::unexpected<Error> schema(std::string what) {
  return refuse("ErrorSchemaValidation", std::move(what));
}

/// "<m:Items>" with the element of an item as CreateItem and UpdateItem give it back: its id, and its
/// attachments' ids.
void write_items(std::string& out, Context& context, const std::vector<ItemRef>& refs,
                 bool with_attachments) {
  if (refs.empty()) {
    out += kNoItems;
    return;
  }
  out += "<m:Items>";
  for (const ItemRef& ref : refs) {
    out += "<t:";
    out += element_of(ref.item->kind);
    out += '>';
    append_item_id(out, context.store, ref);
    if (with_attachments && !ref.attachments().empty()) {
      out += "<t:Attachments>";
      for (const Attachment& a : ref.attachments()) {
        const std::string_view element = element_of(a.kind);
        out += "<t:";
        out += element;
        out += "><t:AttachmentId Id=\"" + attachment_id(ref, {a.serial}) + "\"/></t:";
        out += element;
        out += '>';
      }
      out += "</t:Attachments>";
    }
    out += "</t:";
    out += element_of(ref.item->kind);
    out += '>';
  }
  out += "</m:Items>";
}

std::string_view default_folder(ItemKind kind, bool draft) {
  switch (kind) {
    case ItemKind::calendar_item:
      return "calendar";
    case ItemKind::contact:
    case ItemKind::distribution_list:
      return "contacts";
    case ItemKind::task:
      return "tasks";
    case ItemKind::post_item:
      return "inbox";
    default:
      return draft ? "drafts" : "sentitems";
  }
}

void set_from_me(Context& context, Item& item) {
  const std::string me = mailboxes_xml(context.store, {{context.mailbox.definition.display_name,
                                                        context.mailbox.definition.address, "SMTP", "", ""}});
  if (!item.bag.has(f_from)) item.bag.set(f_from, me);
  item.bag.set(f_sender, me);
  item.is_from_me = true;
}

/// A reply or forward: subject, recipients, body and thread from the item it refers to.
Result<std::unique_ptr<Item>> build_smart_response(Context& context, const Element& element) {
  const Element* reference = element.child("ReferenceItemId");
  if (reference == nullptr)
    return refuse("ErrorMissingInformationReferenceItemId", "ReferenceItemId is missing.");
  auto original = find_item(context, reference->attribute_or("Id", ""));
  if (!original) return syncline::fail(std::move(original.error()));
  auto item = std::make_unique<Item>();
  Target target{*item, item->bag, false};
  const bool forward = element.name == "ForwardItem";
  for (const Element& child : element.children) {
    if (child.name == "ReferenceItemId" || child.name == "NewBodyContent") continue;
    const auto field = field_by_element(ItemKind::message, child.name);
    if (!field) continue;
    if (auto done = set_property(context, target, *field, child); !done)
      return syncline::fail(std::move(done.error()));
  }
  PropertyBag& bag = item->bag;
  std::string subject(original->get(f_subject));
  const std::string_view prefix = forward ? "FW: " : "RE: ";
  if (!syncline::text::equals_ignore_case(std::string_view(subject).substr(0, 4), prefix))
    subject = std::string(prefix) + subject;
  if (!bag.has(f_subject)) bag.set(f_subject, subject);
  const bool calendar = original->item->kind == ItemKind::calendar_item;
  if (!forward && !bag.has(f_to)) {
    auto to = recipients_in(original->get(calendar                            ? f_organizer
                                          : original->get(f_reply_to).empty() ? f_from
                                                                              : f_reply_to));
    if (element.name == "ReplyAllToItem") {
      for (const Field f : {calendar ? f_required : f_to, calendar ? f_optional : f_cc})
        for (Recipient& r : recipients_in(original->get(f)))
          if (!syncline::text::equals_ignore_case(r.address, context.mailbox.definition.address))
            to.push_back(std::move(r));
    }
    bag.set(f_to, mailboxes_xml(context.store, to));
  }
  auto [old_text, old_html] = body_of(*original);
  if (const Element* content = element.child("NewBodyContent")) {
    const bool html = content->attribute_or("BodyType", "Text") == "HTML";
    bag.set(f_body_type, html ? "HTML" : "Text");
    bag.set(f_body, content->text + (html ? "<hr>" : "\r\n________________________________\r\n") + old_text);
  } else if (!bag.has(f_body)) {
    bag.set(f_body_type, old_html ? "HTML" : "Text");
    bag.set(f_body, old_text);
  }
  if (const std::string id(original->get(f_internet_message_id)); !id.empty()) {
    if (!forward) bag.set(f_in_reply_to, id);
    const std::string references(original->get(f_references));
    bag.set(f_references, references.empty() ? id : references + ' ' + id);
  }
  if (forward)
    for (const Attachment& a : original->attachments()) {
      item->attachments.push_back(a);
      item->attachments.back().serial = item->next_serial++;
    }
  set_conversation(context, *item, original->get(f_conversation_index));
  return item;
}

/// Sets what every message gets when it is saved or sent.
void prepare_message(Context& context, Item& item) {
  if (!item.bag.has(f_internet_message_id))
    item.bag.set(f_internet_message_id, context.store.new_message_id());
  set_conversation(context, item, {});
}

/// The message that SendAndSaveCopy, SendItem leave behind.
void mark_sent(Context& context, Item& item) {
  item.is_draft = false;
  item.is_submitted = true;
  item.is_read = true;
  item.is_unmodified = true;
  const std::string now = format_utc(context.store.now());
  item.bag.set(f_sent, now);
  item.bag.set(f_received, now);
}

Result<void> save_message(Context& context, Response& response, std::unique_ptr<Item> item,
                          std::string_view disposition, Folder* folder, MailReason reason) {
  set_from_me(context, *item);
  prepare_message(context, *item);
  if (disposition == "SaveOnly") {
    item->is_draft = !item->bag.has(f_received) || folder == nullptr || folder->distinguished == "drafts";
    if (item->is_draft) item->is_read = true;
    if (!item->bag.has(f_sent)) item->bag.set(f_sent, format_utc(context.store.now()));
    if (!item->bag.has(f_received)) item->bag.set(f_received, format_utc(context.store.now()));
    Folder& into = folder != nullptr ? *folder : *context.mailbox.folder("drafts");
    Item& saved = context.store.insert(context.mailbox, into.number, std::move(item));
    write_items(response.begin(), context, {{&context.mailbox, &saved, std::nullopt}}, true);
    response.end();
    return {};
  }
  mark_sent(context, *item);
  if (auto sent = send_message(context, *item, reason); !sent) return sent;
  if (disposition == "SendAndSaveCopy") {
    Folder& into = folder != nullptr ? *folder : *context.mailbox.folder("sentitems");
    context.store.insert(context.mailbox, into.number, std::move(item));
  }
  response.begin() += kNoItems;
  response.end();
  return {};
}

Result<void> create_one(Context& context, Response& response, const Element& element, const Element& request,
                        Folder* folder) {
  const std::string_view disposition = request.attribute_or("MessageDisposition", "");
  const std::string_view invitations = request.attribute_or("SendMeetingInvitations", "");
  const std::string& name = element.name;
  if (name == "AcceptItem" || name == "TentativelyAcceptItem" || name == "DeclineItem") {
    if (disposition.empty())
      return refuse("ErrorMessageDispositionRequired", "MessageDisposition is required.");
    const Element* reference = element.child("ReferenceItemId");
    if (reference == nullptr)
      return refuse("ErrorMissingInformationReferenceItemId", "ReferenceItemId is missing.");
    auto what = find_item(context, reference->attribute_or("Id", ""));
    if (!what) return syncline::fail(std::move(what.error()));
    const std::string_view answer = name == "AcceptItem"    ? "Accept"
                                    : name == "DeclineItem" ? "Decline"
                                                            : "Tentative";
    auto item = respond_to_meeting(context, *what, answer, disposition != "SaveOnly",
                                   disposition == "SendAndSaveCopy", element.child("Body"));
    if (!item) return syncline::fail(std::move(item.error()));
    write_items(response.begin(), context, *item ? std::vector<ItemRef>{**item} : std::vector<ItemRef>{},
                false);
    response.end();
    return {};
  }
  if (name == "RemoveItem" || name == "SuppressReadReceipt" || name == "CancelCalendarItem") {
    const Element* reference = element.child("ReferenceItemId");
    if (reference == nullptr)
      return refuse("ErrorMissingInformationReferenceItemId", "ReferenceItemId is missing.");
    auto what = find_item(context, reference->attribute_or("Id", ""));
    if (!what) return syncline::fail(std::move(what.error()));
    if (name == "RemoveItem") {
      if (auto done = remove_cancelled(context, *what); !done) return done;
    } else if (name == "CancelCalendarItem") {
      if (what->item->kind != ItemKind::calendar_item)
        return refuse("ErrorInvalidItemForOperationCancelItem", "The item is not a meeting.");
      if (!what->item->is_organizer)
        return refuse("ErrorCalendarIsNotOrganizer", "You must be the organizer to perform this operation.");
      mail_cancellation(context, *what, {MeetingMail::all, disposition == "SendAndSaveCopy"},
                        element.child("NewBodyContent"));
      dispose(context, *what, "MoveToDeletedItems");
    } else {
      what->item->bag.set(f_read_receipt, "false");
    }
    response.begin() += kNoItems;
    response.end();
    return {};
  }
  if (name == "ReplyToItem" || name == "ReplyAllToItem" || name == "ForwardItem") {
    if (disposition.empty())
      return refuse("ErrorMessageDispositionRequired", "MessageDisposition is required.");
    auto item = build_smart_response(context, element);
    if (!item) return syncline::fail(std::move(item.error()));
    return save_message(context, response, std::move(*item), disposition, folder,
                        name == "ForwardItem" ? MailReason::forward : MailReason::reply);
  }
  auto built = build_item(context, element);
  if (!built) return syncline::fail(std::move(built.error()));
  std::unique_ptr<Item> item = std::move(*built);
  if (size_of({&context.mailbox, item.get(), std::nullopt}) > context.store.limits().message_bytes)
    return refuse("ErrorMessageSizeExceeded", "The message exceeds the maximum supported size.");
  if (folder != nullptr)
    if (auto fits = check_folder_fits(*folder, *item); !fits) return fits;
  if (item->kind == ItemKind::message) {
    if (disposition.empty())
      return refuse("ErrorMessageDispositionRequired", "MessageDisposition is required.");
    return save_message(context, response, std::move(item), disposition, folder, MailReason::message);
  }
  if (item->kind == ItemKind::meeting_request || item->kind == ItemKind::meeting_response ||
      item->kind == ItemKind::meeting_cancellation)
    return refuse("ErrorInvalidItemForOperationCreateItem", "Meeting messages are made by the server.");
  std::optional<MeetingMailing> mailing;
  if (item->kind == ItemKind::calendar_item) {
    if (invitations.empty())
      return refuse("ErrorSendMeetingInvitationsRequired", "SendMeetingInvitations is required.");
    auto read = read_mailing(invitations);
    if (!read) return syncline::fail(std::move(read.error()));
    mailing = *read;
  }
  Folder& into = folder != nullptr ? *folder : *context.mailbox.folder(default_folder(item->kind, true));
  Item& saved = context.store.insert(context.mailbox, into.number, std::move(item));
  const ItemRef ref{&context.mailbox, &saved, std::nullopt};
  if (mailing) mail_meeting(context, ref, *mailing, nullptr);
  write_items(response.begin(), context, {ref}, true);
  response.end();
  return {};
}

/// A finished or edited recurring task: the edit is kept as a new one-off item, the series goes on (invariant
/// 10).
Item& split_task(Context& context, Item& series, std::unique_ptr<Item> edited) {
  edited->bag.erase(f_task_recurrence);
  const bool finished = edited->bag.get(f_status) == "Completed";
  Item& one = context.store.insert(context.mailbox, series.folder, std::move(edited));
  if (!finished) return one;
  // The series moves to its next date, or ends.
  const auto root = parse_fragment(series.bag.get(f_task_recurrence));
  auto recurrence = root ? read_recurrence(*root, true) : Result<Recurrence>(schema("recurrence"));
  if (!recurrence) return one;
  const auto due = parse_day(series.bag.get(f_due_date));
  const Day today = day_of_seconds(context.store.now());
  const Day current = due.value_or(recurrence->start);
  std::optional<Day> next;
  if (recurrence->regenerates()) {
    next = regenerate(*recurrence, today);
    if (recurrence->count && --*recurrence->count < 1) next.reset();
  } else {
    walk(*recurrence, day_of(4500, 8, 31), [&](Day day, std::size_t) {
      if (day > current) next = day;
      return !next;
    });
  }
  if (!next) {
    context.store.remove(context.mailbox, series.number);
    return one;
  }
  if (recurrence->regenerates()) series.bag.set(f_task_recurrence, write_recurrence(*recurrence));
  const auto start = parse_day(series.bag.get(f_start_date));
  series.bag.set(f_due_date, format_utc(*next * kDaySeconds));
  if (start && due) series.bag.set(f_start_date, format_utc((*next - (*due - *start)) * kDaySeconds));
  series.bag.set(f_status, "NotStarted");
  series.bag.set(f_percent, "0");
  series.bag.erase(f_complete_date);
  context.store.touch(context.mailbox, series);
  return one;
}

/// The order of PidTagSensitivity (MS-OXCMSG): the higher, the more is hidden.
int rank_of_sensitivity(std::string_view value) {
  constexpr std::string_view kRanks[] = {"Normal", "Personal", "Private", "Confidential"};
  const auto at = std::find(std::begin(kRanks), std::end(kRanks), value);
  return at == std::end(kRanks) ? 0 : static_cast<int>(at - std::begin(kRanks));
}

/// AutoResolve for a client that knows the item by an older key: properties that others changed since then
/// and that it changes too are conflicts. Its value wins, but for a stricter sensitivity (MS-OXWSCORE section
/// 3.1.4.9.4.1). `edited` has the updates and nothing of the server's own couplings yet.
std::size_t resolve_conflicts(const Item& before, Item& edited, std::uint64_t known_version) {
  if (!before.changed_in) return 0;
  std::size_t conflicts = 0;
  for (const PropertyOf& property : differences(edited, before)) {
    const auto changed = before.changed_in->find(property);
    if (changed == before.changed_in->end() || changed->second <= known_version) continue;
    // The body is one property, however it is kept.
    if (property.property == f_body_type || property.property == f_mime_content) continue;
    ++conflicts;
    if (property.property != f_sensitivity || property.day) continue;
    const std::string_view theirs = before.bag.get(f_sensitivity);
    if (rank_of_sensitivity(theirs) > rank_of_sensitivity(edited.bag.get(f_sensitivity)))
      edited.bag.set(f_sensitivity, theirs);
  }
  return conflicts;
}

void append_conflicts(std::string& out, std::size_t count) {
  out += "<m:ConflictResults><t:Count>" + std::to_string(count) + "</t:Count></m:ConflictResults>";
}

Result<void> update_one(Context& context, Response& response, const Element& change, const Element& request) {
  const Element* updates = change.child("Updates");
  if (change.children.empty() || updates == nullptr) return schema("ItemChange is incomplete");
  std::optional<std::uint64_t> key;
  auto found = find_item(context, change.children.front(), &key);
  if (!found) return syncline::fail(std::move(found.error()));
  ItemRef ref = *found;
  const std::string_view resolution = request.attribute_or("ConflictResolution", "AutoResolve");
  if (resolution != "NeverOverwrite") context.store.count_blind_update();
  const std::string_view sending = request.attribute_or("SendMeetingInvitationsOrCancellations", "");
  const std::string_view disposition = request.attribute_or("MessageDisposition", "");
  // Calendar work of a series and its days shares the master's key.
  if (resolution == "NeverOverwrite" || resolution == "AutoResolve") {
    if (!key)
      return refuse("ErrorChangeKeyRequiredForWriteOperations",
                    "A change key is required for this operation.");
    if (resolution == "NeverOverwrite" && *key != ref.version())
      return refuse("ErrorIrresolvableConflict",
                    "The send or update operation could not be performed because the change key passed in "
                    "the request does not match the current change key for the item.");
  }
  const bool calendar = ref.item->kind == ItemKind::calendar_item;
  MeetingMailing mailing;
  if (calendar) {
    if (sending.empty())
      return refuse("ErrorSendMeetingInvitationsOrCancellationsRequired",
                    "SendMeetingInvitationsOrCancellations is required.");
    auto read = read_mailing(sending);
    if (!read) return syncline::fail(std::move(read.error()));
    mailing = *read;
  } else if (ref.item->kind == ItemKind::message && disposition.empty()) {
    return refuse("ErrorMessageDispositionRequired", "MessageDisposition is required.");
  }
  auto edited = std::make_unique<Item>(*ref.item);
  const Item before(*ref.item);
  std::size_t conflicts = 0;
  if (ref.day) {
    if (!edited->occurrences) edited->occurrences = std::make_unique<std::map<Day, Occurrence>>();
    Occurrence& o = (*edited->occurrences)[*ref.day];
    const Seconds start = start_of(ref);
    const Seconds end = end_of(ref);
    if (auto done = apply_updates(context, {*edited, o.changes, true}, *updates); !done) return done;
    if (resolution == "AutoResolve") conflicts = resolve_conflicts(before, *edited, *key);
    // A moved start without an end keeps the length; start and end are kept together.
    if (o.changes.has(f_start) || o.changes.has(f_end)) {
      const ItemRef now{ref.mailbox, edited.get(), ref.day};
      const Seconds new_start = start_of(now);
      Seconds new_end = o.changes.has(f_end) ? end_of(now) : new_start + (end - start);
      if (new_end < new_start)
        return refuse("ErrorCalendarEndDateIsEarlierThanStartDate", "End date is earlier than start date.");
      o.changes.set(f_start, format_utc(new_start));
      o.changes.set(f_end, format_utc(new_end));
    }
    const bool was_read = ref.item->is_read;
    ref.item->occurrences = std::move(edited->occurrences);
    ref.item->is_read = was_read;
    context.store.touch(context.mailbox, *ref.item, &before);
    (*ref.item->occurrences)[*ref.day].version = ref.item->version;
    mail_meeting(context, ref, mailing, &before);
    std::string& out = response.begin();
    write_items(out, context, {ref}, false);
    append_conflicts(out, conflicts);
    response.end();
    return {};
  }
  if (ref.item->kind == ItemKind::message && !ref.item->is_draft) {
    // A message that was sent or received: who, when and its thread stay as they are.
    for (const Element& update : updates->children) {
      if (update.children.empty()) continue;
      const std::string_view uri = update.children.front().attribute_or("FieldURI", "");
      if (uri == "message:From" || uri == "message:ToRecipients" || uri == "message:CcRecipients" ||
          uri == "message:BccRecipients" || uri == "message:InternetMessageId")
        return refuse("ErrorInvalidPropertyUpdateSentMessage",
                      "Update operation is invalid for property of a sent message.");
    }
  }
  if (auto done = apply_updates(context, {*edited, edited->bag, false}, *updates); !done) return done;
  if (resolution == "AutoResolve") conflicts = resolve_conflicts(before, *edited, *key);
  if (auto done = settle(context, *edited, &before); !done) return done;
  if (ref.item->kind == ItemKind::task && before.bag.has(f_task_recurrence) &&
      edited->bag.has(f_task_recurrence) &&
      edited->bag.get(f_task_recurrence) == before.bag.get(f_task_recurrence)) {
    Item& one = split_task(context, *ref.item, std::move(edited));
    std::string& out = response.begin();
    write_items(out, context, {{&context.mailbox, &one, std::nullopt}}, false);
    append_conflicts(out, conflicts);
    response.end();
    return {};
  }
  const bool read_changed = edited->is_read != before.is_read;
  const bool only_read = read_changed && differences(*edited, before).size() == 1;
  const bool is_read = edited->is_read;
  ref.item->bag = edited->bag;
  ref.item->attachments = edited->attachments;
  ref.item->next_serial = edited->next_serial;
  ref.item->mime = edited->mime;
  ref.item->occurrences = std::move(edited->occurrences);
  ref.item->bag.shrink();
  if (read_changed) context.store.set_read(context.mailbox, *ref.item, is_read);
  if (!only_read) {
    ref.item->is_unmodified = false;
    context.store.touch(context.mailbox, *ref.item, &before);
  }
  if (calendar) mail_meeting(context, ref, mailing, &before);
  std::vector<ItemRef> written{ref};
  if (ref.item->kind == ItemKind::message &&
      (disposition == "SendOnly" || disposition == "SendAndSaveCopy")) {
    set_from_me(context, *ref.item);
    prepare_message(context, *ref.item);
    mark_sent(context, *ref.item);
    if (auto sent = send_message(context, *ref.item, MailReason::message); !sent) return sent;
    if (disposition == "SendAndSaveCopy") {
      context.store.move(context.mailbox, ref.item->number, context.mailbox,
                         context.mailbox.folder("sentitems")->number);
    } else {
      context.store.remove(context.mailbox, ref.item->number);
    }
    written.clear();
  }
  std::string& out = response.begin();
  write_items(out, context, written, false);
  append_conflicts(out, conflicts);
  response.end();
  return {};
}

}  // namespace

Result<void> check_folder_fits(const Folder& folder, const Item& item) {
  const std::string& folder_class = folder.folder_class;
  if (item.kind == ItemKind::calendar_item && !folder_class.starts_with("IPF.Appointment") &&
      folder.distinguished != "deleteditems")
    return refuse("ErrorCannotCreateCalendarItemInNonCalendarFolder",
                  "Calendar items can be created only in calendar folders.");
  if (item.kind == ItemKind::contact && !folder_class.starts_with("IPF.Contact"))
    return refuse("ErrorCannotCreateContactInNonContactFolder",
                  "Contacts can be created only in contact folders.");
  if (item.kind == ItemKind::task && !folder_class.starts_with("IPF.Task"))
    return refuse("ErrorCannotCreateTaskInNonTaskFolder", "Tasks can be created only in task folders.");
  return {};
}

void dispose(Context& context, const ItemRef& ref, std::string_view type) {
  Mailbox& mailbox = *ref.mailbox;
  if (ref.day) {
    if (!ref.item->occurrences) ref.item->occurrences = std::make_unique<std::map<Day, Occurrence>>();
    Occurrence& o = (*ref.item->occurrences)[*ref.day];
    o = Occurrence{};
    o.deleted = true;
    context.store.touch(mailbox, *ref.item);
    return;
  }
  const Folder& from = *mailbox.folder(ref.item->folder);
  const Folder* trash = mailbox.folder("deleteditems");
  const Folder* dumpster = mailbox.folder("recoverableitemsdeletions");
  if (type == "MoveToDeletedItems" && from.number != trash->number) {
    context.store.move(mailbox, ref.item->number, mailbox, trash->number);
  } else if (type != "HardDelete" && from.number != dumpster->number) {
    context.store.move(mailbox, ref.item->number, mailbox, dumpster->number);
  } else {
    context.store.remove(mailbox, ref.item->number);
  }
}

OperationResult create_item(Context& context, const Element& request) {
  const Element* items = request.child("Items");
  if (items == nullptr) return schema("Items is missing");
  if (items->children.size() > context.store.limits().batch)
    return refuse("ErrorInvalidRequest", "Too many items.");
  Response response("CreateItem");
  Folder* folder = nullptr;
  std::optional<Error> folder_error;
  if (const Element* saved = request.child("SavedItemFolderId");
      saved != nullptr && !saved->children.empty()) {
    auto found = find_folder(context, saved->children.front());
    if (found) {
      folder = found->folder;
    } else {
      folder_error = found.error();
      if (folder_error->code == "ErrorFolderNotFound") folder_error->code = "ErrorSavedItemFolderNotFound";
    }
  }
  for (const Element& element : items->children) {
    if (folder_error) {
      response.error(*folder_error, kNoItems);
      continue;
    }
    if (auto done = create_one(context, response, element, request, folder); !done)
      response.error(done.error(), kNoItems);
  }
  return response.take();
}

OperationResult update_item(Context& context, const Element& request) {
  const Element* changes = request.child("ItemChanges");
  if (changes == nullptr) return schema("ItemChanges is missing");
  if (changes->children.size() > context.store.limits().batch)
    return refuse("ErrorInvalidRequest", "Too many changes.");
  Response response("UpdateItem");
  for (const Element& change : changes->children)
    if (auto done = update_one(context, response, change, request); !done)
      response.error(done.error(), kNoItems);
  return response.take();
}

OperationResult delete_item(Context& context, const Element& request) {
  const Element* ids = request.child("ItemIds");
  if (ids == nullptr) return schema("ItemIds is missing");
  const std::string_view type = request.attribute_or("DeleteType", "HardDelete");
  const std::string_view cancellations = request.attribute_or("SendMeetingCancellations", "");
  const std::string_view tasks = request.attribute_or("AffectedTaskOccurrences", "");
  Response response("DeleteItem");
  const auto delete_one = [&](const Element& id) -> Result<void> {
    auto ref = find_item(context, id);  // change keys are not looked at
    if (!ref) return syncline::fail(std::move(ref.error()));
    if (ref->item->kind == ItemKind::calendar_item) {
      if (cancellations.empty())
        return refuse("ErrorSendMeetingCancellationsRequired", "SendMeetingCancellations is required.");
      auto mailing = read_mailing(cancellations);
      if (!mailing) return syncline::fail(std::move(mailing.error()));
      const Folder* folder = context.mailbox.folder(ref->item->folder);
      if (folder->folder_class.starts_with("IPF.Appointment"))
        mail_cancellation(context, *ref, *mailing, nullptr);
    }
    if (ref->item->kind == ItemKind::task) {
      if (tasks.empty())
        return refuse("ErrorAffectedTaskOccurrencesRequired", "AffectedTaskOccurrences is required.");
      if (tasks == "SpecifiedOccurrenceOnly" && ref->item->bag.has(f_task_recurrence)) {
        auto edited = std::make_unique<Item>(*ref->item);
        edited->bag.set(f_status, "Completed");
        const std::uint32_t one = split_task(context, *ref->item, std::move(edited)).number;
        dispose(context, {&context.mailbox, context.mailbox.item(one), std::nullopt}, type);
        return {};
      }
    }
    dispose(context, *ref, type);
    return {};
  };
  for (const Element& id : ids->children) {
    if (auto done = delete_one(id); !done) {
      response.error(done.error());
    } else {
      response.success();
    }
  }
  return response.take();
}

OperationResult move_or_copy_item(Context& context, const Element& request) {
  const Element* to = request.child("ToFolderId");
  const Element* ids = request.child("ItemIds");
  if (to == nullptr || to->children.empty() || ids == nullptr)
    return schema("ToFolderId or ItemIds is missing");
  const bool copy = request.name == "CopyItem";
  const bool return_ids =
      request.child("ReturnNewItemIds") == nullptr || is_true(request.child_text("ReturnNewItemIds"));
  auto target = find_folder(context, to->children.front());
  Response response(copy ? "CopyItem" : "MoveItem");
  for (const Element& id : ids->children) {
    if (!target) {
      Error error = target.error();
      if (error.code == "ErrorFolderNotFound") error.code = "ErrorToFolderNotFound";
      response.error(error, kNoItems);
      continue;
    }
    auto ref = find_item(context, id);
    if (ref && ref->day)
      ref =
          refuse("ErrorCalendarCannotMoveOrCopyOccurrence", "Move or copy of an occurrence is not possible.");
    if (!ref) {
      response.error(ref.error(), kNoItems);
      continue;
    }
    Item& made =
        copy
            ? context.store.copy(context.mailbox, *ref->item, context.mailbox, target->folder->number)
            : context.store.move(context.mailbox, ref->item->number, context.mailbox, target->folder->number);
    std::string& out = response.begin();
    write_items(
        out, context,
        return_ids ? std::vector<ItemRef>{{&context.mailbox, &made, std::nullopt}} : std::vector<ItemRef>{},
        false);
    response.end();
  }
  return response.take();
}

OperationResult send_item(Context& context, const Element& request) {
  const Element* ids = request.child("ItemIds");
  if (ids == nullptr) return schema("ItemIds is missing");
  const bool save = is_true(request.attribute_or("SaveItemToFolder", "true"));
  Response response("SendItem");
  const Element* saved = request.child("SavedItemFolderId");
  if (!save && saved != nullptr) {
    for (std::size_t i = 0; i < ids->children.size(); ++i)
      response.error(
          refuse("ErrorInvalidSendItemSaveSettings", "A folder was given for a copy that is not saved.")
              .value());
    return response.take();
  }
  const auto send_one = [&](const Element& id) -> Result<void> {
    std::optional<std::uint64_t> key;
    auto ref = find_item(context, id, &key);
    if (!ref) return syncline::fail(std::move(ref.error()));
    if (ref->item->kind != ItemKind::message)
      return refuse("ErrorInvalidItemForOperationSendItem", "Operation is not valid for this item.");
    if (!key) return refuse("ErrorChangeKeyRequired", "A change key is required for this operation.");
    if (*key != ref->version())
      return refuse(
          "ErrorStaleObject",
          "The change key passed in the request does not match the current change key for the item.");
    Folder* folder = context.mailbox.folder("sentitems");
    if (saved != nullptr && !saved->children.empty()) {
      auto into = find_folder(context, saved->children.front());
      if (!into) return refuse("ErrorSavedItemFolderNotFound", "The folder for the copy was not found.");
      folder = into->folder;
    }
    set_from_me(context, *ref->item);
    prepare_message(context, *ref->item);
    const Item draft(*ref->item);
    mark_sent(context, *ref->item);
    if (auto sent = send_message(context, *ref->item, MailReason::message); !sent) {
      ref->item->is_draft = draft.is_draft;
      ref->item->is_submitted = draft.is_submitted;
      ref->item->is_unmodified = draft.is_unmodified;
      ref->item->bag = draft.bag;
      return sent;
    }
    if (save) {
      context.store.move(context.mailbox, ref->item->number, context.mailbox, folder->number);
    } else {
      context.store.remove(context.mailbox, ref->item->number);
    }
    return {};
  };
  for (const Element& id : ids->children) {
    if (auto done = send_one(id); !done) {
      response.error(done.error());
    } else {
      response.success();
    }
  }
  return response.take();
}

}  // namespace exchange_sim
