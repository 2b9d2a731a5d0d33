// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Mail and meetings between the mailboxes: who is mailed, what lands where, and the ledger of all mail that
// left.
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "tools/exchange-sim/exchange/context.hpp"

namespace exchange_sim {

/// Sends a message that is not in a folder yet or leaves its folder: delivers to our mailboxes, writes the
/// ledger. Error: ErrorInvalidRecipients (there are none), ErrorSendAsDenied (From is somebody else's, who
/// has not granted it).
syncline::Result<void> send_message(Context& context, Item& message, MailReason reason);

/// To whom a change of a meeting goes.
enum class MeetingMail { none, all, changed_only };
struct MeetingMailing {
  MeetingMail to = MeetingMail::none;
  bool save_copy = false;
};
/// SendToNone, SendOnlyToAll, SendToAllAndSaveCopy, SendOnlyToChanged, SendToChangedAndSaveCopy. Error: the
/// value is none of these.
syncline::Result<MeetingMailing> read_mailing(std::string_view value);

/// Invitation (first mailing) or update of a meeting the mailbox organises. `before`: attendees are compared
/// with it for changed_only, and those who are gone get a cancellation.
void mail_meeting(Context& context, const ItemRef& meeting, const MeetingMailing& mailing,
                  const Item* before);
void mail_cancellation(Context& context, const ItemRef& meeting, const MeetingMailing& mailing,
                       const Element* body);

/// AcceptItem, TentativelyAcceptItem, DeclineItem: `what` is a meeting request or the calendar item; the
/// response is "Accept", "Tentative" or "Decline". Gives the calendar item (nothing after a decline).
syncline::Result<std::optional<ItemRef>> respond_to_meeting(Context& context, const ItemRef& what,
                                                            std::string_view response, bool send,
                                                            bool save_copy, const Element* body);
/// RemoveItem: a cancelled meeting leaves the calendar.
syncline::Result<void> remove_cancelled(Context& context, const ItemRef& cancellation);

}  // namespace exchange_sim
