// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Commands as they stand on the wire, with their line end. Whatever comes from outside is checked here, so
// that no command can be made that is two.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "routing/smtp/capabilities.hpp"

namespace syncline::smtp {

struct MailParameters {
  std::optional<std::uint64_t> size_octets = std::nullopt;
  bool eight_bit = false;        ///< the text has octets above 127
  bool smtputf8 = false;         ///< an address or a header field has
  std::string envelope_id = {};  ///< comes back in delivery reports (RFC 3461); empty: none
};

std::string ehlo(std::string_view client_name);
std::string helo(std::string_view client_name);

/// Only parameters that the server offers are written. `sender` may be empty: "<>". Errors: those of
/// check_address; input "needs-8bitmime", "needs-smtputf8" (never).
Result<std::string> mail_from(std::string_view sender, const MailParameters& parameters,
                              const Capabilities& capabilities);
/// With DSN: reports are asked for failures and delays, and name the recipient as it was written here.
Result<std::string> rcpt_to(std::string_view recipient, bool smtputf8, const Capabilities& capabilities);
std::string bdat(std::uint64_t octets, bool last);

}  // namespace syncline::smtp
