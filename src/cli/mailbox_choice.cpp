// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/mailbox_choice.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/text.hpp"

namespace syncline::cli {

void add_mailbox_choice(CLI::App& command, MailboxChoice& choice, bool with_all) {
  command.add_option("ADDRESS", choice.addresses, "Mailboxes");
  command.add_option("--profile", choice.profile, "All mailboxes of this profile")->type_name("NAME");
  if (with_all) command.add_flag("--all", choice.all, "All mailboxes");
}

void check_mailbox_choice(const MailboxChoice& choice, const std::string& command, bool with_all) {
  const int ways =
      (choice.addresses.empty() ? 0 : 1) + (choice.profile.empty() ? 0 : 1) + (choice.all ? 1 : 0);
  if (ways > 1) throw CLI::ValidationError(command, "addresses, --profile and --all exclude each other");
  if (ways == 0)
    throw CLI::ValidationError(
        command, with_all ? "name mailboxes, --profile NAME or --all" : "name mailboxes, or --profile NAME");
}

Result<std::vector<std::string>> chosen_mailboxes(const MailboxChoice& choice,
                                                  const service::StoredOrganisation& stored) {
  std::vector<std::string> addresses;
  for (const std::string& address : choice.addresses) {
    addresses.push_back(text::to_lower_ascii(address));
    if (!stored.mailboxes.contains(addresses.back()))
      return fail(ErrorDomain::input, "no-mailbox", fmt::format("There is no mailbox {}", address));
  }
  if (!choice.profile.empty() && !stored.profiles.contains(choice.profile))
    return fail(ErrorDomain::input, "no-profile", fmt::format("There is no profile {}", choice.profile));
  if (!choice.addresses.empty()) return addresses;
  for (const model::Mailbox& mailbox : stored.configuration.mailboxes) {
    const model::Profile* profile = stored.configuration.profile_of(mailbox);
    if (choice.profile.empty() || (profile != nullptr && profile->name == choice.profile))
      addresses.push_back(mailbox.address);
  }
  return addresses;
}

}  // namespace syncline::cli
