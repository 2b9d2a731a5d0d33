// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The gate of invariant 20: no driver is made for a mailbox that is not approved, enabled and accepted by the
// checker at stage `enable`. What makes drivers takes an AdmittedMailbox, and only the gate makes one: an
// EnabledMailbox, which is synchronised, or a MailboxUnderTest, which may not be enabled yet and is only
// tested.
#include <optional>
#include <string>
#include <vector>

#include "base/expected.hpp"
#include "model/mailbox_facts.hpp"
#include "routing/router/route.hpp"
#include "service/organisation/assignments.hpp"

namespace syncline::service {

class Organisation;

/// Why a mailbox may not be connected.
struct Obstacle {
  std::string address;
  /// "no-mailbox", "no-profile", "rejected-address", "not-approved", "not-enabled", "rejected-by-rules",
  /// "missing-secret", or a code of router::route.
  std::string code;
  std::string message;
  std::optional<Judged> judged = std::nullopt;  ///< with the findings, once the rules were asked
};

/// Approved, and accepted by the rules with all its secrets. Only as one of those below.
class AdmittedMailbox {
 public:
  store::MailboxId id() const noexcept { return id_; }
  const std::string& address() const noexcept { return mailbox_.address; }
  const model::Mailbox& mailbox() const noexcept { return mailbox_; }
  const model::Profile& profile() const noexcept { return profile_; }
  /// The organisation's with the mailbox's own settings over them; mail.process_from is the latest of policy,
  /// profile and mailbox.
  const model::Policies& policies() const noexcept { return policies_; }
  const model::Approval& approval() const noexcept { return approval_; }
  /// The proof, and what the rules went by.
  const rules::CheckedAssignment& assignment() const noexcept { return assignment_; }
  /// From what is stated alone.
  const router::Route& route() const noexcept { return route_; }
  /// With what discovery found out.
  Result<router::Route> route_with(const model::MailboxFacts& facts) const {
    return router::route(assignment_, facts);
  }

 protected:
  friend class MailboxGate;
  AdmittedMailbox(store::MailboxId id, model::Mailbox mailbox, model::Profile profile,
                  model::Policies policies, model::Approval approval, rules::CheckedAssignment assignment,
                  router::Route route)
      : id_(id),
        mailbox_(std::move(mailbox)),
        profile_(std::move(profile)),
        policies_(std::move(policies)),
        approval_(std::move(approval)),
        assignment_(std::move(assignment)),
        route_(std::move(route)) {}

 private:
  store::MailboxId id_;
  model::Mailbox mailbox_;
  model::Profile profile_;
  model::Policies policies_;
  model::Approval approval_;
  rules::CheckedAssignment assignment_;
  router::Route route_;
};

/// Enabled, too: its records and items may be brought in step.
class EnabledMailbox : public AdmittedMailbox {
 private:
  friend class MailboxGate;
  explicit EnabledMailbox(AdmittedMailbox admitted) : AdmittedMailbox(std::move(admitted)) {}
};

/// For a test of what it would be enabled for, and nothing else.
class MailboxUnderTest : public AdmittedMailbox {
 private:
  friend class MailboxGate;
  explicit MailboxUnderTest(AdmittedMailbox admitted) : AdmittedMailbox(std::move(admitted)) {}
};

class MailboxGate {
 public:
  /// `stored` must outlive it.
  MailboxGate(const StoredOrganisation& stored, rules::Day today)
      : stored_(stored), assignments_(stored.configuration, stored, today) {
    for (const model::Mailbox& mailbox : stored.configuration.mailboxes)
      by_address_[mailbox.address] = &mailbox;
  }

  expected<EnabledMailbox, Obstacle> admit(std::string_view address) const;
  /// Whether it is enabled does not matter.
  expected<MailboxUnderTest, Obstacle> admit_for_test(std::string_view address) const;
  /// What stands in the way of enabling the mailbox; nothing: it may be.
  std::optional<Obstacle> obstacle_to_enabling(std::string_view address) const;

 private:
  struct Passed {
    const model::Mailbox* mailbox;
    const model::Profile* profile;
    const MailboxStanding* standing;
    rules::CheckedAssignment assignment;
    router::Route route;
  };
  expected<Passed, Obstacle> examine(std::string_view address) const;
  AdmittedMailbox admitted(Passed passed) const;
  std::optional<std::string> missing_secret(const model::Mailbox& mailbox, const model::Profile& profile,
                                            const router::Route& route) const;

  const StoredOrganisation& stored_;
  Assignments assignments_;
  std::map<std::string_view, const model::Mailbox*> by_address_;
};

struct EnabledMailboxes {
  std::vector<EnabledMailbox> ready;
  std::vector<Obstacle> not_ready;  ///< enabled, but the gate refuses them today
};
/// All enabled mailboxes, or of `addresses` (in any case) those there are; one of these that is unknown or
/// not enabled is among `not_ready`.
Result<EnabledMailboxes> enabled_mailboxes(Organisation& organisation,
                                           const std::vector<std::string>& addresses = {});

}  // namespace syncline::service
