// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What `apply` brings in: the organisation's settings, profiles and mailboxes, as JSON of the service's (it
// alone knows their fields), with what the store must be able to find; and sealed secrets, as octets of the
// vault's.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/links.hpp"

namespace syncline::store {

/// Settings of the organisation and notes of the engine, by name ("organisation", "policies", "brake", …).
Result<std::optional<std::string>> find_setting(Transaction& transaction, std::string_view name);
Result<void> put_setting(Transaction& transaction, std::string_view name, std::string_view json);

struct ProfileRow {
  std::int64_t id = 0;    ///< 0: new
  std::string name = {};  ///< unique
  std::string json = {};
};
/// All of it; the id. Errors: "name-taken", "no-profile".
Result<std::int64_t> put_profile(Transaction& transaction, const ProfileRow& profile);
Result<std::optional<ProfileRow>> find_profile(Transaction& transaction, std::string_view name);
/// By name.
Result<std::vector<ProfileRow>> list_profiles(Transaction& transaction);
/// Error "profile-in-use": a mailbox has it.
Result<void> delete_profile(Transaction& transaction, std::int64_t id);

struct MailboxRow {
  MailboxId id = 0;          ///< 0: new
  std::string address = {};  ///< unique, in lower case
  std::int64_t profile = 0;  ///< 0: none
  bool enabled = false;
  std::string json = {};   ///< the service's settings
  std::string state = {};  ///< JSON of the engine's: last run, last error, lag
};
/// All of it, address in lower case; the id, which is never given again. Errors: "address-taken",
/// "no-mailbox".
Result<MailboxId> put_mailbox(Transaction& transaction, const MailboxRow& mailbox);
/// Only `state`. Error "no-mailbox".
Result<void> put_mailbox_state(Transaction& transaction, MailboxId id, std::string_view state);
/// In any case.
Result<std::optional<MailboxRow>> find_mailbox(Transaction& transaction, std::string_view address);
Result<std::optional<MailboxRow>> find_mailbox(Transaction& transaction, MailboxId id);
/// By address.
Result<std::vector<MailboxRow>> list_mailboxes(Transaction& transaction);
/// With its links, cursors, operations, quarantine and alerts; records and journal stay.
Result<void> delete_mailbox(Transaction& transaction, MailboxId id);

/// Sealed octets by name.
Result<std::optional<std::string>> find_sealed(Transaction& transaction, std::string_view name);
Result<void> put_sealed(Transaction& transaction, std::string_view name, std::string_view octets);
Result<void> delete_sealed(Transaction& transaction, std::string_view name);
Result<std::vector<std::string>> list_sealed(Transaction& transaction, std::string_view name_prefix);

}  // namespace syncline::store
