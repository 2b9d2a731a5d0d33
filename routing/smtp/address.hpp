// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Addresses as they go into an envelope: nothing in them may end a command or begin another one.
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace syncline::smtp {

/// Checks "local@domain" against RFC 5321 sections 4.1.2 and 4.5.3.1 (and RFC 6531 for other characters than
/// ASCII); the local part may be quoted. Errors (domain input, never): "bad-address" with what is wrong;
/// "needs-smtputf8" where the address has other characters and `smtputf8` is false.
Result<void> check_address(std::string_view address, bool smtputf8);
bool is_ascii(std::string_view text) noexcept;

/// RFC 3461 section 4: for ENVID and ORCPT.
std::string xtext(std::string_view text);

/// The name we give ourselves in EHLO. Anything that is no host name or address literal becomes the literal
/// of the loopback address, which submission servers accept (RFC 6409 section 4.2).
std::string client_name(std::string_view wanted);

}  // namespace syncline::smtp
