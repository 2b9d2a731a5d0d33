// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the heart needs from one kind of server: list folders, pull a page of changes, read items, write. A
// driver translates between its protocol and records' fields; it keeps nothing between calls that a restart
// would miss.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/async.hpp"
#include "base/clock.hpp"
#include "model/record.hpp"

namespace syncline::sync {

/// An item on the server, as of one moment. Both are opaque; `version` is empty where the server has none.
struct RemoteRef {
  std::string id;
  std::string version = {};
  friend bool operator==(const RemoteRef&, const RemoteRef&) = default;
};

enum class FolderRole : std::uint8_t { inbox, sent, drafts, deleted, calendar, contacts, tasks, other };
std::string_view to_string(FolderRole role) noexcept;

struct RemoteFolder {
  std::string id;
  std::string name = {};
  std::string parent_id = {};
  FolderRole role = FolderRole::other;
  model::RecordKind kind = model::RecordKind::email;  ///< what its items become
  std::uint64_t total_items = 0;
  bool writable = true;
};

/// What servers give at most, and what is held at once.
constexpr std::size_t most_feed_entries = 512;

/// One entry of a folder's feed. Only ids: what an item holds is asked for by `read`.
struct FeedEntry {
  enum class What : std::uint8_t { changed, deleted, read_flag };
  What what = What::changed;
  RemoteRef item;
  bool is_read = false;  ///< of read_flag: the new state; no reading is needed (R-05)
};

struct FeedPage {
  std::vector<FeedEntry> entries;
  std::string
      cursor;  ///< where to go on; stored with what this page brings, in one transaction (invariant 1)
  bool last = true;
};

/// The header of what Syncline writes by itself: test mails, alerts, reports (invariant 18). It stands beside
/// Auto-Submitted (RFC 3834), which other programs' mail has too.
constexpr std::string_view own_mail_header = "X-Syncline-Automatic";

/// An item, read.
struct RemoteItem {
  RemoteRef ref;
  model::RecordKind kind = model::RecordKind::email;
  std::string folder_id = {};
  std::string item_class = {};
  bool opaque = false;  ///< of a class that no record can hold (R-04): counted, journalled, left alone
  std::string search_key = {};  ///< survives moves between folders (R-06); empty: the server has none
  std::optional<std::string> operation_id = std::nullopt;  ///< our mark (invariant 7)
  std::optional<SystemTime> last_modified = std::nullopt;
  bool is_organizer = true;  ///< of meetings: whether this mailbox may change and mail them (invariant 11)
  bool is_private = false;   ///< private or confidential: never read into a record (invariant 19)
  bool is_own_automatic_mail = false;  ///< bears own_mail_header (invariant 18)
  model::Fields fields = {};           ///< canonical; only what the server said
};

/// Where octets of unlimited size go, and come from.
class ContentSink {
 public:
  virtual ~ContentSink() = default;
  virtual Result<void> write(std::span<const std::byte> octets) = 0;
};
class ContentSource {
 public:
  virtual ~ContentSource() = default;
  virtual std::uint64_t size() const = 0;
  /// 0 at the end.
  virtual Result<std::size_t> read(std::span<std::byte> buffer) = 0;
  virtual Result<void> rewind() = 0;
};
/// Content by the SHA-256 of its octets, lower-case hexadecimal (invariant 2).
using OpenContent = std::function<Result<std::unique_ptr<ContentSource>>(std::string_view sha256)>;

/// One write, declared: what is to be true afterwards.
struct WriteOrder {
  enum class What : std::uint8_t {
    create,  ///< an item with `fields`, in the folder of its kind
    update,  ///< `item` gets `fields`; a field that is null is cleared, one that is absent stays
    remove,  ///< `item` goes to the deleted items, unless it changed since `item.version`
    send,    ///< `fields` as a message, exactly once
  };
  What what = What::create;
  std::string operation_id = {};  ///< stands in the item as its mark
  model::RecordKind kind = model::RecordKind::email;
  std::string folder_id = {};  ///< create: where; empty: the mailbox's own folder of the kind
  RemoteRef item = {};
  model::Fields fields = {};
  model::Fields base = {};      ///< update, remove: what the item held when both sides last agreed
  bool mail_attendees = false;  ///< send invitations, updates or cancellations (invariant 6)
  std::string send_as = {};     ///< send: the address it is sent on behalf of; empty: the mailbox's own
  /// send: our own test mail, alert or report. It bears Auto-Submitted and own_mail_header (invariant 18).
  bool is_automatic = false;
};

/// Notes how far a write has come, durably, before anything that cannot be repeated. What an earlier attempt
/// saved is in `text`; a driver that finds a begun step there settles it by evidence before it does anything
/// else, and never by a bare retry (invariant 6).
class Progress {
 public:
  virtual ~Progress() = default;
  /// What the last `save` wrote, in this run or before a crash; empty: nothing was begun.
  virtual std::string_view text() const = 0;
  /// Durable when it returns. An error ends the write: nothing may be sent after it.
  virtual Result<void> save(std::string text) = 0;
  /// When what is begun may no longer be at work on the server (server_time_limit past the last save).
  virtual SystemTime settled_after() const = 0;
};

struct Applied {
  RemoteRef item;  ///< with the version after the write; of a message that was sent and a removed item: may
                   ///< be empty
  /// What a person must know: "the user removed the draft before it was sent".
  std::string remark = {};
  /// Items that bear the operation's id beside `item` and nobody changed: to be removed (invariant 6).
  std::vector<RemoteRef> copies = {};
  std::string sent_message_id = {};  ///< send: Internet Message-ID of what went out, if the server told
  std::vector<std::string> refused_recipients = {};  ///< send: addresses that the server did not take
};

struct Claim {
  bool ours = false;
  std::string owner_id = {};  ///< organisation that holds it
  std::string owner_name = {};
  std::optional<SystemTime> since = std::nullopt;
  /// Who held it until now, when it was taken from another organisation: "Contoso (its id)".
  std::string taken_from = {};
};

/// Carries out WriteOrder::send for a driver whose protocol only reads: IMAP's and POP3's mail goes by SMTP.
using SendMail =
    std::function<Async<Applied>(const WriteOrder& order, Progress& progress, const OpenContent& content)>;

/// One mailbox on one server. Not for several threads at once. Errors keep their class (invariant 26); beside
/// the servers' own codes these have a meaning here (domain of the driver's protocol):
///  "conflict" (now): the item changed since WriteOrder::item.version: read it and merge again;
///  "gone" (never): the item is not there any more;
///  "uncertain" (after): a reply was lost and the time to settle it has not come;
///  "needs-person" (never): no evidence can tell.
class Driver {
 public:
  virtual ~Driver() = default;

