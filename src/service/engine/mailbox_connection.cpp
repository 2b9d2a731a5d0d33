// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/engine/mailbox_connection.hpp"

#include "service/engine/exchange_connection.hpp"
#include "service/engine/mail_host_connection.hpp"

namespace syncline::service {

void MailboxConnection::answered() {
  if (turn_) turn_->accepted();
}

void MailboxConnection::ended(const Result<sync::MailboxSummary>& outcome) {
  if (!turn_) return;
  if (outcome)
    turn_->accepted();
  else if (refuses_credentials(outcome.error()))
    turn_->refused(outcome.error());
}

Async<std::unique_ptr<MailboxConnection>> connect_mailbox(Organisation& organisation,
                                                          Connections& connections,
                                                          const EnabledMailbox& mailbox, bool remember) {
  const router::Route& route = mailbox.route();
  for (const auto* leg : {&route.incoming, &route.act, &route.outgoing})
    if (*leg && (*leg)->driver == router::Driver::ews) {
      auto connection = co_await ExchangeConnection::open(organisation, connections, mailbox, remember);
      if (!connection) co_return fail(std::move(connection.error()));
      co_return std::unique_ptr<MailboxConnection>(std::move(*connection));
    }
  auto connection = co_await MailHostConnection::open(organisation, connections, mailbox);
  if (!connection) co_return fail(std::move(connection.error()));
  co_return std::unique_ptr<MailboxConnection>(std::move(*connection));
}

}  // namespace syncline::service
