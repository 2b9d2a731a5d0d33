// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/run_context.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "base/text.hpp"
#include "store/cursors.hpp"
#include "sync/orders.hpp"

namespace syncline::sync {

Result<void> note(RunContext& context, store::Transaction& transaction, std::string_view item,
                  model::RecordId record, Line line) {
  if (log::enabled(log::Level::debug)) {
    const std::string number = record != 0 ? std::to_string(record) : std::string();
    const log::Ids ids{
        .mailbox = context.settings.address, .run = context.options.name, .record = number, .item = item};
    log::write(log::Level::debug, ids,
               line.reason.empty() ? std::string(line.event)
                                   : std::string(line.event) + ": " + std::string(line.reason));
  }
  return store::append_journal(transaction, {.mailbox = context.settings.mailbox,
                                             .item = std::string(item),
                                             .record = record,
                                             .event = std::string(line.event),
                                             .reason = std::string(line.reason),
                                             .text = std::move(line.text),
                                             .detail = std::move(line.detail)});
}

const RemoteFolder* RunContext::folder(std::string_view id) const {
  const auto found = std::find_if(folders.begin(), folders.end(),
                                  [&](const RemoteFolder& candidate) { return candidate.id == id; });
  return found == folders.end() ? nullptr : &*found;
}

Result<void> unlink(RunContext& context, store::Transaction& transaction, store::Link link,
                    std::string_view reason) {
  link.state = store::LinkState::unlinked;
  if (auto done = store::update_link(transaction, link); !done) return done;
  ++context.summary.of(link.kind).unlinked;
  return note(context, transaction, link.remote_id, link.record, {.event = "unlinked", .reason = reason});
}

Result<void> note_untracked(RunContext& context, store::Transaction& transaction, model::RecordKind kind,
                            const std::string& item, std::string_view reason, std::string detail) {
  auto before = store::list_journal(
      transaction, {.mailbox = context.settings.mailbox, .item = item, .event = "not-tracked", .most = 1});
  if (!before) return fail(std::move(before.error()));
  if (!before->empty() && before->front().reason == reason) return {};
  ++context.summary.of(kind).not_tracked;
  return note(context, transaction, item, 0,
              {.event = "not-tracked", .reason = reason, .detail = std::move(detail)});
}

Result<void> enqueue(RunContext& context, store::Transaction& transaction, WriteOrder order,
                     model::RecordId record, store::LinkId link, std::int64_t record_version) {
  order.operation_id = context.surroundings.random.uuid();
  store::Operation operation{.id = order.operation_id,
                             .mailbox = context.settings.mailbox,
                             .record = record,
                             .link = link,
                             .what = std::string(to_string(order.what)),
                             .created_at = context.now()};
  operation.order = to_json({.order = std::move(order), .record_version = record_version});
  if (log::enabled(log::Level::debug)) {
    const std::string number = std::to_string(record);
    const log::Ids ids{.mailbox = context.settings.address,
                       .run = context.options.name,
                       .operation = operation.id,
                       .record = number};
    log::write(log::Level::debug, ids, "wanted: " + operation.what);
  }
  return store::insert_operation(transaction, operation);
}

namespace {

/// Among the cursors of the mailbox's folders.
constexpr const char* touched_name = "!look-again";

}  // namespace

Result<void> keep_touched(RunContext& context, store::Transaction& transaction) {
  std::string ids;
  for (const store::LinkId id : context.touched_links) ids += (ids.empty() ? "" : " ") + std::to_string(id);
  if (ids == context.kept_touched) return {};
  context.kept_touched = ids;
  return store::put_cursor(
      transaction, {.mailbox = context.settings.mailbox, .folder = touched_name, .text = std::move(ids)});
}

Result<void> load_touched(RunContext& context) {
  auto kept = context.store.read<std::optional<store::Cursor>>([&](store::Transaction& transaction) {
    return store::find_cursor(transaction, context.settings.mailbox, touched_name);
  });
  if (!kept) return fail(std::move(kept.error()));
  if (!*kept) return {};
  context.kept_touched = (*kept)->text;
  for (const std::string_view id : text::split(context.kept_touched, ' '))
    if (const auto number = text::parse_int(id)) context.touched_links.insert(*number);
  return {};
}

Result<void> refresh_open_operations(RunContext& context) {
  auto unfinished = context.store.read<std::vector<store::Operation>>([&](store::Transaction& transaction) {
    return store::unfinished_operations(transaction, context.settings.mailbox);
  });
  if (!unfinished) return fail(std::move(unfinished.error()));
  context.open_operations.clear();
  context.busy_links.clear();
  context.doubles.clear();
  for (const store::Operation& operation : *unfinished) {
    context.open_operations.insert(operation.id);
    if (operation.link != 0) {
      context.busy_links.insert(operation.link);
    } else if (operation.what == to_string(WriteOrder::What::remove)) {
      auto stored = read_order(operation);
      if (!stored) return fail(std::move(stored.error()));
      context.doubles[stored->order.item.id] = stored->order.item.version;
    }
  }
  return {};
}

}  // namespace syncline::sync
