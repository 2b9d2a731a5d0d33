// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/run_context.hpp"

namespace syncline::sync {

Result<void> note(RunContext& context, store::Transaction& transaction, std::string_view item,
                  model::RecordId record, Line line) {
  return store::append_journal(transaction, {.mailbox = context.settings.mailbox,
                                             .item = std::string(item),
                                             .record = record,
                                             .event = std::string(line.event),
                                             .reason = std::string(line.reason),
                                             .text = std::move(line.text),
                                             .detail = std::move(line.detail)});
}

Result<void> refresh_open_operations(RunContext& context) {
  auto unfinished = context.store.read<std::vector<store::Operation>>([&](store::Transaction& transaction) {
    return store::unfinished_operations(transaction, context.settings.mailbox);
  });
  if (!unfinished) return fail(std::move(unfinished.error()));
  context.open_operations.clear();
  context.busy_links.clear();
  for (const store::Operation& operation : *unfinished) {
    context.open_operations.insert(operation.id);
    if (operation.link != 0) context.busy_links.insert(operation.link);
  }
  return {};
}

}  // namespace syncline::sync
