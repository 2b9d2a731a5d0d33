// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the end of Exchange Web Services in Exchange Online will stop, and when: the rules asked about days to
// come (routing/rules/rules_h_ews_end.cpp has the dates).
#include <optional>
#include <string>
#include <vector>

#include "service/organisation/assignments.hpp"

namespace syncline::service {

struct MailboxReadiness {
  std::string address;
  std::string profile = {};
  std::string tenant = {};  ///< of the profile; empty: none is stated
  bool enabled = false;
  /// Exchange Web Services of Exchange Online serve one of its legs.
  bool concerned = false;
  /// The first day that was asked about on which the rules reject it for that reason; nullopt: none.
  std::optional<rules::Day> stops_on = std::nullopt;
  std::optional<Judged> judged = std::nullopt;  ///< of that day, or of the last one
  /// The last run was answered that it is switched off …
  bool refused_by_server = false;
  /// … or with a 403 that gives no reason, as a switch-off may be answered, too.
  bool forbidden_by_server = false;
};

/// Days: today, the beginning of the switch-off, its end; those that have not passed, the earliest first.
std::vector<rules::Day> readiness_days(rules::Day today);

/// All mailboxes, in the order of the configuration.
std::vector<MailboxReadiness> readiness(const StoredOrganisation& stored, rules::Day today);

/// Whether a finding is about that end.
bool is_about_the_end_of_ews(const rules::Finding& finding) noexcept;

}  // namespace syncline::service
