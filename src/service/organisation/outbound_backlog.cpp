// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/outbound_backlog.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "service/organisation/outbound_people.hpp"
#include "store/cursors.hpp"
#include "store/operations.hpp"
#include "store/records.hpp"
#include "store/standing.hpp"
#include "sync/plan/meeting.hpp"
#include "sync/plan/outbound.hpp"
#include "sync/plan/outbound_mark.hpp"

namespace syncline::service {
namespace {

using model::RecordKind;
using sync::plan::OutboundRules;

constexpr RecordKind filtered_kinds[] = {RecordKind::appointment, RecordKind::contact, RecordKind::task};

/// A mailbox that has not looked at all changes of a kind.
struct Behind {
  const OutboundMailbox* mailbox;
  std::int64_t looked_until;
};

/// Mailboxes with the same filters of a kind that have not looked at all changes.
struct GroupBehind {
  OutboundRules rules;
  RecordKind kind;
  std::map<std::string, Behind, std::less<>> by_address = {};
};

/// What is known of a record besides its fields.
struct Whereabouts {
  std::set<store::MailboxId> linked = {};  ///< unlinked ones, too: those do not get it again
  std::set<store::MailboxId> under_way = {};
};

Result<Whereabouts> whereabouts_of(store::Transaction& transaction, model::RecordId record) {
  Whereabouts found;
  auto links = store::links_of_record(transaction, record);
  if (!links) return fail(std::move(links.error()));
  for (const store::Link& link : *links) found.linked.insert(link.mailbox);
  auto operations = store::operations_of_record(transaction, record);
  if (!operations) return fail(std::move(operations.error()));
  for (const store::Operation& operation : *operations)
    if (operation.what == "create" && operation.state != store::OperationState::refused &&
        operation.state != store::OperationState::done)
      found.under_way.insert(operation.mailbox);
  return found;
}

/// As the run decides it (sync/outgoing.cpp).
bool is_made_in(const model::Record& record, const OutboundMailbox& mailbox, const Whereabouts& found) {
  if (found.linked.contains(mailbox.id) || found.under_way.contains(mailbox.id)) return false;
  return record.kind != RecordKind::appointment || sync::plan::organizes(record.fields, mailbox.address) ||
         sync::plan::count_attendees(record.fields) == 0;
}

using NewCounts = std::map<store::MailboxId, std::optional<std::int64_t>>;

/// Counts the record for those of the group that want it and have not looked at its change.
Result<void> count_new(store::Transaction& transaction, const model::Record& record, std::int64_t change,
                       const GroupBehind& group, NewCounts& counts) {
  std::vector<const Behind*> wanting;
  if (group.rules.wants(record, nobody)) {
    for (const auto& [_, behind] : group.by_address) wanting.push_back(&behind);
  } else {
    for (const std::string& address : people_of(record)) {
      const auto found = group.by_address.find(address);
      if (found != group.by_address.end() && group.rules.wants(record, address))
        wanting.push_back(&found->second);
    }
  }
  std::erase_if(wanting, [&](const Behind* behind) { return behind->looked_until >= change; });
  if (wanting.empty()) return {};
  auto found = whereabouts_of(transaction, record.id);
  if (!found) return fail(std::move(found.error()));
  for (const Behind* behind : wanting)
    if (is_made_in(record, *behind->mailbox, *found)) ++*counts.at(behind->mailbox->id);
  return {};
}

}  // namespace

Result<std::map<store::MailboxId, std::optional<std::int64_t>>> count_new_outbound(
    store::Transaction& transaction, const std::vector<OutboundMailbox>& mailboxes, int most) {
  auto last = store::last_change(transaction);
  if (!last) return fail(std::move(last.error()));
  auto from = store::change_before_latest(transaction, most);
  if (!from) return fail(std::move(from.error()));
  NewCounts counts;
  std::map<std::pair<RecordKind, std::string>, GroupBehind> groups;
  std::int64_t first = *last;
  for (const OutboundMailbox& mailbox : mailboxes) {
    std::optional<std::int64_t>& count = counts[mailbox.id];
    count = 0;
    auto rules = OutboundRules::make(mailbox.policy);
    if (!rules) return fail(std::move(rules.error()));
    for (const RecordKind kind : filtered_kinds) {
      if (!rules->wants_any(kind)) continue;
      const std::string version = rules->version_of(kind);
      auto mark = store::find_cursor(transaction, mailbox.id, sync::plan::outbound_mark(kind));
      if (!mark) return fail(std::move(mark.error()));
      const std::int64_t until = *mark ? sync::plan::looked_until((*mark)->text, (*mark)->notes, version) : 0;
      if (until >= *last) continue;
      if (until < *from) {
        count = std::nullopt;
        break;
      }
      first = std::min(first, until);
      auto group = groups.try_emplace({kind, version}, GroupBehind{*rules, kind}).first;
      group->second.by_address.emplace(mailbox.address, Behind{&mailbox, until});
    }
    if (!count)
      for (auto& [_, group] : groups) group.by_address.erase(mailbox.address);
  }
  if (first == *last) return counts;
  auto changes = store::changes_since(transaction, first, most);
  if (!changes) return fail(std::move(changes.error()));
  for (const store::RecordChange& change : *changes) {
    auto record = store::find_record(transaction, change.id);
    if (!record) return fail(std::move(record.error()));
    if (!*record) continue;
    for (const auto& [_, group] : groups)
      if (group.kind == (*record)->kind)
        if (auto done = count_new(transaction, **record, change.sequence, group, counts); !done)
          return fail(std::move(done.error()));
  }
  return counts;
}

}  // namespace syncline::service
