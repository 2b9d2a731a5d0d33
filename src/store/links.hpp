// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Links: which record is which remote item, and what both sides last agreed on.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/record.hpp"
#include "store/store.hpp"

namespace syncline::store {

using MailboxId = std::int64_t;
using LinkId = std::int64_t;

enum class LinkState : std::uint8_t {
  linked,
  held_delete,  ///< the feed said that the item is gone; may be half of a move (invariant 4)
  unlinked,     ///< the pair was parted; kept so that the item is not taken for a new one
  conflict,     ///< both sides changed one field and the policy is to ask
};
std::string_view to_string(LinkState state) noexcept;

struct Link {
  LinkId id = 0;
  model::RecordId record = 0;
  MailboxId mailbox = 0;
  model::RecordKind kind = model::RecordKind::email;
  std::string folder = {};  ///< the driver's id of the folder
  std::string remote_id = {};
  std::string remote_version = {};
  std::string search_key = {};
  LinkState state = LinkState::linked;
  std::int64_t record_version = 0;  ///< of the record, when both sides last agreed
  model::Fields base = {};          ///< the item's mapped fields at that time
};

/// Sets id. Error "already-linked": that mailbox has a link for the remote id (any number may have an empty
/// one).
Result<Link> insert_link(Transaction& transaction, Link link);
/// All of the link with `link.id`. Errors: "no-link"; "already-linked".
Result<void> update_link(Transaction& transaction, const Link& link);
/// Only remote_version: an echo of our own write (invariant 3). Error "no-link".
Result<void> update_link_version(Transaction& transaction, LinkId id, std::string_view remote_version);
Result<void> delete_link(Transaction& transaction, LinkId id);

Result<std::optional<Link>> find_link(Transaction& transaction, LinkId id);
Result<std::optional<Link>> find_link(Transaction& transaction, MailboxId mailbox,
                                      std::string_view remote_id);
/// Copies of an item may share its key: one whose delete is held is what has moved, so it comes first; an
/// unlinked one last.
Result<std::optional<Link>> find_link_by_search_key(Transaction& transaction, MailboxId mailbox,
                                                    std::string_view search_key);
Result<std::vector<Link>> links_of_record(Transaction& transaction, model::RecordId record);
/// A mailbox may hold several copies of a message: the oldest that is not unlinked, else the oldest.
Result<std::optional<Link>> link_of_record_in(Transaction& transaction, model::RecordId record,
                                              MailboxId mailbox);
Result<std::vector<Link>> held_deletes(Transaction& transaction, MailboxId mailbox);
/// Remote id, version and link of everything in a folder that is not unlinked, for resync and audit; no base.
struct LinkKey {
  LinkId id = 0;
  std::string remote_id = {};
  std::string remote_version = {};
};
Result<std::vector<LinkKey>> link_keys(Transaction& transaction, MailboxId mailbox, std::string_view folder);
/// Links (linked, conflict) of a kind whose record has a higher version than `record_version`, oldest change
/// first. `after`: the last link of the page before; 0: from the beginning. What changes between two pages
/// may be left out of this round; it stays stale for the next.
Result<std::vector<Link>> stale_links(Transaction& transaction, MailboxId mailbox, model::RecordKind kind,
                                      LinkId after, int most);
/// Those that are not unlinked.
Result<std::int64_t> count_links(Transaction& transaction, MailboxId mailbox, model::RecordKind kind);

}  // namespace syncline::store
