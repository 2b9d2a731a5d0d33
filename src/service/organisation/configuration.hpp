// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What an administrator's file says about an organisation: its settings, policies, profiles, mailboxes. A
// plain value; the same whether it came from the file or from the store.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/mailbox.hpp"
#include "model/policies.hpp"
#include "model/profile.hpp"
#include "service/organisation/rule_facts.hpp"
#include "service/organisation/setting.hpp"

namespace syncline::service {

struct OrganisationSettings {
  std::string name = {};
  std::optional<std::string> alert_mailbox = std::nullopt;  ///< through which alerts are mailed
  std::optional<std::string> alert_webhook = std::nullopt;  ///< https URL that alerts are posted to
  Facts environment = {};                                   ///< env_* fields of the rules
};

struct Configuration {
  OrganisationSettings organisation = {};
  model::Policies policies = {};
  /// What new mailboxes get where they do not state it: default_settings() as JSON.
  boost::json::object defaults = {};
  std::vector<model::Profile> profiles = {};
  std::vector<model::Mailbox> mailboxes = {};

  /// nullptr: there is none.
  const model::Profile* profile_named(std::string_view name) const noexcept;
  const model::Profile* default_profile() const noexcept;
  /// The stated one, else the default one.
  const model::Profile* profile_of(const model::Mailbox& mailbox) const noexcept;
  const model::Mailbox* mailbox_of(std::string_view address) const noexcept;
  /// With the mailbox's own settings over the organisation's.
  model::Policies policies_of(const model::Mailbox& mailbox) const;
};

const Settings<OrganisationSettings>& organisation_settings();
const Settings<model::Profile>& profile_settings();
const Settings<model::Mailbox>& mailbox_settings();
/// Those of a mailbox that may be the same for many: not its address, what and whose it is.
const Settings<model::Mailbox>& default_settings();
/// A part of the policies: [policy.sync], …
struct PolicySection {
  std::string_view name;
  std::string_view help;
  Settings<model::Policies> settings;
};
/// sync, mail, conflict, fields.
const std::vector<PolicySection>& policy_sections();
const PolicySection* find_policy_section(std::string_view name);

/// {"sync":{…},…}, what differs from the defaults.
boost::json::object policies_to_object(const model::Policies& policies);
/// Over what `policies` holds.
Wrong policies_from_object(const boost::json::object& object, model::Policies& policies);

}  // namespace syncline::service
