// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Addresses of mailboxes by id, and which of them the token may see.
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "admin/api/call.hpp"
#include "store/links.hpp"

namespace syncline::admin::api {

struct VisibleMailboxes {
  bool sees_all = false;
  std::map<store::MailboxId, std::string> addresses = {};  ///< of a mailbox owner: those it may see

  /// Of no mailbox (0), or of one that is gone: those who see all.
  bool may_see(store::MailboxId id) const { return sees_all || addresses.contains(id); }
  std::string_view address_of(store::MailboxId id) const {
    const auto found = addresses.find(id);
    return found == addresses.end() ? std::string_view() : std::string_view(found->second);
  }
};
Result<VisibleMailboxes> visible_mailboxes(store::Transaction& transaction, const Call& call);

/// The mailbox that a parameter of the query names. Error "no-mailbox" also where the token may not see it.
Result<std::optional<store::MailboxId>> mailbox_named(const VisibleMailboxes& visible, const Call& call,
                                                      std::string_view parameter = "mailbox");

}  // namespace syncline::admin::api
