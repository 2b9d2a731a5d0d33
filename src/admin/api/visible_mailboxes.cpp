// SPDX-License-Identifier: GPL-3.0-or-later
#include "admin/api/visible_mailboxes.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "service/organisation/record_lines.hpp"

namespace syncline::admin::api {

Result<VisibleMailboxes> visible_mailboxes(store::Transaction& transaction, const Call& call) {
  VisibleMailboxes visible{.sees_all = call.sees_all()};
  auto addresses = service::mailbox_addresses(transaction);
  if (!addresses) return fail(std::move(addresses.error()));
  if (visible.sees_all) {
    visible.addresses = std::move(*addresses);
    return visible;
  }
  auto stored = service::load(transaction);
  if (!stored) return fail(std::move(stored.error()));
  for (const model::Mailbox& mailbox : stored->configuration.mailboxes)
    if (call.sees(mailbox)) visible.addresses[stored->mailboxes.at(mailbox.address).id] = mailbox.address;
  return visible;
}

Result<std::optional<store::MailboxId>> mailbox_named(const VisibleMailboxes& visible, const Call& call,
                                                      std::string_view parameter) {
  const auto given = call.text(parameter);
  if (!given) return std::optional<store::MailboxId>();
  const std::string wanted = text::to_lower_ascii(*given);
  for (const auto& [id, address] : visible.addresses)
    if (address == wanted) return std::optional(id);
  return fail(ErrorDomain::input, "no-mailbox",
              fmt::format("There is no mailbox {}", text::escape_for_display(wanted)));
}

}  // namespace syncline::admin::api
