// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// An IMAP mailbox as the heart sees one (sync/driver.hpp): mail only. Appointments, contacts and tasks are
// not this protocol's; messages go out by SMTP.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "routing/imap/connect.hpp"
#include "routing/imap/driver/feed_cursor.hpp"
#include "routing/imap/driver/item_id.hpp"
#include "routing/imap/driver/message_cache.hpp"
#include "sync/driver.hpp"

namespace syncline::imap {

struct DriverSettings {
  mail::Endpoint endpoint = {};
  ConnectSettings connect = {};
  /// A VANISHED that takes more than this share of a folder, and more than `trusted_vanished` messages, is
  /// checked by a search before it is believed.
  unsigned trusted_percent = 20;
  std::uint64_t trusted_vanished = 50;
  std::size_t messages_a_command = 200;
  std::uint64_t octets_a_command = std::uint64_t{4} << 20;
  /// Larger ones are read by their header and structure; their body is in the message alone.
  std::uint64_t whole_octets = std::uint64_t{64} << 20;
  /// What is kept of messages that were read, as they will be asked for: as received, or the attachments.
  bool keep_as_received = true;
  std::size_t cache_octets = std::size_t{6} << 20;
  std::size_t cached_message_octets = std::size_t{1} << 20;
  /// A pool of one thread, where messages are read while the next arrive; null: they are read in turn.
  std::shared_ptr<auth::BlockingPool> reading_thread = nullptr;
};

class ImapDriver final : public sync::Driver {
 public:
  /// `environment` must outlive it. `send` may be empty: nothing goes out.
  ImapDriver(net::Environment& environment, DriverSettings settings, sync::SendMail send = {});

  Async<std::vector<sync::RemoteFolder>> folders() override;
  Async<sync::FeedPage> pull(const sync::RemoteFolder& folder, std::string cursor,
                             std::size_t most = sync::most_feed_entries) override;
  Async<std::vector<std::string>> received_since(const sync::RemoteFolder& folder, SystemTime from) override;
  Async<std::vector<sync::RemoteRef>> list(const sync::RemoteFolder& folder) override;
  Async<std::vector<Result<sync::RemoteItem>>> read(model::RecordKind kind, std::vector<std::string> ids,
                                                    bool with_body) override;
  Async<bool> fetch_mime(std::string id, sync::ContentSink& sink, std::uint64_t most_octets) override;
  Async<void> fetch_attachment(std::string attachment_id, sync::ContentSink& sink,
                               std::uint64_t most_octets) override;
  Async<std::optional<sync::RemoteItem>> attached_message(std::string id) override;
  Async<std::optional<Found>> find(model::RecordKind kind, std::string search_key) override;
  /// As many as smtp::Sender takes.
  std::size_t sends_at_once() const override { return 2; }
  bool reads_beside() const override { return true; }
  Async<sync::Applied> apply(const sync::WriteOrder& order, sync::Progress& progress,
                             const sync::OpenContent& content) override;
  Async<sync::RemoteRef> unmark(sync::RemoteRef item, model::RecordKind kind) override;
  /// IMAP has no place for a claim that only we see: the mailbox is whoever's has the password.
  Async<sync::Claim> claim(std::string organisation_id, std::string organisation_name,
                           bool take_over) override;
  std::uint64_t requests() const override;

  // --- what the SMTP driver needs of the Sent folder (invariants 6 and 17) ---

  /// By Message-ID, X-Microsoft-Original-Message-ID and our own header field.
  Async<std::optional<sync::RemoteRef>> find_sent(std::string message_id, std::string operation_id);
  /// Marked as read. Error mail "no-sent-folder" (never).
  Async<sync::RemoteRef> append_sent(sync::ContentSource& message, std::string message_id);

