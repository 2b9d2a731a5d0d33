// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/outbound_counts.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "service/organisation/outbound_people.hpp"
#include "store/records.hpp"
#include "sync/plan/outbound.hpp"

namespace syncline::service {
namespace {

using model::OutboundFilter;
using model::RecordKind;
using sync::plan::OutboundRules;

constexpr RecordKind filtered_kinds[] = {RecordKind::appointment, RecordKind::contact, RecordKind::task};
constexpr int batch_rows = 1000;

const std::vector<OutboundFilter>& filters_of(const model::SyncPolicy& policy, RecordKind kind) {
  return kind == RecordKind::appointment ? policy.send_appointments
         : kind == RecordKind::contact   ? policy.send_contacts
                                         : policy.send_tasks;
}

model::SyncPolicy filters_before(const Configuration& from, const std::string& address) {
  const model::Mailbox* mailbox = from.mailbox_of(address);
  return mailbox == nullptr ? model::SyncPolicy{} : from.policies_of(*mailbox).sync;
}

/// Mailboxes with the same filters.
struct Group {
  OutboundRules rules;
  std::map<std::string, std::uint64_t, std::less<>> counts = {};  ///< by address: for it and not for all
  std::uint64_t for_all = 0;
};

/// Groups by what their filters say.
class Groups {
 public:
  Result<Group*> of(const model::SyncPolicy& policy, RecordKind kind) {
    auto rules = OutboundRules::make(policy);
    if (!rules) return fail(std::move(rules.error()));
    const std::string version = rules->version_of(kind);
    return &groups_.try_emplace(version, Group{std::move(*rules)}).first->second;
  }
  std::map<std::string, Group>& all() { return groups_; }

 private:
  std::map<std::string, Group> groups_;
};

void count(const model::Record& record, Groups& groups) {
  std::optional<std::set<std::string>> people;
  for (auto& [_, group] : groups.all()) {
    if (!group.rules.wants_any(record.kind)) continue;
    if (group.rules.wants(record, nobody)) {
      ++group.for_all;
      continue;
    }
    if (!people) people = people_of(record);
    for (const std::string& address : *people) {
      const auto found = group.counts.find(address);
      if (found != group.counts.end() && group.rules.wants(record, address)) ++found->second;
    }
  }
}

struct Change {
  std::string mailbox;
  Group* before;
  Group* after;
};

Result<void> count_kind(store::Transaction& transaction, RecordKind kind, Groups& groups) {
  for (model::RecordId after = 0;;) {
    auto records = store::list_records(transaction, {.kind = kind, .after = after, .most = batch_rows});
    if (!records) return fail(std::move(records.error()));
    for (const model::Record& record : *records) count(record, groups);
    if (records->size() < batch_rows) return {};
    after = records->back().id;
  }
}

}  // namespace

bool filters_change(const Configuration& from, const Configuration& to) {
  return std::any_of(to.mailboxes.begin(), to.mailboxes.end(), [&](const model::Mailbox& mailbox) {
    const model::SyncPolicy before = filters_before(from, mailbox.address);
    const model::SyncPolicy after = to.policies_of(mailbox).sync;
    return std::any_of(std::begin(filtered_kinds), std::end(filtered_kinds),
                       [&](RecordKind kind) { return filters_of(before, kind) != filters_of(after, kind); });
  });
}

Result<std::vector<OutboundCount>> count_outbound(store::Transaction& transaction, const Configuration& from,
                                                  const Configuration& to) {
  std::vector<OutboundCount> counts;
  for (const RecordKind kind : filtered_kinds) {
    Groups groups;
    std::vector<Change> changes;
    for (const model::Mailbox& mailbox : to.mailboxes) {
      if (mailbox.act.value_or(model::DeliveryMethod::server) != model::DeliveryMethod::server) continue;
      const model::SyncPolicy before = filters_before(from, mailbox.address);
      const model::SyncPolicy after = to.policies_of(mailbox).sync;
      if (filters_of(before, kind) == filters_of(after, kind)) continue;
      auto was = groups.of(before, kind);
      if (!was) return fail(std::move(was.error()));
      auto is = groups.of(after, kind);
      if (!is) return fail(std::move(is.error()));
      for (Group* group : {*was, *is}) group->counts.try_emplace(mailbox.address, 0);
      changes.push_back({mailbox.address, *was, *is});
    }
    if (changes.empty()) continue;
    if (auto counted = count_kind(transaction, kind, groups); !counted)
      return fail(std::move(counted.error()));
    for (const Change& change : changes)
      counts.push_back({.mailbox = change.mailbox,
                        .kind = kind,
                        .before = change.before->for_all + change.before->counts.at(change.mailbox),
                        .after = change.after->for_all + change.after->counts.at(change.mailbox)});
  }
  std::stable_sort(counts.begin(), counts.end(),
                   [](const OutboundCount& a, const OutboundCount& b) { return a.mailbox < b.mailbox; });
  return counts;
}

}  // namespace syncline::service
