// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/deletes.hpp"

#include <algorithm>

#include "store/configuration.hpp"
#include "store/records.hpp"

namespace syncline::sync {
namespace {

using model::RecordKind;
using store::Transaction;

std::string brake_setting(const RunContext& context) {
  return "brake:" + context.settings.address;
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

  std::vector<store::Link> gone;
  for (store::Link& link : *held) {
    std::optional<Driver::Found> found;
    if (!link.search_key.empty()) {
      const std::string key = link.search_key;
      auto answer = co_await context.driver.find(link.kind, key);
      if (!answer) co_return fail(std::move(answer.error()));
      found = std::move(*answer);
    }
    if (!found || found->in_deleted_items) {
      gone.push_back(std::move(link));
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
    for (const RecordKind kind : model::record_kinds) {
      const auto of_kind = static_cast<std::uint64_t>(std::count_if(
          gone.begin(), gone.end(), [&](const store::Link& link) { return link.kind == kind; }));
      if (of_kind == 0) continue;
      auto linked = store::count_links(transaction, context.settings.mailbox, kind);
      if (!linked) return fail(std::move(linked.error()));
      const auto count = static_cast<std::uint64_t>(*linked);
      // Everything gone at once is a wipe, not a thousand deletes (invariant 5).
      const bool wipe = of_kind > 1 && of_kind == count;
      if (remove && !wipe && kind != RecordKind::email && brakes(context.policies().sync, of_kind, count)) {
        auto released = brake_is_released(context, transaction);
        if (!released) return fail(std::move(released.error()));
        if (!*released) {
          if (auto done = pull_brake(context, transaction, of_kind, "in the mailbox"); !done) return done;
          continue;
        }
      }
      for (store::Link& link : gone) {
        if (link.kind != kind) continue;
        auto done = wipe ? unlink(context, transaction, link, "emptied-folder")
                         : settle(context, transaction, link, remove, "deleted-in-exchange");
        if (!done) return done;
      }
    }
    return {};
  });
  co_return settled;
}

}  // namespace syncline::sync
