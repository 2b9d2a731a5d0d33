// SPDX-License-Identifier: GPL-3.0-or-later
// Group H of the catalogue: end of EWS in Exchange Online.
#include "routing/rules/groups.hpp"
#include "routing/rules/shorthand.hpp"

namespace syncline::rules {
namespace {

using namespace shorthand;

constexpr std::string_view kPhaseBegins = "2026-10-01";
constexpr std::string_view kEnded = "2027-04-01";

Condition during_phase() {
  return on_or_after(env_as_of, kPhaseBegins) && before(env_as_of, kEnded);
}

}  // namespace

Group end_of_ews() {
  return {
      'H',
      "End of EWS in Exchange Online",
      {
          Rule{
              .id = "EWS-TENANT-DISABLED",
              .severity = Severity::reject,
              .condition = ews_online() && env_ews_tenant == disabled && before(env_as_of, kEnded),
              .message = "EWS is switched off for this tenant.",
              .remedy = "Switch it on with an allow list, or use the Graph adapter.",
              .change = {look_at(env_ews_tenant)},
              .source = "P31 control access; P33; P30 http-server-returned-forbidden",
          },
          Rule{
              .id = "EWS-RETIRE-NOT-LISTED",
              .severity = Severity::reject,
              .condition = ews_online() && during_phase() && env_ews_tenant == enabled_not_listed,
              .message = "Since 2026-10-01 only listed application ids may use EWS, and ours is not on the "
                         "tenant's list.",
              .remedy = "Add our id to EWSAllowedAppIDs, or use the Graph adapter.",
              .change = {look_at(env_ews_tenant)},
              .source = "P33; P31 control access",
          },
          Rule{
              .id = "EWS-RETIRE-PHASE",
              .severity = Severity::warn,
              .condition = ews_online() && during_phase() && in(env_ews_tenant, {unset, allowlisted}),
              .message =
                  "EWS in Exchange Online is being switched off tenant by tenant and ends on 2027-04-01.",
              .remedy = "Allow-list now and move to the Graph adapter.",
              .change = {look_at(env_ews_tenant)},
              .source = "P33",
          },
          Rule{
              .id = "EWS-RETIRE-ENDED",
              .severity = Severity::reject,
              .condition = ews_online() && on_or_after(env_as_of, kEnded),
              .message = "EWS in Exchange Online has ended.",
              .remedy = "Use the Graph adapter.",
              .change = {look_at(prof_in_protocol)},
              .source = "P33",
          },
          Rule{
              .id = "EWS-RETIRE-NOTICE",
              .severity = Severity::info,
              .condition = ews_online() && before(env_as_of, kPhaseBegins) && env_ews_tenant != disabled,
              .message =
                  "EWS in Exchange Online starts to be switched off on 2026-10-01 and ends on 2027-04-01.",
              .remedy = "Plan the move to the Graph adapter.",
              .change = {look_at(prof_in_protocol)},
              .source = "P33",
          },
      }};
}

}  // namespace syncline::rules
