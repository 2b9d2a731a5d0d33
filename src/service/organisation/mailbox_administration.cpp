// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/mailbox_administration.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "service/organisation/organisation.hpp"
#include "service/organisation/person_roles.hpp"
#include "store/journal.hpp"
#include "store/placements.hpp"

namespace syncline::service {
namespace {

class Administration {
 public:
  Administration(store::Transaction& transaction, MailboxAct act, const Actor& actor, const std::string& role,
                 SystemTime now)
      : transaction_(transaction), act_(act), actor_(actor), role_(role), now_(now) {}

  Result<std::vector<MailboxActOutcome>> run(const std::vector<std::string>& addresses, rules::Day today) {
    auto loaded = load(transaction_);
    if (!loaded) return fail(std::move(loaded.error()));
    StoredOrganisation stored = std::move(*loaded);
    auto roles = load_roles(transaction_);
    if (!roles) return fail(std::move(roles.error()));
    // Which mailboxes are enabled does not bear on whether another may be: one gate serves all.
    const MailboxGate gate(stored, today);
    const Assignments assignments(stored.configuration, stored, today);
    std::vector<MailboxActOutcome> outcomes;
    for (const std::string& given : addresses) {
      MailboxActOutcome outcome{text::to_lower_ascii(given)};
      const auto standing = stored.mailboxes.find(outcome.address);
      const model::Mailbox* mailbox = stored.configuration.mailbox_of(outcome.address);
      if (standing == stored.mailboxes.end() || mailbox == nullptr) {
        outcome.obstacle = Obstacle{
            outcome.address, "no-mailbox",
            fmt::format("There is no mailbox {}", text::escape_for_display(outcome.address)), std::nullopt};
      } else {
        if (act_ == MailboxAct::enable) outcome.obstacle = gate.obstacle_to_enabling(outcome.address);
        if (act_ == MailboxAct::approve || act_ == MailboxAct::reject)
          outcome.obstacle = obstacle_to_deciding(outcome.address, *roles);
        if (act_ == MailboxAct::disable && !standing->second.enabled)
          if (auto kept = stays_disabled(standing->second.id); !kept) return fail(std::move(kept.error()));
        const MailboxStanding before = standing->second;
        bool changed = !outcome.obstacle && change(standing->second);
        if (changed && act_ == MailboxAct::approve)
          if ((outcome.obstacle = obstacle_of_role(assignments, *mailbox))) {
            standing->second = before;
            changed = false;
          }
        if (changed) {
          outcome.changed = true;
          const model::Profile* profile = stored.configuration.profile_of(*mailbox);
          auto saved =
              save(*mailbox, standing->second, profile != nullptr ? stored.profiles.at(profile->name) : 0);
          if (!saved) return fail(std::move(saved.error()));
        }
      }
      outcomes.push_back(std::move(outcome));
    }
    return outcomes;
  }

 private:
  /// Where people hold roles, who approves or rejects needs one; which one is told, or the strongest.
  std::optional<Obstacle> obstacle_to_deciding(const std::string& address, const PersonRoles& roles) {
    if (roles.empty()) return std::nullopt;
    const auto held = roles.find(actor_.who);
    if (held == roles.end() || held->second.empty())
      return Obstacle{address, "not-an-approver",
                      fmt::format("{} holds no role that may approve; syncline role list",
                                  text::escape_for_display(actor_.who)),
                      std::nullopt};
    if (role_.empty()) {
      for (const std::string_view role : approver_roles)
        if (role_.empty() && held->second.contains(std::string(role))) role_ = role;
    } else if (!held->second.contains(role_)) {
      return Obstacle{
          address, "role-not-held",
          fmt::format("{} does not hold the role {}", text::escape_for_display(actor_.who), role_),
          std::nullopt};
    }
    return std::nullopt;
  }

