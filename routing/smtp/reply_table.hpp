// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The one table from an SMTP server's refusal to an Error (invariant 26): what is refused because somebody's
// mailbox is full, because the message is too large and because we send too fast are three things.
#include <string_view>

#include "routing/smtp/reply.hpp"

namespace syncline::smtp {

/// What was being done when the reply came.
enum class Stage : std::uint8_t {
  greeting,
  hello,
  start_tls,
  sign_in,
  sender,
  recipient,
  data,
  content,
  other
};
std::string_view to_string(Stage stage) noexcept;

/// Total: any reply that is not the wanted one gives an Error of domain mail, with the whole reply in its
/// message. Codes:
///  after:          "throttled", "sending-quota", "busy", "service-closing", "mailbox-full" (4yz),
///                  "mailbox-busy", "too-many-recipients", "system-full", "temporary", "unexpected-reply"
///  never:          "message-too-large", "mailbox-full" (5yz), "no-such-mailbox", "bad-domain",
///                  "mailbox-disabled", "mailbox-moved", "not-allowed-as-sender", "content-refused",
///                  "refused", "protocol", "not-supported", "too-many-recipients" (5yz)
///  reauthenticate: "sign-in-required", "credentials-refused", "not-authorised"
///  never, tls:     "encryption-required"
/// Text decides only where codes do not: servers of some size put a name of the fault into it.
Error refusal(const Reply& reply, Stage stage);

}  // namespace syncline::smtp
