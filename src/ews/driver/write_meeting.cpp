// SPDX-License-Identifier: GPL-3.0-or-later
// Invitations and updates: one UpdateItem that sets `mailed` to the operation's id carries the mailing
// disposition. The property there means that the mail is out, so it goes once (invariants 6, 11).
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "ews/driver/marks.hpp"
#include "ews/driver/to_item.hpp"
#include "ews/driver/write.hpp"

namespace syncline::ews {
namespace {

/// The meeting as it is now, and whether this operation's mail is out.
struct Mailed {
  ItemId item;
  bool is_out = false;
};

Async<Mailed> look_at_mailing(Write& write, std::string id) {
  ItemId wanted{.id = std::move(id)};
  ItemShape shape{.additional = {mailed_mark()}};
  auto item = co_await look_at(write, std::move(wanted), std::move(shape));
  if (!item) co_return fail(std::move(item.error()));
  if (!*item || !(*item)->item_id) co_return fail(gone());
  Mailed mailed{.item = *(*item)->item_id,
                .is_out = value_of(**item, mailed_mark()) == std::string_view(write.order.operation_id)};
  co_return mailed;
}

}  // namespace

bool has_attendees(const model::Fields& fields) {
  for (const char* list : {"requiredAttendees", "optionalAttendees", "resources"})
    if (!says_nothing(fields.if_contains(list))) return true;
  return false;
}

Async<ItemId> mail_meeting(Write& write, ItemId item, std::vector<ItemUpdate> attendees_removed) {
  constexpr unsigned attempts = 4;
  if (write.journal.fact("mailed") == item.id) co_return item;
  if (write.journal.is_open("mail")) {
    if (auto may = may_settle(write); !may) co_return fail(std::move(may.error()));
    std::string id = item.id;
    auto now = co_await look_at_mailing(write, std::move(id));
    if (!now) co_return fail(unsettled(std::move(now.error())));
    if (now->is_out) {
      write.journal.set_fact("mailed", item.id);
      write.journal.set_fact("key", now->item.change_key);
      write.journal.close();
      co_return std::move(now->item);
    }
    item = std::move(now->item);
  }
  Error last;
  for (unsigned attempt = 0; attempt < attempts; ++attempt) {
    UpdateItemRequest request{.changes = {{.id = item, .updates = attendees_removed}},
                              .send_meeting_invitations_or_cancellations =
                                  SendInvitationsOrCancellations::send_to_all_and_save_copy};
    request.changes.front().updates.push_back(
        set_mark(ItemKind::calendar_item, mailed_mark(), write.order.operation_id));
    std::string step = "mail";
    auto mailed = co_await once(write, std::move(step), std::move(request));
    if (mailed) {
      auto id = id_of(mailed->value.items);
      if (!id) co_return fail(uncertain(write, id.error()));
      write.journal.set_fact("mailed", id->id);
      write.journal.set_fact("key", id->change_key);
      co_return std::move(*id);
    }
    last = std::move(mailed.error());
    if (is_missing(last)) co_return fail(gone());
    if (!is_stale_key(last)) break;
    // Somebody touched the meeting. What goes out is the meeting as it stands on the server, so the new key
    // is as good.
    std::string id = item.id;
    auto now = co_await look_at_mailing(write, std::move(id));
    if (!now) co_return fail(std::move(now.error()));
    item = std::move(now->item);
    if (now->is_out) {
      write.journal.set_fact("mailed", item.id);
      write.journal.set_fact("key", item.change_key);
      co_return item;
    }
  }
  co_return fail(std::move(last).during("mailing the attendees of a meeting"));
}

}  // namespace syncline::ews