  /// All folders that hold mail, appointments, contacts or tasks, parents before children.
  virtual Async<std::vector<RemoteFolder>> folders() = 0;

  /// A page of the folder's feed, of about `most` entries, newest first where the server can. Empty cursor:
  /// from the beginning. Error class resync: the server does not take the cursor any more.
  virtual Async<FeedPage> pull(const RemoteFolder& folder, std::string cursor,
                               std::size_t most = most_feed_entries) = 0;

  /// Messages received at or after `from`, ids only (invariant 15).
  virtual Async<std::vector<std::string>> received_since(const RemoteFolder& folder, SystemTime from) = 0;

  /// All ids and versions of a folder: the audit pass.
  virtual Async<std::vector<RemoteRef>> list(const RemoteFolder& folder) = 0;

  /// Fields of items of one kind, one result for each id, in order; no id stands there twice. Of messages all
  /// but body and attachments' content, unless `with_body`. "gone" for one that is not there; class
  /// quarantine for one that cannot be read.
  virtual Async<std::vector<Result<RemoteItem>>> read(model::RecordKind kind, std::vector<std::string> ids,
                                                      bool with_body) = 0;

  /// The item as received, octet for octet. Returns false, with nothing in the sink, where the server cannot
  /// make it.
  virtual Async<bool> fetch_mime(std::string id, ContentSink& sink, std::uint64_t most_octets) = 0;
  virtual Async<void> fetch_attachment(std::string attachment_id, ContentSink& sink,
                                       std::uint64_t most_octets) = 0;

  /// The first message attached to a message: what a rule of a mailbox sends on to a forward mailbox.
  /// nullopt: none is. Its ref.id is the attachment's, with which fetch_attachment gives its octets.
  virtual Async<std::optional<RemoteItem>> attached_message(std::string id) = 0;

  /// Where an item went that a feed said was deleted: looked for by its search key in the mailbox's folders,
  /// Deleted Items too; nullopt: nowhere (invariant 4).
  struct Found {
    RemoteRef item;
    std::string folder_id;
    bool in_deleted_items = false;
  };
  virtual Async<std::optional<Found>> find(model::RecordKind kind, std::string search_key) = 0;

  /// Carries an order out. May be called again after a crash with the progress that was saved.
  virtual Async<Applied> apply(const WriteOrder& order, Progress& progress, const OpenContent& content) = 0;

  /// How many orders of WriteOrder::send may be in `apply` at the same time, each a coroutine of its own on
  /// one executor; all else comes one at a time.
  virtual std::size_t sends_at_once() const { return 1; }

  /// Whether the next page may be pulled and read while contents of items that were read are asked for
  /// (fetch_mime, fetch_attachment, attached_message): what the driver holds of them it gives at once.
  virtual bool reads_beside() const { return false; }

  /// Takes our mark off an item that is a user's copy of one of ours (invariant 7).
  virtual Async<RemoteRef> unmark(RemoteRef item, model::RecordKind kind) = 0;

  /// Invariant 22. `take_over`: even from another organisation. An old lease of another one is taken as well.
  virtual Async<Claim> claim(std::string organisation_id, std::string organisation_name, bool take_over) = 0;

  /// Requests sent so far, for the summary.
  virtual std::uint64_t requests() const = 0;
};

}  // namespace syncline::sync
