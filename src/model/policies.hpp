// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What an organisation has decided: [policy.sync], [policy.fields], [policy.conflict], [policy.mail] of its
// file. Defaults are the careful ones.
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "model/field_catalogue.hpp"

namespace syncline::model {

/// Which appointments, contacts and tasks of a mailbox become records (invariant 19). Linked ones always
/// stay.
enum class Adoption : std::uint8_t {
  none,
  category,        ///< those that bear the tracking category, or our property
  known_contacts,  ///< those with a person who is a contact record, too
  all,
};

/// Who wins where both sides changed one field (invariant 9). The other value stays in the journal.
enum class ConflictWinner : std::uint8_t { exchange, record, newest, ask };

/// What a delete on one side does on the other.
enum class DeleteRule : std::uint8_t { unlink, remove };

/// Records of one kind that go to a mailbox; several add up, none means nothing goes.
struct OutboundFilter {
  enum class Kind : std::uint8_t { owner, attendee, organizer, expression };
  Kind kind = Kind::owner;
  std::string expression =
      {};  ///< `field = "value"`, joined by `and`, `or`, `not`, parentheses (docs/records.md)
  friend bool operator==(const OutboundFilter&, const OutboundFilter&) = default;
};

struct SyncPolicy {
  Adoption adopt_appointments = Adoption::category;
  Adoption adopt_contacts = Adoption::category;
  Adoption adopt_tasks = Adoption::category;
  std::string tracking_category = "Tracked by Syncline";
  std::vector<OutboundFilter> send_appointments = {};
  std::vector<OutboundFilter> send_contacts = {};
  std::vector<OutboundFilter> send_tasks = {};
  DeleteRule deleted_in_exchange = DeleteRule::unlink;  ///< of the record, when its item was deleted
  DeleteRule deleted_in_record = DeleteRule::unlink;    ///< of the item, when its record was deleted
  /// The mass-delete brake: more deletes than both in one run stop and wait for `brake release`.
  int brake_count = 10;
  int brake_percent = 5;
  bool change_past_meetings = false;
  bool send_invitations = true;  ///< false: appointments are written, nobody is mailed
  bool three_addresses = true;  ///< of contacts; false: the business address only
  std::chrono::hours audit_every{7 * 24};
  /// How long a lost request may still be at work on the server (invariant 6).
  std::chrono::seconds server_time_limit{60};
  friend bool operator==(const SyncPolicy&, const SyncPolicy&) = default;
};

/// Which received mail becomes records.
enum class MailFilter : std::uint8_t { all, replies, known_contacts, known_records, none };

struct MailPolicy {
  MailFilter track = MailFilter::replies;
  bool track_sent = true;  ///< replies written in Outlook to tracked threads
  std::optional<SystemTime> process_from = std::nullopt;
  bool use_tracking_token = true;
  std::string token_prefix = "SYN";
  bool keep_mime = true;  ///< received octets go to the content store
  std::uint64_t attachment_limit_octets = std::uint64_t{5} << 20;
  std::uint64_t message_limit_octets = std::uint64_t{150} << 20;
  bool delete_after_processing = false;  ///< queues only
  int send_per_minute = 30;
  int mass_mail_recipients = 500;  ///< more recipients than this in one message are refused
  friend bool operator==(const MailPolicy&, const MailPolicy&) = default;
};

struct ConflictPolicy {
  ConflictWinner winner = ConflictWinner::newest;
  std::map<std::pair<RecordKind, std::string>, ConflictWinner> by_field = {};
  friend bool operator==(const ConflictPolicy&, const ConflictPolicy&) = default;
};

struct Policies {
  SyncPolicy sync = {};
  MailPolicy mail = {};
  ConflictPolicy conflict = {};
  std::map<std::pair<RecordKind, std::string>, Direction> directions =
      {};  ///< only what differs from the catalogue

  Direction direction_of(RecordKind kind, const FieldInfo& field) const;
  ConflictWinner winner_of(RecordKind kind, std::string_view field) const;
  friend bool operator==(const Policies&, const Policies&) = default;
};

}  // namespace syncline::model
