// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The sending side of SMTP towards a smart host: one connection, one message, an answer for each recipient.
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "net/environment.hpp"
#include "tools/exchange-sim/post_office.hpp"
#include "tools/exchange-sim/transport/settings.hpp"

namespace exchange_sim {

namespace net = syncline::net;

/// What the smart host said of one recipient, or what we say in its place.
struct Verdict {
  int code = 0;      ///< 250, 450, 550, …
  std::string text;  ///< without the code: "5.1.1 no such user"
  bool is_taken() const noexcept { return code >= 200 && code < 300; }
  bool is_final() const noexcept { return is_taken() || code >= 500; }
};

/// Hands the message over. One verdict for each of `mail.to`, in their order. Errors: those of the
/// connection, and mail "smtp-refused", "smtp-reply" where the server did not let us come to the message; the
/// message may be tried again after any of them. A connection that ends after the text was sent and before
/// the answer is such an error, too: the message is then sent once more (RFC 5321 section 4.5.3.2.6).
net::Async<std::vector<Verdict>> hand_over(net::Environment& environment, SmartHost smart_host,
                                           std::string host_name, OutgoingMail mail,
                                           std::chrono::milliseconds idle);

/// The text as it goes after DATA: every line end CR LF, dots stuffed, the final dot included.
std::string text_on_the_wire(std::string_view mime);

}  // namespace exchange_sim
