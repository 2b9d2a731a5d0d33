// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// From what an administrator entered to an authenticator: one scheme, or the best of those allowed that the
// server offers.
#include <memory>
#include <variant>

#include "auth/basic.hpp"
#include "auth/blocking_pool.hpp"
#include "auth/gssapi.hpp"
#include "auth/token_source.hpp"
#include "net/authenticator.hpp"

namespace syncline::auth {

using Credentials = std::variant<PasswordCredentials, KerberosCredentials, std::shared_ptr<TokenSource>>;

struct AllowedSchemes {
  bool negotiate = true;
  bool ntlm = true;
  bool basic = true;
  bool clear_text = false;  ///< Basic and Bearer over http
};

/// A token source gives Bearer, a ticket gives Negotiate. A password waits for the server's list and takes
/// the strongest scheme that is allowed and offered: Negotiate, NTLM, Basic; the choice is kept for later
/// connections to that server. The next one is tried only where the stronger could not begin (no KDC, no
/// plug-in): a refused password is not tried again in another scheme, since each try counts towards the
/// account's lock-out. Error "bad-credentials"; "bad-settings" if nothing is allowed. scheme() of a choosing
/// authenticator is "auto".
Result<std::shared_ptr<net::Authenticator>> make_authenticator(Credentials credentials,
                                                               AllowedSchemes allowed,
                                                               std::shared_ptr<BlockingPool> pool);

}  // namespace syncline::auth
