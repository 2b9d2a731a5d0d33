// SPDX-License-Identifier: GPL-3.0-or-later
// A create or a message that the server refuses for good when a part of it is there already: what was made
// goes to Deleted Items, so that neither half an item nor an unsent draft stays. The refusal stands in the
// journal before, so that a stop in between changes nothing.
#include "ews/driver/write.hpp"

namespace syncline::ews {

bool is_refusal(const Error& error) {
  if (error.retry != RetryClass::never && error.retry != RetryClass::quarantine) return false;
  // Beside the refusals: what somebody else did to the item, and what no evidence can tell.
  return error.domain != ErrorDomain::local && error.code != "gone" && error.code != "needs-person";
}

bool is_being_withdrawn(const Write& write) {
  return !write.journal.fact("refused_code").empty();
}

Async<sync::Applied> withdraw(Write& write) {
  Error refusal{.domain = ErrorDomain::ews,
                .code = write.journal.fact("refused_code"),
                .message = write.journal.fact("refused_text")};
  DeleteItemRequest request;
  request.ids.emplace_back(ItemId{.id = write.journal.fact("id")});
  if (write.order.kind == model::RecordKind::appointment)
    request.send_meeting_cancellations = SendInvitations::send_to_none;
  if (write.order.kind == model::RecordKind::task)
    request.affected_task_occurrences = AffectedTaskOccurrences::all_occurrences;
  std::string step = "withdraw";
  auto removed = co_await once(write, std::move(step), std::move(request));
  if (!removed && !is_missing(removed.error()) && !is_refusal(removed.error()))
    co_return fail(std::move(removed.error()).during("taking back what was made of a refused order"));
  co_return fail(std::move(refusal));
}

Async<sync::Applied> withdraw(Write& write, std::string id, const Error& refusal) {
  write.journal.set_fact("id", id);
  write.journal.set_fact("refused_code", refusal.code);
  write.journal.set_fact("refused_text", refusal.message);
  co_return co_await withdraw(write);
}

}  // namespace syncline::ews
