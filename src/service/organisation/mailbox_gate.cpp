// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/mailbox_gate.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "service/organisation/organisation.hpp"

namespace syncline::service {
namespace {

unexpected<Obstacle> refuse(std::string_view address, std::string_view code, std::string message) {
  return unexpected<Obstacle>({std::string(address), std::string(code), std::move(message), std::nullopt});
}

/// Approval may be switched off for a kind; the rules warn about it.
bool approval_required(const Judged& judged) {
  const bool user = judged.assignment.values.is(rules::Field::mbx_kind, rules::Word::user);
  return judged.assignment.values.is(
      user ? rules::Field::env_require_user_approval : rules::Field::env_require_queue_approval,
      rules::Word::yes);
}

}  // namespace

expected<MailboxGate::Passed, Obstacle> MailboxGate::examine(std::string_view address) const {
  const model::Mailbox* mailbox = stored_.configuration.mailbox_of(address);
  const auto standing = stored_.mailboxes.find(address);
  if (mailbox == nullptr || standing == stored_.mailboxes.end())
    return refuse(address, "no-mailbox",
                  fmt::format("There is no mailbox {}", text::escape_for_display(address)));
  const model::Profile* profile = stored_.configuration.profile_of(*mailbox);
  if (profile == nullptr)
    return refuse(address, "no-profile", "The mailbox names no profile, and there is no default one");
  const model::ApprovalStatus status = standing->second.approval.status;
  if (status == model::ApprovalStatus::rejected)
    return refuse(address, "rejected-address", "The address was rejected; approve it first");
  Judged judged = assignments_.judge(*mailbox, rules::Word::enable);
  if (status != model::ApprovalStatus::approved && approval_required(judged)) {
    return unexpected<Obstacle>({std::string(address), "not-approved",
                                 "The address has not been approved; syncline mailbox approve",
                                 std::move(judged)});
  }
  if (judged.rejected()) {
    return unexpected<Obstacle>({std::string(address), "rejected-by-rules",
                                 "The rules reject the assignment of the mailbox to its profile",
                                 std::move(judged)});
  }
  auto route = router::route(*judged.checked);
  if (!route) return refuse(address, route.error().code, route.error().message);
  if (const auto missing = missing_secret(*mailbox, *profile, *route))
    return refuse(address, "missing-secret", *missing);
  return Passed{mailbox, profile, &standing->second, std::move(*judged.checked), std::move(*route)};
}

std::optional<std::string> MailboxGate::missing_secret(const model::Mailbox& mailbox,
                                                       const model::Profile& profile,
                                                       const router::Route& route) const {
  const auto of_leg = [&](const std::optional<router::LegRoute>& leg,
                          bool outgoing) -> std::optional<std::string> {
    if (!leg) return std::nullopt;
    const auto sealed = [&](std::string_view field) {
      return stored_.has_secret("profile", profile.name, field);
    };
    switch (leg->authentication) {
      case rules::Word::s2s:
      case rules::Word::hma:
      case rules::Word::oauth_cross_tenant:
        if (!has_oauth_ids(profile))
          return fmt::format("The profile {} has not all of client_id and tenant_id (or token_endpoint)",
                             profile.name);
        if (!sealed("client-secret") && !sealed("certificate")) {
          return fmt::format("The profile {} has neither client secret nor certificate; syncline secret set",
                             profile.name);
        }
        return std::nullopt;
      case rules::Word::gmail_oauth:
        if (sealed("service-account")) return std::nullopt;  // acts for its users without their sign-in
        if (!has_oauth_ids(profile)) return fmt::format("The profile {} has no client_id", profile.name);
        if (!sealed("client-secret"))
          return fmt::format("The profile {} has no client secret; syncline secret set", profile.name);
        if (!stored_.has_secret("mailbox", mailbox.address, "token"))
          return std::string("Its user has not signed in; syncline auth login");
        return std::nullopt;
      case rules::Word::profile_credentials: {
        // Exchange is signed in to once, for both directions.
        const bool own = outgoing && leg->driver != router::Driver::ews && !profile.outgoing_as_incoming();
        if (!sealed(own ? "out-password" : "password"))
          return fmt::format("The profile {} has no password; syncline secret set", profile.name);
        if (!(own ? profile.outgoing.user_name : profile.incoming.user_name))
          return fmt::format("The profile {} has no user name", profile.name);
        return std::nullopt;
      }
      case rules::Word::mailbox_credentials:
        if (!stored_.has_secret("mailbox", mailbox.address, "password"))
          return std::string("The mailbox has no password; syncline secret set");
        return std::nullopt;
      default:
        return std::nullopt;
    }
  };
  if (auto missing = of_leg(route.incoming, false)) return missing;
  if (auto missing = of_leg(route.act, false)) return missing;
  return of_leg(route.outgoing, true);
}

std::optional<Obstacle> MailboxGate::obstacle_to_enabling(std::string_view address) const {
  auto passed = examine(address);
  if (passed) return std::nullopt;
  return std::move(passed.error());
}

expected<EnabledMailbox, Obstacle> MailboxGate::admit(std::string_view address) const {
  const auto standing = stored_.mailboxes.find(address);
  if (standing != stored_.mailboxes.end() && !standing->second.enabled)
    return refuse(address, "not-enabled", "The mailbox is not enabled; syncline mailbox enable");
  auto passed = examine(address);
  if (!passed) return unexpected<Obstacle>(std::move(passed.error()));
  return EnabledMailbox(admitted(std::move(*passed)));
}

expected<MailboxUnderTest, Obstacle> MailboxGate::admit_for_test(std::string_view address) const {
  auto passed = examine(address);
  if (!passed) return unexpected<Obstacle>(std::move(passed.error()));
  return MailboxUnderTest(admitted(std::move(*passed)));
}

AdmittedMailbox MailboxGate::admitted(Passed passed) const {
  return AdmittedMailbox(passed.standing->id, *passed.mailbox, *passed.profile,
                         stored_.configuration.policies_of(*passed.mailbox), passed.standing->approval,
                         std::move(passed.assignment), std::move(passed.route));
}

Result<EnabledMailboxes> enabled_mailboxes(Organisation& organisation,
                                           const std::vector<std::string>& addresses) {
  auto stored = organisation.load();
  if (!stored) return fail(std::move(stored.error()));
  const MailboxGate gate(*stored, organisation.today());
  EnabledMailboxes result;
  const auto take = [&](std::string_view address) {
    auto admitted = gate.admit(address);
    if (admitted) {
      result.ready.push_back(std::move(*admitted));
    } else {
      result.not_ready.push_back(std::move(admitted.error()));
    }
  };
  if (addresses.empty()) {
    for (const model::Mailbox& mailbox : stored->configuration.mailboxes) {
      const auto standing = stored->mailboxes.find(mailbox.address);
      if (standing != stored->mailboxes.end() && standing->second.enabled) take(mailbox.address);
    }
  }
  for (const std::string& address : addresses) take(text::to_lower_ascii(address));
  return result;
}

}  // namespace syncline::service
