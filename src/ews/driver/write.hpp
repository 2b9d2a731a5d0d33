// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What all writes share: the order with its journal, requests that must not happen twice, and looks at what
// the server holds.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ews/client/ews_client.hpp"
#include "ews/client/operation_kind.hpp"
#include "ews/driver/driver_state.hpp"
#include "ews/driver/write_journal.hpp"
#include "sync/driver.hpp"

namespace syncline::ews {

struct Write {
  EwsClient& client;
  DriverState& state;
  const sync::WriteOrder& order;
  const sync::OpenContent& content;
  WriteJournal journal;
};

// One for each WriteOrder::What.
Async<sync::Applied> create_item(Write& write);
Async<sync::Applied> update_item(Write& write);
Async<sync::Applied> remove_item(Write& write);
Async<sync::Applied> send_message(Write& write);

// ---- parts of those, each a step (or several) of its own

/// Attachments and photo of the order that the item has not yet; those that the order does without go.
/// `is_new`: the item was made in this attempt, and has none. Returns the item's new key.
Async<ItemId> write_attachments(Write& write, ItemId item, bool is_new);
bool has_attachment_work(const sync::WriteOrder& order);

/// The one request that mails (invariant 6): sets `mailed`, and takes attendees away, with
/// SendToAllAndSaveCopy. Returns the item's new key.
Async<ItemId> mail_meeting(Write& write, ItemId item, std::vector<ItemUpdate> attendees_removed);
/// Whether anybody would be mailed: attendees now, or before.
bool has_attendees(const model::Fields& fields);

/// Exceptions that the record has and the server's series has not (invariant 12), one by one. `remark` says
/// where both still differ afterwards. Returns the master's new key.
Async<ItemId> write_exceptions(Write& write, ItemId master, std::string& remark);
bool has_exception_work(const sync::WriteOrder& order);

/// What was made of a create or a message before the server refused the rest for good goes to Deleted Items.
/// Error: `refusal`, or that of the delete, after which the order goes on with `withdraw(write)`.
Async<sync::Applied> withdraw(Write& write, std::string id, const Error& refusal);
bool is_being_withdrawn(const Write& write);
Async<sync::Applied> withdraw(Write& write);

// ---- errors

/// The server's last word on this order: asking again brings the same.
bool is_refusal(const Error& error);
/// The item changed since the order was made.
Error conflict(std::string why);
Error gone();
/// A request may have been done: ask again when it can no longer be at work.
Error uncertain(const Write& write, const Error& last);
/// What a step begun earlier left cannot be told yet: the error of looking, never one that ends the order.
Error unsettled(Error looking);
/// ErrorIrresolvableConflict and its kin: the change key is not the item's any more.
bool is_stale_key(const Error& error);
bool is_missing(const Error& error);
/// Error "uncertain" while a request of an earlier attempt may still be at work on the server.
Result<void> may_settle(const Write& write);

// ---- requests

/// The mark that every update of ours leaves, in the same request: the evidence that it was done.
const ExtendedFieldUri& written_mark();
ItemUpdate set_mark(ItemKind kind, const ExtendedFieldUri& mark, const std::string& value);

/// A request that must not happen twice, as a step of the journal. Error "uncertain" if it may have been
/// done; after any other error it was not, and the step may be begun again.
template <class Request>
Async<typename decltype(Request::Response::messages)::value_type> once(Write& write, std::string step,
                                                                       Request request) {
  constexpr unsigned attempts = 3;
  if (auto begun = write.journal.begin(step); !begun) co_return fail(std::move(begun.error()));
  Error last;
  for (unsigned attempt = 0; attempt < attempts; ++attempt) {
    Request copy = request;
    auto reply = co_await write.client.call(std::move(copy));
    if (reply) {
      if (auto complete = reply->expect(1); !complete) reply = fail(std::move(complete.error()));
    }
    if (reply && reply->messages.front().ok()) {
      write.journal.close();
      co_return std::move(reply->messages.front());
    }
    last = reply ? to_error(reply->messages.front()) : std::move(reply.error());
    if (may_have_been_done(last)) co_return fail(uncertain(write, last));
    if (last.retry != RetryClass::now) break;
  }
  if (auto back = write.journal.take_back(); !back) co_return fail(std::move(back.error()));
  co_return fail(std::move(last));
}

/// All items that a search finds.
Async<std::vector<Item>> search_all(Write& write, FindItemRequest search);
/// The item as it is now; nullopt: it is not there any more.
Async<std::optional<Item>> look_at(Write& write, ItemRef id, ItemShape shape);
/// Its key now; error "gone".
Async<ItemId> current_key(Write& write, std::string id);
/// The id in an answer that carries one item; error "no-item" (after).
Result<ItemId> id_of(const std::vector<Item>& items);

}  // namespace syncline::ews