  /// The rules ask for certain roles, of mailboxes on Exchange Online. An approval that would not count is
  /// not written down.
  static std::optional<Obstacle> obstacle_of_role(const Assignments& assignments,
                                                  const model::Mailbox& mailbox) {
    Judged judged = assignments.judge(mailbox, rules::Word::assign);
    for (const rules::Finding& finding : judged.judgement.findings) {
      if (finding.severity != rules::Severity::reject) continue;
      if (finding.rule->id != "EXO-APPROVER-ROLE" && finding.rule->id != "EXO-CROSS-TENANT-APPROVER")
        continue;
      return Obstacle{mailbox.address, "approver-role",
                      "An approval of this role does not count for this mailbox", std::move(judged)};
    }
    return std::nullopt;
  }

  /// False: it is so already.
  bool change(MailboxStanding& standing) const {
    using model::ApprovalStatus;
    const bool enabled = standing.enabled;
    switch (act_) {
      case MailboxAct::enable:
        standing.enabled = true;
        return !enabled;
      case MailboxAct::disable:
        standing.enabled = false;
        return enabled;
      case MailboxAct::approve:
        if (standing.approval.status == ApprovalStatus::approved && standing.approval.role == role_)
          return false;
        standing.approval = {ApprovalStatus::approved, actor_.who, now_, actor_.reason, role_};
        return true;
      case MailboxAct::reject:
        if (standing.approval.status == ApprovalStatus::rejected) return false;
        standing.approval = {ApprovalStatus::rejected, actor_.who, now_, actor_.reason, role_};
        standing.enabled = false;
        return true;
    }
    return false;
  }

  /// Who disables a mailbox that is parked wants it to stay so, wherever it is found.
  Result<void> stays_disabled(store::MailboxId mailbox) {
    auto placement = store::find_placement(transaction_, mailbox);
    if (!placement) return fail(std::move(placement.error()));
    if (!*placement || !(*placement)->parked_at) return {};
    (*placement)->parked_at = std::nullopt;
    (*placement)->parked_why.clear();
    return store::put_placement(transaction_, **placement);
  }

  Result<void> save(const model::Mailbox& mailbox, const MailboxStanding& standing, std::int64_t profile) {
    auto saved = save_mailbox(transaction_, mailbox, standing, profile);
    if (!saved) return fail(std::move(saved.error()));
    return store::append_audit(transaction_, {.who = actor_.who,
                                              .act = fmt::format("mailbox.{}", to_string(act_)),
                                              .object = "mailbox " + mailbox.address,
                                              .reason = actor_.reason});
  }

  store::Transaction& transaction_;
  MailboxAct act_;
  const Actor& actor_;
  std::string role_;
  SystemTime now_;
};

}  // namespace

std::string_view to_string(MailboxAct act) noexcept {
  switch (act) {
    case MailboxAct::approve:
      return "approve";
    case MailboxAct::reject:
      return "reject";
    case MailboxAct::enable:
      return "enable";
    case MailboxAct::disable:
      return "disable";
  }
  return {};
}

Result<std::vector<MailboxActOutcome>> administer(Organisation& organisation, MailboxAct act,
                                                  const std::vector<std::string>& addresses,
                                                  const Actor& actor, const std::string& role) {
  const SystemTime now = organisation.clock().now();
  const rules::Day today = organisation.today();
  return organisation.store().write<std::vector<MailboxActOutcome>>([&](store::Transaction& transaction) {
    return Administration(transaction, act, actor, role, now).run(addresses, today);
  });
}

Result<void> note_take_over(Organisation& organisation, const std::vector<std::string>& addresses,
                            const Actor& actor) {
  return organisation.store().write<void>([&](store::Transaction& transaction) -> Result<void> {
    const std::vector<std::string> objects =
        addresses.empty() ? std::vector<std::string>{"all mailboxes"} : addresses;
    for (const std::string& object : objects) {
      auto audited = store::append_audit(
          transaction, {.who = actor.who,
                        .act = "mailbox.take-over",
                        .object = addresses.empty() ? object : "mailbox " + text::to_lower_ascii(object),
                        .reason = actor.reason});
      if (!audited) return audited;
    }
    return {};
  });
}

}  // namespace syncline::service
