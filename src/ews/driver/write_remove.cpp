// SPDX-License-Identifier: GPL-3.0-or-later
// Remove: DeleteItem knows no change key, so the key is looked at just before, the item goes to Deleted Items
// and never further, and is looked at there afterwards: what was changed in between comes back (invariant 8).
// The window that stays is between the look and the server's own reading of the request.
#include <boost/json/value.hpp>

#include "ews/driver/from_item.hpp"
#include "ews/driver/marks.hpp"
#include "ews/driver/write.hpp"
#include "model/field_catalogue.hpp"

namespace syncline::ews {
namespace {

constexpr std::string_view deleted_items = "deleteditems";

struct Before {
  ItemId item;
  std::string folder_id;
  std::string search_key;
  bool is_organizer = true;
};

Async<std::optional<Before>> look_before(Write& write) {
  ItemId id{.id = write.order.item.id};
  ItemShape shape = shape_of(write.order.kind, false);
  shape.additional.emplace_back(FieldUri{"item:ParentFolderId"});
  shape.additional.emplace_back(search_key_property());
  auto item = co_await look_at(write, std::move(id), std::move(shape));
  if (!item) co_return fail(std::move(item.error()));
  if (!*item || !(*item)->item_id) co_return std::optional<Before>();
  const sync::RemoteItem seen = from_item(write.order.kind, **item, write.state, false);
  Before before;
  before.item = *(*item)->item_id;
  before.is_organizer = seen.is_organizer;
  if ((*item)->parent_folder_id) before.folder_id = (*item)->parent_folder_id->id;
  if (const auto key = value_of(**item, search_key_property())) before.search_key = *key;
  co_return std::optional<Before>(std::move(before));
}

/// Where it lies among the deleted items; nullopt: not there (any more).
Async<std::optional<sync::RemoteItem>> look_after(Write& write) {
  const std::string search_key = write.journal.fact("search_key");
  if (search_key.empty()) co_return std::optional<sync::RemoteItem>();
  FindItemRequest search;
  search.restriction = Restriction{Comparison{
      .op = ComparisonOperator::is_equal_to, .path = search_key_property(), .operand = search_key}};
  search.parents.push_back(write.state.distinguished(deleted_items));
  auto found = co_await search_all(write, std::move(search));
  if (!found) co_return fail(std::move(found.error()));
  if (found->empty() || !found->back().item_id) co_return std::optional<sync::RemoteItem>();
  ItemId id = *found->back().item_id;
  ItemShape shape = shape_of(write.order.kind, true);
  auto item = co_await look_at(write, std::move(id), std::move(shape));
  if (!item) co_return fail(std::move(item.error()));
  if (!*item) co_return std::optional<sync::RemoteItem>();
  co_return std::optional<sync::RemoteItem>(from_item(write.order.kind, **item, write.state));
}

/// Whether both sides still agree on what they agreed on.
bool is_as_agreed(const sync::WriteOrder& order, const model::Fields& now) {
  for (const auto& [name, base] : order.base) {
    const model::FieldInfo* info = model::find_field(order.kind, name);
    const model::FieldValue* value = now.if_contains(name);
    // Where the item lies and who answered is no edit of it.
    if (info == nullptr || value == nullptr || info->direction == model::Direction::to_record) continue;
    if (info->type == model::FieldType::attachments || info->type == model::FieldType::photo ||
        info->type == model::FieldType::occurrences)
      continue;
    if (!model::same_value(*info, base, *value)) return false;
  }
  return true;
}

Async<sync::Applied> restore(Write& write, std::string deleted_id) {
  MoveItemRequest request;
  const std::string folder = write.journal.fact("folder");
  request.to = folder.empty() ? write.state.distinguished(own_folder_name(write.order.kind))
                              : write.state.folder(folder);
  request.ids.emplace_back(ItemId{.id = std::move(deleted_id)});
  std::string step = "restore";
  auto moved = co_await once(write, std::move(step), std::move(request));
  if (!moved && !is_missing(moved.error()))
    co_return fail(std::move(moved.error()).during("bringing back an item that was changed"));
  co_return fail(conflict("the item was changed while it was deleted, and was brought back"));
}

/// The item is not where it was: deleted, by us or by someone.
Async<sync::Applied> check_after(Write& write, bool was_open) {
  auto after = co_await look_after(write);
  if (!after) {
    // The delete itself is done: without a look the operation is not.
    Error error = std::move(after.error());
    co_return fail(was_open ? unsettled(std::move(error)) : uncertain(write, error));
  }
  if (*after && !is_as_agreed(write.order, (*after)->fields)) {
    std::string id = (*after)->ref.id;
    co_return co_await restore(write, std::move(id));
  }
  co_return sync::Applied{};
}

}  // namespace

Async<sync::Applied> remove_item(Write& write) {
  const bool is_appointment = write.order.kind == model::RecordKind::appointment;
  const bool was_open = write.journal.is_open("remove");
  if (write.journal.is_open("restore")) {
    if (auto may = may_settle(write); !may) co_return fail(std::move(may.error()));
    auto after = co_await look_after(write);
    if (!after) co_return fail(unsettled(std::move(after.error())));
    if (!*after) co_return fail(conflict("the item was changed while it was deleted, and was brought back"));
    std::string id = (*after)->ref.id;
    co_return co_await restore(write, std::move(id));
  }
  if (was_open) {
    if (auto may = may_settle(write); !may) co_return fail(std::move(may.error()));
  }
  auto before = co_await look_before(write);
  if (!before) co_return fail(was_open ? unsettled(std::move(before.error())) : std::move(before.error()));
  const bool mails = is_appointment && write.order.mail_attendees;
  if (!*before) {
    if (!was_open || mails) co_return sync::Applied{};
    co_return co_await check_after(write, was_open);
  }
  if ((*before)->item.change_key != write.order.item.version)
    co_return fail(conflict("the item changed before it could be deleted"));
  if (mails && !(*before)->is_organizer)
    co_return fail(ErrorDomain::ews, "not-organizer", "only the organizer's mailbox may call a meeting off");
  write.journal.set_fact("folder", (*before)->folder_id);
  write.journal.set_fact("search_key", (*before)->search_key);

  DeleteItemRequest request;
  request.ids.emplace_back((*before)->item);
  // Public folders have no Deleted Items of the caller's; what goes there stays recoverable.
  if (write.state.settings.store == StoreKind::public_folders) request.delete_type = DeleteKind::soft_delete;
  if (is_appointment)
    request.send_meeting_cancellations =
        mails ? SendInvitations::send_to_all_and_save_copy : SendInvitations::send_to_none;
  if (write.order.kind == model::RecordKind::task)
    request.affected_task_occurrences = AffectedTaskOccurrences::all_occurrences;
  std::string step = "remove";
  auto removed = co_await once(write, std::move(step), std::move(request));
  if (!removed) {
    if (is_missing(removed.error())) co_return sync::Applied{};
    co_return fail(std::move(removed.error()).during("deleting an item"));
  }
  // A meeting that was called off is changed by that.
  if (mails) co_return sync::Applied{};
  co_return co_await check_after(write, false);
}

}  // namespace syncline::ews
