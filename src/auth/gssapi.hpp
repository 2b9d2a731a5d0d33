// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// NTLM and Negotiate (RFC 4559) through GSSAPI: Kerberos from libkrb5, NTLM from the plug-in gss-ntlmssp.
#include <memory>
#include <string>
#include <variant>

#include "auth/basic.hpp"
#include "auth/blocking_pool.hpp"
#include "net/authenticator.hpp"

namespace syncline::auth {

/// Kerberos without a password: a ticket that is there already, or a key to get one with.
struct KerberosCredentials {
  std::string principal;  ///< "service@REALM"; empty: the cache's or key table's own
  std::string
      credential_cache;  ///< "FILE:/…", "KCM:…"; empty: only the key table, with tickets kept in memory
  std::string client_keytab;  ///< "FILE:/…"; empty: only the cache
};

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
