// SPDX-License-Identifier: GPL-3.0-or-later
// Appointments, contacts and tasks: adopted or not and why (invariant 19), merged with their records
// (invariants 3, 9).
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <map>

#include "base/text.hpp"
#include "model/field_catalogue.hpp"
#include "store/operations.hpp"
#include "store/records.hpp"
#include "sync/incoming_item.hpp"
#include "sync/orders.hpp"
#include "sync/plan/adoption.hpp"
#include "sync/plan/merge.hpp"

namespace syncline::sync {
namespace {

namespace json = boost::json;
using model::Fields;
using model::RecordKind;
using model::text_of;
using store::Transaction;

constexpr std::uint64_t photo_limit_octets = std::uint64_t{4} << 20;

/// What is remembered of an item: its catalogue fields that go any way at all.
Fields base_of(RunContext& context, RecordKind kind, const Fields& remote) {
  Fields base;
  for (const model::FieldInfo& field : model::fields_of(kind)) {
    if (context.policies().direction_of(kind, field) == model::Direction::none) continue;
    if (const json::value* value = remote.if_contains(field.name)) base[field.name] = *value;
  }
  return base;
}

/// The copies of one meeting are one record; the organiser's copy leads, the others follow. Two items of one
/// mailbox are no such copies, whatever their UIDs: imported calendars bring one UID for many appointments.
Result<std::optional<model::Record>> record_of_meeting(RunContext& context, Transaction& transaction,
                                                       const RemoteItem& item, bool* other_under_uid) {
  const json::value* uid = item.fields.if_contains("uid");
  if (item.kind != RecordKind::appointment || uid == nullptr || !uid->is_string() ||
      uid->get_string().empty())
    return std::nullopt;
  auto found = store::find_appointment_by_uid(transaction, uid->get_string());
  if (!found || !*found) return found;
  auto links = store::links_of_record(transaction, (*found)->id);
  if (!links) return fail(std::move(links.error()));
  *other_under_uid = std::any_of(links->begin(), links->end(), [&](const store::Link& link) {
    return link.mailbox == context.settings.mailbox && link.remote_id != item.ref.id &&
           (link.state == store::LinkState::linked || link.state == store::LinkState::conflict);
  });
  if (*other_under_uid) return std::nullopt;
  return found;
}

/// Another mailbox's copy leads this meeting.
Result<bool> follows(RunContext& context, Transaction& transaction, const RemoteItem& item,
                     const store::Link& link) {
  if (item.kind != RecordKind::appointment || item.is_organizer) return false;
  auto links = store::links_of_record(transaction, link.record);
  if (!links) return fail(std::move(links.error()));
  return std::any_of(links->begin(), links->end(), [&](const store::Link& other) {
    return other.mailbox != context.settings.mailbox && other.state == store::LinkState::linked &&
           other.id < link.id;
  });
}

Result<void> journal_conflicts(RunContext& context, Transaction& transaction, const store::Link& link,
                               const plan::Merge& merge) {
  for (const plan::FieldConflict& conflict : merge.conflicts) {
    ++context.summary.of(link.kind).conflicts;
    const bool asks = conflict.winner == model::ConflictWinner::ask;
    json::object detail{{"field", conflict.field},
                        {"record", conflict.record},
                        {"exchange", conflict.remote},
                        {"winner", asks                  ? "ask"
                                   : conflict.record_won ? "record"
                                                         : "exchange"}};
    if (auto done = note(context, transaction, link.remote_id, link.record,
                         {.event = "conflict", .reason = conflict.field, .detail = json::serialize(detail)});
        !done)
      return done;
    if (!asks) continue;
    if (auto done = store::raise_alert(
            transaction,
            {.mailbox = link.mailbox,
             .level = store::AlertLevel::warning,
             .code = "conflict-" + std::to_string(link.record),
             .text = "record " + std::to_string(link.record) + " and its item both changed " + conflict.field,
             .remedy = "Edit the record or the item: the side that is edited next wins."});
        !done)
      return done;
  }
  return {};
}

}  // namespace

Result<void> merge_linked(RunContext& context, Transaction& transaction, store::Link link,
                          const RemoteFolder& folder, const IncomingItem& incoming) {
  const RemoteItem& item = incoming.item;
  if (context.busy_links.contains(link.id)) {
    context.touched_links.insert(link.id);
    return {};
  }
  if (link.kind != RecordKind::email && item.is_private)
    return unlink(context, transaction, std::move(link), "private");
  auto found = store::find_record(transaction, link.record, true);
  if (!found) return fail(std::move(found.error()));
  if (!*found) return unlink(context, transaction, std::move(link), "no-record");
  model::Record record = std::move(**found);
  const bool came_back = link.state == store::LinkState::held_delete;
  const bool was_asking = link.state == store::LinkState::conflict;
  link.folder = folder.id;
  link.search_key = item.search_key;
  const bool moved_on = link.remote_version != item.ref.version;
  link.remote_version = item.ref.version;
  if (record.deleted) {
    // Somebody worked on an item whose record was deleted: the work stays, the pair is parted (invariant 8).
    const plan::Merge since =
        plan::merge({.kind = link.kind, .base = link.base, .record = link.base, .remote = item.fields},
                    context.policies());
    if (!since.to_record.empty()) return unlink(context, transaction, std::move(link), "item-changed");
    if (came_back) link.state = store::LinkState::linked;
    return store::update_link(transaction, link);
  }
  auto following = follows(context, transaction, item, link);
  if (!following) return fail(std::move(following.error()));
  if (*following) {
    link.base = base_of(context, link.kind, item.fields);
    link.state = store::LinkState::linked;
    return store::update_link(transaction, link);
  }

  model::Policies decided = context.policies();
  if (was_asking) {
    // Whoever edits next decides.
    decided.conflict = {.winner = record.version > link.record_version ? model::ConflictWinner::record
                                  : moved_on                           ? model::ConflictWinner::exchange
                                                                       : model::ConflictWinner::ask};
  }
  const bool was_level = link.record_version == record.version;
  const plan::Merge merge = plan::merge({.kind = link.kind,
                                         .base = link.base,
                                         .record = record.fields,
                                         .remote = item.fields,
                                         .record_changed_at = record.changed_at,
                                         .remote_changed_at = item.last_modified},
                                        decided);
  if (!was_asking || !merge.asks())
    if (auto done = journal_conflicts(context, transaction, link, merge); !done) return done;
  if (!merge.to_record.empty()) {
    record.fields = plan::patched(link.kind, std::move(record.fields), merge.to_record);
    auto updated = store::update_record(transaction, std::move(record));
    if (!updated) return fail(std::move(updated.error()));
    record = std::move(*updated);
    if (merge.to_remote.empty() || merge.asks()) link.record_version = record.version;
    KindCounts& counts = context.summary.of(link.kind);
    ++(was_level ? counts.changed_here : counts.merged);
    json::array names;
    for (const auto& field : merge.to_record) names.push_back(json::value(field.key()));
    if (auto done = note(context, transaction, item.ref.id, link.record,
                         {.event = was_level ? "changed" : "merged", .detail = json::serialize(names)});
        !done)
      return done;
  } else if (merge.to_remote.empty() || merge.asks()) {
    link.record_version = record.version;
  }
  link.base = merge.base;
  link.state = merge.asks() ? store::LinkState::conflict : store::LinkState::linked;
  if (was_asking && !merge.asks())
    if (auto done = store::clear_alert(transaction, link.mailbox, "conflict-" + std::to_string(link.record));
        !done)
      return done;
  return store::update_link(transaction, link);
}

namespace {

struct Adoption {
  plan::AdoptionDecision decision;
  std::optional<model::Record> meeting;  ///< the record that another copy of it has already
  bool other_under_uid = false;
};

/// Whether an item that is not linked becomes a record.
Result<Adoption> decide(RunContext& context, Transaction& transaction, const RemoteItem& item) {
  bool known_contact = false;
  if (plan::adoption_of(item.kind, context.policies().sync) == model::Adoption::known_contacts)
    for (const std::string& address : plan::addresses_in(item.kind, item.fields)) {
      if (address == context.settings.address) continue;
      auto contacts = store::find_by_address(transaction, address, RecordKind::contact);
      if (!contacts) return fail(std::move(contacts.error()));
      known_contact = known_contact || !contacts->empty();
    }
  Adoption adoption;
  auto meeting = record_of_meeting(context, transaction, item, &adoption.other_under_uid);
  if (!meeting) return fail(std::move(meeting.error()));
  adoption.meeting = std::move(*meeting);
  adoption.decision = plan::decide_adoption({.kind = item.kind,
                                             .is_private = item.is_private,
                                             .fields = item.fields,
                                             .with_known_contact = known_contact,
                                             .bears_our_mark = item.operation_id.has_value()},
                                            context.policies().sync);
  if (adoption.meeting && !item.is_private) adoption.decision = {.adopt = true, .reason = "same-meeting"};
  return adoption;
}

bool has_files(const RunContext& context, const RemoteItem& item) {
  const char* const name = item.kind == RecordKind::contact ? "photo" : "attachments";
  const model::FieldInfo* const field = model::find_field(item.kind, name);
  const json::value* const value = item.fields.if_contains(name);
  return field != nullptr && value != nullptr && !value->is_null() &&
         context.policies().direction_of(item.kind, *field) != model::Direction::none;
}

/// What both sides agreed on of an item's files; nullopt: the item is and becomes no record.
Result<std::optional<Fields>> agreed_files(RunContext& context, Transaction& transaction,
                                           const IncomingItem& incoming) {
  const RemoteItem& item = incoming.item;
  if (item.is_private) return std::optional<Fields>();
  auto link = store::find_link(transaction, context.settings.mailbox, item.ref.id);
  if (!link) return fail(std::move(link.error()));
  if (!*link && incoming.known_is_gone && incoming.known_is_parted) return std::optional<Fields>();
  if (!*link && incoming.known_is_gone) *link = incoming.known_as;
  if (*link) return std::optional<Fields>(std::move((*link)->base));
  if (item.opaque) return std::optional<Fields>();
  auto adoption = decide(context, transaction, item);
  if (!adoption) return fail(std::move(adoption.error()));
  return adoption->decision.adopt ? std::optional<Fields>(Fields()) : std::nullopt;
}

Async<void> fetch_photo(RunContext& context, Fields& fields) {
  json::value& photo = fields["photo"];
  if (!photo.is_object()) co_return Result<void>{};
  const std::string id(text_of(photo.get_object(), "attachmentId"));
  if (id.empty()) co_return Result<void>{};
  auto kept = co_await keep_attachment(context, id, photo_limit_octets);
  if (!kept) co_return fail(std::move(kept.error()));
  if (!*kept) {
    fields.erase("photo");
    co_return Result<void>{};
  }
  json::object described{{"sha256", (*kept)->sha256}, {"size", (*kept)->octets}};
  if (const json::value* type = photo.get_object().if_contains("contentType"))
    described["contentType"] = *type;
  photo = std::move(described);
  co_return Result<void>{};
}

/// An attachment never changes under its id: what was fetched once is known.
Async<void> fetch_files(RunContext& context, Fields& fields, const Fields& agreed) {
  json::value& list = fields["attachments"];
  if (!list.is_array()) co_return Result<void>{};
  std::map<std::string_view, const json::object*> known;
  if (const json::value* before = agreed.if_contains("attachments"); before != nullptr && before->is_array())
    for (const json::value& one : before->get_array())
      if (const json::object* file = one.if_object()) known.emplace(text_of(*file, "id"), file);
  for (json::value& one : list.get_array()) {
    json::object& file = one.get_object();
    const std::string id(text_of(file, "id"));
    if (const auto found = known.find(id); !id.empty() && found != known.end()) {
      for (const char* name : {"sha256", "size", "left"})
        if (const json::value* value = found->second->if_contains(name)) file[name] = *value;
      continue;
    }
    const std::uint64_t most = context.policies().mail.attachment_limit_octets;
    auto kept = co_await keep_attachment(context, id, most);
    if (!kept) co_return fail(std::move(kept.error()));
    if (!*kept) {
      file["left"] = kept->error().code;
      continue;
    }
    file["sha256"] = (*kept)->sha256;
    file["size"] = (*kept)->octets;
  }
  co_return Result<void>{};
}

/// An item that an operation made which was given up before its reply came: it is that record's, not a new
/// one. nullopt: it is nothing of the kind.
Result<std::optional<store::Link>> link_late_create(RunContext& context, Transaction& transaction,
                                                    const RemoteFolder& folder, const RemoteItem& item) {
  if (!item.operation_id) return std::nullopt;
  auto found = store::find_operation(transaction, *item.operation_id);
  if (!found) return fail(std::move(found.error()));
  if (!*found) return std::nullopt;
  store::Operation& operation = **found;
  const bool given_up = operation.state == store::OperationState::refused ||
                        operation.state == store::OperationState::needs_person;
  if (!given_up || operation.mailbox != context.settings.mailbox || !operation.result_id.empty() ||
      operation.what != to_string(WriteOrder::What::create))
    return std::nullopt;
  auto there = store::link_of_record_in(transaction, operation.record, operation.mailbox);
  if (!there || *there) return there ? Result<std::optional<store::Link>>(std::nullopt) : there;
  auto stored = read_order(operation);
  if (!stored) return fail(std::move(stored.error()));
  auto linked = store::insert_link(transaction, {.record = operation.record,
                                                 .mailbox = operation.mailbox,
                                                 .kind = item.kind,
                                                 .folder = folder.id,
                                                 .remote_id = item.ref.id,
                                                 .remote_version = item.ref.version,
                                                 .search_key = item.search_key,
                                                 .record_version = stored->record_version,
                                                 .base = std::move(stored->order.fields)});
  if (!linked) return fail(std::move(linked.error()));
  operation.state = store::OperationState::done;
  operation.error.clear();
  operation.result_id = item.ref.id;
  operation.link = linked->id;
  if (auto done = store::update_operation(transaction, operation); !done)
    return fail(std::move(done.error()));
  ++context.summary.of(item.kind).went;
  if (auto done = note(context, transaction, item.ref.id, operation.record,
                       {.event = "created", .reason = "found-later"});
      !done)
    return fail(std::move(done.error()));
  return std::optional<store::Link>(std::move(*linked));
}

}  // namespace

Async<void> prepare_files(RunContext& context, std::vector<IncomingItem>& items) {
  std::vector<IncomingItem*> with_files;
  for (IncomingItem& incoming : items)
    if (has_files(context, incoming.item)) with_files.push_back(&incoming);
  if (with_files.empty()) co_return Result<void>{};
  std::vector<std::optional<Fields>> agreed;
  auto looked_up = context.store.read<void>([&](Transaction& transaction) -> Result<void> {
    for (const IncomingItem* incoming : with_files) {
      auto files = agreed_files(context, transaction, *incoming);
      if (!files) return fail(std::move(files.error()));
      agreed.push_back(std::move(*files));
    }
    return {};
  });
  if (!looked_up) co_return looked_up;
  for (std::size_t i = 0; i < with_files.size(); ++i) {
    if (!agreed[i]) continue;
    Fields& fields = with_files[i]->item.fields;
    Result<void> fetched;
    if (with_files[i]->item.kind == RecordKind::contact)
      fetched = co_await fetch_photo(context, fields);
    else
      fetched = co_await fetch_files(context, fields, *agreed[i]);
    if (!fetched) co_return fetched;
  }
  co_return Result<void>{};
}

Result<void> put_act(RunContext& context, Transaction& transaction, const RemoteFolder& folder,
                     IncomingItem& incoming) {
  RemoteItem& item = incoming.item;
  const std::string& id = item.ref.id;
  if (item.operation_id && context.open_operations.contains(*item.operation_id))
    return {};  // the operation will say
  auto link = link_of(context, transaction, incoming);
  if (!link) return fail(std::move(link.error()));
  if (!*link && incoming.known_is_gone && incoming.known_is_parted)
    return keep_parted(transaction, folder, incoming);
  if (!*link && incoming.known_as && incoming.known_is_gone) {
    link->emplace(*incoming.known_as);
    (*link)->remote_id = id;
    (*link)->state = store::LinkState::linked;
    if (auto done =
            note(context, transaction, id, (*link)->record, {.event = "moved", .text = "to " + folder.name});
        !done)
      return done;
  }
  if (!*link) link = link_late_create(context, transaction, folder, item);
  if (!link) return fail(std::move(link.error()));
  if (*link) return merge_linked(context, transaction, std::move(**link), folder, incoming);
  if (item.opaque)
    return note(context, transaction, id, 0,
                {.event = "not-tracked", .reason = "unknown-class", .text = item.item_class});

  auto adoption = decide(context, transaction, item);
  if (!adoption) return fail(std::move(adoption.error()));
  const plan::AdoptionDecision& decision = adoption->decision;
  const std::optional<model::Record>& meeting = adoption->meeting;
  if (!decision.adopt) return note_untracked(context, transaction, item.kind, id, decision.reason);
  store::Link made{.mailbox = context.settings.mailbox,
                   .kind = item.kind,
                   .folder = folder.id,
                   .remote_id = id,
                   .remote_version = item.ref.version,
                   .search_key = item.search_key,
                   .base = base_of(context, item.kind, item.fields)};
  if (meeting) {
    made.record = meeting->id;
    made.record_version = meeting->version;
  } else {
    auto inserted = store::insert_record(
        transaction, {.kind = item.kind,
                      .owner = context.settings.owner,
                      .fields = plan::for_record(item.kind, item.fields, context.policies())});
    if (!inserted) return fail(std::move(inserted.error()));
    made.record = inserted->id;
    made.record_version = inserted->version;
    ++context.summary.of(item.kind).came;
  }
  auto linked = store::insert_link(transaction, std::move(made));
  if (!linked) return fail(std::move(linked.error()));
  return note(context, transaction, id, linked->record,
              {.event = meeting ? "linked" : "tracked",
               .reason = decision.reason,
               .text = adoption->other_under_uid ? "another appointment bears the same UID" : ""});
}

}  // namespace syncline::sync
