// SPDX-License-Identifier: GPL-3.0-or-later
// Group G of the catalogue: feature combinations.
#include "routing/rules/groups.hpp"
#include "routing/rules/shorthand.hpp"

namespace syncline::rules {
namespace {

using namespace shorthand;

}  // namespace

Group feature_combinations() {
  return {
      'G',
      "Feature combinations",
      {
          Rule{
              .id = "ORG-OUTLOOK-ACT-MIX",
              .severity = Severity::warn,
              .condition = (req_act == sss && env_org_act_other == outlook) ||
                           (req_act == outlook && env_org_act_other == sss),
              .message = "Server and Outlook methods for ACT are mixed in one organisation; updates may not "
                         "reach every attendee.",
              .remedy = "Use one method for all.",
              .change =
                  {set(req_act, sss).only_if(req_act == outlook && exchange_type() && mbx_kind == user),
                   set(req_act, none).only_if(req_act == outlook && !(exchange_type() && mbx_kind == user)),
                   look_at(env_org_act_other)},
              .source = "S2 note at the end",
          },
          Rule{
              .id = "HYBRID-OUTLOOK-WEB",
              .severity = Severity::reject,
              .condition = is_onprem() && mbx_host == exchange_online && req_outlook_web == yes,
              .message = "Outlook on the web is not supported in this hybrid.",
              .remedy = "Use the desktop client.",
              .change = {set(req_outlook_web, no)},
              .source = "S2 important box, bullet 2",
          },
          Rule{
              .id = "POP-OUTLOOK-TRACKING",
              .severity = Severity::reject,
              .condition =
                  prof_in_protocol == pop3 && req_mail_in == sss && req_outlook_manual_tracking == yes,
              .message = "Manual tracking in the Outlook client does not work with POP/SMTP synchronisation.",
              .remedy = "Turn manual tracking off or use Exchange.",
              .change = {set(req_outlook_manual_tracking, no)},
              .source = "S2 important box, bullet 4",
          },
          Rule{
              .id = "FOLDER-TRACKING-UNSUPPORTED",
              .severity = Severity::reject,
              .condition = req_folder_rules > 0 && (mail_only() || mbx_kind != user || req_mail_in != sss),
              .message = "Folder tracking needs a user mailbox on Exchange with incoming server-side sync.",
              .remedy = "Remove the folder rules.",
              .change = {set(req_folder_rules, 0)},
              .source = "P17 important points",
          },
          Rule{
              .id = "FOLDER-TRACKING-LIMIT",
              .severity = Severity::reject,
              .condition = req_folder_rules > 25,
              .message = "At most 25 folders can be tracked per user; {req_folder_rules} are asked for.",
              .remedy = "Remove some rules.",
              .change = {set(req_folder_rules, 25)},
              .source = "P17",
          },
          Rule{
              .id = "SENT-TRACKING-UNSUPPORTED",
              .severity = Severity::reject,
              .condition = req_track_sent == yes && mail_only(),
              .message = "Automatic tracking of sent items needs an Exchange mailbox.",
              .remedy = "Turn the option off.",
              .change = {set(req_track_sent, no)},
              .source = "P19 important box",
          },
      }};
}

}  // namespace syncline::rules
