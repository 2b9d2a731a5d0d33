// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/smtp/commands.hpp"

#include "routing/smtp/address.hpp"

namespace syncline::smtp {

std::string ehlo(std::string_view name) {
  return "EHLO " + client_name(name) + "\r\n";
}

std::string helo(std::string_view name) {
  return "HELO " + client_name(name) + "\r\n";
}

Result<std::string> mail_from(std::string_view sender, const MailParameters& parameters,
                              const Capabilities& capabilities) {
  const bool smtputf8 = parameters.smtputf8 || !is_ascii(sender);
  if (!sender.empty())
    if (auto good = check_address(sender, capabilities.smtputf8); !good) return fail(std::move(good.error()));
  if (smtputf8 && !capabilities.smtputf8)
    return fail(ErrorDomain::input, "needs-smtputf8",
                "the message has other characters than ASCII in its header, which the server does not take "
                "(no SMTPUTF8)");
  if (parameters.eight_bit && !capabilities.eight_bit_mime)
    return fail(ErrorDomain::input, "needs-8bitmime",
                "the message has octets above 127, which the server does not take (no 8BITMIME)");
  std::string line = "MAIL FROM:<" + std::string(sender) + ">";
  if (parameters.size_octets && capabilities.size) line += " SIZE=" + std::to_string(*parameters.size_octets);
  if (parameters.eight_bit) line += " BODY=8BITMIME";
  if (smtputf8) line += " SMTPUTF8";
  if (capabilities.dsn) {
    line += " RET=HDRS";
    // RFC 3461 section 4.4: at most 100 characters.
    if (const std::string id = xtext(parameters.envelope_id); !id.empty() && id.size() <= 100)
      line += " ENVID=" + id;
  }
  return line + "\r\n";
}

Result<std::string> rcpt_to(std::string_view recipient, bool smtputf8, const Capabilities& capabilities) {
  if (auto good = check_address(recipient, capabilities.smtputf8 && smtputf8); !good)
    return fail(std::move(good.error()));
  std::string line = "RCPT TO:<" + std::string(recipient) + ">";
  if (capabilities.dsn) {
    line += " NOTIFY=FAILURE,DELAY";
    // RFC 6533 has a form of its own for other addresses; the server knows the recipient in any case.
    if (is_ascii(recipient)) line += " ORCPT=rfc822;" + xtext(recipient);
  }
  return line + "\r\n";
}

std::string bdat(std::uint64_t octets, bool last) {
  return "BDAT " + std::to_string(octets) + (last ? " LAST\r\n" : "\r\n");
}

}  // namespace syncline::smtp
