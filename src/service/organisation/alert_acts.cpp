// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/alert_acts.hpp"

#include "service/organisation/organisation.hpp"
#include "store/alert_messages.hpp"
#include "store/journal.hpp"

namespace syncline::service {

using store::Transaction;

Result<std::vector<std::int64_t>> acknowledge_alerts(Organisation& organisation,
                                                     const std::vector<std::int64_t>& alerts,
                                                     const Actor& actor) {
  return organisation.store().write<std::vector<std::int64_t>>(
      [&](Transaction& transaction) -> Result<std::vector<std::int64_t>> {
        std::vector<std::int64_t> done;
        for (const std::int64_t alert : alerts) {
          auto acknowledged = store::acknowledge_alert(transaction, alert, actor.who, actor.reason);
          if (!acknowledged) return fail(std::move(acknowledged.error()));
          if (!*acknowledged) continue;
          done.push_back(alert);
          auto audited = store::append_audit(transaction, {.who = actor.who,
                                                           .act = "alert.acknowledge",
                                                           .object = "alert " + std::to_string(alert),
                                                           .reason = actor.reason});
          if (!audited) return fail(std::move(audited.error()));
        }
        return done;
      });
}

}  // namespace syncline::service
