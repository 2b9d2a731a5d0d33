// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/mailbox_test/causes.hpp"

#include <algorithm>
#include <optional>

#include "base/text.hpp"

namespace syncline::service {
namespace {

// Sources of what servers say stand in docs/protocol-notes/test-and-enable.md.
constexpr Cause all_causes[] = {
    {"access-denied", "The account may sign in, but not do this in the mailbox.",
     "Give the account the right to the mailbox and its folders (full access, or impersonation)."},
    {"account-disabled", "The account is disabled.", "Enable the account where it is kept, then test again."},
    {"account-locked", "The account is locked after too many sign-ins with a wrong password.",
     "Unlock the account, or wait for the end of the lock; set the right password first, or it locks again."},
    {"app-password-needed",
     "The account has a second factor: its provider takes no ordinary password from programs.",
     "Sign in by OAuth (syncline auth login), or make an app password at the provider and set that."},
    {"application-refused", "The provider does not know the application, or does not let it do this.",
     "Compare client_id and tenant_id of the profile with the registration; give the application its "
     "permission (full_access_as_app, IMAP.AccessAsApp, …) and have an administrator consent."},
    {"autodiscover-failed", "Autodiscover does not lead to the mailbox's server.",
     "syncline discover ADDRESS shows where it ends; mend the domain's records, or state the location in the "
     "profile (in_host)."},
    {"basic-authentication-off", "The server takes no user name and password any more.",
     "Let the profile sign in by OAuth; for Exchange Online Basic authentication does not come back."},
    {"browser-sign-in-needed", "The provider wants the user to sign in with a browser first.",
     "Let the user sign in with a browser and confirm that it was them, then test again."},
    {"certificate-expired", "The server's certificate has expired.",
     "Have the server's administrator renew the certificate. It is not accepted as it is."},
    {"certificate-not-valid-yet",
     "The server's certificate is not valid yet, or this machine's clock is wrong.",
     "Look at this machine's clock; else have the server's certificate replaced."},
    {"certificate-refused", "The server's certificate does not prove who it is.",
     "Have the server's administrator put a right certificate, with its whole chain, in place."},
    {"certificate-unknown-authority",
     "The server's certificate comes from an authority that is not trusted here.",
     "If it is the organisation's own authority, put its certificate (PEM) into a file and name that in the "
     "profile (ca_file); else have the server send its whole chain."},
    {"certificate-wrong-name", "The server's certificate is for another host name.",
     "Put the name that the certificate bears into the profile (in_host, out_host), or have a certificate "
     "for "
     "this name put in place."},
    {"client-secret-expired", "The application's secret or certificate has expired.",
     "Make a new one in the application's registration, then: syncline secret set --profile NAME."},
    {"client-secret-wrong", "The application's secret or certificate is not the right one.",
     "Set the value (not the id) of the application's secret: syncline secret set --profile NAME --kind "
     "client-secret."},
    {"clock-wrong", "The clocks of this machine and of the Kerberos server are too far apart.",
     "Set this machine's clock (chrony, systemd-timesyncd)."},
    {"conditional-access",
     "A policy of the tenant (conditional access, security defaults) forbids this sign-in.",
     "Have the tenant's administrator leave this application or account, from this machine's address, out of "
     "the policy; the sign-in log there names the policy."},
    {"connection-cut", "The connection ended in the middle.",
     "Usually it passes. If it stays so: look for a firewall or a proxy in between that ends connections."},
    {"connection-refused", "Nothing listens at this port: it is the wrong one, or the service does not run.",
     "Compare the port with the provider's: IMAP 993 (TLS) or 143, POP3 995 or 110, submission 465 (TLS) or "
     "587, Exchange 443."},
    {"consent-missing", "Nobody has consented that the application may use the mailbox.",
     "Have an administrator consent to the application's permissions, or let the user sign in again: "
     "syncline "
     "auth login."},
    {"dns-unreachable", "DNS gives no answer.", "Look at this machine's network and its name server."},
    {"ews-disabled", "Exchange Web Services are switched off for this tenant, mailbox or application.",
     "Have an Exchange administrator look at EWSEnabled of the organisation and of the mailbox and at "
     "EWSAllowedAppIDs; Exchange Online ends EWS for good on 2027-04-01 (syncline readiness)."},
    {"folder-missing", "The mailbox has no such folder.",
     "Look whether the mailbox has a calendar, contacts and tasks; shared and resource mailboxes may lack "
     "them. Else set act = \"none\"."},
    {"forbidden", "The server knows who asks and forbids it.",
     "Look whether Exchange Web Services are on for the mailbox, whether an access policy keeps the "
     "application to other mailboxes, and whether a firewall in between forbids it."},
    {"impersonation-denied", "The service account may not impersonate this mailbox's user.",
     "Give it the role ApplicationImpersonation with a scope that holds the mailbox; it takes effect after "
     "some minutes."},
    {"kerberos-failed", "Kerberos gives this machine no ticket for the server.",
     "Look at the keytab or ticket cache of the service, the realm, and that the profile names the host as "
     "its service principal does."},
    {"mailbox-full", "The mailbox has reached its quota.",
     "Make room in the mailbox, or raise its quota, then test again."},
    {"mailbox-not-enabled-for-protocol",
     "The sign-in is right, but the mailbox may not be used over this protocol.",
     "Switch the protocol (IMAP, POP3, SMTP AUTH) on for the mailbox at the provider; for an application "
     "give "
     "its service principal access to the mailbox."},
    {"mailbox-not-here", "The server has no mailbox with this address.",
     "Look whether the address is the primary one, and whether the mailbox was moved (syncline discover "
     "ADDRESS); correct the profile."},
    {"message-did-not-arrive", "The server took the test message, and it has not come to the inbox.",
     "Look for it in the junk folder and in the server's queue: a rule, a forwarding or a filter takes mail "
     "away, or the delivery is late."},
    {"message-refused", "The server does not take the test message.",
     "Read the server's words: the address may be unknown to it, or a filter refuses automatic mail."},
    {"mfa-needed", "The account has to show a second factor, which a program cannot.",
     "Let the user sign in again with a browser (syncline auth login), or use an application's credentials "
     "instead of a user's."},
    {"name-not-found", "DNS has no such host.",
     "Correct the host name in the profile (in_host, out_host); look for a typing error."},
    {"no-answer", "The server does not answer at this address and port.",
     "Look whether a firewall lets this machine reach it, and whether host and port are right."},
    {"no-ews-here", "There is no Exchange Web Services at this address.",
     "Correct the location (…/EWS/Exchange.asmx), or let Autodiscover find it; look for a proxy or a login "
     "page in between."},
    {"no-sign-in-in-common", "The server offers no way to sign in that the profile may use.",
     "Compare the profile's authentication with what the server offers; where it offers none without TLS, "
     "turn TLS on."},
    {"no-starttls", "The server does not offer STARTTLS at this port.",
     "Use the port with TLS from the start (tls = \"implicit\": 993, 995, 465), or have STARTTLS switched "
     "on."},
    {"not-allowed-as-sender", "The account may not send under this address.",
     "Give it the right to send as the mailbox, or sign in as the mailbox's own user."},
    {"other", "The server refuses it.", "Read the server's words above."},
    {"password-expired", "The account's password has expired.",
     "Change the password, then set the new one: syncline secret set."},
    {"password-wrong", "The server does not accept user name and password.",
     "Set the password again (syncline secret set), and compare the user name's form (user, DOMAIN\\user, "
     "address) with what the server wants."},
    {"port-wants-tls", "The server waits for TLS from the first octet at this port.",
     "Set tls to \"implicit\" in the profile, or use the port for STARTTLS (143, 110, 587)."},
    {"port-without-tls", "The server speaks in clear at this port; TLS from the start is not for it.",
     "Set tls to \"starttls\" in the profile, or use the port with TLS (993, 995, 465)."},
    {"proxy-refused", "The proxy in between refuses the connection.",
     "Look at the profile's proxy, its credentials and what it allows."},
    {"secret-damaged", "A secret in the vault was changed or damaged, and cannot be opened.",
     "Set it again (syncline secret set; a sign-in: syncline auth login), and find out what changed the "
     "store; a backup has it as it was."},
    {"secret-missing", "A setting or a secret that signing in needs is not there.",
     "Add what is named: syncline secret set, auth login, or the profile's settings."},
    {"sending-limit", "The account has sent as much as its provider allows for now.",
     "Wait for the next hour or day, or have the limit raised."},
    {"sending-not-enabled", "Sending with user name and password (SMTP AUTH) is switched off.",
     "Switch authenticated SMTP on for the mailbox and the tenant, or let the profile sign in by OAuth."},
    {"server-busy", "The server is busy, or slows this account down.",
     "Nothing: it is tried again when the server says."},
    {"server-trouble", "The server is out of order or overloaded at the moment.",
     "Nothing: it is tried again."},
    {"sign-in-expired", "What the user's sign-in gave has expired or was withdrawn.",
     "Let the user sign in again: syncline auth login."},
    {"tls-failed", "Server and program do not agree on TLS.",
     "The server has to speak TLS 1.2 or 1.3; look whether the port is right and what stands in between."},
    {"token-refused", "The server does not take the access token.",
     "Look at the profile's scope and at the application's permissions, and whether the token is for this "
     "mailbox."},
    {"wrong-protocol", "Something else than the expected protocol answers at this port.",
     "Compare host and port with the provider's; IMAP, POP3 and SMTP have ports of their own."},
};

struct Match {
  std::optional<ErrorDomain> domain;
  std::string_view code;   ///< empty: any
  std::string_view words;  ///< in lower case, somewhere in what is said; empty: any
  std::string_view cause;
};

constexpr std::nullopt_t any = std::nullopt;
using D = ErrorDomain;

// What is more certain stands first.
constexpr Match matches[] = {
    // Names, ports, connections
    {D::net, "name-not-found", "", "name-not-found"},
    {D::net, "dns-failed", "", "dns-unreachable"},
    {D::net, "connection-refused", "", "connection-refused"},
    {D::net, "proxy", "", "proxy-refused"},
    {any, "http-407", "", "proxy-refused"},
    {any, "proxy-refused", "", "proxy-refused"},
    {any, "port-wants-tls", "", "port-wants-tls"},
    // TLS
    {D::tls, "certificate", "has expired", "certificate-expired"},
    {D::tls, "certificate", "not yet valid", "certificate-not-valid-yet"},
    {D::tls, "certificate", "mismatch", "certificate-wrong-name"},
    {D::tls, "certificate", "not for this host", "certificate-wrong-name"},
    {D::tls, "certificate", "issuer", "certificate-unknown-authority"},
    {D::tls, "certificate", "self-signed", "certificate-unknown-authority"},
    {D::tls, "certificate", "self signed", "certificate-unknown-authority"},
    {D::tls, "certificate", "", "certificate-refused"},
    {D::tls, "no-starttls", "", "no-starttls"},
    {D::tls, "no-stls", "", "no-starttls"},
    {D::tls, "handshake", "wrong version number", "port-without-tls"},
    {D::tls, "handshake", "packet length too long", "port-without-tls"},
    {D::tls, "handshake", "record layer failure", "port-without-tls"},
    {D::tls, "handshake", "http request", "port-without-tls"},
    {D::tls, "encryption-required", "", "no-sign-in-in-common"},
    {D::tls, "handshake-timeout", "", "no-answer"},
    {D::tls, "truncated", "", "connection-cut"},
    {D::tls, "broken", "", "connection-cut"},
    {D::tls, "", "", "tls-failed"},
    // What a token endpoint says; the numbers are Microsoft's
    {any, "", "aadsts50076", "mfa-needed"},
    {any, "", "aadsts50079", "mfa-needed"},
    {any, "", "aadsts50072", "mfa-needed"},
    {any, "", "aadsts50074", "mfa-needed"},
    {any, "", "aadsts50158", "conditional-access"},
    {any, "", "aadsts5300", "conditional-access"},
    {any, "", "aadsts530034", "conditional-access"},
    {any, "", "aadsts50105", "application-refused"},
    {any, "", "aadsts50034", "password-wrong"},
    {any, "", "aadsts50126", "password-wrong"},
    {any, "", "aadsts50053", "account-locked"},
    {any, "", "aadsts50055", "password-expired"},
    {any, "", "aadsts50057", "account-disabled"},
    {any, "", "aadsts65001", "consent-missing"},
    {any, "", "aadsts7000215", "client-secret-wrong"},
    {any, "", "aadsts7000222", "client-secret-expired"},
    {any, "", "aadsts700027", "client-secret-wrong"},
    {any, "", "aadsts700016", "application-refused"},
    {any, "", "aadsts90002", "application-refused"},
    {D::auth, "invalid_client", "", "client-secret-wrong"},
    {D::auth, "unauthorized_client", "", "application-refused"},
    {D::auth, "consent_required", "", "consent-missing"},
    {D::auth, "interaction_required", "", "mfa-needed"},
    {D::auth, "invalid_grant", "", "sign-in-expired"},
    {D::auth, "testing-mode-expired", "", "sign-in-expired"},
    {D::auth, "no-refresh-token", "", "secret-missing"},
    // Providers' words at a sign-in
    {any, "", "application-specific password", "app-password-needed"},
    {any, "", "app password", "app-password-needed"},
    {any, "", "invalidsecondfactor", "app-password-needed"},
    {any, "", "web browser", "browser-sign-in-needed"},
    {any, "", "web login", "browser-sign-in-needed"},
    {any, "WEBALERT", "", "browser-sign-in-needed"},
    {any, "", "weblogin", "browser-sign-in-needed"},
    {any, "", "smtpclientauthentication is disabled", "sending-not-enabled"},
    {any, "", "basic authentication is disabled", "basic-authentication-off"},
    {any, "", "basicauthblocked", "basic-authentication-off"},
    {any, "", "basic authentication is not supported", "basic-authentication-off"},
    {any, "", "security defaults", "conditional-access"},
    {any, "", "did not meet the criteria", "conditional-access"},
    {any, "", "conditional access", "conditional-access"},
    {any, "", "account is locked", "account-locked"},
    {any, "", "account is disabled", "account-disabled"},
    {any, "", "password has expired", "password-expired"},
    {any, "", "password expired", "password-expired"},
    // Signing in
    {any, "ErrorImpersonateUserDenied", "", "impersonation-denied"},
    {any, "ErrorImpersonationDenied", "", "impersonation-denied"},
    {any, "ErrorImpersonationFailed", "", "impersonation-denied"},
    {any, "not-authorised", "", "mailbox-not-enabled-for-protocol"},
    {any, "token-refused", "", "token-refused"},
    {any, "claims-challenge", "", "conditional-access"},
    {any, "credentials-refused", "", "password-wrong"},
    {any, "sign-in-required", "", "no-sign-in-in-common"},
    {any, "sign-in-not-offered", "", "no-sign-in-in-common"},
    {any, "no-mechanism", "", "no-sign-in-in-common"},
    {any, "scheme-not-offered", "", "no-sign-in-in-common"},
    {any, "clear-text-refused", "", "no-sign-in-in-common"},
    {any, "PRIVACYREQUIRED", "", "no-sign-in-in-common"},
    {any, "clock-skew", "", "clock-wrong"},
    {any, "kdc-unreachable", "", "kerberos-failed"},
    {any, "no-ticket", "", "kerberos-failed"},
    {any, "unknown-principal", "", "kerberos-failed"},
    {any, "gssapi", "", "kerberos-failed"},
    {any, "mechanism-missing", "", "kerberos-failed"},
    {any, "bad-settings", "", "secret-missing"},
    {any, "secret-damaged", "", "secret-damaged"},
    {any, "bad-credentials", "", "secret-missing"},
    {any, "missing-secret", "", "secret-missing"},
    // Exchange
    {any, "ews-disabled", "", "ews-disabled"},
    {any, "forbidden", "", "forbidden"},
    {any, "ErrorNonExistentMailbox", "", "mailbox-not-here"},
    {any, "ErrorNoRespondingCASInDestinationSite", "", "mailbox-not-here"},
    {any, "ErrorMailboxMoveInProgress", "", "server-trouble"},
    {any, "ErrorInvalidSmtpAddress", "", "mailbox-not-here"},
    {any, "ErrorAccessDenied", "", "access-denied"},
    {any, "ErrorSendAsDenied", "", "not-allowed-as-sender"},
    {any, "ErrorQuotaExceeded", "", "mailbox-full"},
    {any, "ErrorServerBusy", "", "server-busy"},
    {any, "ErrorExceededConnectionCount", "", "server-busy"},
    {any, "connections-in-use", "", "server-busy"},
    {any, "ErrorAccountDisabled", "", "account-disabled"},
    {any, "ErrorPasswordExpired", "", "password-expired"},
    {any, "ErrorPasswordChangeRequired", "", "password-expired"},
    {any, "ErrorFolderNotFound", "", "folder-missing"},
    {any, "http-401", "", "password-wrong"},
    {any, "http-404", "", "no-ews-here"},
    {any, "http-410", "", "no-ews-here"},
    {any, "http-421", "", "no-ews-here"},
    {any, "redirected", "", "no-ews-here"},
    {any, "html-page", "", "no-ews-here"},
    {any, "wrong-content-type", "", "no-ews-here"},
    // Mail
    {any, "mailbox-full", "", "mailbox-full"},
    {any, "OVERQUOTA", "", "mailbox-full"},
    {any, "", "quota exceeded", "mailbox-full"},
    {any, "sending-quota", "", "sending-limit"},
    {any, "throttled", "", "server-busy"},
    {any, "THROTTLED", "", "server-busy"},
    {any, "LIMIT", "", "server-busy"},
    {any, "not-allowed-as-sender", "", "not-allowed-as-sender"},
    {any, "no-such-mailbox", "", "mailbox-not-here"},
    {any, "mailbox-moved", "", "mailbox-not-here"},
    {any, "mailbox-disabled", "", "account-disabled"},
    {any, "bad-greeting", "", "wrong-protocol"},
    {any, "bad-reply", "", "wrong-protocol"},
    {any, "bad-response", "", "wrong-protocol"},
    {any, "unexpected-reply", "", "wrong-protocol"},
    {any, "protocol", "", "wrong-protocol"},
    {any, "line-too-long", "", "wrong-protocol"},
    {any, "NOPERM", "", "access-denied"},
    {any, "message-did-not-arrive", "", "message-did-not-arrive"},
    {any, "folder-missing", "", "folder-missing"},
    {any, "refused", "", "message-refused"},
    {any, "recipients-refused", "", "message-refused"},
    {any, "content-refused", "", "message-refused"},
    {any, "bad-domain", "", "message-refused"},
    // What is left, by whose it is
    {D::autodiscover, "", "", "autodiscover-failed"},
    {D::net, "no-reply", "", "server-trouble"},
    {D::net, "connection-closed", "", "connection-cut"},
    {D::net, "connection-lost", "", "connection-cut"},
    {D::net, "connection-reset", "", "connection-cut"},
    {D::net, "", "", "no-answer"},
};

bool is_same_or_any(std::string_view pattern, std::string_view value) {
  return pattern.empty() || pattern == value;
}

}  // namespace

std::span<const Cause> causes() noexcept {
  return all_causes;
}

const Cause* find_cause(std::string_view id) noexcept {
  const auto found = std::find_if(std::begin(all_causes), std::end(all_causes),
                                  [&](const Cause& one) { return one.id == id; });
  return found == std::end(all_causes) ? nullptr : found;
}

const Cause& cause_of(const Error& error) {
  const std::string said = text::to_lower_ascii(error.message);
  for (const Match& match : matches) {
    if (match.domain && *match.domain != error.domain) continue;
    if (!is_same_or_any(match.code, error.code)) continue;
    if (!match.words.empty() && said.find(match.words) == std::string::npos) continue;
    return *find_cause(match.cause);
  }
  const bool passes = error.retry == RetryClass::after || error.retry == RetryClass::now;
  return *find_cause(passes ? "server-trouble" : "other");
}

}  // namespace syncline::service
