// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Records with versions and the organisation's change sequence.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/record.hpp"
#include "store/store.hpp"

namespace syncline::store {

/// Sets id and version (1). Errors: "external-id-taken" (a deleted record keeps its own, too); "too-deep",
/// "too-large".
Result<model::Record> insert_record(Transaction& transaction, model::Record record);

/// Replaces owner, deleted and fields of the record with `record.id`, if its version is still
/// `record.version`; the result has the next one. Errors: "no-record"; "stale-version", whose message names
/// the current one; "too-deep", "too-large". Kind and external id stay as they are.
Result<model::Record> update_record(Transaction& transaction, model::Record record);

/// Without deleted ones unless asked for.
Result<std::optional<model::Record>> find_record(Transaction& transaction, model::RecordId id,
                                                 bool deleted_too = false);
/// Deleted ones too: they may come back.
Result<std::optional<model::Record>> find_record_by_external_id(Transaction& transaction,
                                                                std::string_view external_id);

struct RecordQuery {
  std::optional<model::RecordKind> kind = std::nullopt;
  std::optional<std::string> owner = std::nullopt;
  bool deleted_too = false;
  model::RecordId after = 0;  ///< ids above this
  int most = 1000;
};
/// In the order of their ids.
Result<std::vector<model::Record>> list_records(Transaction& transaction, const RecordQuery& query);
Result<std::int64_t> count_records(Transaction& transaction, model::RecordKind kind);

/// The change sequence: every insert and update of a record gets the next number.
struct RecordChange {
  std::int64_t sequence = 0;
  model::RecordId id = 0;
};
/// The latest change of each record after `sequence`, ascending.
Result<std::vector<RecordChange>> changes_since(Transaction& transaction, std::int64_t sequence, int most);
Result<std::int64_t> last_change(Transaction& transaction);

/// E-mails: by Internet Message-ID (field internetMessageId), as many as bear it (invariant 14), oldest
/// first. None of these and the next finds deleted ones.
Result<std::vector<model::Record>> find_emails_by_message_id(Transaction& transaction,
                                                             std::string_view message_id);
/// The youngest e-mail by the tracking token (field trackingToken) or by the first 22 octets of the
/// conversation index (field conversationIndex, base64): those are the same in all of a conversation;
/// `conversation` may go on after them.
Result<std::optional<model::Record>> find_email_by_token(Transaction& transaction, std::string_view token);
Result<std::optional<model::Record>> find_email_by_conversation(Transaction& transaction,
                                                                std::string_view conversation);
/// Of the oldest and the youngest of those, only the id.
Result<std::optional<model::RecordId>> find_email_id_by_message_id(Transaction& transaction,
                                                                   std::string_view message_id);
Result<std::optional<model::RecordId>> find_email_id_by_conversation(Transaction& transaction,
                                                                     std::string_view conversation);
/// Records (contacts first, then by kind and id) that hold this address, in any case, in their e-mail
/// addresses; of other kinds: among people. The first thousand.
Result<std::vector<model::RecordId>> find_by_address(Transaction& transaction, std::string_view address,
                                                     std::optional<model::RecordKind> kind = std::nullopt);

/// Appointments that are one meeting share its UID (field uid; EWS calendar:UID); the first record that bears
/// it.
Result<std::optional<model::Record>> find_appointment_by_uid(Transaction& transaction, std::string_view uid);

/// Outgoing e-mails (field direction) of an owner in a state (field statusCode: "pendingSend"), oldest first.
Result<std::vector<model::Record>> list_outgoing(Transaction& transaction, std::string_view status_code,
                                                 std::string_view owner, int most);

}  // namespace syncline::store
