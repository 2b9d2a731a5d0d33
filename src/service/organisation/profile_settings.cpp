// SPDX-License-Identifier: GPL-3.0-or-later
// Every setting of a profile, in the order of the form that administrators know: general, credentials,
// advanced, additional settings.
#include "service/organisation/configuration.hpp"
#include "service/organisation/setting_values.hpp"

namespace syncline::service {

const Settings<OrganisationSettings>& organisation_settings() {
  using O = OrganisationSettings;
  static const Settings<O> table = [] {
    Settings<O> made;
    made.push_back(
        setting<O>("name", SYNCLINE_MEMBER(name), "what people call the organisation", "\"Contoso\""));
    made.push_back(setting<O>("alert_mailbox", SYNCLINE_MEMBER(alert_mailbox),
                              "address of the mailbox that alerts are mailed from; one of [[mailbox]]",
                              "\"syncline@contoso.example\""));
    made.push_back(setting<O>("alert_webhook", SYNCLINE_MEMBER(alert_webhook),
                              "https URL that alerts are posted to as JSON",
                              "\"https://alerts.contoso.example/syncline\""));
    for (const rules::Field field : rules::all_fields()) {
      const std::string_view name = rules::name_of(field);
      // The day of a verdict is the day on which it is given.
      if (!name.starts_with("env_") || field == rules::Field::env_as_of) continue;
      const rules::FieldInfo& about = rules::info(field);
      // The examples are the defaults.
      static std::vector<std::string> examples(rules::kFieldCount);
      std::string& example = examples[static_cast<std::size_t>(field)];
      if (about.kind == rules::FieldKind::integer) {
        example = "30";
      } else {
        example = about.default_text == "yes"  ? "true"
                  : about.default_text == "no" ? "false"
                                               : "\"" + std::string(about.default_text) + "\"";
      }
      made.push_back(fact_setting<O>(field, SYNCLINE_MEMBER(environment), example));
    }
    return made;
  }();
  return table;
}

const Settings<model::Profile>& profile_settings() {
  using P = model::Profile;
  using rules::Field;
  static const Settings<P> table = {
      required_setting<P>("name", SYNCLINE_MEMBER(name), "a meaningful name, at most 100 characters",
                          "\"Exchange in the basement\""),
      setting<P>("description", SYNCLINE_MEMBER(description), "what the profile is for",
                 "\"Mailboxes that stay on-premises\""),
      setting<P>("owner", SYNCLINE_MEMBER(owner), "whom alerts of the profile go to",
                 "\"admin@contoso.example\""),
      required_setting<P>(
          "type", SYNCLINE_MEMBER(type),
          "server type: exchange_online, exchange_online_hybrid, exchange_hybrid, exchange_server, "
          "pop3_smtp, imap_smtp, gmail",
          "\"exchange_hybrid\""),
      fact_setting<P>(Field::prof_state, SYNCLINE_MEMBER(facts), "\"active\""),
      setting<P>("is_default", SYNCLINE_MEMBER(is_default), "serves mailboxes that name no profile", "true"),
      setting<P>("in_protocol", SYNCLINE_MEMBER(incoming.protocol),
                 "incoming: ews, pop3, imap (default: by type)", "\"ews\""),
      setting<P>("out_protocol", SYNCLINE_MEMBER(outgoing.protocol), "outgoing: ews, smtp (default: by type)",
                 "\"ews\""),
      setting<P>("autodiscover", SYNCLINE_MEMBER(autodiscover), "find the server by Autodiscover", "true"),
      setting<P>("in_host", SYNCLINE_MEMBER(incoming.location), "incoming server location; a URL for EWS",
                 "\"https://mail.contoso.example/EWS/Exchange.asmx\""),
      setting<P>("out_host", SYNCLINE_MEMBER(outgoing.location), "outgoing server location",
                 "\"https://mail.contoso.example/EWS/Exchange.asmx\""),

      setting<P>(
          "auth_in", SYNCLINE_MEMBER(incoming.method),
          "authenticate using: mailbox_credentials, profile_credentials, s2s, windows_integrated, anonymous, "
          "gmail_oauth, hma, oauth_cross_tenant (default: by type)",
          "\"profile_credentials\""),
      setting<P>("auth_out", SYNCLINE_MEMBER(outgoing.method),
                 "the same, outgoing (default and, on Exchange, always: as incoming)",
                 "\"profile_credentials\""),
      setting<P>("same_settings_for_outgoing", SYNCLINE_MEMBER(same_settings_for_outgoing),
                 "outgoing connections take the incoming ones' credentials (default: unless others are "
                 "stated, or an "
                 "out-password is sealed)",
                 "true"),
      setting<P>("user_name", SYNCLINE_MEMBER(incoming.user_name),
                 "of profile_credentials; its password: syncline secret set --profile NAME",
                 "\"syncline@contoso.example\""),
      setting<P>("out_user_name", SYNCLINE_MEMBER(outgoing.user_name),
                 "outgoing, where same_settings_for_outgoing is false", "\"syncline@contoso.example\""),
      fact_setting<P>(Field::prof_username_format, SYNCLINE_MEMBER(facts), "\"upn\""),
      setting<P>("impersonation", SYNCLINE_MEMBER(impersonation),
                 "the user has the role ApplicationImpersonation on Exchange Server", "true"),
      setting<P>("tenant_id", SYNCLINE_MEMBER(oauth.tenant_id), "OAuth: tenant of the mailboxes",
                 "\"contoso.onmicrosoft.example\""),
      setting<P>("client_id", SYNCLINE_MEMBER(oauth.client_id), "OAuth: id of the registered application",
                 "\"11111111-2222-3333-4444-555555555555\""),
      setting<P>("scope", SYNCLINE_MEMBER(oauth.scope), "OAuth: scope (default: by server)",
                 "\"https://outlook.office365.com/.default\""),
      setting<P>("token_endpoint", SYNCLINE_MEMBER(oauth.token_endpoint),
                 "OAuth: token endpoint (default: by server)",
                 "\"https://login.contoso.example/oauth2/v2.0/token\""),
      setting<P>("authorization_endpoint", SYNCLINE_MEMBER(oauth.authorization_endpoint),
                 "OAuth: where people sign in (default: by server)",
                 "\"https://login.contoso.example/oauth2/v2.0/authorize\""),
      setting<P>("device_endpoint", SYNCLINE_MEMBER(oauth.device_endpoint),
                 "OAuth: codes for signing in on another device (default: by server)",
                 "\"https://login.contoso.example/oauth2/v2.0/devicecode\""),
      setting<P>("revocation_endpoint", SYNCLINE_MEMBER(oauth.revocation_endpoint),
                 "OAuth: told when somebody signs out (default: by server)",
                 "\"https://login.contoso.example/oauth2/v2.0/revoke\""),
      fact_setting<P>(Field::prof_gmail_app_status, SYNCLINE_MEMBER(facts), "\"production\""),
      fact_setting<P>(Field::prof_iis_auth, SYNCLINE_MEMBER(facts), "\"ntlm\""),

      setting<P>("in_port", SYNCLINE_MEMBER(incoming.port), "incoming port (default: by protocol)", "443"),
      setting<P>("out_port", SYNCLINE_MEMBER(outgoing.port), "outgoing port (default: by protocol)", "443"),
      setting<P>("in_tls", SYNCLINE_MEMBER(incoming.tls), "TLS for incoming: implicit, starttls, none",
                 "\"implicit\""),
      setting<P>("out_tls", SYNCLINE_MEMBER(outgoing.tls), "TLS for outgoing: implicit, starttls, none",
                 "\"implicit\""),
      fact_setting<P>(Field::prof_tls_version, SYNCLINE_MEMBER(facts), "\"1.3\""),
      setting<P>("in_auth_protocol", SYNCLINE_MEMBER(incoming.authentication_protocol),
                 "authentication protocol, incoming: auto (the best that both sides can), negotiate "
                 "(Kerberos), ntlm, "
                 "basic (the password as it is), oauth; nothing else is tried then",
                 "\"ntlm\""),
      setting<P>("out_auth_protocol", SYNCLINE_MEMBER(outgoing.authentication_protocol),
                 "authentication protocol, outgoing (default: as incoming)", "\"ntlm\""),
      setting<P>("ca_file", SYNCLINE_MEMBER(ca_file), "authorities in PEM, beside the system's",
                 "\"/etc/ssl/contoso-ca.pem\""),
      setting<P>("resolve", SYNCLINE_MEMBER(resolve), "HOST:PORT:ADDRESS instead of DNS",
                 "[\"mail.contoso.example:443:192.0.2.10\"]"),
      setting<P>("autodiscover_hosts", SYNCLINE_MEMBER(autodiscover_hosts),
                 "hosts that Autodiscover may ask beside those of the mailbox's domain",
                 "[\".contoso.example\"]"),
      setting<P>("proxy", SYNCLINE_MEMBER(proxy), "HTTP proxy (default: https_proxy of the environment)",
                 "\"http://proxy.contoso.example:3128\""),

      setting<P>("process_from", SYNCLINE_MEMBER(process_email_from), "mail received before is left alone",
                 "2026-11-01"),
      setting<P>("min_poll", SYNCLINE_MEMBER(minimum_polling_minutes), "minimum polling interval, minutes",
                 "5"),
      setting<P>("max_conn", SYNCLINE_MEMBER(maximum_connections),
                 "maximum concurrent connections per credential", "10"),
      setting<P>("timeout_ms", SYNCLINE_MEMBER(timeout_ms), "longest wait for an answer, milliseconds",
                 "60000"),
      limited_setting<P>("max_request_mib", SYNCLINE_MEMBER(maximum_request_mib), 1, 2048,
                         "EWS: longest request that the server takes, MiB (its maxRequestLength; default: as "
                         "Exchange is installed)",
                         "64"),
      setting<P>("compress", SYNCLINE_MEMBER(compress),
                 "IMAP: compressed where the server can (COMPRESS); pays on lines below about 25 MB/s",
                 "false"),
      setting<P>(
          "move_undelivered", SYNCLINE_MEMBER(move_undelivered),
          "move mail that cannot be tracked to a folder of its own: kept for other tools, not done; see "
          "syncline quarantine",
          "false"),
      setting<P>(
          "sent_copies", SYNCLINE_MEMBER(sent_copies),
          "SMTP: how what was sent comes into the Sent folder: auto (looked for a minute, then appended), "
          "append, server (keeps it by itself), none",
          "\"auto\""),
      setting<P>("alert_mail", SYNCLINE_MEMBER(alert_mail), "send alerts to the owner by mail", "false"),
  };
  return table;
}

}  // namespace syncline::service
