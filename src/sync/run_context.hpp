// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the phases of one run share.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "store/content.hpp"
#include "store/journal.hpp"
#include "store/operations.hpp"
#include "sync/mailbox_run.hpp"
#include "sync/plan/outbound.hpp"

namespace syncline::sync {

struct RunContext {
  Surroundings surroundings;
  store::Store& store;
  store::ContentStore& content;
  Driver& driver;
  const MailboxSettings& settings;
  RunOptions options;
  plan::OutboundRules outbound;
  MailboxSummary summary = {};
  std::vector<RemoteFolder> folders = {};

  /// Unfinished operations of the mailbox: by their id and by the link they write to.
  std::set<std::string, std::less<>> open_operations = {};
  std::set<store::LinkId> busy_links = {};
  /// Items without a link that an operation is going to remove, with the version it was made for: doubles of
  /// what a lost create made (invariant 6). As they are, they are nobody's copies.
  std::map<std::string, std::string, std::less<>> doubles = {};
  /// Links whose item is to be read again: it was written, or moved on while an operation was under way.
  std::set<store::LinkId> touched_links = {};
  std::string kept_touched = {};  ///< touched_links as the store has them

  /// When messages went out of this mailbox in the last minute and since; read when the first one goes.
  std::optional<std::vector<SystemTime>> sent_at = std::nullopt;

  /// Contents that were fetched for items of the page at hand; durable before its transaction (invariant 2).
  store::ContentBatch arriving = content.batch();

  /// How many items are read and held at once; learnt from the bodies of those before.
  std::size_t page_items = options.first_page_items;

  /// The folder at hand is read from its beginning once more: its messages have new ids, and most of them are
  /// known by their search keys. Bodies are fetched of those that are not.
  bool reading_again = false;

  SystemTime now() const { return surroundings.clock.now(); }
  const model::Policies& policies() const { return settings.policies; }
  /// nullptr: the server has no such folder (any more).
  const RemoteFolder* folder(std::string_view id) const;
  void report(std::string phase, std::string folder, std::uint64_t done, std::uint64_t total) const {
    if (options.on_progress) options.on_progress({std::move(phase), std::move(folder), done, total});
  }
};

/// A line of the journal about an item or a record of this mailbox.
struct Line {
  std::string_view event;
  std::string_view reason = {};
  std::string text = {};
  std::string detail = {};
};
Result<void> note(RunContext& context, store::Transaction& transaction, std::string_view item,
                  model::RecordId record, Line line);

/// Parts a link: record and item stay, and are no pair any more.
Result<void> unlink(RunContext& context, store::Transaction& transaction, store::Link link,
                    std::string_view reason);

/// Counts an item that does not become a record, and says why in the journal; once for each reason.
Result<void> note_untracked(RunContext& context, store::Transaction& transaction, model::RecordKind kind,
                            const std::string& item, std::string_view reason, std::string detail = {});

/// Journals an order as an operation that is ready to be carried out (invariant 6). `record` and `link` may
/// be 0; `record_version` is the record's that the order brings to the server.
Result<void> enqueue(RunContext& context, store::Transaction& transaction, WriteOrder order,
                     model::RecordId record, store::LinkId link, std::int64_t record_version = 0);

/// Makes touched_links durable with what made them so: the feed does not speak of those items again.
Result<void> keep_touched(RunContext& context, store::Transaction& transaction);
Result<void> load_touched(RunContext& context);

/// Reads the unfinished operations of the mailbox from the store.
Result<void> refresh_open_operations(RunContext& context);

}  // namespace syncline::sync
