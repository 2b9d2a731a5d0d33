// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/apply.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

#include "base/text.hpp"

#include "service/organisation/organisation.hpp"
#include "service/organisation/profile_contradiction.hpp"
#include "store/journal.hpp"

namespace syncline::service {
namespace {

namespace json = boost::json;

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
  bool defaults = false;
  for (const ObjectChange& change : changes) {
    organisation = organisation || change.object == "organisation";
    policies = policies || change.object.starts_with("policy.");
    defaults = defaults || change.object == "defaults";
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
  if (defaults) {
    if (auto saved = save_defaults(transaction, wanted.defaults); !saved) return saved;
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

struct ApprovalSwitch {
  std::string_view field;
  std::string_view whose;
  std::string_view alert;
};
constexpr ApprovalSwitch approval_switches[] = {
    {"require_user_approval", "users", "approval-off-users"},
    {"require_queue_approval", "queues", "approval-off-queues"},
};

/// Whether a change switches approval off or on again; nullopt: it does not touch it. It is on by itself.
std::optional<bool> switched_to(const std::vector<ObjectChange>& changes, std::string_view field) {
  const auto is_on = [](const json::value& value) { return !(value.is_bool() && !value.get_bool()); };
  for (const ObjectChange& change : changes) {
    if (change.object != "organisation") continue;
    for (const FieldChange& one : change.fields)
      if (one.field == field && is_on(one.from) != is_on(one.to)) return is_on(one.to);
  }
  return std::nullopt;
}

std::vector<std::string> warnings_of(const std::vector<ObjectChange>& changes) {
  std::vector<std::string> warnings;
  for (const ApprovalSwitch& one : approval_switches)
    if (switched_to(changes, one.field) == false)
      warnings.push_back(
          fmt::format("Approval of {}' mailboxes is switched off: whoever may enable mailboxes "
                      "can have anybody's mail processed. It is recorded.",
                      one.whose));
  for (const ObjectChange& change : changes)
    for (const FieldChange& one : change.fields)
      if (change.object == "profile" && one.field == "move_undelivered" && one.to == json::value(true))
        warnings.push_back(
            fmt::format("The profile {} asks for move_undelivered, which is not done: mail that cannot be "
                        "tracked stays where it is, and is listed by syncline quarantine list.",
                        change.name));
  return warnings;
}

/// Approval goes off with a record that stays, and an alert until it is on again.
Result<void> record_approval_switches(store::Transaction& transaction,
                                      const std::vector<ObjectChange>& changes, const Actor& actor) {
  for (const ApprovalSwitch& one : approval_switches) {
    const std::optional<bool> on = switched_to(changes, one.field);
    if (!on) continue;
    auto audited = store::append_audit(transaction, {.who = actor.who,
                                                     .act = *on ? "approval.on" : "approval.off",
                                                     .object = std::string(one.whose),
                                                     .reason = actor.reason});
    if (!audited) return audited;
    auto told =
        *on ? store::clear_alert(transaction, 0, one.alert)
            : store::raise_alert(
                  transaction,
                  {.level = store::AlertLevel::warning,
                   .code = std::string(one.alert),
                   .text = fmt::format("{} has switched approval of {}' mailboxes off{}{}", actor.who,
                                       one.whose, actor.reason.empty() ? "" : ": ", actor.reason),
                   .remedy = fmt::format("Set {} = true again, unless it is meant to stay so.", one.field)});
    if (!told) return told;
  }
  return {};
}

/// What is not in the settings does not change: they were read through them.
model::Mailbox with_settings(const json::object& settings) {
  model::Mailbox made;
  (void)from_object(mailbox_settings(), settings, made);
  return made;
}

model::Mailbox with_defaults_of(const model::Mailbox& mailbox, const json::object& defaults) {
  json::object settings = to_object(mailbox_settings(), mailbox);
  for (const auto& [key, value] : defaults)
    if (!settings.contains(key)) settings[key] = value;
  return with_settings(settings);
}

Configuration with_defaults(const Configuration& wanted, const Configuration& present) {
  Configuration resolved = wanted;
  if (wanted.defaults.empty()) return resolved;
  std::map<std::string_view, const model::Mailbox*> known;
  for (const model::Mailbox& mailbox : present.mailboxes) known[mailbox.address] = &mailbox;
  for (model::Mailbox& mailbox : resolved.mailboxes) {
    json::object settings = to_object(mailbox_settings(), mailbox);
    const auto before = known.find(mailbox.address);
    const json::object had =
        before == known.end() ? json::object{} : to_object(mailbox_settings(), *before->second);
    bool changed = false;
    for (const auto& [key, value] : wanted.defaults) {
      if (settings.contains(key)) continue;
      const json::value* kept = had.if_contains(key);
      if (before != known.end() && kept == nullptr) continue;
      settings[key] = kept != nullptr ? *kept : value;
      changed = true;
    }
    if (changed) mailbox = with_settings(settings);
  }
  return resolved;
}

using MakeWanted = std::function<Result<Configuration>(const Configuration& present)>;

/// `chosen`: whose verdicts are told; empty: everybody's.
Result<ApplyOutcome> change(Organisation& organisation, const MakeWanted& make,
                            const std::vector<std::string>& chosen, bool dry_run, const Actor& actor) {
  const rules::Day today = organisation.today();
  std::optional<std::pair<Configuration, Configuration>> filters;  ///< that change: before, after
  const auto work = [&](store::Transaction& transaction) -> Result<ApplyOutcome> {
    auto stored = load(transaction);
    if (!stored) return fail(std::move(stored.error()));
    auto wanted = make(stored->configuration);
    if (!wanted) return fail(std::move(wanted.error()));
    ApplyOutcome outcome;
    outcome.changes = difference(stored->configuration, *wanted);
    for (const ObjectChange& one : outcome.changes)
      if (one.object == "profile" && one.action != ObjectChange::Action::remove)
        if (const auto wrong = contradiction_in(*wanted->profile_named(one.name)))
          return fail(ErrorDomain::input, "bad-value", fmt::format("{} {}", wrong->key, wrong->reason));
    outcome.warnings = warnings_of(outcome.changes);
    examine(*stored, *wanted, today, outcome);
    const bool is_about_filters = std::any_of(
        outcome.changes.begin(), outcome.changes.end(),
        [](const ObjectChange& one) { return one.object == "policy.sync" || one.object == "mailbox"; });
    if (is_about_filters && filters_change(stored->configuration, *wanted))
      filters.emplace(stored->configuration, *wanted);
    if (!chosen.empty())
      std::erase_if(outcome.judged, [&](const Judged& judged) {
        return std::find(chosen.begin(), chosen.end(), judged.address) == chosen.end();
      });
    if (dry_run || !outcome.refusals.empty() || outcome.changes.empty()) return outcome;
    if (auto written = write_changes(transaction, *stored, *wanted, outcome.changes); !written)
      return fail(std::move(written.error()));
    if (auto audited = audit_changes(transaction, outcome.changes, actor); !audited)
      return fail(std::move(audited.error()));
    if (auto recorded = record_approval_switches(transaction, outcome.changes, actor); !recorded)
      return fail(std::move(recorded.error()));
    outcome.applied = true;
    return outcome;
  };
  auto outcome = dry_run ? organisation.store().read<ApplyOutcome>(work)
                         : organisation.store().write<ApplyOutcome>(work);
  if (!outcome || !filters) return outcome;
  // All records are read for it: not while others wait to write.
  auto counted = organisation.store().read<std::vector<OutboundCount>>([&](store::Transaction& transaction) {
    return count_outbound(transaction, filters->first, filters->second);
  });
  if (!counted) return fail(std::move(counted.error()));
  outcome->outbound = std::move(*counted);
  return outcome;
}

/// Changes the settings of the chosen mailboxes, each as JSON.
Result<Configuration> changed_mailboxes(
    Configuration configuration, const std::vector<std::string>& addresses,
    const std::function<Result<void>(json::object& settings)>& change_one) {
  // Copies: the mailboxes' own texts move when they change.
  std::map<std::string, model::Mailbox*, std::less<>> by_address;
  for (model::Mailbox& mailbox : configuration.mailboxes) by_address[mailbox.address] = &mailbox;
  for (const std::string& address : addresses) {
    const auto found = by_address.find(address);
    if (found == by_address.end())
      return fail(ErrorDomain::input, "no-mailbox", "There is no mailbox " + address);
    json::object settings = to_object(mailbox_settings(), *found->second);
    if (auto done = change_one(settings); !done) return fail(std::move(done.error()));
    model::Mailbox made;
    if (Wrong wrong = from_object(mailbox_settings(), settings, made))
      return fail(ErrorDomain::input, "bad-setting", *wrong);
    if (made.address != address)
      return fail(ErrorDomain::input, "bad-setting", "address: a mailbox's address does not change");
    if (made.profile && configuration.profile_named(*made.profile) == nullptr)
      return fail(ErrorDomain::input, "bad-setting",
                  "profile: there is no profile \"" + *made.profile + "\"");
    *found->second = std::move(made);
  }
  return configuration;
}

std::vector<std::string> in_lower_case(const std::vector<std::string>& addresses) {
  std::vector<std::string> lower;
  for (const std::string& address : addresses) lower.push_back(text::to_lower_ascii(address));
  return lower;
}

/// Into the object of a dotted key: policy.mail.track.
Result<void> set_at(json::object& settings, const SettingChange& wanted) {
  json::object* at = &settings;
  std::string_view key = wanted.key;
  constexpr std::string_view policy = "policy.";
  if (key.starts_with(policy)) {
    while (true) {
      const std::size_t dot = key.find('.');
      if (dot == std::string_view::npos) break;
      json::value& inner = (*at)[key.substr(0, dot)];
      if (!inner.is_object()) inner = json::object{};
      at = &inner.get_object();
      key.remove_prefix(dot + 1);
    }
  } else if (find_setting(mailbox_settings(), key) == nullptr) {
    return fail(ErrorDomain::input, "bad-setting", wanted.key + ": no such setting");
  }
  if (wanted.value.is_null())
    at->erase(key);
  else
    (*at)[key] = wanted.value;
  return {};
}

}  // namespace

Result<ApplyOutcome> apply(Organisation& organisation, const Configuration& wanted, bool dry_run,
                           const Actor& actor) {
  const MakeWanted make = [&](const Configuration& present) -> Result<Configuration> {
    return with_defaults(wanted, present);
  };
  return change(organisation, make, {}, dry_run, actor);
}

Result<ApplyOutcome> apply(Organisation& organisation, const ConfigurationEdit& edit, bool dry_run,
                           const Actor& actor) {
  const MakeWanted make = [&](const Configuration& present) -> Result<Configuration> {
    auto wanted = edit(present);
    if (!wanted) return wanted;
    for (model::Mailbox& mailbox : wanted->mailboxes)
      if (present.mailbox_of(mailbox.address) == nullptr)
        mailbox = with_defaults_of(mailbox, wanted->defaults);
    return wanted;
  };
  return change(organisation, make, {}, dry_run, actor);
}

Result<ApplyOutcome> apply_defaults(Organisation& organisation, const std::vector<std::string>& addresses,
                                    bool dry_run, const Actor& actor) {
  const std::vector<std::string> chosen = in_lower_case(addresses);
  const MakeWanted make = [&](const Configuration& present) -> Result<Configuration> {
    if (present.defaults.empty())
      return fail(ErrorDomain::input, "no-defaults", "The configuration has no [defaults]");
    return changed_mailboxes(present, chosen, [&](json::object& settings) -> Result<void> {
      for (const auto& [key, value] : present.defaults) settings[key] = value;
      return {};
    });
  };
  return change(organisation, make, chosen, dry_run, actor);
}

Result<ApplyOutcome> set_mailboxes(Organisation& organisation, const std::vector<std::string>& addresses,
                                   const std::vector<SettingChange>& changes, bool dry_run,
                                   const Actor& actor) {
  const std::vector<std::string> chosen = in_lower_case(addresses);
  const MakeWanted make = [&](const Configuration& present) -> Result<Configuration> {
    return changed_mailboxes(present, chosen, [&](json::object& settings) -> Result<void> {
      for (const SettingChange& one : changes)
        if (auto set = set_at(settings, one); !set) return set;
      return {};
    });
  };
  return change(organisation, make, chosen, dry_run, actor);
}

}  // namespace syncline::service
