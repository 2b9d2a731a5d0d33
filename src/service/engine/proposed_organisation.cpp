// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/engine/proposed_organisation.hpp"

#include "store/cursors.hpp"

namespace syncline::service {
namespace {

Result<void> read_anew(store::Transaction& transaction, store::MailboxId mailbox) {
  auto cursors = store::list_cursors(transaction, mailbox);
  if (!cursors) return fail(std::move(cursors.error()));
  for (const store::Cursor& cursor : *cursors)
    if (auto gone = store::delete_cursor(transaction, mailbox, cursor.folder); !gone) return gone;
  return {};
}

}  // namespace

Result<ProposedOrganisation> propose(Organisation& organisation, const Configuration& wanted,
                                     const std::string& folder, const std::string& key, const Actor& actor) {
  if (auto copied = organisation.store().backup(folder); !copied) return fail(std::move(copied.error()));
  auto copy = Organisation::open({.folder = folder, .key = key.empty() ? organisation.key_place().path : key},
                                 organisation.clock(), organisation.random());
  if (!copy) return fail(std::move(copy.error()));
  auto before = (*copy)->load();
  if (!before) return fail(std::move(before.error()));
  auto outcome = apply(**copy, wanted, false, actor);
  if (!outcome) return fail(std::move(outcome.error()));
  ProposedOrganisation proposed{.organisation = nullptr, .outcome = std::move(*outcome)};
  if (!proposed.outcome.refusals.empty()) return proposed;
  auto after = (*copy)->load();
  if (!after) return fail(std::move(after.error()));
  auto forgotten = (*copy)->store().write<void>([&](store::Transaction& transaction) -> Result<void> {
    for (const model::Mailbox& mailbox : after->configuration.mailboxes) {
      const model::Mailbox* was = before->configuration.mailbox_of(mailbox.address);
      if (was == nullptr ||
          before->configuration.policies_of(*was) == after->configuration.policies_of(mailbox))
        continue;
      if (auto done = read_anew(transaction, after->mailboxes.at(mailbox.address).id); !done) return done;
    }
    return {};
  });
  if (!forgotten) return fail(std::move(forgotten.error()));
  proposed.organisation = std::move(*copy);
  return proposed;
}

}  // namespace syncline::service
