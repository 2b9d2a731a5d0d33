// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Private to src/auth: GSSAPI (RFC 4752) and NTLM as SASL mechanisms.
#include <memory>
#include <string>

#include "auth/gssapi.hpp"
#include "auth/sasl.hpp"

namespace syncline::auth {

/// Kerberos for service@host. No security layer: TLS is below.
std::unique_ptr<SaslExchange> make_gssapi_exchange(KerberosCredentials credentials, std::string service,
                                                   std::string host, std::string authorization_id,
                                                   std::shared_ptr<BlockingPool> blocking);

/// `tls_server_end_point`: Exchange may insist on the binding (extended protection).
std::unique_ptr<SaslExchange> make_ntlm_exchange(PasswordCredentials credentials, std::string service,
                                                 std::string host, std::string tls_server_end_point,
                                                 std::shared_ptr<BlockingPool> blocking);

}  // namespace syncline::auth
