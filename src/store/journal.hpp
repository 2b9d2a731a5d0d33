// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What happened to an item and why; what cannot be read; what a person must know; the audit of administrative
// acts.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "store/links.hpp"

namespace syncline::store {

struct JournalEntry {
  std::int64_t sequence = 0;  ///< set by append
  SystemTime at{};            ///< set by append
  MailboxId mailbox = 0;      ///< 0: of no mailbox
  std::string item = {};      ///< remote id; empty: none
  model::RecordId record = 0;
  std::string event = {};   ///< a stable word: "tracked", "not-tracked", "merged", "conflict", "sent", …
  std::string reason = {};  ///< a stable word: "no-correlation", …; may be empty
  std::string text = {};    ///< for people
  std::string detail = {};  ///< JSON: both values of a conflict, …
  std::string message_id =
      {};  ///< Internet Message-ID of a message without a record: one that was not tracked
};

Result<void> append_journal(Transaction& transaction, JournalEntry entry);
struct JournalQuery {
  std::optional<MailboxId> mailbox = std::nullopt;
  std::optional<std::string> item = std::nullopt;  ///< a remote id, a record's id or an Internet Message-ID
  std::optional<std::string> event = std::nullopt;
  std::int64_t after = 0;  ///< sequences above this
  int most = 1000;
};
/// In the order of their sequence.
Result<std::vector<JournalEntry>> list_journal(Transaction& transaction, const JournalQuery& query);

struct Quarantined {
  MailboxId mailbox = 0;
  std::string folder = {};
  std::string item = {};
  std::string item_version = {};
  std::string code = {};
  std::string text = {};  ///< the server's
  SystemTime first_seen{};
  SystemTime last_tried{};
  int attempts = 0;
  bool replay = false;  ///< a person asked for another try
};
/// Adds or replaces; the time of the first sight stays that of the row that is there.
Result<void> put_quarantined(Transaction& transaction, const Quarantined& item);
Result<std::optional<Quarantined>> find_quarantined(Transaction& transaction, MailboxId mailbox,
                                                    std::string_view item);
/// Those asked for by a person, or last tried before `tried_before` (R-22: weekly).
Result<std::vector<Quarantined>> quarantine_due(Transaction& transaction, MailboxId mailbox,
                                                SystemTime tried_before);
Result<std::vector<Quarantined>> list_quarantine(Transaction& transaction, std::optional<MailboxId> mailbox);
Result<void> release_quarantined(Transaction& transaction, MailboxId mailbox, std::string_view item);

enum class AlertLevel : std::uint8_t { information, warning, error };
struct Alert {
  std::int64_t id = 0;  ///< set by raise
  SystemTime at{};      ///< set by raise: the latest time
  MailboxId mailbox = 0;
  AlertLevel level = AlertLevel::error;
  std::string code = {};  ///< a second alert of a mailbox with this code refreshes the first one that is open
  std::string text = {};
  std::string remedy = {};
  int count = 1;     ///< set by raise: how often it came
  bool open = true;  ///< set by raise
};
Result<void> raise_alert(Transaction& transaction, const Alert& alert);
Result<void> clear_alert(Transaction& transaction, MailboxId mailbox, std::string_view code);
/// Latest first.
Result<std::vector<Alert>> list_alerts(Transaction& transaction, bool open_only);

/// Every administrative act: who, what, on what, why.
struct AuditEntry {
  std::int64_t sequence = 0;  ///< set by append
  SystemTime at{};            ///< set by append
  std::string who = {};
  std::string act = {};
  std::string object = {};
  std::string reason = {};
};
/// Kept for good: the database itself refuses to change or remove a row.
Result<void> append_audit(Transaction& transaction, AuditEntry entry);
Result<std::vector<AuditEntry>> list_audit(Transaction& transaction, std::int64_t after, int most);
/// 0: nobody has acted yet.
Result<std::int64_t> last_audit(Transaction& transaction);

}  // namespace syncline::store
