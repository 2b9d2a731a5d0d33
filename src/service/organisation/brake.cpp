// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/brake.hpp"

#include "store/configuration.hpp"
#include "store/journal.hpp"

namespace syncline::service {
namespace {

std::string setting_name(std::string_view address) {
  return "brake:" + std::string(address);
}

Result<bool> is_pulled(store::Transaction& transaction, std::string_view address) {
  auto setting = store::find_setting(transaction, setting_name(address));
  if (!setting) return fail(std::move(setting.error()));
  return *setting && (*setting)->find("pulled") != std::string::npos;
}

}  // namespace

Result<std::vector<std::string>> pulled_brakes(store::Transaction& transaction) {
  auto mailboxes = store::list_mailboxes(transaction);
  if (!mailboxes) return fail(std::move(mailboxes.error()));
  std::vector<std::string> pulled;
  for (const store::MailboxRow& row : *mailboxes) {
    auto is = is_pulled(transaction, row.address);
    if (!is) return fail(std::move(is.error()));
    if (*is) pulled.push_back(row.address);
  }
  return pulled;
}

Result<bool> release_brake(store::Transaction& transaction, store::MailboxId mailbox,
                           std::string_view address, const Actor& actor) {
  auto pulled = is_pulled(transaction, address);
  if (!pulled || !*pulled) return pulled;
  if (auto done = store::put_setting(transaction, setting_name(address), R"({"released":true})"); !done)
    return fail(std::move(done.error()));
  if (auto done = store::clear_alert(transaction, mailbox, "brake"); !done)
    return fail(std::move(done.error()));
  auto audited = store::append_audit(transaction, {.who = actor.who,
                                                   .act = "brake.release",
                                                   .object = "mailbox " + std::string(address),
                                                   .reason = actor.reason});
  if (!audited) return fail(std::move(audited.error()));
  return true;
}

}  // namespace syncline::service
