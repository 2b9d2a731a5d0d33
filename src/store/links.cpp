// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/links.hpp"

#include <algorithm>

#include "store/connection.hpp"
#include "store/fields_text.hpp"
#include "store/links_alike.hpp"
#include "store/lookup_key.hpp"

namespace syncline::store {
namespace {

#define SYNCLINE_LINK_COLUMNS                                                                      \
  "SELECT link.id, link.record, link.mailbox, link.kind, folder.name, remote_id, remote_version, " \
  "search_key, state,"                                                                             \
  " record_version, coalesce(link.base, link_base.base)"                                           \
  " FROM link JOIN folder ON folder.id = link.folder LEFT JOIN link_base ON link_base.link = link.id "

constexpr Sql find_folder_sql = "SELECT id FROM folder WHERE mailbox = ?1 AND name = ?2";
constexpr Sql insert_folder_sql = "INSERT INTO folder (mailbox, name) VALUES (?1, ?2)";
// The record's change counts if its version is above what both sides agreed on; unlinked pairs are never
// stale.
constexpr Sql insert_sql =
    "INSERT INTO link (record, mailbox, kind, folder, remote_id, remote_version, search_key, search_id, "
    "state, "
    "record_version, base, stale_since) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?10, ?8, ?9, ?11,"
    " CASE WHEN ?8 = 2 THEN NULL ELSE (SELECT change FROM record WHERE id = ?1 AND version > ?9) END)";
constexpr Sql update_sql =
    "UPDATE link SET record = ?1, mailbox = ?2, kind = ?3, folder = ?4, remote_id = ?5, remote_version = ?6,"
    " search_key = ?7, search_id = ?10, state = ?8, record_version = ?9, base = ?11,"
    " stale_since ="
    " CASE WHEN ?8 = 2 THEN NULL ELSE (SELECT change FROM record WHERE id = ?1 AND version > ?9) END WHERE "
    "id = ?12";
constexpr Sql remove_base_sql = "DELETE FROM link_base WHERE link = ?1";
constexpr Sql put_base_sql =
    "INSERT INTO link_base (link, base) VALUES (?1, ?2) ON CONFLICT (link) DO UPDATE SET base = "
    "excluded.base";
constexpr Sql update_version_sql = "UPDATE link SET remote_version = ?2 WHERE id = ?1";
constexpr Sql delete_sql = "DELETE FROM link WHERE id = ?1";
// The conditions on empty texts are those of the partial indices.
constexpr Sql find_sql = SYNCLINE_LINK_COLUMNS
    "WHERE link.mailbox = ?1 AND remote_id = ?2 AND remote_id <> '' ORDER BY link.id LIMIT 1";
constexpr Sql find_by_id_sql = SYNCLINE_LINK_COLUMNS "WHERE link.id = ?1";
// Chosen among in the program: to sort, SQLite makes a table for each look-up, found or not.
constexpr Sql by_search_key_sql = SYNCLINE_LINK_COLUMNS
    "WHERE link.mailbox = ?1 AND search_id = ?3 AND search_id IS NOT NULL AND search_key = ?2";
constexpr Sql of_record_sql = SYNCLINE_LINK_COLUMNS "WHERE link.record = ?1 ORDER BY link.id";
constexpr Sql of_record_in_sql =
    SYNCLINE_LINK_COLUMNS "WHERE link.record = ?1 AND +link.mailbox = ?2 ORDER BY state = 2, link.id LIMIT 1";
constexpr Sql held_sql = SYNCLINE_LINK_COLUMNS "WHERE link.mailbox = ?1 AND state = 1 ORDER BY link.id";
// All kinds are named so that the index on mailbox, kind and folder serves.
constexpr Sql keys_sql =
    "SELECT id, remote_id, remote_version FROM link WHERE mailbox = ?1 AND kind IN (0, 1, 2, 3) AND state <> "
    "2"
    " AND folder = (SELECT id FROM folder WHERE mailbox = ?1 AND name = ?2) ORDER BY id";
constexpr Sql change_of_link_sql =
    "SELECT record.change FROM link JOIN record ON record.id = link.record WHERE link.id = ?1";
constexpr Sql stale_sql = SYNCLINE_LINK_COLUMNS
    "WHERE link.mailbox = ?1 AND link.kind = ?2 AND stale_since IS NOT NULL AND (stale_since, link.id) > "
    "(?3, ?4)"
    " AND state IN (0, 3) ORDER BY stale_since, link.id LIMIT ?5";
constexpr Sql count_sql = "SELECT count(*) FROM link WHERE mailbox = ?1 AND kind = ?2 AND state <> 2";

#undef SYNCLINE_LINK_COLUMNS

static_assert(static_cast<int>(LinkState::held_delete) == 1 && static_cast<int>(LinkState::unlinked) == 2 &&
                  static_cast<int>(LinkState::conflict) == 3,
              "the numbers stand in the statements above and in the schema");

Result<Link> read_link(const Query& row) {
  Link link;
  link.id = row.integer(0);
  link.record = row.integer(1);
  link.mailbox = row.integer(2);
  link.kind = static_cast<model::RecordKind>(row.integer(3));
  link.folder = row.text(4);
  link.remote_id = row.text(5);
  link.remote_version = row.text(6);
  link.search_key = row.text(7);
  link.state = static_cast<LinkState>(row.integer(8));
  link.record_version = row.integer(9);
  if (!row.is_null(10)) {
    Result<model::Fields> base = fields_from_text(row.view(10));
    if (!base) return fail(std::move(base.error()).during("reading link " + std::to_string(link.id)));
    link.base = std::move(*base);
  }
  return link;
}

Result<std::int64_t> folder_id(Transaction& transaction, MailboxId mailbox, const std::string& name) {
  Transaction::Impl& connection = transaction.impl();
  auto& known = connection.folder_of_last_link;
  if (known && known->mailbox == mailbox && known->name == name) return known->id;
  Query query(connection, find_folder_sql, mailbox, name);
  auto found = read_one<std::int64_t>(query, [](const Query& row) { return row.integer(0); });
  if (!found) return fail(std::move(found.error()));
  std::int64_t id = found->value_or(0);
  if (!*found) {
    if (auto made = execute(connection, insert_folder_sql, mailbox, name); !made)
      return fail(std::move(made.error()));
    id = sqlite3_last_insert_rowid(connection.handle());
  }
  known = Transaction::Impl::KnownFolder{.mailbox = mailbox, .name = name, .id = id};
  return id;
}

unexpected<Error> refused(Error error, const Link& link) {
  if (error.code == "already-there")
    return fail(ErrorDomain::local, "already-linked",
                "the mailbox has a link for the item " + link.remote_id);
  return fail(std::move(error));
}

unexpected<Error> no_link(LinkId id) {
  return fail(ErrorDomain::local, "no-link", "there is no link " + std::to_string(id));
}

/// Of e-mails, which are the most, it is what may still change: some words.
constexpr std::size_t short_base_octets = 200;

/// What of the base stands in the link's own row.
struct BaseText {
  bool is_short = true;
  std::optional<std::string_view> in_row = std::nullopt;
};
/// In the connection's memory for JSON.
Result<BaseText> base_text(Transaction& transaction, const Link& link) {
  if (link.base.empty()) return BaseText{};
  std::string& json = transaction.impl().json;
  if (auto text = fields_to_text(link.base, json); !text) return fail(std::move(text.error()));
  if (json.size() > short_base_octets) return BaseText{.is_short = false};
  return BaseText{.in_row = json};
}

std::optional<std::int64_t> search_id(const Link& link) {
  return link.search_key.empty() ? std::nullopt : std::optional(lookup_key(link.search_key));
}

}  // namespace

std::string_view to_string(LinkState state) noexcept {
  switch (state) {
    case LinkState::linked:
      return "linked";
    case LinkState::held_delete:
      return "held-delete";
    case LinkState::unlinked:
      return "unlinked";
    case LinkState::conflict:
      return "conflict";
  }
  return "linked";
}

Result<Link> insert_link(Transaction& transaction, Link link) {
  const Result<std::int64_t> folder = folder_id(transaction, link.mailbox, link.folder);
  if (!folder) return fail(folder.error());
  const Result<BaseText> base = base_text(transaction, link);
  if (!base) return fail(base.error());
  Transaction::Impl& connection = transaction.impl();
  auto inserted = execute(connection, insert_sql, link.record, link.mailbox, link.kind, *folder,
                          link.remote_id, link.remote_version, link.search_key, link.state,
                          link.record_version, search_id(link), base->in_row);
  if (!inserted) return refused(std::move(inserted.error()), link);
  link.id = sqlite3_last_insert_rowid(connection.handle());
  if (!base->is_short)
    if (auto put = execute(connection, put_base_sql, link.id, connection.json); !put)
      return fail(std::move(put.error()));
  return link;
}

Result<void> update_link(Transaction& transaction, const Link& link) {
  const Result<std::int64_t> folder = folder_id(transaction, link.mailbox, link.folder);
  if (!folder) return fail(folder.error());
  const Result<BaseText> base = base_text(transaction, link);
  if (!base) return fail(base.error());
  Transaction::Impl& connection = transaction.impl();
  auto updated = execute(connection, update_sql, link.record, link.mailbox, link.kind, *folder,
                         link.remote_id, link.remote_version, link.search_key, link.state,
                         link.record_version, search_id(link), base->in_row, link.id);
  if (!updated) return refused(std::move(updated.error()), link);
  if (changed_rows(connection) == 0) return no_link(link.id);
  if (base->is_short) return execute(connection, remove_base_sql, link.id);
  return execute(connection, put_base_sql, link.id, connection.json);
}

Result<void> update_link_version(Transaction& transaction, LinkId id, std::string_view remote_version) {
  if (auto updated = execute(transaction.impl(), update_version_sql, id, remote_version); !updated)
    return updated;
  if (changed_rows(transaction.impl()) == 0) return no_link(id);
  return {};
}

Result<void> delete_link(Transaction& transaction, LinkId id) {
  return execute(transaction.impl(), delete_sql, id);
}

Result<std::optional<Link>> find_link(Transaction& transaction, MailboxId mailbox,
                                      std::string_view remote_id) {
  Query query(transaction.impl(), find_sql, mailbox, remote_id);
  return read_one<Link>(query, read_link);
}

Result<std::optional<Link>> find_link(Transaction& transaction, LinkId id) {
  Query query(transaction.impl(), find_by_id_sql, id);
  return read_one<Link>(query, read_link);
}

Result<std::vector<Link>> find_links_by_search_key(Transaction& transaction, MailboxId mailbox,
                                                   std::string_view search_key) {
  Query query(transaction.impl(), by_search_key_sql, mailbox, search_key, lookup_key(search_key));
  auto links = read_all<Link>(query, read_link);
  if (!links) return fail(std::move(links.error()));
  const auto rank = [](const Link& link) {
    const int of_state = link.state == LinkState::held_delete ? 0 : link.state == LinkState::unlinked ? 2 : 1;
    return std::pair(of_state, link.id);
  };
  std::ranges::sort(*links, {}, rank);
  return links;
}

Result<std::optional<Link>> find_link_by_search_key(Transaction& transaction, MailboxId mailbox,
                                                    std::string_view search_key) {
  auto links = find_links_by_search_key(transaction, mailbox, search_key);
  if (!links) return fail(std::move(links.error()));
  if (links->empty()) return std::optional<Link>();
  return std::move(links->front());
}

Result<std::vector<Link>> links_of_record(Transaction& transaction, model::RecordId record) {
  Query query(transaction.impl(), of_record_sql, record);
  return read_all<Link>(query, read_link);
}

Result<std::optional<Link>> link_of_record_in(Transaction& transaction, model::RecordId record,
                                              MailboxId mailbox) {
  Query query(transaction.impl(), of_record_in_sql, record, mailbox);
  return read_one<Link>(query, read_link);
}

Result<std::vector<Link>> held_deletes(Transaction& transaction, MailboxId mailbox) {
  Query query(transaction.impl(), held_sql, mailbox);
  return read_all<Link>(query, read_link);
}

Result<std::vector<LinkKey>> link_keys(Transaction& transaction, MailboxId mailbox, std::string_view folder) {
  Query query(transaction.impl(), keys_sql, mailbox, folder);
  return read_all<LinkKey>(query, [](const Query& row) {
    return LinkKey{.id = row.integer(0), .remote_id = row.text(1), .remote_version = row.text(2)};
  });
}

Result<std::vector<Link>> stale_links(Transaction& transaction, MailboxId mailbox, model::RecordKind kind,
                                      LinkId after, int most) {
  std::int64_t change = 0;
  if (after != 0) {
    Query query(transaction.impl(), change_of_link_sql, after);
    auto found = read_one<std::int64_t>(query, [](const Query& row) { return row.integer(0); });
    if (!found) return fail(std::move(found.error()));
    change = found->value_or(0);
  }
  Query query(transaction.impl(), stale_sql, mailbox, kind, change, after, std::max(0, most));
  return read_all<Link>(query, read_link);
}

Result<std::int64_t> count_links(Transaction& transaction, MailboxId mailbox, model::RecordKind kind) {
  Query query(transaction.impl(), count_sql, mailbox, kind);
  auto count = read_one<std::int64_t>(query, [](const Query& row) { return row.integer(0); });
  if (!count) return fail(std::move(count.error()));
  return count->value_or(0);
}

}  // namespace syncline::store
