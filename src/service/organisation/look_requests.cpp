// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/look_requests.hpp"

#include <set>

#include "base/text.hpp"
#include "service/organisation/organisation.hpp"
#include "store/journal.hpp"
#include "store/placements.hpp"

namespace syncline::service {
namespace {

using store::Transaction;

std::optional<Obstacle> obstacle_to_asking(const StoredOrganisation& stored, const MailboxGate& gate,
                                           const std::string& address) {
  const model::Mailbox* const mailbox = stored.configuration.mailbox_of(address);
  const model::Profile* const profile =
      mailbox == nullptr ? nullptr : stored.configuration.profile_of(*mailbox);
  if (profile != nullptr && !is_on_exchange(*profile))
    return Obstacle{.address = address,
                    .code = "not-on-exchange",
                    .message = "The mailbox is not on Exchange; it lives where its profile says"};
  return gate.obstacle_to_enabling(address);
}

Result<void> request_look(Transaction& transaction, store::MailboxId mailbox, store::LookRequest request) {
  auto before = store::find_placement(transaction, mailbox);
  if (!before) return fail(std::move(before.error()));
  store::Placement placement = before->value_or(store::Placement{.mailbox = mailbox});
  // It does what this one asks for, too, and in the name of who may have moves followed.
  if (placement.request && placement.request->follow && !request.follow) return {};
  placement.request = std::move(request);
  return store::put_placement(transaction, placement);
}

}  // namespace

bool is_on_exchange(const model::Profile& profile) noexcept {
  using model::ServerType;
  return profile.type == ServerType::exchange_online || profile.type == ServerType::exchange_online_hybrid ||
         profile.type == ServerType::exchange_hybrid || profile.type == ServerType::exchange_server;
}

Result<std::vector<Obstacle>> request_looks(Organisation& organisation, const LookWish& wish,
                                            const Actor& actor) {
  const rules::Day today = organisation.today();
  const SystemTime now = organisation.clock().now();
  return organisation.store().write<std::vector<Obstacle>>(
      [&](Transaction& transaction) -> Result<std::vector<Obstacle>> {
        auto stored = load(transaction);
        if (!stored) return fail(std::move(stored.error()));
        const MailboxGate gate(*stored, today);
        std::vector<Obstacle> refused;
        std::set<std::string> taken;
        for (const std::string& given : wish.addresses) {
          const std::string address = text::to_lower_ascii(given);
          if (!taken.insert(address).second) continue;
          if (auto obstacle = obstacle_to_asking(*stored, gate, address)) {
            refused.push_back(std::move(*obstacle));
            continue;
          }
          auto requested =
              request_look(transaction, stored->mailboxes.at(address).id,
                           {.at = now, .by = actor.who, .reason = actor.reason, .follow = wish.follow_moves});
          if (!requested) return fail(std::move(requested.error()));
          if (auto audited = store::append_audit(
                  transaction, {.who = actor.who,
                                .act = wish.follow_moves ? "mailbox.discover-and-follow" : "mailbox.discover",
                                .object = "mailbox " + address,
                                .reason = actor.reason});
              !audited)
            return fail(std::move(audited.error()));
        }
        return refused;
      });
}

}  // namespace syncline::service
