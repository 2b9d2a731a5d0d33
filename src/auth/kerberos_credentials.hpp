// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>

namespace syncline::auth {

/// Kerberos without a password: a ticket that is there already, or a key to get one with.
struct KerberosCredentials {
  std::string principal;  ///< "service@REALM"; empty: the cache's or key table's own
  /// "FILE:/…", "KCM:…"; empty: only the key table, with tickets kept in memory. All empty: the key table of
  /// the process (KRB5_CLIENT_KTNAME), or its ticket cache (KRB5CCNAME) where there is none.
  std::string credential_cache;
  std::string client_keytab;  ///< "FILE:/…"; empty: only the cache
};

}  // namespace syncline::auth
