// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/test_requests.hpp"

#include <set>

#include "base/text.hpp"
#include "service/organisation/organisation.hpp"
#include "store/journal.hpp"

namespace syncline::service {

using store::MailboxTestRow;
using store::Transaction;

Result<std::vector<Obstacle>> request_tests(Organisation& organisation, const TestWish& wish,
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
          if (auto obstacle = gate.obstacle_to_enabling(address)) {
            refused.push_back(std::move(*obstacle));
            continue;
          }
          const store::MailboxId mailbox = stored->mailboxes.at(address).id;
          auto before = store::find_mailbox_test(transaction, mailbox);
          if (!before) return fail(std::move(before.error()));
          // A test that is still to come keeps its end, whoever asks for another one meanwhile.
          const bool enables = *before && (*before)->enable &&
                               ((*before)->state == store::TestState::waiting ||
                                (*before)->state == store::TestState::running);
          const MailboxTestRow test{.mailbox = mailbox,
                                    .runner = wish.runner,
                                    .enable = wish.enable || enables,
                                    .requested_at = now,
                                    .requested_by = actor.who,
                                    .reason = actor.reason,
                                    .due_at = now};
          if (auto put = store::put_mailbox_test(transaction, test); !put)
            return fail(std::move(put.error()));
          if (auto audited = store::append_audit(
                  transaction, {.who = actor.who,
                                .act = wish.enable ? "mailbox.test-and-enable" : "mailbox.test",
                                .object = "mailbox " + address,
                                .reason = actor.reason});
              !audited)
            return fail(std::move(audited.error()));
        }
        return refused;
      });
}

}  // namespace syncline::service
