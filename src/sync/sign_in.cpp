// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/sign_in.hpp"

#include <algorithm>

#include "store/journal.hpp"

namespace syncline::sync {

using store::Transaction;

Result<void> tell_of_sign_in(store::Store& store, store::MailboxId mailbox, const std::string& address,
                             const Result<MailboxSummary>& outcome) {
  // A 403 is no refusal of credentials: the server knows them.
  const bool is_refused =
      !outcome && outcome.error().retry == RetryClass::reauthenticate && outcome.error().code != "forbidden";
  if (!outcome && !is_refused) return {};  // whether the credentials are good was not seen
  auto told = store.read<bool>([&](Transaction& transaction) -> Result<bool> {
    auto open = store::list_alerts(transaction, true);
    if (!open) return fail(std::move(open.error()));
    return std::any_of(open->begin(), open->end(), [&](const store::Alert& alert) {
      return alert.mailbox == mailbox && alert.code == sign_in_alert;
    });
  });
  if (!told) return fail(std::move(told.error()));
  if (*told == is_refused) return {};
  return store.write<void>([&](Transaction& transaction) -> Result<void> {
    if (!is_refused) return store::clear_alert(transaction, mailbox, sign_in_alert);
    return store::raise_alert(transaction,
                              {.mailbox = mailbox,
                               .level = store::AlertLevel::error,
                               .code = sign_in_alert,
                               .text = address + " needs a new sign-in: " + outcome.error().describe(),
                               .remedy = "Sign in again, or set the new secret; nothing is lost meanwhile."});
  });
}

}  // namespace syncline::sync
