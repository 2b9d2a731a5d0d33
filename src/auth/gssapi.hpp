// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// NTLM and Negotiate (RFC 4559) through GSSAPI: Kerberos from libkrb5, NTLM from the plug-in gss-ntlmssp.
#include <memory>
#include <variant>

#include "auth/basic.hpp"
#include "auth/blocking_pool.hpp"
#include "auth/kerberos_credentials.hpp"
#include "net/authenticator.hpp"

namespace syncline::auth {

using GssCredentials = std::variant<PasswordCredentials, KerberosCredentials>;

/// Which mechanisms Negotiate may choose from.
struct NegotiateMechanisms {
  bool kerberos = true;
  bool ntlm = true;  ///< inside SPNEGO; needs a password
};

/// NTLM with a password; the handshake binds to the TLS channel where there is one. Errors of a session:
/// domain auth, "mechanism-missing" (plug-in not installed), "gssapi" with the library's texts,
/// "credentials-refused".
Result<std::shared_ptr<net::Authenticator>> make_ntlm(PasswordCredentials credentials,
                                                      std::shared_ptr<BlockingPool> pool);

/// Negotiate: SPNEGO over the allowed mechanisms, for service HTTP@host. Additionally "no-ticket" (no usable
/// Kerberos credential), "kdc-unreachable" (class after).
Result<std::shared_ptr<net::Authenticator>> make_negotiate(GssCredentials credentials,
                                                           NegotiateMechanisms mechanisms,
                                                           std::shared_ptr<BlockingPool> pool);

}  // namespace syncline::auth