  /// Waits for changes of a folder: IDLE, or NOOP now and then. True: it is not as the last pull() found it,
  /// or this driver has not pulled it yet; false: `until` has come, or end_wait(). What is kept between calls
  /// is given back first: the driver may wait for long.
  Async<bool> wait_for_change(const sync::RemoteFolder& folder, SteadyTime until);
  /// From another coroutine of the executor.
  void end_wait();
  /// Of the provider's cap of a folder and the like, for the journal; each once.
  std::vector<std::string> take_warnings();
  /// LOGOUT. The next call connects again.
  Async<void> close();

 private:
  /// In turn, and once more on a new connection where the old one turns out to have ended.
  template <class T, class Operation>
  Async<T> on_connection(Operation operation);
  Async<void> ensure_connected();
  Async<void> open_folder(const std::string& name, bool refresh = false,
                          std::optional<Resume> resume = std::nullopt);
  Async<std::vector<Folder>> listed();

  Async<sync::FeedPage> pull_once(const sync::RemoteFolder& folder, const std::string& text,
                                  std::size_t most);
  Async<void> begin_round(FeedCursor& cursor, const std::string& folder, sync::FeedPage& page);
  Result<void> plausible(const UidSet& found) const;
  Async<UidSet> present(Uid from, Uid to);
  Async<void> apply_flags(FeedCursor& cursor, const std::vector<FlagState>& states, bool all_told,
                          const std::string& folder, sync::FeedPage& page);
  Async<void> vanish(FeedCursor& cursor, UidSet vanished, const std::string& folder, sync::FeedPage& page);
  Async<std::vector<Result<sync::RemoteItem>>> read_once(const std::vector<std::string>& ids, bool with_body);
  Async<void> read_folder(const std::string& folder, std::uint32_t uid_validity, const UidSet& uids,
                          bool with_body, std::map<std::string, Result<sync::RemoteItem>>& results);
  Async<std::map<Uid, std::uint64_t>> sizes_of(const UidSet& uids);
  std::vector<FetchBatch> batches_by_size(const UidSet& uids,
                                          const std::map<Uid, std::uint64_t>& sizes) const;
  Async<std::optional<Found>> find_once(const SearchKey& key);
  Async<std::optional<Uid>> find_in_open_folder(const SearchKey& key);
  Async<ItemId> locate(const std::string& id);
  Async<sync::Applied> remove(const sync::WriteOrder& order, sync::Progress& progress);
  Async<Copied> move_by_copy(const ItemId& item, const std::string& target, sync::Progress& progress);
  Async<std::optional<SearchKey>> search_key_of(Uid uid);
  Async<sync::Applied> update(const sync::WriteOrder& order);
  Async<std::string> folder_of(sync::FolderRole role);
  void give_back();
  void warn(std::string text);

  net::Environment& environment_;
  DriverSettings settings_;
  sync::SendMail send_;
  std::unique_ptr<Client> client_;
  /// Whose turn it is on the connection. Shared with who has it: an operation may be dropped after the
  /// driver.
  struct Line;
  std::shared_ptr<Line> line_;
  std::optional<Selected> selected_;  ///< as SELECT said it
  std::optional<std::vector<Folder>> folders_;
  MessageCache cache_;
  /// What the last pull() of each folder began with, to tell whether anything came while nobody listened.
  struct Mark {
    std::uint32_t uid_validity = 0;
    std::uint32_t uid_next = 0;
    std::uint64_t exists = 0;
    std::uint64_t modseq = 0;
    friend bool operator==(const Mark&, const Mark&) = default;
  };
  Mark mark_of_open_folder() const;
  std::map<std::string, Mark> marks_;
  bool wait_ended_ = false;
  /// What a folder held when the walk over it began, so that each page does not ask again.
  std::string walked_folder_;
  UidSet walked_;
  /// Sizes of messages that are about to be read.
  std::string sized_folder_;
  std::map<Uid, std::uint64_t> sizes_;
  std::vector<std::string> warnings_;
  std::uint64_t earlier_requests_ = 0;
};

}  // namespace syncline::imap
