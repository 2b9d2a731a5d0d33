// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/views/status_json.hpp"

#include <algorithm>
#include <boost/json/array.hpp>

#include "service/organisation/brake.hpp"
#include "service/organisation/last_run.hpp"
#include "service/organisation/outbound_backlog.hpp"
#include "service/views/json_values.hpp"
#include "service/views/mailbox_json.hpp"
#include "service/views/mailbox_test_json.hpp"
#include "store/journal.hpp"
#include "store/operations.hpp"
#include "store/records.hpp"
#include "store/standing.hpp"

namespace syncline::service {
namespace {

namespace json = boost::json;

Result<MailboxStatus> look_at(store::Transaction& transaction, MailboxStatus status) {
  for (const model::RecordKind kind : model::record_kinds) {
    auto count = store::count_links(transaction, status.standing->id, kind);
    if (!count) return fail(std::move(count.error()));
    status.links[static_cast<std::size_t>(kind)] = *count;
  }
  auto operations = store::unfinished_operations(transaction, status.standing->id);
  if (!operations) return fail(std::move(operations.error()));
  status.unfinished = operations->size();
  auto stale = store::count_stale_links(transaction, status.standing->id);
  if (!stale) return fail(std::move(stale.error()));
  status.changes_waiting = *stale;
  status.in_step_at = read_last_run(status.standing->state).succeeded_at;
  auto quarantine = store::list_quarantine(transaction, status.standing->id);
  if (!quarantine) return fail(std::move(quarantine.error()));
  status.quarantined = quarantine->size();
  return status;
}

/// The mailboxes that are served: what others' filters want goes nowhere.
struct Served {
  std::vector<OutboundMailbox> outbound = {};
  std::map<std::size_t, std::string> senders = {};  ///< by place in the status: whose messages it sends

  void add(const EnabledMailbox& mailbox, std::size_t place) {
    // Among the public folders there is none where new items of a kind go.
    const bool goes = mailbox.route().act && mailbox.mailbox().store != model::FolderStore::public_folders;
    outbound.push_back(
        {mailbox.id(), mailbox.address(), goes ? mailbox.policies().sync : model::SyncPolicy{}});
    if (mailbox.route().outgoing) senders.emplace(place, mailbox.mailbox().record_owner());
  }
};

Result<void> count_new(store::Transaction& transaction, const Served& served,
                       std::vector<MailboxStatus>& mailboxes) {
  auto counts = count_new_outbound(transaction, served.outbound);
  if (!counts) return fail(std::move(counts.error()));
  for (MailboxStatus& one : mailboxes)
    if (const auto found = counts->find(one.standing->id); found != counts->end())
      one.new_waiting = found->second;
  for (const auto& [place, owner] : served.senders) {
    if (!mailboxes[place].new_waiting) continue;
    auto unsent = store::count_unsent(transaction, owner);
    if (!unsent) return fail(std::move(unsent.error()));
    *mailboxes[place].new_waiting += *unsent;
  }
  return {};
}

json::object kinds_json(const std::int64_t (&counts)[4]) {
  json::object object;
  for (const model::RecordKind kind : model::record_kinds)
    object.emplace(model::to_string(kind), counts[static_cast<std::size_t>(kind)]);
  return object;
}

}  // namespace

Result<StatusPtr> collect_status(store::Transaction& transaction, rules::Day today) {
  auto made = std::make_unique<Status>();
  Status& status = *made;
  auto stored = load(transaction);
  if (!stored) return fail(std::move(stored.error()));
  status.stored = std::move(*stored);
  for (const model::RecordKind kind : model::record_kinds) {
    auto count = store::count_records(transaction, kind);
    if (!count) return fail(std::move(count.error()));
    status.records[static_cast<std::size_t>(kind)] = *count;
  }
  auto last = store::last_change(transaction);
  if (!last) return fail(std::move(last.error()));
  status.last_change = *last;
  auto alerts = store::list_alerts(transaction, true);
  if (!alerts) return fail(std::move(alerts.error()));
  auto brakes = pulled_brakes(transaction);
  if (!brakes) return fail(std::move(brakes.error()));
  auto tests = store::list_mailbox_tests(transaction);
  if (!tests) return fail(std::move(tests.error()));
  std::map<store::MailboxId, store::TestState> test_states;
  for (const store::MailboxTestRow& test : *tests) test_states.emplace(test.mailbox, test.state);
  const MailboxGate gate(status.stored, today);
  Served served;
  for (const model::Mailbox& mailbox : status.stored.configuration.mailboxes) {
    MailboxStatus one;
    one.mailbox = &mailbox;
    one.standing = &status.stored.mailboxes.at(mailbox.address);
    if (one.standing->enabled) {
      auto admitted = gate.admit(mailbox.address);
      if (admitted)
        served.add(*admitted, status.mailboxes.size());
      else
        one.obstacle = std::move(admitted.error());
    }
    one.alerts = static_cast<std::size_t>(
        std::count_if(alerts->begin(), alerts->end(),
                      [&](const store::Alert& alert) { return alert.mailbox == one.standing->id; }));
    one.brake = std::find(brakes->begin(), brakes->end(), mailbox.address) != brakes->end();
    if (const auto test = test_states.find(one.standing->id); test != test_states.end())
      one.test = to_string(test->second);
    auto looked = look_at(transaction, std::move(one));
    if (!looked) return fail(std::move(looked.error()));
    status.mailboxes.push_back(std::move(*looked));
  }
  if (auto counted = count_new(transaction, served, status.mailboxes); !counted)
    return fail(std::move(counted.error()));
  return made;
}

json::object to_json(const Status& status, SystemTime now) {
  json::array mailboxes;
  for (const MailboxStatus& one : status.mailboxes) {
    json::object object{{"mailbox", one.mailbox->address},
                        {"kind", model::word_of(one.mailbox->kind)},
                        {"profile", nullptr},
                        {"approval", model::word_of(one.standing->approval.status)},
                        {"enabled", one.standing->enabled},
                        {"obstacle", nullptr},
                        {"links", kinds_json(one.links)},
                        {"inStepAt", nullptr},
                        {"lagSeconds", nullptr},
                        {"operations", one.unfinished},
                        {"changesWaiting", one.changes_waiting},
                        {"newWaiting", nullptr},
                        {"quarantined", one.quarantined},
                        {"alerts", one.alerts},
                        {"brake", one.brake},
                        {"test", text_or_null(one.test)},
                        {"state", parsed_or_null(one.standing->state)},
                        {"watched", nullptr}};
    if (one.new_waiting) object["newWaiting"] = *one.new_waiting;
    if (one.in_step_at) {
      object["inStepAt"] = json_time(*one.in_step_at);
      object["lagSeconds"] = std::max<std::int64_t>(
          0, std::chrono::duration_cast<std::chrono::seconds>(now - *one.in_step_at).count());
    }
    if (const std::string profile = profile_name(status.stored.configuration, *one.mailbox); !profile.empty())
      object["profile"] = profile;
    if (one.obstacle)
      object["obstacle"] = json::object{{"code", one.obstacle->code}, {"message", one.obstacle->message}};
    mailboxes.push_back(std::move(object));
  }
  json::object object{{"organisation", nullptr},
                      {"records", kinds_json(status.records)},
                      {"lastChange", status.last_change},
                      {"mailboxes", std::move(mailboxes)},
                      {"servers", nullptr}};
  if (const std::string& name = status.stored.configuration.organisation.name; !name.empty())
    object["organisation"] = name;
  return object;
}

}  // namespace syncline::service
