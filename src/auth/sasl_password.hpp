// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Private to src/auth: the password mechanisms, by libgsasl.
#include <memory>
#include <string>
#include <string_view>

#include "auth/sasl.hpp"

namespace syncline::auth {

struct PasswordExchange {
  std::string_view mechanism;  ///< one of sasl.cpp's table, of static storage
  bool client_first = true;
  bool proves_server = false;  ///< SCRAM
  std::string user;
  std::string authorization_id;
  Secret password;
  std::string tls_exporter;  ///< of a -PLUS mechanism, else empty
  bool is_tls = false;
  /// The same without -PLUS, tried once if the server refuses our kind of binding; empty: not to be tried.
  std::string_view unbound = {};
};

/// Errors: local "sasl-setup" (never) when the library cannot do it.
Result<std::unique_ptr<SaslExchange>> make_password_exchange(PasswordExchange wanted,
                                                             std::shared_ptr<BlockingPool> blocking);

}  // namespace syncline::auth
