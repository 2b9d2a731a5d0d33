// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The one table from a POP3 server's -ERR to an Error (invariant 26).
#include <string_view>

#include "routing/pop3/status.hpp"

namespace syncline::pop3 {

/// What was being done when the reply came.
enum class Stage : std::uint8_t {
  greeting,
  capabilities,
  start_tls,
  sign_in,
  listing,
  message,
  removal,
  farewell
};
std::string_view to_string(Stage stage) noexcept;

/// Total. Response codes (RFC 2449, RFC 3206) first, then the stage; text only where a server has no codes.
/// Codes (domain mail; auth for those of signing in):
///  after:          "mailbox-in-use", "login-delay", "temporary", "throttled", "service-unavailable"
///  never:          "system-fault" (SYS/PERM), "not-supported", "gone"
///  quarantine:     "message-refused"
///  reauthenticate: "credentials-refused", "not-authorised"
Error refusal(const Status& status, Stage stage);

}  // namespace syncline::pop3
