// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the heart is told of a mailbox: made by the service from the organisation's configuration.
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/mailbox.hpp"
#include "model/policies.hpp"
#include "store/links.hpp"

namespace syncline::sync {

/// user; queue: mail only; forward: collects mail forwarded as attachment, incoming only.
using model::MailboxKind;
using model::tracked_folders_limit;

struct MailboxSettings {
  store::MailboxId mailbox = 0;
  std::string address;  ///< in lower case
  std::string owner;    ///< who its records belong to
  MailboxKind kind = MailboxKind::user;
  /// Who the records of the organisation's enabled mailbox with this address belong to; none: there is no
  /// such mailbox. Asked where many people's mail comes in, to find whose a message is.
  std::function<Result<std::optional<std::string>>(store::Transaction&, std::string_view address)>
      owner_of_mailbox = {};
  bool mail_in = false;
  bool mail_out = false;
  bool appointments_contacts_tasks = false;
  std::vector<std::string> tracked_folders = {};  ///< beside the Inbox: paths below it ("Customers/Nordwind")
  model::Policies policies = {};
  std::string organisation_name = {};
  bool claim = true;  ///< take and keep the mailbox for this organisation (invariant 22)
  bool take_over = false;
};

}  // namespace syncline::sync
