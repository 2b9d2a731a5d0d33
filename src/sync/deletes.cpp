// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/deletes.hpp"

#include <algorithm>
#include <map>
#include <string>

#include "store/configuration.hpp"
#include "store/records.hpp"
#include "sync/plan/meeting.hpp"

namespace syncline::sync {
namespace {

using model::RecordKind;
using store::Transaction;

std::string brake_setting(const RunContext& context) {
  return "brake:" + context.settings.address;
}

/// An item that no folder holds any more.
struct Gone {
  store::Link link;
  bool in_deleted_items = false;  ///< seen there: somebody deleted it
  std::string_view parted = {};   ///< why it is no delete at all (invariant 5); empty: it is one
};

/// Deletes that are none: what stood in a folder that is not listed any more, and all of a folder at once. Of
/// a folder's only item the Deleted Items tell.
Result<void> find_wipes(RunContext& context, Transaction& transaction, std::vector<Gone>& gone) {
  std::map<std::string_view, std::uint64_t> by_folder;
  for (const Gone& one : gone) ++by_folder[one.link.folder];
  std::map<std::string_view, bool> emptied;
  for (const auto& [folder, count] : by_folder) {
    auto there = store::link_keys(transaction, context.settings.mailbox, folder);
    if (!there) return fail(std::move(there.error()));
    emptied[folder] = there->size() == count;
  }
  for (Gone& one : gone) {
    const bool alone = by_folder[one.link.folder] == 1;
    if (!one.link.folder.empty() && context.folder(one.link.folder) == nullptr)
      one.parted = "lost-folder";
    else if (emptied[one.link.folder] && !(alone && one.in_deleted_items))
      one.parted = "emptied-folder";
  }
  return {};
}

/// Why the record of an appointment stays whatever happens to the item: it is past, it was called off, or
/// somebody else organises it, and an attendee who takes it out of the calendar takes it from nobody else.
std::string_view kept_although_deleted(RunContext& context, const model::Record& record) {
  if (record.kind != RecordKind::appointment) return {};
  if (const auto* cancelled = record.fields.if_contains("isCancelled");
      cancelled != nullptr && cancelled->is_bool() && cancelled->get_bool())
    return "cancelled";
  const model::Fields none;
  const plan::MeetingDecision decision =
      plan::decide_meeting({.write = plan::MeetingWrite::remove,
                            .is_organizer = plan::organizes(record.fields, context.settings.address),
                            .fields = record.fields,
                            .changes = none},
                           context.policies().sync, context.now());
  return decision.write ? std::string_view() : decision.reason;
}

/// The item is gone for good: what the policy says for its record.
Result<void> settle(RunContext& context, Transaction& transaction, store::Link link, bool remove,
                    std::string_view reason) {
  auto record = store::find_record(transaction, link.record);
  if (!record) return fail(std::move(record.error()));
  if (!remove || !*record || link.kind == RecordKind::email)
    return unlink(context, transaction, std::move(link), reason);
  // A record that changed since, or that another mailbox still holds, is not deleted behind anybody's back.
  if ((*record)->version > link.record_version)
    return unlink(context, transaction, std::move(link), "record-changed");
  if (const std::string_view why = kept_although_deleted(context, **record); !why.empty())
    return unlink(context, transaction, std::move(link), why);
  auto links = store::links_of_record(transaction, link.record);
  if (!links) return fail(std::move(links.error()));
  const bool elsewhere = std::any_of(links->begin(), links->end(), [&](const store::Link& other) {
    return other.id != link.id && other.state != store::LinkState::unlinked;
  });
  if (elsewhere) return unlink(context, transaction, std::move(link), "held-elsewhere");
  (*record)->deleted = true;
  auto deleted = store::update_record(transaction, std::move(**record));
  if (!deleted) return fail(std::move(deleted.error()));
  ++context.summary.of(link.kind).removed_here;
  link.state = store::LinkState::unlinked;
  link.record_version = deleted->version;
  if (auto done = store::update_link(transaction, link); !done) return done;
  return note(context, transaction, link.remote_id, link.record, {.event = "deleted", .reason = reason});
}

}  // namespace

Result<void> hold_delete(RunContext& context, Transaction& transaction, store::Link link) {
  if (link.state == store::LinkState::held_delete) return {};
  // What an operation of ours removes is settled by the operation.
  if (context.busy_links.contains(link.id)) {
    context.touched_links.insert(link.id);
    return {};
  }
  link.state = store::LinkState::held_delete;
  return store::update_link(transaction, link);
}

bool brakes(const model::SyncPolicy& policy, std::uint64_t deletes, std::uint64_t linked) {
  const auto count = static_cast<std::uint64_t>(policy.brake_count);
  const auto percent = static_cast<std::uint64_t>(policy.brake_percent);
  return deletes > count && deletes * 100 > linked * percent;
}

Result<void> pull_brake(RunContext& context, Transaction& transaction, std::uint64_t deletes,
                        std::string_view where) {
  context.summary.brake = true;
  if (auto done = store::put_setting(transaction, brake_setting(context), R"({"pulled":true})"); !done)
    return done;
  const std::string text =
      std::to_string(deletes) + " deletes at once " + std::string(where) + " of " + context.settings.address;
  if (auto done = store::raise_alert(
          transaction, {.mailbox = context.settings.mailbox,
                        .level = store::AlertLevel::error,
                        .code = "brake",
                        .text = text + "; none was carried out",
                        .remedy = "Look at what was deleted; `syncline brake release` lets it pass."});
      !done)
    return done;
  return note(context, transaction, "", 0, {.event = "brake", .text = text});
}

Result<bool> brake_is_released(RunContext& context, Transaction& transaction) {
  auto setting = store::find_setting(transaction, brake_setting(context));
  if (!setting) return fail(std::move(setting.error()));
  return *setting && (*setting)->find("released") != std::string::npos;
}

Result<void> end_brake_release(RunContext& context) {
  auto released = context.store.read<bool>(
      [&](Transaction& transaction) { return brake_is_released(context, transaction); });
  if (!released) return fail(std::move(released.error()));
  if (!*released) return {};
  auto ended = context.store.write<void>([&](Transaction& transaction) -> Result<void> {
    return store::put_setting(transaction, brake_setting(context), "{}");
  });
  return ended;
}

Async<void> resolve_held_deletes(RunContext& context) {
  auto held = context.store.read<std::vector<store::Link>>(
      [&](Transaction& transaction) { return store::held_deletes(transaction, context.settings.mailbox); });
  if (!held) co_return fail(std::move(held.error()));
  if (held->empty()) co_return Result<void>{};

  std::vector<Gone> gone;
  for (store::Link& link : *held) {
    std::optional<Driver::Found> found;
    if (!link.search_key.empty()) {
      const std::string key = link.search_key;
      auto answer = co_await context.driver.find(link.kind, key);
      if (!answer) co_return fail(std::move(answer.error()));
      found = std::move(*answer);
    }
    if (!found || found->in_deleted_items) {
      gone.push_back({.link = std::move(link), .in_deleted_items = found.has_value()});
      continue;
    }
    // It lives on under another id, in a folder that is not read: the link goes with it.
    auto moved = context.store.write<void>([&](Transaction& transaction) -> Result<void> {
      store::Link there = link;
      there.remote_id = found->item.id;
      there.remote_version = found->item.version;
      there.folder = found->folder_id;
      there.state = store::LinkState::linked;
      auto taken = store::find_link(transaction, context.settings.mailbox, there.remote_id);
      if (!taken) return fail(std::move(taken.error()));
      if (*taken && (*taken)->id != there.id) {
        return unlink(context, transaction, link, "moved-onto-linked");
      }
      if (auto done = store::update_link(transaction, there); !done) return done;
      return note(context, transaction, there.remote_id, there.record, {.event = "moved"});
    });
    if (!moved) co_return fail(std::move(moved.error()));
    context.touched_links.insert(link.id);
  }
  if (gone.empty()) co_return Result<void>{};

  auto settled = context.store.write<void>([&](Transaction& transaction) -> Result<void> {
    const bool remove = context.policies().sync.deleted_in_exchange == model::DeleteRule::remove;
    if (auto done = find_wipes(context, transaction, gone); !done) return done;
    for (Gone& one : gone)
      if (!one.parted.empty())
        if (auto done = unlink(context, transaction, one.link, one.parted); !done) return done;
    std::erase_if(gone, [](const Gone& one) { return !one.parted.empty(); });
    for (const RecordKind kind : model::record_kinds) {
      const auto deletes = static_cast<std::uint64_t>(
          std::count_if(gone.begin(), gone.end(), [&](const Gone& one) { return one.link.kind == kind; }));
      if (deletes == 0) continue;
      auto linked = store::count_links(transaction, context.settings.mailbox, kind);
      if (!linked) return fail(std::move(linked.error()));
      if (remove && kind != RecordKind::email &&
          brakes(context.policies().sync, deletes, static_cast<std::uint64_t>(*linked))) {
        auto released = brake_is_released(context, transaction);
        if (!released) return fail(std::move(released.error()));
        if (!*released) {
          if (auto done = pull_brake(context, transaction, deletes, "in the mailbox"); !done) return done;
          continue;
        }
      }
      for (const Gone& one : gone)
        if (one.link.kind == kind)
          if (auto done = settle(context, transaction, one.link, remove, "deleted-in-exchange"); !done)
            return done;
    }
    return {};
  });
  co_return settled;
}

}  // namespace syncline::sync
