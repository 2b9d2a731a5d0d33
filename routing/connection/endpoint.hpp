// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Where a mail server is, and how its connections are secured.
#include <cstdint>
#include <string>

#include "net/environment.hpp"

namespace syncline::mail {

enum class TlsMode : std::uint8_t {
  implicit,  ///< from the first octet (RFC 8314)
  starttls,  ///< after STARTTLS or STLS; a server that does not offer it is refused
  none,      ///< loopback, or whoever insists
};

struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
  TlsMode tls = TlsMode::implicit;
  net::TlsPolicy policy = {};
};

}  // namespace syncline::mail
