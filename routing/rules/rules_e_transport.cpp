// SPDX-License-Identifier: GPL-3.0-or-later
// Group E of the catalogue: transport and network.
#include "routing/rules/groups.hpp"
#include "routing/rules/shorthand.hpp"

namespace syncline::rules {
namespace {

using namespace shorthand;

Condition exchange_in_clear(const Leg& leg) {
  return in(leg.protocol, {ews, graph}) && leg.tls == none;
}

Condition secret_in_clear(const Leg& leg) {
  return is_mail(leg) && leg.tls == none &&
         in(leg.auth, {mailbox_credentials, profile_credentials, gmail_oauth, oauth_cross_tenant});
}

Condition mail_in_clear(const Leg& leg) {
  return is_mail(leg) && leg.tls == none && leg.auth == windows_integrated;
}

Condition port_and_tls_disagree(const Leg& leg) {
  return is_mail(leg) && ((in_numbers(leg.port, {995, 993, 465}) && leg.tls != implicit) ||
                          (in_numbers(leg.port, {110, 143, 25, 587}) && leg.tls == implicit));
}

Condition port_out_of_range(const Leg& leg) {
  return leg.port < 1 || leg.port > 65535;
}

Condition unusual_port(const Leg& leg) {
  return (leg.protocol == pop3 && not_in_numbers(leg.port, {110, 995})) ||
         (leg.protocol == imap && not_in_numbers(leg.port, {143, 993})) ||
         (leg.protocol == smtp && not_in_numbers(leg.port, {25, 465, 587}));
}

Condition smtp_of_outlook(const Leg& leg) {
  return leg.protocol == smtp && outlook_family();
}

Condition port_unknown_to_provider(const Leg& leg) {
  return (leg.protocol == pop3 && not_in_numbers(leg.port, {995})) ||
         (leg.protocol == imap && not_in_numbers(leg.port, {993})) ||
         (leg.protocol == smtp && in(mbx_host, {gmail, yahoo}) && not_in_numbers(leg.port, {465, 587})) ||
         (smtp_of_outlook(leg) && not_in_numbers(leg.port, {587}));
}

Condition port_closed_from_usgov(const Leg& leg) {
  return not_in_numbers(leg.port, {80, 443, 465, 995});
}

Change port_to_default(const Leg& leg) {
  return to_default(leg.port);
}
Change tls_to_default(const Leg& leg) {
  return to_default(leg.tls);
}

}  // namespace

Group transport_and_network() {
  return {
      'E',
      "Transport and network",
      {
          Rule{
              .id = "TLS-EXCHANGE-REQUIRED",
              .severity = Severity::reject,
              .condition = a_leg(exchange_in_clear),
              .message = "Traffic to Exchange must be encrypted.",
              .remedy = "Use https.",
              .change = on_legs([](const Leg& leg) { return set(leg.tls, implicit); }, exchange_in_clear),
              .source = "P4 prerequisite 4; P24",
          },
          Rule{
              .id = "TLS-PLAINTEXT-CREDENTIALS",
              .severity = Severity::reject,
              .condition = a_leg(secret_in_clear),
              .message = "A password or token would cross the network in clear text.",
              .remedy = "Turn SSL/TLS on.",
              .change = on_legs(tls_to_default, secret_in_clear),
              .source = "S0/S1 fields “use SSL”; operator rule",
          },
          Rule{
              .id = "TLS-PLAINTEXT-CHANNEL",
              .severity = Severity::warn,
              .condition = a_leg(mail_in_clear),
              .message = "Mail content would cross the network in clear text.",
              .remedy = "Turn SSL/TLS on.",
              .change = on_legs(tls_to_default, mail_in_clear),
              .source = "S0/S1 fields “use SSL”; operator rule",
          },
          Rule{
              .id = "TLS-VERSION-OLD",
              .severity = Severity::reject,
              .condition = in(prof_tls_version, {tls_1_0, tls_1_1}),
              .message = "The server offers only TLS older than 1.2 ({prof_tls_version} at best).",
              .remedy = "Enable TLS 1.2 or 1.3.",
              .change = {look_at(prof_tls_version)},
              .source = "P24",
          },
          Rule{
              .id = "TLS-PORT-MISMATCH",
              .severity = Severity::warn,
              .condition = a_leg(port_and_tls_disagree),
              .message = "Port and TLS mode do not match.",
              .remedy = "995/993/465 use TLS from the first byte; 110/143/587/25 start in clear and upgrade.",
              .change = on_legs(tls_to_default, port_and_tls_disagree),
              .source = "P32; operator rule",
          },
          Rule{
              .id = "PORT-RANGE",
              .severity = Severity::reject,
              .condition = a_leg(port_out_of_range),
              .message = "Ports run from 1 to 65535.",
              .remedy = "Correct the port.",
              .change = on_legs(port_to_default, port_out_of_range),
              .source = "operator rule; P26 allows 0–65536",
          },
          Rule{
              .id = "PORT-NONSTANDARD",
              .severity = Severity::info,
              .condition = a_leg(unusual_port),
              .message = "Unusual port.",
              .remedy = "Check with the provider.",
              .change = on_legs([](const Leg& leg) { return look_at(leg.port); }, unusual_port),
              .source = "P32; operator rule",
          },
          Rule{
              .id = "PORT-SMTP-25",
              .severity = Severity::warn,
              .condition = prof_out_protocol == smtp && in_numbers(prof_out_port, {25}),
              .message = "Port 25 is for server-to-server relay and often blocked.",
              .remedy = "Use 587 or 465.",
              .change = {to_default(prof_out_port), to_default(prof_out_tls)},
              .source = "P32 authenticated SMTP; operator rule",
          },
          Rule{
              .id = "PORT-PROVIDER-MISMATCH",
              .severity = Severity::warn,
              .condition = mail_only() && in(mbx_host, {gmail, yahoo, outlook_com, msn, windows_live}) &&
                           a_leg(port_unknown_to_provider),
              .message = "The provider does not listen there.",
              .remedy =
                  "POP3 995, IMAP 993; SMTP 465 or 587 (Gmail, Yahoo), 587 (Outlook.com, MSN, Windows Live).",
              .change = on_legs(port_to_default,
                                [](const Leg& leg) {
                                  return port_unknown_to_provider(leg) && !smtp_of_outlook(leg);
                                }) +
                        on_legs([](const Leg& leg) { return set(leg.port, 587); },
                                [](const Leg& leg) {
                                  return port_unknown_to_provider(leg) && smtp_of_outlook(leg);
                                }),
              .source = "P30 mailbox-fails-tested-enabled, general-mailbox-access-error; P36; P37",
          },
          Rule{
              .id = "USGOV-PORT",
              .severity = Severity::reject,
              .condition = env_cloud == usgov && a_leg(port_closed_from_usgov),
              .message = "Only ports 80, 443, 465 and 995 are open from the US Government cloud.",
              .remedy =
                  "Use POP3 on 995 and SMTP on 465, or Exchange on 443. The usual IMAP ports are closed.",
              .change =
                  on_legs([](const Leg& leg) { return port_to_default(leg).only_if(leg.protocol != imap); },
                          port_closed_from_usgov) +
                  on_legs([](const Leg& leg) { return tls_to_default(leg).only_if(leg.protocol != imap); },
                          port_closed_from_usgov) +
                  on_legs([](const Leg& leg) { return look_at(leg.port); }, port_closed_from_usgov),
              .source = "S0/S1 last section",
          },
          Rule{
              .id = "NET-TRAFFIC-MANIPULATION",
              .severity = Severity::reject,
              .condition = exchange_type() && env_net_inspection == transform,
              .message = "Traffic to Exchange may not be inspected, transformed or rewritten.",
              .remedy = "Exempt this traffic.",
              .change = {look_at(env_net_inspection)},
              .source = "S2 unsupported list, bullet 1",
          },
          Rule{
              .id = "NET-CONTENT-INTERCEPTION",
              .severity = Severity::reject,
              .condition = env_net_inspection == content,
              .message = "Interception based on packet content is not supported; by source address or server "
                         "name it is.",
              .remedy = "Filter by address or name only.",
              .change = {look_at(env_net_inspection)},
              .source = "S2 unsupported list, bullet 2",
          },
          Rule{
              .id = "NET-ENCRYPTION-GATEWAY",
              .severity = Severity::reject,
              .condition = env_encryption_gateway == yes,
              .message = "Encryption gateways in front of the mailbox are not supported.",
              .remedy = "Bypass the gateway.",
              .change = {look_at(env_encryption_gateway)},
              .source = "P8b set-up page, first note",
          },
          Rule{
              .id = "EXT-CUSTOM-PROVIDER",
              .severity = Severity::reject,
              .condition = env_custom_provider == yes,
              .message = "Extending the EWS, POP3 or SMTP providers is not supported.",
              .remedy = "Use the built-in adapters.",
              .change = {look_at(env_custom_provider)},
              .source = "S2 unsupported list, bullet 7",
          },
      }};
}

}  // namespace syncline::rules
