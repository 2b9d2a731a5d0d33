// SPDX-License-Identifier: GPL-3.0-or-later
// Update: UpdateItem with NeverOverwrite and the key both sides agreed on (invariant 8), which leaves the
// operation's id as `written` → attachments → mail → exceptions of the series.
#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <functional>

#include "ews/driver/from_item.hpp"
#include "ews/driver/marks.hpp"
#include "ews/driver/to_item.hpp"
#include "ews/driver/write.hpp"
#include "model/field_catalogue.hpp"

namespace syncline::ews {
namespace {

/// The item as it is now, as a record would see it.
struct Seen {
  sync::RemoteItem item;
  bool is_written = false;  ///< by this operation
};

Async<std::optional<Seen>> see(Write& write) {
  ItemId id{.id = write.order.item.id};
  ItemShape shape = shape_of(write.order.kind, true);
  shape.additional.emplace_back(written_mark());
  auto item = co_await look_at(write, std::move(id), std::move(shape));
  if (!item) co_return fail(std::move(item.error()));
  if (!*item) co_return std::optional<Seen>();
  Seen seen;
  seen.is_written = value_of(**item, written_mark()) == std::string_view(write.order.operation_id);
  seen.item = from_item(write.order.kind, **item, write.state);
  co_return std::optional<Seen>(std::move(seen));
}

/// Fields that other requests write, or that the server rewords (HTML).
bool is_told_by_the_update(std::string_view name) {
  for (const std::string_view other :
       {"body", "attachments", "photo", "modifiedOccurrences", "deletedOccurrences", "requiredAttendees",
        "optionalAttendees", "resources", "startTimeZone", "endTimeZone"})
    if (name == other) return false;
  return true;
}

/// Of a dictionary the entries that are named count.
bool says_what_is_wanted(const model::FieldInfo& field, const model::FieldValue& wanted,
                         const model::FieldValue& now) {
  const bool is_dictionary =
      field.type == model::FieldType::entries || field.type == model::FieldType::addresses;
  if (!is_dictionary || !wanted.is_object() || !now.is_object()) return model::same_value(field, wanted, now);
  boost::json::object then = now.get_object();
  for (const auto& [key, entry] : wanted.get_object()) then[key] = entry;
  return model::same_value(field, then, now);
}

bool holds_wanted(const sync::WriteOrder& order, const model::Fields& now) {
  for (const auto& [name, wanted] : order.fields) {
    const model::FieldInfo* info = model::find_field(order.kind, name);
    const model::FieldValue* value = now.if_contains(name);
    if (info == nullptr || value == nullptr || !is_told_by_the_update(name)) continue;
    auto clean = model::canonical(*info, wanted);
    if (clean && !says_what_is_wanted(*info, *clean, *value)) return false;
  }
  return true;
}

bool is_recurring_task(const sync::WriteOrder& order) {
  return order.kind == model::RecordKind::task && !says_nothing(order.base.if_contains("recurrence"));
}

/// An edit of a recurring task is kept as a new one-off item, and the series may stay as it was (invariant
/// 10): what bears our mark in the tasks is the evidence.
Async<bool> is_one_off_there(Write& write, const std::string& folder_id) {
  bool found = false;
  FindItemRequest search;
  search.restriction = Restriction{Comparison{
      .op = ComparisonOperator::is_equal_to, .path = written_mark(), .operand = write.order.operation_id}};
  search.parents.push_back(folder_id.empty() ? write.state.distinguished("tasks")
                                             : write.state.folder(folder_id));
  std::function<Result<void>(std::vector<Item>)> page = [&found](std::vector<Item> items) -> Result<void> {
    found = found || !items.empty();
    return {};
  };
  auto searched = co_await find_items(write.client, std::move(search), std::move(page));
  if (!searched) co_return fail(std::move(searched.error()));
  co_return found;
}

enum class Verdict { done, not_done };

struct Settled {
  Verdict verdict = Verdict::not_done;
  ItemId item;
};

Async<Settled> settle(Write& write) {
  if (auto may = may_settle(write); !may) co_return fail(std::move(may.error()));
  auto seen = co_await see(write);
  if (!seen) co_return fail(unsettled(std::move(seen.error())));
  std::string folder = *seen ? (*seen)->item.folder_id : std::string();
  if (is_recurring_task(write.order)) {
    auto one_off = co_await is_one_off_there(write, folder);
    if (!one_off) co_return fail(unsettled(std::move(one_off.error())));
    if (*one_off) {
      Settled done{.verdict = Verdict::done, .item = {.id = write.order.item.id}};
      if (*seen) done.item.change_key = (*seen)->item.ref.version;
      co_return done;
    }
  }
  if (!*seen) co_return fail(gone());
  const sync::RemoteItem& item = (*seen)->item;
  const bool moved = item.ref.version != write.order.item.version;
  const bool holds = holds_wanted(write.order, item.fields);
  Settled settled{.verdict = Verdict::done, .item = {.id = item.ref.id, .change_key = item.ref.version}};
  // Messages bear no mark of updates: their fields have to tell.
  const bool ours = write.order.kind == model::RecordKind::email ? moved && holds : (*seen)->is_written;
  if (ours && holds) co_return settled;
  if (!moved) {
    settled.verdict = Verdict::not_done;
    co_return settled;
  }
  co_return fail(conflict(ours ? "the item was changed again after the write"
                               : "the item changed before it could be written"));
}

/// The one request that writes fields. Returns the item's new key.
Async<ItemId> write_fields(Write& write, std::vector<ItemUpdate> updates) {
  const ItemKind kind = item_kind_of(write.order.kind);
  // On messages a mark would move more than the read flag that is all that may have changed.
  if (kind != ItemKind::message) updates.push_back(set_mark(kind, written_mark(), write.order.operation_id));
  ItemId id{.id = write.order.item.id, .change_key = write.order.item.version};
  if (updates.empty()) co_return id;
  UpdateItemRequest request;
  request.changes.push_back({.id = id, .updates = std::move(updates)});
  if (kind == ItemKind::calendar_item) {
    request.send_meeting_invitations_or_cancellations = SendInvitationsOrCancellations::send_to_none;
  } else {
    request.message_disposition = MessageDisposition::save_only;
  }
  std::string step = "update";
  auto updated = co_await once(write, std::move(step), std::move(request));
  if (!updated) {
    if (is_stale_key(updated.error())) co_return fail(conflict("the item changed on the server"));
    if (is_missing(updated.error())) co_return fail(gone());
    co_return fail(std::move(updated.error()).during("updating an item"));
  }
  auto now = id_of(updated->value.items);
  if (!now) co_return fail(uncertain(write, now.error()));
  if (now->id == id.id) co_return std::move(*now);
  // A one-off item came out of a recurring task; the link stays with the series (invariant 10).
  std::string series = id.id;
  auto key = co_await current_key(write, std::move(series));
  if (key) co_return std::move(*key);
  // The last of the series: what is left is the one-off.
  if (key.error().code == "gone") co_return std::move(*now);
  co_return fail(uncertain(write, key.error()));
}

/// Times go together with their zones (invariant 13): what neither side of the order says of them is asked
/// for.
bool lacks_times(const model::Fields& fields, const model::Fields& base) {
  if (!touches_times(fields)) return false;
  for (const char* name : {"start", "end", "startTimeZone", "endTimeZone", "isAllDayEvent"})
    if (!fields.contains(name) && !base.contains(name)) return true;
  return false;
}

/// What is looked at before the first request, where the order does not say it all.
Async<void> look_first(Write& write, bool mails, model::Fields& base) {
  auto seen = co_await see(write);
  if (!seen) co_return fail(std::move(seen.error()));
  if (!*seen) co_return fail(gone());
  if (mails && !(*seen)->item.is_organizer)
    co_return fail(ErrorDomain::ews, "not-organizer",
                   "only the organizer's mailbox may mail the attendees of a meeting");
  base = merged((*seen)->item.fields, base);
  co_return Result<void>{};
}

/// Exceptions of a series are mailed one by one, and their series with none of them.
bool speaks_of_master(const model::Fields& fields) {
  return std::any_of(fields.begin(), fields.end(), [](const auto& field) {
    return field.key() != "modifiedOccurrences" && field.key() != "deletedOccurrences";
  });
}

}  // namespace

Async<sync::Applied> update_item(Write& write) {
  const bool is_appointment = write.order.kind == model::RecordKind::appointment;
  const bool is_begun = !write.journal.fact("id").empty() || write.journal.is_open("update");
  model::Fields base = write.order.base;
  const bool may_mail = is_appointment && write.order.mail_attendees;
  if (is_appointment && ((may_mail && !is_begun) || lacks_times(write.order.fields, base))) {
    auto looked = co_await look_first(write, may_mail, base);
    if (!looked) co_return fail(std::move(looked.error()));
  }
  auto updates = to_updates(write.order.kind, write.order.fields, base, write.state);
  if (!updates) co_return fail(std::move(updates.error()));
  const bool mails =
      may_mail && speaks_of_master(write.order.fields) &&
      (has_attendees(merged(write.order.base, write.order.fields)) || !updates->attendees_removed.empty());
  std::vector<ItemUpdate> with_mail;
  if (mails) {
    with_mail = std::move(updates->attendees_removed);
  } else {
    for (ItemUpdate& removed : updates->attendees_removed) updates->changes.push_back(std::move(removed));
  }

  ItemId item{.id = write.journal.fact("id"), .change_key = write.journal.fact("key")};
  if (item.id.empty()) {
    bool is_done = false;
    if (write.journal.is_open("update")) {
      auto settled = co_await settle(write);
      if (!settled) co_return fail(std::move(settled.error()));
      is_done = settled->verdict == Verdict::done;
      item = std::move(settled->item);
    }
    if (!is_done) {
      std::vector<ItemUpdate> changes = std::move(updates->changes);
      auto written = co_await write_fields(write, std::move(changes));
      if (!written) co_return fail(std::move(written.error()));
      item = std::move(*written);
    }
    write.journal.set_fact("id", item.id);
    write.journal.set_fact("key", item.change_key);
  }

  sync::Applied applied;
  if (has_attachment_work(write.order)) {
    auto done = co_await write_attachments(write, item, false);
    if (!done) co_return fail(std::move(done.error()));
    item = std::move(*done);
  }
  if (mails) {
    auto done = co_await mail_meeting(write, item, std::move(with_mail));
    if (!done) co_return fail(std::move(done.error()));
    item = std::move(*done);
  }
  if (has_exception_work(write.order)) {
    auto done = co_await write_exceptions(write, item, applied.remark);
    if (!done) co_return fail(std::move(done.error()));
    item = std::move(*done);
  }
  applied.item = {.id = std::move(item.id), .version = std::move(item.change_key)};
  co_return applied;
}

}  // namespace syncline::ews
