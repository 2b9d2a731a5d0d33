// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One item that was read, on its way into the store: what is decided before the transaction, and what the
// transaction does with it.
#include <optional>
#include <string>
#include <vector>

#include "store/content.hpp"
#include "sync/plan/delivery_report.hpp"
#include "sync/plan/mail_tracking.hpp"
#include "sync/run_context.hpp"

namespace syncline::sync {

struct IncomingItem {
  RemoteItem item;
  /// Of a message: what was decided, and what of it was fetched.
  plan::TrackingDecision tracking = {};
  std::optional<store::StoredContent> mime = std::nullopt;
  plan::DeliveryReport report = {};
  /// In a forward mailbox: the attachment that holds the message; `item` has its fields.
  std::string attached_id = {};
  /// Addresses that several contact records hold, with those records: which of them is meant nobody can tell.
  boost::json::object ambiguous = {};
  model::RecordId thread = 0;  ///< record of the message it answers
  /// The item that its search key or mark says it is, if that one is gone or still there (a copy,
  /// invariant 7).
  std::optional<store::Link> known_as = std::nullopt;
  bool known_is_gone = false;
  /// `known_as` was parted from its record, which was deleted: the item is nobody's, under any id.
  bool known_is_parted = false;
  /// Whether there was a link for its id when the page was sorted; nothing else makes links meanwhile.
  std::optional<bool> linked = std::nullopt;
};

/// The link of its id; the store is not asked where `linked` says that there is none.
Result<std::optional<store::Link>> link_of(RunContext& context, store::Transaction& transaction,
                                           const IncomingItem& incoming);
/// What `linked` says, or the store.
Result<bool> is_linked(RunContext& context, store::Transaction& transaction, const IncomingItem& incoming);

/// Of an item that was parted from its record: the link learns its new id, and nothing else happens.
Result<void> keep_parted(store::Transaction& transaction, const RemoteFolder& folder,
                         const IncomingItem& incoming);

/// The errors of single items; everything else ends the run.
bool is_of_one_item(const Error& error);

/// An attachment's octets, into the content store. An error of this one attachment ("gone", "too-large", …)
/// is the inner result; those of the run are the outer.
Async<Result<store::StoredContent>> keep_attachment(RunContext& context, std::string attachment_id,
                                                    std::uint64_t most_octets);

/// Decides on messages and fetches the content of those that are tracked. Items keep their order.
Async<void> prepare_messages(RunContext& context, const RemoteFolder& folder,
                             std::vector<IncomingItem>& items);
/// Fetches the photos of contacts and the attachments of appointments, where they are synchronised, into the
/// content store.
Async<void> prepare_files(RunContext& context, std::vector<IncomingItem>& items);

/// Puts one item into records and links. `folder` is where it was found.
Result<void> put_message(RunContext& context, store::Transaction& transaction, const RemoteFolder& folder,
                         IncomingItem& incoming);
Result<void> put_act(RunContext& context, store::Transaction& transaction, const RemoteFolder& folder,
                     IncomingItem& incoming);

/// The link of an item whose record and fields are merged: shared by both.
Result<void> merge_linked(RunContext& context, store::Transaction& transaction, store::Link link,
                          const RemoteFolder& folder, const IncomingItem& incoming);

}  // namespace syncline::sync
