// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Basic authentication (RFC 7617), always UTF-8.
#include <memory>
#include <string>

#include "base/secret.hpp"
#include "net/authenticator.hpp"

namespace syncline::auth {

struct PasswordCredentials {
  std::string user;  ///< "user@domain" or "DOMAIN\\user"
  Secret password;
};

/// What may not be in a user name or password for any scheme here: broken UTF-8 and control characters.
/// Error domain auth, code "bad-credentials"; the message never holds the password.
Result<void> check_credentials(const PasswordCredentials& credentials);

/// A value for Authorization: the password goes out only after the server has asked for it, once for each
/// server. On a clear connection it is refused (error "clear-text-refused") unless `allow_clear_text`.
Result<std::shared_ptr<net::Authenticator>> make_basic(PasswordCredentials credentials,
                                                       bool allow_clear_text = false);

}  // namespace syncline::auth
