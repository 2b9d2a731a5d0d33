// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/readiness.hpp"

#include <chrono>

#include "service/organisation/last_run.hpp"

namespace syncline::service {
namespace {

constexpr rules::Day day_of(std::chrono::year_month_day date) {
  return std::chrono::sys_days(date).time_since_epoch().count();
}
// As the rules have them.
constexpr rules::Day switch_off_begins = day_of(std::chrono::year{2026} / 10 / 1);
constexpr rules::Day switch_off_ends = day_of(std::chrono::year{2027} / 4 / 1);

}  // namespace

bool is_about_the_end_of_ews(const rules::Finding& finding) noexcept {
  return finding.rule->id.starts_with("EWS-RETIRE-") || finding.rule->id == "EWS-TENANT-DISABLED";
}

std::vector<rules::Day> readiness_days(rules::Day today) {
  std::vector<rules::Day> days = {today};
  for (const rules::Day day : {switch_off_begins, switch_off_ends})
    if (day > today) days.push_back(day);
  return days;
}

std::vector<MailboxReadiness> readiness(const StoredOrganisation& stored, rules::Day today) {
  // A day that the organisation's environment names would stand before ours.
  Configuration configuration = stored.configuration;
  configuration.organisation.environment.erase("env_as_of");
  std::vector<MailboxReadiness> all;
  for (const model::Mailbox& mailbox : configuration.mailboxes) {
    MailboxReadiness one{.address = mailbox.address};
    if (const model::Profile* profile = configuration.profile_of(mailbox)) {
      one.profile = profile->name;
      one.tenant = profile->oauth.tenant_id.value_or("");
    }
    if (const auto standing = stored.mailboxes.find(mailbox.address); standing != stored.mailboxes.end()) {
      one.enabled = standing->second.enabled;
      const std::string error = read_last_run(standing->second.state).error_code;
      one.refused_by_server = error == "ews-disabled";
      // Mail hosts have no such code.
      one.forbidden_by_server = error == "forbidden";
    }
    all.push_back(std::move(one));
  }
  for (const rules::Day day : readiness_days(today)) {
    const Assignments assignments(configuration, stored, day);
    for (std::size_t i = 0; i < all.size(); ++i) {
      MailboxReadiness& one = all[i];
      if (one.stops_on) continue;
      Judged judged = assignments.judge(configuration.mailboxes[i], rules::Word::assign);
      for (const rules::Finding& finding : judged.judgement.findings) {
        if (!is_about_the_end_of_ews(finding)) continue;
        one.concerned = true;
        if (finding.severity == rules::Severity::reject) one.stops_on = day;
      }
      one.judged = std::move(judged);
    }
  }
  return all;
}

}  // namespace syncline::service
