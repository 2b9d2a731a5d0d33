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

namespace {

Async<std::unique_ptr<MailboxConnection>> connect(Organisation& organisation, Connections& connections,
                                                  const AdmittedMailbox& mailbox, bool remember,
                                                  bool keeps_sent_copies) {
  const router::Route& route = mailbox.route();
  for (const auto* leg : {&route.incoming, &route.act, &route.outgoing})
    if (*leg && (*leg)->driver == router::Driver::ews) {
      auto connection = co_await ExchangeConnection::open(organisation, connections, mailbox, remember);
      if (!connection) co_return fail(std::move(connection.error()));
      co_return std::unique_ptr<MailboxConnection>(std::move(*connection));
    }
  auto connection = co_await MailHostConnection::open(organisation, connections, mailbox, keeps_sent_copies);
  if (!connection) co_return fail(std::move(connection.error()));
  co_return std::unique_ptr<MailboxConnection>(std::move(*connection));
}

}  // namespace

Async<std::unique_ptr<MailboxConnection>> connect_mailbox(Organisation& organisation,
                                                          Connections& connections,
                                                          const EnabledMailbox& mailbox, bool remember) {
  co_return co_await connect(organisation, connections, mailbox, remember, true);
}

Async<std::unique_ptr<MailboxConnection>> connect_mailbox(Organisation& organisation,
                                                          Connections& connections,
                                                          const MailboxUnderTest& mailbox) {
  co_return co_await connect(organisation, connections, mailbox, true, false);
}

}  // namespace syncline::service
