// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Records as other programs see them: JSON lines in and out (docs/records.md).
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/content.hpp"
#include "store/links.hpp"
#include "store/records.hpp"

namespace syncline::service {

inline constexpr std::size_t record_line_limit_octets = std::size_t{32} << 20;
/// Where a page of records ends though more were asked for; a record that is larger comes alone.
inline constexpr std::size_t record_page_octets = std::size_t{4} << 20;

/// {"id","kind","externalId","owner","version","deleted","links":[{"mailbox","remoteId","state"}],"fields"};
/// ids are decimal strings. `addresses`: of mailboxes, by id.
boost::json::object record_to_json(const model::Record& record, const std::vector<store::Link>& links,
                                   const std::map<store::MailboxId, std::string>& addresses);
/// The same, with the links looked up, and the addresses of their mailboxes where `addresses` has them not:
/// these are added.
Result<boost::json::object> record_to_json(store::Transaction& transaction, const model::Record& record,
                                           std::map<store::MailboxId, std::string>& addresses);
Result<std::map<store::MailboxId, std::string>> mailbox_addresses(store::Transaction& transaction);

/// What a line asks for; fields are checked and brought to their one shape.
struct RecordLine {
  std::optional<model::RecordId> id = std::nullopt;
  std::optional<std::int64_t> version = std::nullopt;
  std::optional<model::RecordKind> kind = std::nullopt;  ///< of an update: nullopt
  std::optional<std::string> external_id = std::nullopt;
  std::optional<std::string> owner = std::nullopt;
  std::optional<bool> deleted = std::nullopt;
  boost::json::object fields = {};  ///< as given for an update, whose kind the line does not say
};

/// Errors (domain input): "bad-json"; "bad-line" with what is missing, unknown or of the wrong type; those of
/// the fields: "unknown-field", "bad-value", "too-large".
Result<RecordLine> read_add_line(std::string_view line);
Result<RecordLine> read_update_line(std::string_view line);

/// One field's value, checked: recurrences and zones too. null stays null.
Result<model::FieldValue> canonical_field(model::RecordKind kind, std::string_view name,
                                          const boost::json::value& value);

struct RecordChange {
  enum class What : std::uint8_t { added, updated, unchanged, deleted };
  What what = What::added;
  model::Record record;
};
std::string_view to_string(RecordChange::What what) noexcept;

/// A line with a known external id updates that record, and brings it back if it was deleted. Errors (domain
/// input): "other-kind", "bad-value" where the fields together make no sense, "no-content": a file that the
/// fields name by its SHA-256 is not in `contents`.
Result<RecordChange> add_record(store::Transaction& transaction, const store::ContentStore& contents,
                                const RecordLine& line);
/// Given fields replace those of the record, the others stay. Errors: "no-record" (domain input);
/// "stale-version" (domain local); as add_record.
Result<RecordChange> update_record(store::Transaction& transaction, const store::ContentStore& contents,
                                   const RecordLine& line);
/// `version` nullopt: whatever it is.
Result<RecordChange> delete_record(store::Transaction& transaction, model::RecordId id,
                                   std::optional<std::int64_t> version);

/// "12"; nullopt for what is no id.
std::optional<model::RecordId> parse_record_id(std::string_view text) noexcept;

}  // namespace syncline::service
