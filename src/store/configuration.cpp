// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/configuration.hpp"

#include "base/text.hpp"
#include "store/connection.hpp"

namespace syncline::store {
namespace {

constexpr Sql find_setting_sql = "SELECT json FROM setting WHERE name = ?1";
constexpr Sql put_setting_sql =
    "INSERT INTO setting (name, json) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET json = excluded.json";

constexpr Sql insert_profile_sql = "INSERT INTO profile (name, json) VALUES (?1, ?2)";
constexpr Sql update_profile_sql = "UPDATE profile SET name = ?2, json = ?3 WHERE id = ?1";
constexpr Sql find_profile_sql = "SELECT id, name, json FROM profile WHERE name = ?1";
constexpr Sql list_profiles_sql = "SELECT id, name, json FROM profile ORDER BY name";
constexpr Sql delete_profile_sql = "DELETE FROM profile WHERE id = ?1";

constexpr Sql insert_mailbox_sql =
    "INSERT INTO mailbox (address, profile, enabled, json, state) VALUES (?1, ?2, ?3, ?4, ?5)";
constexpr Sql update_mailbox_sql =
    "UPDATE mailbox SET address = ?2, profile = ?3, enabled = ?4, json = ?5, state = ?6 WHERE id = ?1";
constexpr Sql put_mailbox_state_sql = "UPDATE mailbox SET state = ?2 WHERE id = ?1";
constexpr Sql find_mailbox_sql =
    "SELECT id, address, profile, enabled, json, state FROM mailbox WHERE address = ?1";
constexpr Sql find_mailbox_by_id_sql =
    "SELECT id, address, profile, enabled, json, state FROM mailbox WHERE id = ?1";
constexpr Sql list_mailboxes_sql =
    "SELECT id, address, profile, enabled, json, state FROM mailbox ORDER BY address";
constexpr Sql delete_links_sql = "DELETE FROM link WHERE mailbox = ?1";
constexpr Sql delete_alerts_sql = "DELETE FROM alert WHERE mailbox = ?1";
constexpr Sql delete_mailbox_sql = "DELETE FROM mailbox WHERE id = ?1";

constexpr Sql find_sealed_sql = "SELECT octets FROM sealed WHERE name = ?1";
constexpr Sql put_sealed_sql =
    "INSERT INTO sealed (name, octets) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET octets = "
    "excluded.octets";
constexpr Sql delete_sealed_sql = "DELETE FROM sealed WHERE name = ?1";
constexpr Sql list_sealed_sql =
    "SELECT name FROM sealed WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name";

ProfileRow read_profile(const Query& row) {
  return {.id = row.integer(0), .name = row.text(1), .json = row.text(2)};
}

MailboxRow read_mailbox(const Query& row) {
  return {.id = row.integer(0),
          .address = row.text(1),
          .profile = row.integer(2),
          .enabled = row.boolean(3),
          .json = row.text(4),
          .state = row.text(5)};
}

unexpected<Error> no_mailbox(MailboxId id) {
  return fail(ErrorDomain::local, "no-mailbox", "there is no mailbox " + std::to_string(id));
}

}  // namespace

Result<std::optional<std::string>> find_setting(Transaction& transaction, std::string_view name) {
  Query query(transaction.impl(), find_setting_sql, name);
  return read_one<std::string>(query, [](const Query& row) { return row.text(0); });
}

Result<void> put_setting(Transaction& transaction, std::string_view name, std::string_view json) {
  return execute(transaction.impl(), put_setting_sql, name, json);
}

Result<std::int64_t> put_profile(Transaction& transaction, const ProfileRow& profile) {
  Transaction::Impl& connection = transaction.impl();
  auto put = profile.id == 0
                 ? execute(connection, insert_profile_sql, profile.name, profile.json)
                 : execute(connection, update_profile_sql, profile.id, profile.name, profile.json);
  if (!put) {
    if (put.error().code == "already-there")
      return fail(ErrorDomain::local, "name-taken", "there is another profile named " + profile.name);
    return fail(std::move(put.error()));
  }
  if (profile.id == 0) return sqlite3_last_insert_rowid(connection.handle());
  if (changed_rows(connection) == 0)
    return fail(ErrorDomain::local, "no-profile", "there is no profile " + std::to_string(profile.id));
  return profile.id;
}

Result<std::optional<ProfileRow>> find_profile(Transaction& transaction, std::string_view name) {
  Query query(transaction.impl(), find_profile_sql, name);
  return read_one<ProfileRow>(query, read_profile);
}

Result<std::vector<ProfileRow>> list_profiles(Transaction& transaction) {
  Query query(transaction.impl(), list_profiles_sql);
  return read_all<ProfileRow>(query, read_profile);
}

Result<void> delete_profile(Transaction& transaction, std::int64_t id) {
  auto deleted = execute(transaction.impl(), delete_profile_sql, id);
  if (!deleted && deleted.error().code == "no-reference")
    return fail(ErrorDomain::local, "profile-in-use", "a mailbox has this profile");
  return deleted;
}

Result<MailboxId> put_mailbox(Transaction& transaction, const MailboxRow& mailbox) {
  Transaction::Impl& connection = transaction.impl();
  const std::string address = text::to_lower_ascii(mailbox.address);
  const auto profile = null_if_zero(mailbox.profile);
  auto put = mailbox.id == 0 ? execute(connection, insert_mailbox_sql, address, profile, mailbox.enabled,
                                       mailbox.json, mailbox.state)
                             : execute(connection, update_mailbox_sql, mailbox.id, address, profile,
                                       mailbox.enabled, mailbox.json, mailbox.state);
  if (!put) {
    if (put.error().code == "already-there")
      return fail(ErrorDomain::local, "address-taken",
                  "there is another mailbox with the address " + address);
    return fail(std::move(put.error()));
  }
  if (mailbox.id == 0) return sqlite3_last_insert_rowid(connection.handle());
  if (changed_rows(connection) == 0) return no_mailbox(mailbox.id);
  return mailbox.id;
}

Result<void> put_mailbox_state(Transaction& transaction, MailboxId id, std::string_view state) {
  if (auto put = execute(transaction.impl(), put_mailbox_state_sql, id, state); !put) return put;
  if (changed_rows(transaction.impl()) == 0) return no_mailbox(id);
  return {};
}

Result<std::optional<MailboxRow>> find_mailbox(Transaction& transaction, std::string_view address) {
  Query query(transaction.impl(), find_mailbox_sql, text::to_lower_ascii(address));
  return read_one<MailboxRow>(query, read_mailbox);
}

Result<std::optional<MailboxRow>> find_mailbox(Transaction& transaction, MailboxId id) {
  Query query(transaction.impl(), find_mailbox_by_id_sql, id);
  return read_one<MailboxRow>(query, read_mailbox);
}

Result<std::vector<MailboxRow>> list_mailboxes(Transaction& transaction) {
  Query query(transaction.impl(), list_mailboxes_sql);
  return read_all<MailboxRow>(query, read_mailbox);
}

Result<void> delete_mailbox(Transaction& transaction, MailboxId id) {
  // Links first: they refer to the mailbox's folders, and cascades come in no certain order.
  for (const Sql sql : {delete_links_sql, delete_alerts_sql, delete_mailbox_sql})
    if (auto deleted = execute(transaction.impl(), sql, id); !deleted) return deleted;
  transaction.impl().folder_of_last_link.reset();
  return {};
}

Result<std::optional<std::string>> find_sealed(Transaction& transaction, std::string_view name) {
  Query query(transaction.impl(), find_sealed_sql, name);
  return read_one<std::string>(query, [](const Query& row) { return row.text(0); });
}

Result<void> put_sealed(Transaction& transaction, std::string_view name, std::string_view octets) {
  return execute(transaction.impl(), put_sealed_sql, name, Blob{octets});
}

Result<void> delete_sealed(Transaction& transaction, std::string_view name) {
  return execute(transaction.impl(), delete_sealed_sql, name);
}

Result<std::vector<std::string>> list_sealed(Transaction& transaction, std::string_view name_prefix) {
  Query query(transaction.impl(), list_sealed_sql, name_prefix);
  return read_all<std::string>(query, [](const Query& row) { return row.text(0); });
}

}  // namespace syncline::store
