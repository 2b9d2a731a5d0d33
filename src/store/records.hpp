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

/// Sets id and version (1). Error "external-id-taken".
Result<model::Record> insert_record(Transaction& transaction, model::Record record);

/// Replaces owner, deleted and fields of the record with `record.id`, if its version is still
/// `record.version`; the result has the next one. Errors: "no-record"; "stale-version", whose message names
/// the current one.
Result<model::Record> update_record(Transaction& transaction, model::Record record);

/// Without deleted ones unless asked for.
Result<std::optional<model::Record>> find_record(Transaction& transaction, model::RecordId id,
                                                 bool deleted_too = false);
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

/// E-mails: by Internet Message-ID, as many as bear it (invariant 14).
Result<std::vector<model::Record>> find_emails_by_message_id(Transaction& transaction,
                                                             std::string_view message_id);
/// E-mails by the tracking token or the first 22 octets (base64) of the conversation index.
Result<std::optional<model::Record>> find_email_by_token(Transaction& transaction, std::string_view token);
Result<std::optional<model::Record>> find_email_by_conversation(Transaction& transaction,
                                                                std::string_view conversation);
/// Records (contacts first) that hold this address, in any case, in their e-mail addresses; of other kinds:
/// among people.
Result<std::vector<model::RecordId>> find_by_address(Transaction& transaction, std::string_view address,
                                                     std::optional<model::RecordKind> kind = std::nullopt);

/// Outgoing e-mails in a state ("pendingSend"), oldest first.
Result<std::vector<model::Record>> list_outgoing(Transaction& transaction, std::string_view status_code,
                                                 std::string_view owner, int most);

}  // namespace syncline::store
