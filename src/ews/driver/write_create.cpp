// SPDX-License-Identifier: GPL-3.0-or-later
// Create: CreateItem that mails nothing, with the operation's mark → attachments → invitations → exceptions.
#include <chrono>

#include "base/text.hpp"
#include "ews/client/operation_evidence.hpp"
#include "ews/driver/marks.hpp"
#include "ews/driver/to_item.hpp"
#include "ews/driver/write.hpp"
#include "ews/driver/write_steps.hpp"

namespace syncline::ews {
namespace {

FolderRef folder_of(const Write& write) {
  if (!write.order.folder_id.empty()) return write.state.folder(write.order.folder_id);
  return write.state.distinguished(own_folder_name(write.order.kind));
}

/// Clocks of servers go wrong by minutes, rarely by more.
constexpr std::chrono::hours clock_error{1};

void note_time(Write& write) {
  if (!write.journal.fact("since").empty()) return;
  const SystemTime since = write.client.environment().clock.now() - clock_error;
  write.journal.set_fact("since", std::to_string(since.time_since_epoch().count()));
}

Async<std::optional<ItemId>> find_created(Write& write, sync::Applied& applied) {
  FolderRef folder = folder_of(write);
  EvidenceSince since;
  if (const auto ms = text::parse_int(write.journal.fact("since")))
    since.created = SystemTime(std::chrono::milliseconds(*ms));
  std::string operation_id = write.order.operation_id;
  auto evidence =
      co_await find_evidence(write.client, std::move(folder), std::move(operation_id), std::move(since));
  if (!evidence) co_return fail(unsettled(std::move(evidence.error())));
  if (evidence->items.empty()) co_return std::optional<ItemId>();
  applied.copies.clear();
  for (std::size_t i = 1; i < evidence->items.size(); ++i)
    if (evidence->items[i].is_untouched)
      applied.copies.push_back({.id = evidence->items[i].id.id, .version = evidence->items[i].id.change_key});
  co_return std::optional<ItemId>(std::move(evidence->items.front().id));
}

Async<CreatedStep> find_or_create(Write& write, Item item, sync::Applied& applied) {
  CreatedStep step;
  if (const std::string id = write.journal.fact("id"); !id.empty()) {
    step.item = {.id = id, .change_key = write.journal.fact("key")};
    co_return step;
  }
  bool is_second = false;
  if (write.journal.is_open("create")) {
    if (auto may = may_settle(write); !may) co_return fail(std::move(may.error()));
    auto found = co_await find_created(write, applied);
    if (!found) co_return fail(std::move(found.error()));
    if (*found) {
      step.item = std::move(**found);
      co_return step;
    }
    is_second = true;
  }
  set_operation_id(item, write.order.operation_id);
  CreateItemRequest request{.saved_item_folder = folder_of(write), .items = {}};
  if (item.kind == ItemKind::calendar_item) {
    request.send_meeting_invitations = SendInvitations::send_to_none;
  } else {
    request.message_disposition = MessageDisposition::save_only;
  }
  request.items.emplace_back(std::move(item));
  note_time(write);
  std::string name = "create";
  auto made = co_await once(write, std::move(name), std::move(request));
  if (!made) co_return fail(std::move(made.error()).during("creating an item"));
  auto id = id_of(made->value);
  if (!id) co_return fail(uncertain(write, id.error()));
  step.item = std::move(*id);
  step.is_new = true;
  if (is_second) {
    // The first request may have been slower than its time limit after all: the older item counts.
    auto found = co_await find_created(write, applied);
    if (found && *found && (*found)->id != step.item.id) {
      step.item = std::move(**found);
      step.is_new = false;
    }
  }
  co_return step;
}

}  // namespace

Async<CreatedStep> ensure_created(Write& write, Item item, sync::Applied& applied) {
  auto step = co_await find_or_create(write, std::move(item), applied);
  if (!step) co_return step;
  write.journal.set_fact("id", step->item.id);
  write.journal.set_fact("key", step->item.change_key);
  co_return step;
}

namespace {

/// What CreateItem alone cannot write.
Async<ItemId> write_rest(Write& write, ItemId id, bool is_new, std::string& remark) {
  if (has_attachment_work(write.order)) {
    auto done = co_await write_attachments(write, id, is_new);
    if (!done) co_return fail(std::move(done.error()));
    id = std::move(*done);
  }
  if (write.order.kind == model::RecordKind::appointment && write.order.mail_attendees &&
      has_attendees(write.order.fields)) {
    std::vector<ItemUpdate> nobody_removed;
    auto done = co_await mail_meeting(write, id, std::move(nobody_removed));
    if (!done) co_return fail(std::move(done.error()));
    id = std::move(*done);
  }
  if (has_exception_work(write.order)) {
    auto done = co_await write_exceptions(write, id, remark);
    if (!done) co_return fail(std::move(done.error()));
    id = std::move(*done);
  }
  co_return id;
}

}  // namespace

Async<sync::Applied> create_item(Write& write) {
  if (is_being_withdrawn(write)) co_return co_await withdraw(write);
  auto item = to_item(write.order.kind, write.order.fields, write.state);
  if (!item) co_return fail(std::move(item.error()));
  sync::Applied applied;
  Item whole = std::move(*item);
  auto created = co_await ensure_created(write, std::move(whole), applied);
  if (!created) co_return fail(std::move(created.error()));
  std::string made = created->item.id;
  ItemId id = std::move(created->item);
  const bool is_new = created->is_new;
  auto rest = co_await write_rest(write, std::move(id), is_new, applied.remark);
  if (!rest) {
    // Invitations that are out cannot be taken back: then the item stays, and a person sees the refusal.
    const bool may_withdraw = write.journal.fact("mailed").empty() && is_refusal(rest.error());
    if (!may_withdraw) co_return fail(std::move(rest.error()));
    const Error refusal = std::move(rest.error());
    co_return co_await withdraw(write, std::move(made), refusal);
  }
  applied.item = {.id = std::move(rest->id), .version = std::move(rest->change_key)};
  co_return applied;
}

}  // namespace syncline::ews
