// SPDX-License-Identifier: GPL-3.0-or-later
// Group C of the catalogue: where the mailbox lives.
#include "routing/rules/groups.hpp"
#include "routing/rules/shorthand.hpp"

namespace syncline::rules {
namespace {

using namespace shorthand;

// The vendor's lifecycle days; 2003 and 2007 carry none because MBX-EXCHANGE-2003-2007 refuses them anyway.
Condition support_has_ended() {
  return (in(mbx_exchange_version, {v2010, v2010sp3}) && on_or_after(env_as_of, "2020-10-13")) ||
         (in(mbx_exchange_version, {v2013, v2013sp1, v2013cu19}) && on_or_after(env_as_of, "2023-04-11")) ||
         (in(mbx_exchange_version, {v2016rtm, v2016, v2019}) && on_or_after(env_as_of, "2025-10-14"));
}

// A hosted deployment requires it always.
Condition fips_is_required() {
  return is_online() || env_fips == yes;
}

}  // namespace

Group placement() {
  return {
      'C',
      "Where the mailbox lives",
      {
          Rule{
              .id = "PROFILE-EXO-ONPREM-MAILBOX",
              .severity = Severity::reject,
              .condition =
                  in(prof_type, {exchange_online, exchange_online_hybrid}) && mbx_host == exchange_onprem,
              .message = "An Exchange Online profile cannot serve a mailbox on an on-premises server.",
              .remedy = "Use the Exchange Server (Hybrid) profile (from an on-premises deployment: the "
                        "Exchange Server profile), attach the mailbox, then test and enable.",
              .change = {set(prof_type, exchange_hybrid).only_if(is_online()),
                         set(prof_type, exchange_server).only_if(is_onprem())},
              .source = "S2 unsupported list, bullet 4; S2 important box, bullet 3 (two profiles)",
          },
          Rule{
              .id = "PROFILE-EXO-EXTERNAL-MAILBOX",
              .severity = Severity::reject,
              .condition = in(prof_type, {exchange_online, exchange_online_hybrid}) &&
                           mbx_host == exchange_online && mbx_external_target == yes,
              .message = "The mailbox points to an external mail server.",
              .remedy = "Use the POP3/SMTP profile, attach the mailbox, then test and enable.",
              .change = {set(prof_type, pop3_smtp)},
              .source = "S2 unsupported list, bullet 5",
          },
          Rule{
              .id = "EXO-PROFILE-REQUIRED",
              .severity = Severity::reject,
              .condition = is_online() && mbx_host == exchange_online && mbx_external_target == no &&
                           prof_type != exchange_online,
              .message = "An Exchange Online mailbox needs the Exchange Online profile.",
              .remedy = "Switch to the Exchange Online profile.",
              .change = {set(prof_type, exchange_online)},
              .source = "S2 “Exchange Online with the apps” list, bullet 5; P25",
          },
          Rule{
              .id = "OP-EXO-PROFILE-REQUIRED",
              .severity = Severity::reject,
              .condition = is_onprem() && mbx_host == exchange_online && mbx_external_target == no &&
                           prof_type != exchange_online_hybrid,
              .message = "From an on-premises deployment an Exchange Online mailbox needs the Exchange "
                         "Online (Hybrid) profile.",
              .remedy = "Switch to exchange_online_hybrid (deployment 8.1 or later).",
              .change = {set(prof_type, exchange_online_hybrid)},
              .source = "P25 on-premises part; P29",
          },
          Rule{
              .id = "PROFILE-EXCHANGE-FOREIGN-HOST",
              .severity = Severity::reject,
              .condition = exchange_type() && not_in(mbx_host, {exchange_online, exchange_onprem}),
              .message = "The mailbox is not on Exchange.",
              .remedy = "Use a Gmail, POP3/SMTP or IMAP/SMTP profile.",
              .change =
                  {set(prof_type, gmail).only_if(mbx_host == gmail),
                   set(prof_type, imap_smtp).only_if(in(mbx_host, {yahoo, other}) && env_cloud == public_),
                   set(prof_type, pop3_smtp).only_if(in(mbx_host, {yahoo, other}) && env_cloud == usgov),
                   look_at(prof_type)},
              .source = "S2 table (Gmail and Yahoo row)",
          },
          Rule{
              .id = "PROFILE-GMAIL-FOREIGN-HOST",
              .severity = Severity::reject,
              .condition = prof_type == gmail && not_in(mbx_host, {gmail, exchange_online}),
              .message = "A Gmail profile has fixed Google locations; this mailbox is elsewhere.",
              .remedy = "Use POP3/SMTP or IMAP/SMTP, or an Exchange profile.",
              .change =
                  {set(prof_type, exchange_hybrid).only_if(mbx_host == exchange_onprem && is_online()),
                   set(prof_type, exchange_server).only_if(mbx_host == exchange_onprem && is_onprem()),
                   set(prof_type, imap_smtp).only_if(in(mbx_host, {yahoo, other}) && env_cloud == public_),
                   set(prof_type, pop3_smtp).only_if(in(mbx_host, {yahoo, other}) && env_cloud == usgov),
                   look_at(prof_type)},
              .source = "S0/S1 Gmail profile step 7 (locations filled in)",
          },
          Rule{
              .id = "PROFILE-EXCHANGE-VIA-MAIL",
              .severity = Severity::warn,
              .condition = in(prof_type, {pop3_smtp, imap_smtp}) && mbx_host == exchange_onprem,
              .message = "Exchange is reached through POP3/IMAP, so calendar, contacts, tasks and folder "
                         "tracking are lost.",
              .remedy = "Use the Exchange Server (Hybrid) profile (online) or the Exchange Server profile "
                        "(on-premises).",
              .change = {set(prof_type, exchange_hybrid).only_if(is_online()),
                         set(prof_type, exchange_server).only_if(is_onprem())},
              .source = "S2 table row 1; operator rule",
          },
          Rule{
              .id = "MBX-EXCHANGE-2003-2007",
              .severity = Severity::reject,
              .condition =
                  exchange_type() && mbx_host == exchange_onprem && in(mbx_exchange_version, {v2003, v2007}),
              .message = "Exchange {mbx_exchange_version} is not supported.",
              .remedy = "Move the mailbox to a supported version: 2013 SP1, 2016, 2019, Subscription Edition "
                        "or Exchange Online.",
              .change = {look_at(mbx_exchange_version)},
              .source = "S2 unsupported list, bullet 9",
          },
          Rule{
              .id = "MBX-EXCHANGE-2010-ONLINE",
              .severity = Severity::reject,
              .condition = is_online() && exchange_type() && mbx_host == exchange_onprem &&
                           in(mbx_exchange_version, {v2010, v2010sp3}),
              .message = "Exchange 2010 is not supported with the online apps.",
              .remedy = "Move to 2013 SP1 or later.",
              .change = {look_at(mbx_exchange_version)},
              .source = "S2 unsupported list, bullet 8; P28 lists 2010 for on-premises deployments",
          },
          Rule{
              .id = "MBX-EXCHANGE-2013-PRE-SP1",
              .severity = Severity::reject,
              .condition = is_online() && exchange_type() && mbx_host == exchange_onprem &&
                           mbx_exchange_version == v2013,
              .message = "Exchange 2013 needs Service Pack 1.",
              .remedy = "Install SP1 or later.",
              .change = {look_at(mbx_exchange_version)},
              .source = "S2 table row 1; P4 prerequisite 1",
          },
          Rule{
              .id = "MBX-EXCHANGE-VERSION-UNKNOWN",
              .severity = Severity::warn,
              .condition = exchange_type() && mbx_host == exchange_onprem && is_empty(mbx_exchange_version),
              .message = "The Exchange version is unknown, so support cannot be confirmed.",
              .remedy = "Record the version or let the probe read it.",
              .change = {look_at(mbx_exchange_version)},
              .source = "operator rule; S2 table row 1",
          },
          Rule{
              .id = "MBX-EXCHANGE-EOL",
              .severity = Severity::info,
              .condition = exchange_type() && mbx_host == exchange_onprem && support_has_ended(),
              .message = "This Exchange version no longer gets security fixes.",
              .remedy = "Plan a move to Exchange SE or Exchange Online.",
              .change = {look_at(mbx_exchange_version)},
              .source = "operator rule; vendor lifecycle dates (see note 6)",
          },
          Rule{
              .id = "MBX-EXCHANGE-SE-UNLISTED",
              .severity = Severity::info,
              .condition = exchange_type() && mbx_host == exchange_onprem && mbx_exchange_version == se,
              .message = "Exchange Subscription Edition is not in the published list of supported versions; "
                         "it speaks the same EWS schema as 2019.",
              .remedy = "Nothing to do.",
              .change = {look_at(mbx_exchange_version)},
              .source = "S2 table row 1 (absence)",
          },
          Rule{
              .id = "MAILSYS-UNTESTED",
              .severity = Severity::warn,
              .condition = mail_only() && mbx_host == other,
              .message = "This mail system is not one of the tested ones; it may work.",
              .remedy = "Run the connection test and watch the first cycles.",
              .change = {look_at(mbx_host)},
              .source = "S2 important box, bullet 1",
          },
          Rule{
              .id = "FIPS-SERVER-NONCOMPLIANT",
              .severity = Severity::reject,
              .condition = mail_only() && fips_is_required() && (outlook_family() || mbx_server_fips == no),
              .message = "The mail server is not FIPS 140-2 compliant, and that is required here.",
              .remedy = "Use a compliant server.",
              .change = {look_at(mbx_host).only_if(outlook_family()), look_at(mbx_server_fips)},
              .source = "S2 unsupported list, bullet 10; P28 (on-premises only when configured for FIPS)",
          },
          Rule{
              .id = "FIPS-SERVER-UNKNOWN",
              .severity = Severity::warn,
              .condition =
                  mail_only() && fips_is_required() && mbx_host == other && mbx_server_fips == unknown,
              .message = "FIPS 140-2 compliance of the mail server is unknown.",
              .remedy = "Ask the provider.",
              .change = {look_at(mbx_server_fips)},
              .source = "S2 unsupported list, bullet 10",
          },
      }};
}

}  // namespace syncline::rules
