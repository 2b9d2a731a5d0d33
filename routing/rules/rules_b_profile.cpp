// SPDX-License-Identifier: GPL-3.0-or-later
// Group B of the catalogue: profile record.
#include "base/text.hpp"
#include "routing/rules/groups.hpp"
#include "routing/rules/shorthand.hpp"

namespace syncline::rules {
namespace {

using namespace shorthand;

Condition exchange_in_smtp_out() {
  return prof_in_protocol == ews && prof_out_protocol == smtp;
}
Condition pop3_in_exchange_out() {
  return prof_in_protocol == pop3 && prof_out_protocol == ews;
}
Condition imap_in_exchange_out() {
  return prof_in_protocol == imap && prof_out_protocol == ews;
}

Condition a_host_is_empty() {
  return a_leg([](const Leg& leg) { return is_empty(leg.host); });
}

bool is_not_https(std::string_view location) {
  constexpr std::string_view kScheme = "https://";
  return !text::equals_ignore_case(location.substr(0, kScheme.size()), kScheme);
}

Condition ews_without_https(const Leg& leg) {
  return leg.protocol == ews && text_is(leg.host, is_not_https, "does not begin with https://");
}

}  // namespace

Group profile_record() {
  return {
      'B',
      "Profile record",
      {
          Rule{
              .id = "PROFILE-MISSING",
              .severity = Severity::reject,
              .condition = prof_type == none && wants_sync() && env_default_profile == no,
              .message = "No profile is chosen and there is no default profile.",
              .remedy = "Choose a profile or mark one as default.",
              .change = {look_at(prof_type)},
              .source = "P30 mailbox-does-not-have-email-server-profile; S0/S1 default-profile step",
          },
          Rule{
              .id = "PROFILE-DEFAULT-APPLIED",
              .severity = Severity::info,
              .condition = prof_type == none && wants_sync() && env_default_profile == yes,
              .message = "The default profile will be used and is checked in its place.",
              .remedy = "Nothing to do here: run the check again with the default profile.",
              .change = {look_at(prof_type)},
              .source = "S0/S1 Gmail profile step 5 and “apply default settings”",
          },
          Rule{
              .id = "PROFILE-INACTIVE",
              .severity = Severity::reject,
              .condition = prof_state == inactive,
              .message = "The profile is deactivated.",
              .remedy = "Activate it.",
              .change = {set(prof_state, active)},
              .source = "P30 mailbox-does-not-have-email-server-profile",
          },
          Rule{
              .id = "PROFILE-NAME-INVALID",
              .severity = Severity::reject,
              .condition = is_empty(prof_name_len) || prof_name_len < 1 || prof_name_len > 100,
              .message = "The profile needs a name of 1 to 100 characters.",
              .remedy = "Name the profile.",
              .change = {look_at(prof_name_len)},
              .source = "S0/S1 field “Name”; P26 Name",
          },
          Rule{
              .id = "PROFILE-TYPE-DEPLOYMENT",
              .severity = Severity::reject,
              .condition = (is_online() && in(prof_type, {exchange_online_hybrid, exchange_server})) ||
                           (is_onprem() && in(prof_type, {exchange_online, exchange_hybrid})),
              .message =
                  "Profile type {prof_type} does not exist for this kind of deployment ({env_deployment}).",
              .remedy = "Online: exchange_online or exchange_hybrid. On-premises: exchange_server or "
                        "exchange_online_hybrid.",
              .change =
                  {set(prof_type, exchange_online).only_if(prof_type == exchange_online_hybrid),
                   set(prof_type, exchange_hybrid).only_if(prof_type == exchange_server),
                   set(prof_type, exchange_online_hybrid)
                       .only_if(is_onprem() && prof_type == exchange_online),
                   set(prof_type, exchange_server).only_if(is_onprem() && prof_type == exchange_hybrid)},
              .source = "P4 step 3, P29 “create a profile”, P26 ServerType",
          },
          Rule{
              .id = "PROFILE-EXCHANGE-SMTP-MIX",
              .severity = Severity::reject,
              .condition = exchange_in_smtp_out(),
              .message = "Exchange for incoming with SMTP for outgoing is not supported. A profile of type "
                         "{prof_type} allows {allowed_pairs}.",
              .remedy = "Use Exchange both ways, or POP3/IMAP with SMTP.",
              .change = {set(prof_out_protocol, ews).only_if(exchange_type()),
                         to_default(prof_in_protocol).only_if(mail_only())},
              .source = "S2 unsupported list, bullet 3 (first pair)",
          },
          Rule{
              .id = "PROFILE-POP3-EXCHANGE-MIX",
              .severity = Severity::reject,
              .condition = pop3_in_exchange_out(),
              .message = "POP3 for incoming with Exchange for outgoing is not supported. A profile of type "
                         "{prof_type} allows {allowed_pairs}.",
              .remedy = "Use Exchange both ways, or POP3 with SMTP.",
              .change = {set(prof_in_protocol, ews).only_if(exchange_type()),
                         set(prof_out_protocol, smtp).only_if(mail_only()),
                         to_default(prof_in_protocol).only_if(prof_type == imap_smtp)},
              .source = "S2 unsupported list, bullet 3 (second pair)",
          },
          Rule{
              .id = "PROFILE-IMAP-EXCHANGE-MIX",
              .severity = Severity::reject,
              .condition = imap_in_exchange_out(),
              .message = "IMAP for incoming with Exchange for outgoing is not supported. A profile of type "
                         "{prof_type} allows {allowed_pairs}.",
              .remedy = "Use Exchange both ways, or IMAP with SMTP.",
              .change = {set(prof_in_protocol, ews).only_if(exchange_type()),
                         set(prof_out_protocol, smtp).only_if(mail_only()),
                         to_default(prof_in_protocol).only_if(prof_type == pop3_smtp)},
              .source =
                  "operator rule, same idea as S2 bullet 3; S2 table lists only EWS, POP3/SMTP and IMAP/SMTP",
          },
          Rule{
              .id = "PROFILE-PROTOCOL-TYPE",
              .severity = Severity::reject,
              .condition = !exchange_in_smtp_out() && !pop3_in_exchange_out() && !imap_in_exchange_out() &&
                           !allowed_pair(),
              .message = "Incoming {prof_in_protocol} with outgoing {prof_out_protocol} does not belong to a "
                         "profile of type {prof_type}, which allows {allowed_pairs}.",
              .remedy = "Correct the protocols or the profile type.",
              .change = {to_default(prof_in_protocol), to_default(prof_out_protocol)},
              .source = "S2 table, column “Protocol”",
          },
          Rule{
              .id = "PROFILE-LOCATION-MISSING",
              .severity = Severity::reject,
              .condition = (exchange_type() && prof_autodiscover == no && a_host_is_empty()) ||
                           (in(prof_type, {pop3_smtp, imap_smtp}) && a_host_is_empty()),
              .message = "Server locations are missing.",
              .remedy = "Enter both locations or turn on autodiscover (Exchange only).",
              .change = {set(prof_autodiscover, yes).only_if(exchange_type()),
                         look_at(prof_in_host).only_if(is_empty(prof_in_host)), look_at(prof_out_host)},
              .source = "S0/S1 field “server locations”; P4 field table",
          },
          Rule{
              .id = "PROFILE-EWS-URL-NOT-HTTPS",
              .severity = Severity::reject,
              .condition = a_leg(ews_without_https),
              .message = "The EWS address must be an https URL.",
              .remedy = "Use https://server/EWS/Exchange.asmx.",
              .change = on_legs([](const Leg& leg) { return look_at(leg.host); }, ews_without_https),
              .source = "P4 prerequisite 4; P10 “mailbox location”",
          },
          Rule{
              .id = "PROFILE-DEFAULT-ACT-CONFLICT",
              .severity = Severity::warn,
              .condition = prof_is_default == yes && mail_only() && env_default_act == sss,
              .message =
                  "New mailboxes would get a mail-only profile together with ACT sync, which cannot work.",
              .remedy = "Set the environment default for ACT to none.",
              .change = {set(env_default_act, none)},
              .source = "S0/S1 default-processing step, ACT line and the note under it",
          },
          Rule{
              .id = "ACT-MAIL-ONLY-PROFILE",
              .severity = Severity::reject,
              .condition = req_act == sss && mail_only(),
              .message = "This profile carries mail only; appointments, contacts and tasks need Exchange.",
              .remedy = "Set ACT to none or use an Exchange profile.",
              .change = {set(req_act, none)},
              .source = "S2 table row 2; S0/S1 note under ACT; S0/S1 edit step 7",
          },
      }};
}

}  // namespace syncline::rules
