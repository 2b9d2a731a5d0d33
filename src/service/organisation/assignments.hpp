// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Judges the assignment of each mailbox to its profile by the rules.
#include <optional>
#include <string>
#include <vector>

#include "routing/rules/check.hpp"
#include "routing/rules/proposal.hpp"
#include "service/organisation/stored.hpp"

namespace syncline::service {

/// What the rules say about one mailbox.
struct Judged {
  std::string address;
  rules::Assignment assignment;
  rules::Judgement judgement;
  std::optional<rules::CheckedAssignment> checked;  ///< unless it is rejected

  bool rejected() const noexcept { return !checked.has_value(); }
};

/// The mailboxes of a configuration as one proposal: duplicates, mailboxes of a profile and the
/// organisation's other method follow from all of them. Approvals, and which secrets there are, come from the
/// store.
class Assignments {
 public:
  /// Both must outlive it. `today`: day of the verdicts where the environment names none.
  Assignments(const Configuration& configuration, const StoredOrganisation& stored, rules::Day today);

  /// At stage `enable` secrets that are missing count; at `assign` there may be none yet.
  Judged judge(const model::Mailbox& mailbox, rules::Word stage) const;
  /// All; those enabled at stage `enable`, the others at `assign`.
  std::vector<Judged> judge_all() const;

 private:
  rules::FieldValues row_of(const model::Mailbox& mailbox, rules::Word stage) const;
  void set_profile(rules::FieldValues& row, const model::Profile& profile, rules::Word stage) const;
  void set_mailbox(rules::FieldValues& row, const model::Mailbox& mailbox, rules::Word stage) const;
  const MailboxStanding* standing_of(const std::string& address) const;

  const Configuration& configuration_;
  const StoredOrganisation& stored_;
  rules::Day today_;
  bool forward_exists_ = false;
  rules::Proposal proposal_;
};

/// Whether the ids that OAuth needs are all stated: client id; except for Gmail the tenant or a token
/// endpoint.
bool has_oauth_ids(const model::Profile& profile) noexcept;

}  // namespace syncline::service
