// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Which mailboxes a command is about: named ones, those of a profile, or all.
#include <memory>
#include <string>
#include <vector>

#include "cli/organisation_command.hpp"

namespace syncline::cli {

struct MailboxChoice {
  std::vector<std::string> addresses = {};
  std::string profile = {};
  bool all = false;
};

/// ADDRESS…, --profile NAME and, where `with_all`, --all.
void add_mailbox_choice(CLI::App& command, MailboxChoice& choice, bool with_all);
/// Throws CLI::ValidationError unless exactly one way of choosing was used.
void check_mailbox_choice(const MailboxChoice& choice, const std::string& command, bool with_all);

/// In lower case, in the order of the configuration unless they were named; all for no choice. Errors
/// (input): "no-mailbox", "no-profile".
Result<std::vector<std::string>> chosen_mailboxes(const MailboxChoice& choice,
                                                  const service::StoredOrganisation& stored);

}  // namespace syncline::cli
