// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/apply.hpp"

#include <fmt/format.h>

#include <map>

#include "service/organisation/organisation.hpp"
#include "store/journal.hpp"

namespace syncline::service {
namespace {

bool same_row(const Judged& a, const Judged& b) {
  for (const rules::Field field : rules::all_fields()) {
    if (field != rules::Field::env_as_of &&
        a.assignment.values.printed(field) != b.assignment.values.printed(field))
      return false;
  }
  return true;
}

std::string rejecting_rules(const Judged& judged) {
  std::string ids;
  for (const rules::Finding& finding : judged.judgement.findings) {
    if (finding.severity == rules::Severity::reject)
      ids += (ids.empty() ? "" : ", ") + std::string(finding.rule->id);
  }
  return ids;
}

void examine(const StoredOrganisation& stored, const Configuration& wanted, rules::Day today,
             ApplyOutcome& outcome) {
  std::map<std::string_view, Judged> before;
  for (Judged& judged : Assignments(stored.configuration, stored, today).judge_all()) {
    const auto address = stored.mailboxes.find(judged.address);
    if (address != stored.mailboxes.end()) before.emplace(address->first, std::move(judged));
  }
  outcome.judged = Assignments(wanted, stored, today).judge_all();
  for (const Judged& after : outcome.judged) {
    if (!after.rejected()) continue;
    const auto was = before.find(after.address);
    if (was != before.end() && was->second.rejected() && same_row(was->second, after)) {
      outcome.still_rejected.push_back(after.address);
    } else {
      outcome.refusals.push_back(
          {after.address, "rejected-by-rules", "rejected by " + rejecting_rules(after)});
    }
  }
  for (const ObjectChange& change : outcome.changes) {
    if (change.action != ObjectChange::Action::remove || change.object != "mailbox") continue;
    const auto standing = stored.mailboxes.find(change.name);
    if (standing != stored.mailboxes.end() && standing->second.enabled) {
      outcome.refusals.push_back(
          {change.name, "enabled",
           "the mailbox is enabled; before it can be removed: syncline mailbox disable"});
    }
  }
}

Result<void> forget_secrets(store::Transaction& transaction, std::string_view kind, const std::string& name) {
  SealedRows rows(transaction);
  return vault::forget_account(rows, {std::string(kind), name});
}

/// Profiles before the mailboxes that name them, and the other way round for what goes.
Result<void> write_changes(store::Transaction& transaction, const StoredOrganisation& stored,
                           const Configuration& wanted, const std::vector<ObjectChange>& changes) {
  using Action = ObjectChange::Action;
  auto profile_ids = stored.profiles;
  bool organisation = false;
  bool policies = false;
  for (const ObjectChange& change : changes) {
    organisation = organisation || change.object == "organisation";
    policies = policies || change.object.starts_with("policy.");
    if (change.object != "profile" || change.action == Action::remove) continue;
    auto id = save_profile(transaction, *wanted.profile_named(change.name), profile_ids[change.name]);
    if (!id) return fail(std::move(id.error()));
    profile_ids[change.name] = *id;
  }
  if (organisation) {
    if (auto saved = save_organisation(transaction, wanted.organisation); !saved) return saved;
  }
  if (policies) {
    if (auto saved = save_policies(transaction, wanted.policies); !saved) return saved;
  }
  // A mailbox without a profile of its own follows the default one: its row is written when either changes.
  std::map<std::string_view, const model::Mailbox*> by_address;
  for (const model::Mailbox& mailbox : wanted.mailboxes) by_address[mailbox.address] = &mailbox;
  const auto profile_id = [&](const Configuration& configuration,
                              const model::Mailbox& mailbox) -> std::int64_t {
    const model::Profile* profile = configuration.profile_of(mailbox);
    const auto found = profile != nullptr ? profile_ids.find(profile->name) : profile_ids.end();
    return found == profile_ids.end() ? 0 : found->second;
  };
  std::map<std::string_view, bool> to_write;
  for (const ObjectChange& change : changes) {
    if (change.object == "mailbox" && change.action != Action::remove) to_write[change.name] = true;
  }
  for (const model::Mailbox& mailbox : stored.configuration.mailboxes) {
    const auto now = by_address.find(mailbox.address);
    if (now != by_address.end() &&
        profile_id(stored.configuration, mailbox) != profile_id(wanted, *now->second))
      to_write[now->second->address] = true;
  }
  for (const auto& [address, write] : to_write) {
    const auto known = stored.mailboxes.find(address);
    const model::Mailbox& mailbox = *by_address.at(address);
    auto id = save_mailbox(transaction, mailbox,
                           known != stored.mailboxes.end() ? known->second : MailboxStanding{},
                           profile_id(wanted, mailbox));
    if (!id) return fail(std::move(id.error()));
  }
  for (const ObjectChange& change : changes) {
    if (change.object != "mailbox" || change.action != Action::remove) continue;
    if (auto gone = forget_secrets(transaction, "mailbox", change.name); !gone) return gone;
    if (auto gone = store::delete_mailbox(transaction, stored.mailboxes.at(change.name).id); !gone)
      return gone;
  }
  for (const ObjectChange& change : changes) {
    if (change.object != "profile" || change.action != Action::remove) continue;
    if (auto gone = forget_secrets(transaction, "profile", change.name); !gone) return gone;
    if (auto gone = store::delete_profile(transaction, stored.profiles.at(change.name)); !gone) return gone;
  }
  return {};
}

Result<void> audit_changes(store::Transaction& transaction, const std::vector<ObjectChange>& changes,
                           const Actor& actor) {
  for (const ObjectChange& change : changes) {
    store::AuditEntry entry;
    entry.who = actor.who;
    entry.act = fmt::format("apply.{}", to_string(change.action));
    entry.object = change.name.empty() ? change.object : fmt::format("{} {}", change.object, change.name);
    if (change.action == ObjectChange::Action::change) {
      std::string fields;
      for (const FieldChange& field : change.fields) fields += (fields.empty() ? "" : ", ") + field.field;
      entry.object += ": " + fields;
    }
    entry.reason = actor.reason;
    if (auto written = store::append_audit(transaction, entry); !written) return written;
  }
  return {};
}

}  // namespace

Result<ApplyOutcome> apply(Organisation& organisation, const Configuration& wanted, bool dry_run,
                           const Actor& actor) {
  const rules::Day today = organisation.today();
  const auto work = [&](store::Transaction& transaction) -> Result<ApplyOutcome> {
    auto stored = load(transaction);
    if (!stored) return fail(std::move(stored.error()));
    ApplyOutcome outcome;
    outcome.changes = difference(stored->configuration, wanted);
    examine(*stored, wanted, today, outcome);
    if (dry_run || !outcome.refusals.empty() || outcome.changes.empty()) return outcome;
    if (auto written = write_changes(transaction, *stored, wanted, outcome.changes); !written)
      return fail(std::move(written.error()));
    if (auto audited = audit_changes(transaction, outcome.changes, actor); !audited)
      return fail(std::move(audited.error()));
    outcome.applied = true;
    return outcome;
  };
  if (dry_run) return organisation.store().read<ApplyOutcome>(work);
  return organisation.store().write<ApplyOutcome>(work);
}

}  // namespace syncline::service
