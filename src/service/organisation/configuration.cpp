// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/configuration.hpp"

#include <algorithm>

namespace syncline::service {

const model::Profile* Configuration::profile_named(std::string_view name) const noexcept {
  const auto found =
      std::find_if(profiles.begin(), profiles.end(), [&](const auto& p) { return p.name == name; });
  return found == profiles.end() ? nullptr : &*found;
}

const model::Profile* Configuration::default_profile() const noexcept {
  const auto found = std::find_if(profiles.begin(), profiles.end(),
                                  [](const auto& p) { return p.is_default.value_or(false); });
  return found == profiles.end() ? nullptr : &*found;
}

const model::Profile* Configuration::profile_of(const model::Mailbox& mailbox) const noexcept {
  return mailbox.profile ? profile_named(*mailbox.profile) : default_profile();
}

const model::Mailbox* Configuration::mailbox_of(std::string_view address) const noexcept {
  const auto found =
      std::find_if(mailboxes.begin(), mailboxes.end(), [&](const auto& m) { return m.address == address; });
  return found == mailboxes.end() ? nullptr : &*found;
}

model::Policies Configuration::policies_of(const model::Mailbox& mailbox) const {
  model::Policies policies = this->policies;
  // It was checked when it came in; from a store that a later program wrote, what is not known is passed
  // over.
  (void)policies_from_object(mailbox.policy, policies);
  if (mailbox.start_date &&
      (!policies.mail.process_from || *policies.mail.process_from < *mailbox.start_date))
    policies.mail.process_from = mailbox.start_date;
  if (const model::Profile* profile = profile_of(mailbox);
      profile != nullptr && profile->process_email_from) {
    if (!policies.mail.process_from || *policies.mail.process_from < *profile->process_email_from)
      policies.mail.process_from = profile->process_email_from;
  }
  if (mailbox.delete_after_processing)
    policies.mail.delete_after_processing = *mailbox.delete_after_processing;
  return policies;
}

}  // namespace syncline::service
