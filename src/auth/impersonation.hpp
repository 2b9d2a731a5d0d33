// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Invariant 21: who speaks for whom. Pure.
#include <optional>
#include <string>
#include <string_view>

namespace syncline::auth {

/// How a profile or mailbox signs in, as far as impersonation depends on it.
enum class CredentialKind {
  s2s,                 ///< application token of the mailbox's own tenant
  oauth_cross_tenant,  ///< application token of an app registered in the mailbox's tenant
  hma_application,     ///< hybrid modern authentication, application token (claim `roles`, no `scp`)
  hma_delegated,       ///< hybrid modern authentication, a user's token (claim `scp`)
  service_account,     ///< one account for many mailboxes: profile credentials, Windows integrated
  own_password,        ///< the mailbox's own user name and password
  own_token,           ///< the mailbox's own user signed in: a delegated token
};

/// True for tokens that name an application and no user.
bool is_app_only(CredentialKind kind) noexcept;

/// What every EWS request for one mailbox carries.
struct MailboxIdentityHeaders {
  /// Address for the SOAP header ExchangeImpersonation (ConnectingSID/PrimarySmtpAddress); nullopt: no such
  /// header.
  std::optional<std::string> impersonated_address;
  /// Value of the HTTP header X-AnchorMailbox; nullopt: no such header.
  std::optional<std::string> anchor_mailbox;
};

/// `profile_impersonation` is the profile's field prof_impersonation: a service account that holds the role
/// ApplicationImpersonation on Exchange Server. It means nothing for a user's own credential.
MailboxIdentityHeaders mailbox_identity_headers(CredentialKind kind, bool profile_impersonation,
                                                std::string_view primary_address);

/// Whether an access token is an application's: its `roles` without `scp`, or `idtyp` = "app". The token's
/// signature is not checked; that is the server's business. nullopt: not a JWT, or it does not say.
std::optional<bool> is_application_token(std::string_view access_token);

}  // namespace syncline::auth
