// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// An organisation as the store has it: the configuration, and what is known about each mailbox beyond it.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "service/organisation/configuration.hpp"
#include "store/configuration.hpp"

namespace syncline::service {

struct MailboxStanding {
  store::MailboxId id = 0;
  bool enabled = false;
  model::Approval approval = {};
  std::string state = {};  ///< JSON of the engine's
};

struct StoredOrganisation {
  Configuration configuration = {};
  std::map<std::string, MailboxStanding, std::less<>> mailboxes = {};  ///< by address
  std::map<std::string, std::int64_t, std::less<>> profiles = {};      ///< ids by name
  std::set<std::string, std::less<>> sealed =
      {};  ///< which secrets there are: "secret/mailbox/ADDRESS/password"

  bool has_secret(std::string_view account_kind, std::string_view account, std::string_view field) const;
};

/// Error (domain local): "store-damaged" for settings that cannot be read.
Result<StoredOrganisation> load(store::Transaction& transaction);

/// Who the records of the enabled mailbox with this address belong to; none: there is no such mailbox. Error
/// as of `load`.
Result<std::optional<std::string>> enabled_mailbox_owner(store::Transaction& transaction,
                                                         std::string_view address);

Result<void> save_organisation(store::Transaction& transaction, const OrganisationSettings& settings);
Result<void> save_policies(store::Transaction& transaction, const model::Policies& policies);
Result<void> save_defaults(store::Transaction& transaction, const boost::json::object& defaults);
/// `id` 0: a new one. Returns its id.
Result<std::int64_t> save_profile(store::Transaction& transaction, const model::Profile& profile,
                                  std::int64_t id);
/// `standing.id` 0: a new one. `profile` is the id of the profile that it names, 0: none. Leaves the engine's
/// state alone.
Result<store::MailboxId> save_mailbox(store::Transaction& transaction, const model::Mailbox& mailbox,
                                      const MailboxStanding& standing, std::int64_t profile);

}  // namespace syncline::service
