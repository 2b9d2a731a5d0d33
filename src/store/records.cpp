// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/records.hpp"

#include <algorithm>
#include <iterator>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "store/address_index.hpp"
#include "store/connection.hpp"
#include "store/content.hpp"
#include "store/fields_text.hpp"
#include "store/lookup_key.hpp"

namespace syncline::store {
namespace {

using model::Record;
using model::RecordKind;

#define SYNCLINE_RECORD_COLUMNS \
  "SELECT id, kind, external_id, owner, version, deleted, fields, changed_at FROM record "

constexpr Sql insert_sql =
    "INSERT INTO record (kind, external_id, owner, version, deleted, change, message_key, token, "
    "conversation_key, status,"
    " fields, changed_at) VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
constexpr Sql current_sql = "SELECT version, kind, external_id, deleted, fields FROM record WHERE id = ?1";
constexpr Sql update_sql =
    "UPDATE record SET owner = ?2, version = ?3, deleted = ?4, change = ?5, message_key = ?6, token = ?7,"
    " conversation_key = ?8, status = ?9, fields = ?10, changed_at = ?11 WHERE id = ?1";
constexpr Sql stale_sql = "UPDATE link SET stale_since = ?2 WHERE record = ?1 AND state <> 2";
constexpr Sql last_change_sql = "SELECT max(change) FROM record";
constexpr Sql add_address_sql =
    "INSERT INTO address (address, rank, record) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
constexpr Sql remove_address_sql = "DELETE FROM address WHERE address = ?1 AND rank = ?2 AND record = ?3";
constexpr Sql find_sql = SYNCLINE_RECORD_COLUMNS "WHERE id = ?1 AND deleted <= ?2";
constexpr Sql by_external_id_sql = SYNCLINE_RECORD_COLUMNS "WHERE external_id = ?1";
constexpr Sql list_sql = SYNCLINE_RECORD_COLUMNS "WHERE id > ?1 AND deleted <= ?2 ORDER BY id LIMIT ?3";
constexpr Sql list_kind_sql =
    SYNCLINE_RECORD_COLUMNS "WHERE kind = ?1 AND deleted = 0 AND id > ?2 ORDER BY id LIMIT ?3";
constexpr Sql list_kind_all_sql = SYNCLINE_RECORD_COLUMNS "WHERE +kind = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
constexpr Sql list_owner_sql = SYNCLINE_RECORD_COLUMNS
    "WHERE owner = ?1 AND (?2 IS NULL OR kind = ?2) AND deleted <= ?3 AND id > ?4 ORDER BY id LIMIT ?5";
constexpr Sql count_sql = "SELECT count(*) FROM record WHERE kind = ?1 AND deleted = 0";
constexpr Sql changes_sql = "SELECT change, id FROM record WHERE change > ?1 ORDER BY change LIMIT ?2";
constexpr Sql by_message_id_sql =
    SYNCLINE_RECORD_COLUMNS "WHERE message_key = ?1 AND kind = 0 AND deleted = 0 ORDER BY id";
constexpr Sql by_uid_sql =
    SYNCLINE_RECORD_COLUMNS "WHERE message_key = ?1 AND kind = 1 AND deleted = 0 ORDER BY id LIMIT 1";
constexpr Sql by_token_sql =
    SYNCLINE_RECORD_COLUMNS "WHERE token = ?1 AND deleted = 0 ORDER BY id DESC LIMIT 1";
constexpr Sql by_conversation_sql =
    SYNCLINE_RECORD_COLUMNS "WHERE conversation_key = ?1 AND deleted = 0 ORDER BY id DESC LIMIT 1";
constexpr Sql id_by_message_id_sql =
    "SELECT id FROM record WHERE message_key = ?1 AND kind = 0 AND deleted = 0 ORDER BY id LIMIT 1";
constexpr Sql id_by_conversation_sql =
    "SELECT id FROM record WHERE conversation_key = ?1 AND deleted = 0 ORDER BY id DESC LIMIT 1";
constexpr Sql by_address_sql = "SELECT record FROM address WHERE address = ?1 ORDER BY rank, record LIMIT ?2";
constexpr Sql by_address_kind_sql =
    "SELECT record FROM address WHERE address = ?1 AND rank = ?2 ORDER BY record LIMIT ?3";
constexpr Sql outgoing_sql =
    SYNCLINE_RECORD_COLUMNS "WHERE status = ?1 AND owner = ?2 AND deleted = 0 ORDER BY id LIMIT ?3";

#undef SYNCLINE_RECORD_COLUMNS

constexpr int most_by_address = 1000;

int rank_of(RecordKind kind) {
  return kind == RecordKind::contact ? 0 : static_cast<int>(kind) + 1;
}

Result<Record> read_record(const Query& row) {
  Record record;
  record.id = row.integer(0);
  record.kind = static_cast<RecordKind>(row.integer(1));
  if (!row.is_null(2)) record.external_id = row.text(2);
  record.owner = row.text(3);
  record.version = row.integer(4);
  record.deleted = row.boolean(5);
  Result<model::Fields> fields = fields_from_text(row.view(6));
  if (!fields) return fail(std::move(fields.error()).during("reading record " + std::to_string(record.id)));
  record.fields = std::move(*fields);
  record.changed_at = row.time(7);
  return record;
}

std::optional<std::string_view> text_field(const model::Fields& fields, std::string_view name) {
  const std::string_view text = model::text_of(fields, name);
  return text.empty() ? std::nullopt : std::optional(text);
}

std::optional<std::int64_t> key_of_text(const model::Fields& fields, std::string_view name) {
  const auto text = text_field(fields, name);
  return text ? std::optional(lookup_key(*text)) : std::nullopt;
}

/// PR_CONVERSATION_INDEX: a header of 22 octets that is the conversation's, then 5 octets for each answer.
std::optional<std::int64_t> conversation_key(std::string_view index_base64) {
  constexpr std::size_t header_octets = 22;
  constexpr std::size_t header_characters = 32;  // the groups that hold 22 octets
  Result<std::string> octets = base64_decode(index_base64.substr(0, header_characters));
  if (!octets || octets->size() < header_octets) return std::nullopt;
  return lookup_key(std::string_view(*octets).substr(0, header_octets));
}

/// What stands in columns because it is looked for.
struct SoughtFields {
  std::optional<std::int64_t> message_key;  ///< of an appointment of its UID
  std::optional<std::string_view> token;
  std::optional<std::int64_t> conversation_key;
  std::optional<std::string_view> status;
};

SoughtFields sought_fields(RecordKind kind, const model::Fields& fields) {
  SoughtFields sought;
  if (kind == RecordKind::appointment) sought.message_key = key_of_text(fields, "uid");
  if (kind != RecordKind::email) return sought;
  sought.message_key = key_of_text(fields, "internetMessageId");
  if (const auto* mime = fields.if_contains("mime");
      !sought.message_key && mime != nullptr && mime->is_object())
    if (const auto sha256 = text_field(mime->get_object(), "sha256"))
      sought.message_key = lookup_key(octets_id(*sha256));
  sought.token = text_field(fields, "trackingToken");
  if (const auto index = text_field(fields, "conversationIndex"))
    sought.conversation_key = conversation_key(*index);
  if (text_field(fields, "direction") == "outgoing") sought.status = text_field(fields, "statusCode");
  return sought;
}

Result<std::int64_t> next_change(Transaction& transaction) {
  Transaction::Impl& connection = transaction.impl();
  if (!connection.last_change) {
    Result<std::int64_t> last = last_change(transaction);
    if (!last) return last;
    connection.last_change = *last;
  }
  return ++*connection.last_change;
}

Result<void> change_addresses(Transaction& transaction, Sql sql, const std::vector<std::string>& addresses,
                              RecordKind kind, model::RecordId record) {
  for (const std::string& address : addresses)
    if (auto done = execute(transaction.impl(), sql, lookup_key(address), rank_of(kind), record); !done)
      return done;
  return {};
}

}  // namespace

Result<Record> insert_record(Transaction& transaction, Record record) {
  Transaction::Impl& connection = transaction.impl();
  if (auto text = fields_to_text(record.fields, connection.json); !text) return fail(std::move(text.error()));
  const Result<std::int64_t> change = next_change(transaction);
  if (!change) return fail(change.error());
  record.changed_at = connection.now();
  const SoughtFields sought = sought_fields(record.kind, record.fields);
  auto inserted = execute(connection, insert_sql, record.kind, record.external_id, record.owner,
                          record.deleted, *change, sought.message_key, sought.token, sought.conversation_key,
                          sought.status, connection.json, record.changed_at);
  if (!inserted) {
    if (inserted.error().code == "already-there" && record.external_id)
      return fail(ErrorDomain::local, "external-id-taken",
                  "there is a record with the external id " + *record.external_id);
    return fail(std::move(inserted.error()));
  }
  record.id = sqlite3_last_insert_rowid(connection.handle());
  record.version = 1;
  if (const std::vector<StoredContent> contents = contents_in(record.fields); !contents.empty())
    if (auto referred = set_content_of_record(transaction, record.id, contents); !referred)
      return fail(std::move(referred.error()));
  if (!record.deleted) {
    auto added = change_addresses(transaction, add_address_sql, addresses_of(record.kind, record.fields),
                                  record.kind, record.id);
    if (!added) return fail(std::move(added.error()));
  }
  return record;
}

Result<Record> update_record(Transaction& transaction, Record record) {
  Transaction::Impl& connection = transaction.impl();
  std::vector<std::string> old_addresses;
  std::vector<StoredContent> old_contents;
  {
    Query current(connection, current_sql, record.id);
    const Result<bool> row = current.next();
    if (!row) return fail(row.error());
    if (!*row)
      return fail(ErrorDomain::local, "no-record", "there is no record " + std::to_string(record.id));
    const std::int64_t version = current.integer(0);
    if (version != record.version)
      return fail(ErrorDomain::local, "stale-version",
                  "record " + std::to_string(record.id) + " has version " + std::to_string(version) +
                      ", not " + std::to_string(record.version));
    record.kind = static_cast<RecordKind>(current.integer(1));
    record.external_id = current.is_null(2) ? std::nullopt : std::optional(current.text(2));
    // E-mails have no addresses in the index, and most refer to nothing: then the old text need not be read.
    const std::string_view old_text = current.view(4);
    if (record.kind != RecordKind::email || old_text.find("\"sha256\"") != std::string_view::npos) {
      Result<model::Fields> old_fields = fields_from_text(old_text);
      if (!old_fields) return fail(std::move(old_fields.error()));
      if (!current.boolean(3)) old_addresses = addresses_of(record.kind, *old_fields);
      old_contents = contents_in(*old_fields);
    }
  }
  if (auto text = fields_to_text(record.fields, connection.json); !text) return fail(std::move(text.error()));
  const Result<std::int64_t> change = next_change(transaction);
  if (!change) return fail(change.error());
  ++record.version;
  record.changed_at = connection.now();
  const SoughtFields sought = sought_fields(record.kind, record.fields);
  auto updated = execute(connection, update_sql, record.id, record.owner, record.version, record.deleted,
                         *change, sought.message_key, sought.token, sought.conversation_key, sought.status,
                         connection.json, record.changed_at);
  if (!updated) return fail(std::move(updated.error()));
  if (auto marked = execute(connection, stale_sql, record.id, *change); !marked)
    return fail(std::move(marked.error()));
  if (const std::vector<StoredContent> contents = contents_in(record.fields); contents != old_contents)
    if (auto referred = set_content_of_record(transaction, record.id, contents); !referred)
      return fail(std::move(referred.error()));

  const std::vector<std::string> new_addresses =
      record.deleted ? std::vector<std::string>() : addresses_of(record.kind, record.fields);
  std::vector<std::string> gone;
  std::vector<std::string> come;
  std::ranges::set_difference(old_addresses, new_addresses, std::back_inserter(gone));
  std::ranges::set_difference(new_addresses, old_addresses, std::back_inserter(come));
  auto changed = change_addresses(transaction, remove_address_sql, gone, record.kind, record.id);
  if (changed) changed = change_addresses(transaction, add_address_sql, come, record.kind, record.id);
  if (!changed) return fail(std::move(changed.error()));
  return record;
}

Result<std::optional<Record>> find_record(Transaction& transaction, model::RecordId id, bool deleted_too) {
  Query query(transaction.impl(), find_sql, id, deleted_too);
  return read_one<Record>(query, read_record);
}

Result<std::optional<Record>> find_record_by_external_id(Transaction& transaction,
                                                         std::string_view external_id) {
  Query query(transaction.impl(), by_external_id_sql, external_id);
  return read_one<Record>(query, read_record);
}

Result<std::vector<Record>> list_records(Transaction& transaction, const RecordQuery& wanted) {
  const int most = std::max(0, wanted.most);
  if (wanted.owner) {
    Query query(transaction.impl(), list_owner_sql, *wanted.owner, wanted.kind, wanted.deleted_too,
                wanted.after, most);
    return read_all<Record>(query, read_record);
  }
  if (wanted.kind) {
    Query query(transaction.impl(), wanted.deleted_too ? list_kind_all_sql : list_kind_sql, *wanted.kind,
                wanted.after, most);
    return read_all<Record>(query, read_record);
  }
  Query query(transaction.impl(), list_sql, wanted.after, wanted.deleted_too, most);
  return read_all<Record>(query, read_record);
}

Result<std::int64_t> count_records(Transaction& transaction, RecordKind kind) {
  Query query(transaction.impl(), count_sql, kind);
  auto count = read_one<std::int64_t>(query, [](const Query& row) { return row.integer(0); });
  if (!count) return fail(std::move(count.error()));
  return count->value_or(0);
}

Result<std::vector<RecordChange>> changes_since(Transaction& transaction, std::int64_t sequence, int most) {
  Query query(transaction.impl(), changes_sql, sequence, std::max(0, most));
  return read_all<RecordChange>(
      query, [](const Query& row) { return RecordChange{.sequence = row.integer(0), .id = row.integer(1)}; });
}

Result<std::int64_t> last_change(Transaction& transaction) {
  Query query(transaction.impl(), last_change_sql);
  auto last = read_one<std::int64_t>(query, [](const Query& row) { return row.integer(0); });
  if (!last) return fail(std::move(last.error()));
  return last->value_or(0);
}

Result<std::vector<Record>> find_emails_by_message_id(Transaction& transaction, std::string_view message_id) {
  Query query(transaction.impl(), by_message_id_sql, lookup_key(message_id));
  return read_all<Record>(query, read_record);
}

Result<std::optional<Record>> find_email_by_token(Transaction& transaction, std::string_view token) {
  Query query(transaction.impl(), by_token_sql, token);
  return read_one<Record>(query, read_record);
}

Result<std::optional<Record>> find_email_by_conversation(Transaction& transaction,
                                                         std::string_view conversation) {
  const std::optional<std::int64_t> key = conversation_key(conversation);
  if (!key) return std::optional<Record>();
  Query query(transaction.impl(), by_conversation_sql, *key);
  return read_one<Record>(query, read_record);
}

Result<std::optional<model::RecordId>> find_email_id_by_message_id(Transaction& transaction,
                                                                   std::string_view message_id) {
  Query query(transaction.impl(), id_by_message_id_sql, lookup_key(message_id));
  return read_one<model::RecordId>(query, [](const Query& row) { return row.integer(0); });
}

Result<std::optional<model::RecordId>> find_email_id_by_conversation(Transaction& transaction,
                                                                     std::string_view conversation) {
  const std::optional<std::int64_t> key = conversation_key(conversation);
  if (!key) return std::optional<model::RecordId>();
  Query query(transaction.impl(), id_by_conversation_sql, *key);
  return read_one<model::RecordId>(query, [](const Query& row) { return row.integer(0); });
}

Result<std::optional<Record>> find_appointment_by_uid(Transaction& transaction, std::string_view uid) {
  Query query(transaction.impl(), by_uid_sql, lookup_key(uid));
  return read_one<Record>(query, read_record);
}

Result<std::vector<model::RecordId>> find_by_address(Transaction& transaction, std::string_view address,
                                                     std::optional<RecordKind> kind) {
  const std::string key = address_key(address);
  const auto id = [](const Query& row) { return row.integer(0); };
  if (key.empty()) return std::vector<model::RecordId>();
  if (kind) {
    Query query(transaction.impl(), by_address_kind_sql, lookup_key(key), rank_of(*kind), most_by_address);
    return read_all<model::RecordId>(query, id);
  }
  Query query(transaction.impl(), by_address_sql, lookup_key(key), most_by_address);
  return read_all<model::RecordId>(query, id);
}

Result<std::vector<Record>> list_outgoing(Transaction& transaction, std::string_view status_code,
                                          std::string_view owner, int most) {
  Query query(transaction.impl(), outgoing_sql, status_code, owner, std::max(0, most));
  return read_all<Record>(query, read_record);
}

}  // namespace syncline::store
