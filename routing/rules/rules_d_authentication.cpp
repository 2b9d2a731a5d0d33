// SPDX-License-Identifier: GPL-3.0-or-later
// Group D of the catalogue: authentication.
#include "routing/rules/groups.hpp"
#include "routing/rules/shorthand.hpp"

namespace syncline::rules {
namespace {

using namespace shorthand;

constexpr std::string_view kGmailPasswordsEnd = "2022-05-30";

Condition crosses_tenants() {
  return named("EXO-CROSS-TENANT-LIMITED",
               prof_type == exchange_online && mbx_host == exchange_online && mbx_tenant == other);
}

auto auth_in(std::vector<Word> methods) {
  return [methods = std::move(methods)](const Leg& leg) {
    Condition any = leg.auth == methods.front();
    for (std::size_t i = 1; i < methods.size(); ++i) any = any || leg.auth == methods[i];
    return any;
  };
}

Change auth_to_default(const Leg& leg) {
  return to_default(leg.auth);
}

// What a leg uses instead, where it uses one of the methods.
std::vector<Change> auth_becomes(Word method, const std::vector<Word>& instead_of,
                                 const Condition& where = {}) {
  return on_legs([&](const Leg& leg) { return set(leg.auth, method).only_if(where); }, auth_in(instead_of));
}

// The method that fits: Google's for a Google mailbox, else what the profile type takes by default.
std::vector<Change> replaced_auth(const std::vector<Word>& methods) {
  return auth_becomes(gmail_oauth, methods, gmail_mailbox()) +
         on_legs([](const Leg& leg) { return to_default(leg.auth).only_if(!gmail_mailbox()); },
                 auth_in(methods));
}

}  // namespace

Group authentication() {
  return {
      'D',
      "Authentication",
      {
          Rule{
              .id = "AUTH-ANONYMOUS",
              .severity = Severity::reject,
              .condition = any_auth({anonymous, none}),
              .message = "Anonymous access, or no method at all, is not a valid setting.",
              .remedy = "Choose another method.",
              .change = on_legs(auth_to_default, auth_in({anonymous, none})),
              .source = "S0/S1 field “authenticate using”, last option",
          },
          Rule{
              .id = "AUTH-WIA-PROTOCOL",
              .severity = Severity::reject,
              .condition = prof_auth_in == windows_integrated && in(prof_in_protocol, {pop3, imap}),
              .message = "Windows integrated authentication exists only for Exchange and SMTP.",
              .remedy = "Use mailbox credentials for that leg.",
              .change = {set(prof_auth_in, gmail_oauth).only_if(gmail_mailbox()),
                         set(prof_auth_in, mailbox_credentials).only_if(!gmail_mailbox())},
              .source = "S0/S1 field “authenticate using”, third option",
          },
          Rule{
              .id = "AUTH-WIA-ONLINE",
              .severity = Severity::warn,
              .condition = is_online() && any_auth({windows_integrated}) && prof_type != exchange_online,
              .message = "The service identity of a hosted deployment has no account in your domain.",
              .remedy =
                  "Exchange: use profile credentials with impersonation, or hybrid modern authentication. "
                  "POP3, IMAP or SMTP: use mailbox credentials (Gmail: the Gmail OAuth method).",
              .change = replaced_auth({windows_integrated}),
              .source = "S0/S1 third option (service credentials are used); operator rule",
          },
          Rule{
              .id = "AUTH-PROFILE-CREDS-MISSING",
              .severity = Severity::reject,
              .condition = any_auth({profile_credentials}) && (prof_username == no || prof_password == no),
              .message = "The profile is set to use its own credentials but they are incomplete.",
              .remedy = "Enter user name and password.",
              .change = {look_at(prof_username).only_if(prof_username == no), look_at(prof_password)},
              .source = "S0/S1 fields “User name” and “Password”",
          },
          Rule{
              .id = "AUTH-MAILBOX-CREDS-MISSING",
              .severity = Severity::stage,
              .condition = any_auth({mailbox_credentials}) && mbx_creds == no,
              .message = "The profile expects credentials on the mailbox record but there are none.",
              .remedy = "Allow credentials on the mailbox and enter them.",
              .change = {look_at(mbx_creds)},
              .source = "S0/S1 first option; P20 “allow to use credentials”",
          },
          Rule{
              .id = "AUTH-USERPASS-UNUSED",
              .severity = Severity::warn,
              .condition = !any_auth({profile_credentials}) && (prof_username == yes || prof_password == yes),
              .message = "User name and password on the profile are valid only with profile credentials; "
                         "these are ignored.",
              .remedy = "Delete the stored secret.",
              .change = {set(prof_password, no), set(prof_username, no)},
              .source = "S0/S1 field “User name”",
          },
          Rule{
              .id = "AUTH-INSECURE-CHANNEL",
              .severity = Severity::reject,
              .condition = env_form_scheme == http && env_allow_insecure_creds == zero &&
                           any_auth({profile_credentials}) && (prof_username == yes || prof_password == yes),
              .message = "Credentials may not be typed over an unencrypted page.",
              .remedy = "Use HTTPS, or set AllowCredentialsEntryViaNonSecureChannels to 1.",
              .change = {set(env_form_scheme, https)},
              .source = "S0/S1 notes in fields “User name” and “Password”",
          },
          Rule{
              .id = "AUTH-INSECURE-CHANNEL-ALLOWED",
              .severity = Severity::warn,
              .condition = env_form_scheme == http && env_allow_insecure_creds == one &&
                           any_auth({profile_credentials}) && (prof_username == yes || prof_password == yes),
              .message = "Credentials are typed over an unencrypted page by explicit permission.",
              .remedy = "Move the form to HTTPS and set the property back to 0.",
              .change = {set(env_form_scheme, https), set(env_allow_insecure_creds, zero)},
              .source = "S0/S1 same notes",
          },
          Rule{
              .id = "AUTH-IMPERSONATION-NO-ACCOUNT",
              .severity = Severity::reject,
              .condition = prof_impersonation == yes && own_exchange() &&
                           !((prof_auth_in == profile_credentials && prof_username == yes) ||
                             in(prof_auth_in, {windows_integrated, hma})),
              .message = "Impersonation needs one service account that holds the role.",
              .remedy = "Choose profile credentials and enter the service account, or clear impersonation.",
              .change = {look_at(prof_username).only_if(prof_auth_in == profile_credentials),
                         set(prof_impersonation, no).only_if(prof_auth_in != profile_credentials)},
              .source = "P4 prerequisite 3; P9; P30 impersonate-the-requested-user",
          },
          Rule{
              .id = "AUTH-IMPERSONATION-NONEXCHANGE",
              .severity = Severity::warn,
              .condition = prof_impersonation == yes && mail_only(),
              .message = "Impersonation has no meaning for POP3, IMAP or SMTP.",
              .remedy = "Clear the option.",
              .change = {set(prof_impersonation, no)},
              .source = "operator rule; P9",
          },
          Rule{
              .id = "ACT-NEEDS-IMPERSONATION",
              .severity = Severity::reject,
              .condition = req_act == sss && own_exchange() && prof_auth_in == profile_credentials &&
                           prof_impersonation == no,
              .message = "Delegation is not enough for appointments, contacts and tasks.",
              .remedy = "Give the account the ApplicationImpersonation role and turn impersonation on.",
              .change = {set(prof_impersonation, yes)},
              .source = "P9 (one set of credentials)",
          },
          Rule{
              .id = "HYBRID-IMPERSONATION-EXPECTED",
              .severity = Severity::warn,
              .condition = req_act != sss && prof_type == exchange_hybrid &&
                           prof_auth_in == profile_credentials && prof_impersonation == no,
              .message =
                  "The service account works by delegation; every mailbox must grant it access by hand.",
              .remedy = "Give it the ApplicationImpersonation role and turn impersonation on in the profile.",
              .change = {set(prof_impersonation, yes)},
              .source = "P4 prerequisite 3; S0/S1 second option (impersonation or delegation rights)",
          },
          Rule{
              .id = "AUTH-SHARED-CREDS-MAIL",
              .severity = Severity::warn,
              .condition = mail_only() && any_auth({profile_credentials}),
              .message = "One login is used for every mailbox of the profile; POP3/IMAP would read that one "
                         "inbox for all of them.",
              .remedy = "Use mailbox credentials.",
              .change = replaced_auth({profile_credentials}),
              .source = "S0/S1 second option (rights on the server); operator rule",
          },
          Rule{
              .id = "AUTH-USERNAME-FORMAT",
              .severity = Severity::warn,
              .condition =
                  own_exchange() && any_auth({profile_credentials}) && prof_username_format == down_level,
              .message = "A domain\\user name often fails; the address form is expected.",
              .remedy = "Use user@domain.",
              .change = {set(prof_username_format, upn)},
              .source = "P30 the-smtp-address-has-no-mailbox, test-connection-fails",
          },
          Rule{
              .id = "AUTH-S2S-TYPE",
              .severity = Severity::reject,
              .condition = any_auth({s2s}) && not_in(prof_type, {exchange_online, exchange_online_hybrid}),
              .message = "Server-to-server authentication exists only for Exchange Online.",
              .remedy = "Choose another method.",
              .change = replaced_auth({s2s}),
              .source = "S2 “Exchange Online with the apps”, first sentence",
          },
          Rule{
              .id = "EXO-AUTH-NOT-S2S",
              .severity = Severity::reject,
              .condition = prof_type == exchange_online && any_auth({mailbox_credentials, profile_credentials,
                                                                     windows_integrated, hma, gmail_oauth}),
              .message =
                  "Exchange Online accepts server-to-server (same tenant) or OAuth (other tenant) only.",
              .remedy = "Switch the profile to s2s or oauth_cross_tenant.",
              .change =
                  auth_becomes(
                      oauth_cross_tenant,
                      {mailbox_credentials, profile_credentials, windows_integrated, hma, gmail_oauth},
                      mbx_tenant == other) +
                  auth_becomes(
                      s2s, {mailbox_credentials, profile_credentials, windows_integrated, hma, gmail_oauth},
                      mbx_tenant != other),
              .source = "S2 same list, bullets 1–2; P25",
          },
          Rule{
              .id = "EXO-S2S-CROSS-TENANT",
              .severity = Severity::reject,
              .condition = prof_type == exchange_online && any_auth({s2s}) && mbx_host == exchange_online &&
                           mbx_tenant == other,
              .message = "Server-to-server works only inside one tenant.",
              .remedy = "Use OAuth (cross tenant).",
              .change = auth_becomes(oauth_cross_tenant, {s2s}),
              .source = "S2 same section, first sentence, and the cross-tenant section; P3 step 6",
          },
          Rule{
              .id = "EXO-OAUTH-SAME-TENANT",
              .severity = Severity::warn,
              .condition = prof_type == exchange_online && any_auth({oauth_cross_tenant}) &&
                           mbx_host == exchange_online && mbx_tenant == same,
              .message = "Cross-tenant OAuth is used although the mailbox is in the same tenant.",
              .remedy = "Use s2s.",
              .change = auth_becomes(s2s, {oauth_cross_tenant}),
              .source = "P3 step 6",
          },
          Rule{
              .id = "EXO-IMPERSONATION",
              .severity = Severity::reject,
              .condition = prof_type == exchange_online && prof_impersonation == yes,
              .message = "Impersonation is not used with Exchange Online (the role was removed there in "
                         "February 2025).",
              .remedy = "Clear the option.",
              .change = {set(prof_impersonation, no)},
              .source = "S2 same list, bullet 3; P34",
          },
          Rule{
              .id = "EXO-AUTODISCOVER-OFF",
              .severity = Severity::reject,
              .condition = prof_type == exchange_online && prof_autodiscover == no,
              .message = "Automatic server location must stay on for Exchange Online.",
              .remedy = "Turn autodiscover on.",
              .change = {set(prof_autodiscover, yes)},
              .source = "S2 same list, bullet 4",
          },
          Rule{
              .id = "EXO-CROSS-TENANT-LIMITED",
              .severity = Severity::warn,
              .condition = crosses_tenants(),
              .message = "Cross-tenant connections have limited support.",
              .remedy = "Know the limits before rollout.",
              .change = {look_at(mbx_tenant)},
              .source = "S2 cross-tenant section, heading and note",
          },
          Rule{
              .id = "EXO-CROSS-TENANT-APP-OUTLOOK",
              .severity = Severity::reject,
              .condition = crosses_tenants() && req_app_for_outlook == yes,
              .message = "The app for Outlook is not supported across tenants.",
              .remedy = "Do without the app, or use a mailbox in the same tenant.",
              .change = {set(req_app_for_outlook, no)},
              .source = "S2 cross-tenant note, bullet 1",
          },
          Rule{
              .id = "EXO-CROSS-TENANT-APPROVER",
              .severity = Severity::reject,
              .condition = crosses_tenants() && wants_sync() && mbx_approved == yes &&
                           not_in(mbx_approver_role, {global_admin, exchange_admin}),
              .message = "The approval does not count: it must come from a global or Exchange administrator "
                         "of the primary tenant.",
              .remedy = "Have the right administrator approve again.",
              .change = {look_at(mbx_approver_role)},
              .source = "S2 cross-tenant note, bullet 2",
          },
          Rule{
              .id = "EXO-APPROVER-ROLE",
              .severity = Severity::reject,
              .condition = prof_type == exchange_online && mbx_host == exchange_online &&
                           mbx_tenant == same && wants_sync() && mbx_approved == yes &&
                           not_in(mbx_approver_role, {global_admin, exchange_admin, delegated_approver}),
              .message = "The approver lacks the role needed for Exchange Online mailboxes.",
              .remedy = "Approve as global or Exchange admin, or as delegated mailbox approver.",
              .change = {look_at(mbx_approver_role)},
              .source = "P3 permission table and KB 4506139; delegated approver blog",
          },
          Rule{
              .id = "OAUTH-CROSS-TENANT-TYPE",
              .severity = Severity::reject,
              .condition = any_auth({oauth_cross_tenant}) &&
                           not_in(prof_type, {exchange_online, exchange_online_hybrid}),
              .message = "This OAuth method belongs to the Exchange Online profile.",
              .remedy = "Change profile type or method.",
              .change = replaced_auth({oauth_cross_tenant}),
              .source = "P6",
          },
          Rule{
              .id = "OAUTH-DATA-MISSING",
              .severity = Severity::reject,
              .condition = prof_type == exchange_online && any_auth({oauth_cross_tenant}) &&
                           prof_oauth_data != complete,
              .message = "Tenant id, application id and client secret are all needed.",
              .remedy = "Register the app in the mailbox tenant and fill in the three values.",
              .change = {look_at(prof_oauth_data)},
              .source = "P6 last list",
          },
          Rule{
              .id = "OP-EXO-AUTH-NOT-S2S",
              .severity = Severity::reject,
              .condition = prof_type == exchange_online_hybrid && any_auth_outside({s2s, anonymous, none}),
              .message = "From on-premises to Exchange Online only server-based authentication is supported.",
              .remedy = "Set up server-to-server authentication.",
              .change = on_legs([](const Leg& leg) { return set(leg.auth, s2s); },
                                [](const Leg& leg) {
                                  return not_in(leg.auth, {s2s, anonymous, none});
                                }),
              .source = "P29; P25 on-premises part",
          },
          Rule{
              .id = "OP-EXO-S2S-DATA-MISSING",
              .severity = Severity::reject,
              .condition =
                  prof_type == exchange_online_hybrid && any_auth({s2s}) && prof_oauth_data != complete,
              .message = "Certificate or tenant id for server-based authentication is missing.",
              .remedy = "Install the certificate and set the tenant id.",
              .change = {look_at(prof_oauth_data)},
              .source = "P29 prerequisites and tenant-id step",
          },
          Rule{
              .id = "HMA-TYPE",
              .severity = Severity::reject,
              .condition = any_auth({hma}) && in(prof_type, {exchange_server, pop3_smtp, imap_smtp, gmail}),
              .message = "Hybrid modern authentication exists only for the Exchange Server (Hybrid) profile.",
              .remedy = "Change profile type or method.",
              .change = replaced_auth({hma}),
              .source = "P5; P4 step 6",
          },
          Rule{
              .id = "HMA-VERSION",
              .severity = Severity::reject,
              .condition =
                  any_auth({hma}) && prof_type == exchange_hybrid && mbx_host == exchange_onprem &&
                  in(mbx_exchange_version, {v2003, v2007, v2010, v2010sp3, v2013, v2013sp1, v2016rtm}),
              .message = "Hybrid modern authentication needs 2013 CU19, 2016 CU8 or later.",
              .remedy = "Update Exchange.",
              .change = {look_at(mbx_exchange_version)},
              .source = "P5 supported versions",
          },
          Rule{
              .id = "HMA-DATA-MISSING",
              .severity = Severity::reject,
              .condition = any_auth({hma}) && prof_type == exchange_hybrid && prof_oauth_data != complete,
              .message = "EWS URL, resource id, tenant id, app id and the key-vault certificate data are all "
                         "needed.",
              .remedy = "Fill in the eight values.",
              .change = {look_at(prof_oauth_data)},
              .source = "P5 last list",
          },
          Rule{
              .id = "HYBRID-IIS-AUTH-MISSING",
              .severity = Severity::reject,
              .condition = is_online() && prof_type == exchange_hybrid &&
                           in(prof_auth_in, {profile_credentials, mailbox_credentials}) &&
                           prof_iis_auth == none,
              .message = "Neither NTLM nor Basic is enabled on the EWS directory.",
              .remedy = "Enable NTLM.",
              .change = {look_at(prof_iis_auth)},
              .source = "P4 prerequisite 2",
          },
          Rule{
              .id = "HYBRID-IIS-AUTH-BOTH",
              .severity = Severity::warn,
              .condition = is_online() && prof_type == exchange_hybrid &&
                           in(prof_auth_in, {profile_credentials, mailbox_credentials}) &&
                           prof_iis_auth == both,
              .message = "With NTLM in use, Basic should be disabled.",
              .remedy = "Disable Basic.",
              .change = {look_at(prof_iis_auth)},
              .source = "P4 prerequisite 2",
          },
          Rule{
              .id = "MFA-UNSUPPORTED",
              .severity = Severity::reject,
              .condition = exchange_type() && mbx_mfa == yes &&
                           ((is_online() && mbx_host == exchange_onprem) ||
                            (is_onprem() && mbx_host == exchange_online)),
              .message = "Multi-factor authentication is not supported on this path.",
              .remedy = "Exempt the account, or use an account without MFA.",
              .change = {look_at(mbx_mfa)},
              .source = "S2 unsupported list, bullet 11",
          },
          Rule{
              .id = "GMAIL-BASIC-ENDED",
              .severity = Severity::reject,
              .condition = gmail_mailbox() && any_auth({mailbox_credentials, profile_credentials}) &&
                           on_or_after(env_as_of, kGmailPasswordsEnd),
              .message = "Google ended user-name-and-password access for apps on 2022-05-30.",
              .remedy = "Use the Gmail OAuth method.",
              .change = auth_becomes(gmail_oauth, {mailbox_credentials, profile_credentials}),
              .source = "S0/S1 important box",
          },
          Rule{
              .id = "GMAIL-BASIC-ENDING",
              .severity = Severity::warn,
              .condition = gmail_mailbox() && any_auth({mailbox_credentials, profile_credentials}) &&
                           before(env_as_of, kGmailPasswordsEnd),
              .message = "Password access to Gmail ends on 2022-05-30.",
              .remedy = "Move to the Gmail OAuth method.",
              .change = auth_becomes(gmail_oauth, {mailbox_credentials, profile_credentials}),
              .source = "S0/S1 important box",
          },
          Rule{
              .id = "GMAIL-OAUTH-TYPE",
              .severity = Severity::reject,
              .condition = any_auth({gmail_oauth}) && (own_exchange() || (mail_only() && !gmail_mailbox())),
              .message = "Gmail OAuth works only with Google mailboxes.",
              .remedy = "Choose another method.",
              .change = on_legs(auth_to_default, auth_in({gmail_oauth})),
              .source = "P7; S0/S1 important box",
          },
          Rule{
              .id = "GMAIL-OAUTH-DATA-MISSING",
              .severity = Severity::reject,
              .condition = gmail_mailbox() && any_auth({gmail_oauth}) && prof_oauth_data != complete,
              .message = "OAuth client id or client secret is missing.",
              .remedy = "Create OAuth credentials in the Google project and enter them.",
              .change = {look_at(prof_oauth_data)},
              .source = "P7 steps 3–4",
          },
          Rule{
              .id = "GMAIL-OAUTH-USER-LIMIT",
              .severity = Severity::reject,
              .condition = gmail_mailbox() && any_auth({gmail_oauth}) && prof_mailbox_count > 100,
              .message =
                  "One Gmail OAuth profile carries at most 100 users; this one has {prof_mailbox_count}.",
              .remedy = "Create another OAuth profile.",
              .change = {look_at(prof_mailbox_count)},
              .source = "P7 first note",
          },
          Rule{
              .id = "GMAIL-OAUTH-NOT-SIGNED-IN",
              .severity = Severity::stage,
              .condition = gmail_mailbox() && any_auth({gmail_oauth}) && mbx_oauth_token != yes,
              .message = "The mailbox user has not signed in to Google yet.",
              .remedy = "Run the sign-in as the mailbox user.",
              .change = {look_at(mbx_oauth_token)},
              .source = "P7 step 5",
          },
          Rule{
              .id = "GMAIL-OAUTH-TESTING",
              .severity = Severity::warn,
              .condition = gmail_mailbox() && any_auth({gmail_oauth}) && prof_gmail_app_status == testing,
              .message = "Tokens of a Google app in testing expire after seven days.",
              .remedy = "Publish the app or make it internal.",
              .change = {look_at(prof_gmail_app_status)},
              .source = "tarickb/sasl-xoauth2 #29, klenwell/pinprick #4",
          },
          Rule{
              .id = "OUTLOOKCOM-BASIC-ENDED",
              .severity = Severity::reject,
              .condition = mail_only() && outlook_family() &&
                           any_auth({mailbox_credentials, profile_credentials}) &&
                           on_or_after(env_as_of, "2024-09-16"),
              .message = "Outlook.com accounts refuse passwords since 2024-09-16.",
              .remedy = "No method of this product fits; use another provider.",
              .change = {look_at(mbx_host)},
              .source = "P36",
          },
          Rule{
              .id = "YAHOO-APP-PASSWORD",
              .severity = Severity::info,
              .condition = mail_only() && mbx_host == yahoo && any_auth({mailbox_credentials}),
              .message = "Yahoo needs an app password, not the account password.",
              .remedy = "Create an app password.",
              .change =
                  on_legs([](const Leg& leg) { return look_at(leg.auth); }, auth_in({mailbox_credentials})),
              .source = "P37",
          },
      }};
}

}  // namespace syncline::rules
