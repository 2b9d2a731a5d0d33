// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/alerts/all_clear.hpp"

#include <algorithm>

#include "store/alert_messages.hpp"

namespace syncline::service {
namespace {

const store::Alert* open_alert(const std::vector<store::Alert>& open, store::MailboxId mailbox,
                               std::string_view code) {
  const auto found = std::find_if(open.begin(), open.end(), [&](const store::Alert& alert) {
    return alert.mailbox == mailbox && alert.code == code;
  });
  return found == open.end() ? nullptr : &*found;
}

}  // namespace

bool is_all_clear(std::string_view code) noexcept {
  return code == mailbox_works_again || code == mailbox_goes_on || code.starts_with(profile_works_again);
}

Result<void> settle_with_word(store::Transaction& transaction, store::MailboxId mailbox,
                              std::string_view code, store::Alert information, bool silent) {
  auto open = store::list_alerts(transaction, true);
  if (!open) return fail(std::move(open.error()));
  const store::Alert* trouble = open_alert(*open, mailbox, code);
  if (trouble == nullptr) return {};
  if (auto cleared = store::clear_alert(transaction, mailbox, code); !cleared) return cleared;
  if (silent) return {};
  auto told = store::messages_of_alert(transaction, trouble->id);
  if (!told) return fail(std::move(told.error()));
  information.mailbox = mailbox;
  information.level = store::AlertLevel::information;
  // One that is left from another time would be refreshed, and nobody told of it.
  if (auto cleared = store::clear_alert(transaction, mailbox, information.code); !cleared) return cleared;
  if (auto raised = store::raise_alert(transaction, information); !raised) return raised;
  open = store::list_alerts(transaction, true);
  if (!open) return fail(std::move(open.error()));
  const store::Alert* word = open_alert(*open, mailbox, information.code);
  if (word == nullptr) return {};
  for (const store::AlertMessage& message : *told) {
    if (message.state != store::AlertMessageState::sent) continue;
    auto inserted = store::insert_alert_message(
        transaction,
        {.alert = word->id, .channel = message.channel, .target = message.target, .due_at = word->at});
    if (!inserted) return fail(std::move(inserted.error()));
  }
  return {};
}

}  // namespace syncline::service
