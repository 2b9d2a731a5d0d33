// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a POP3 server offers (RFC 2449, RFC 2595, RFC 5034).
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::pop3 {

struct Capabilities {
  bool known = false;  ///< the server has CAPA; without, everything is tried and may be refused
  bool top = false;
  bool uidl = false;
  bool user = false;
  bool pipelining = false;
  bool stls = false;
  bool response_codes = false;                                     ///< RESP-CODES
  bool authentication_response_code = false;                       ///< AUTH-RESP-CODE, RFC 3206
  std::vector<std::string> mechanisms = {};                        ///< in upper case, each once
  std::optional<std::chrono::seconds> login_delay = std::nullopt;  ///< between two sign-ins
  std::string implementation = {};
};

/// Adds what one line says; reads anything.
void read_capability(Capabilities& capabilities, std::string_view line);

}  // namespace syncline::pop3
