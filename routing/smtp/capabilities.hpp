// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a server offers in its answer to EHLO (RFC 5321 section 4.1.1.1).
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "routing/smtp/reply.hpp"

namespace syncline::smtp {

struct Capabilities {
  bool starttls = false;
  bool pipelining = false;                                        ///< RFC 2920
  bool chunking = false;                                          ///< BDAT, RFC 3030
  bool eight_bit_mime = false;                                    ///< RFC 6152
  bool smtputf8 = false;                                          ///< RFC 6531
  bool dsn = false;                                               ///< RFC 3461
  bool enhanced_status_codes = false;                             ///< RFC 2034
  bool size = false;                                              ///< RFC 1870
  std::optional<std::uint64_t> size_limit_octets = std::nullopt;  ///< nullopt: not said, or without limit
  std::optional<std::uint64_t> most_recipients = std::nullopt;    ///< RFC 9422, RCPTMAX
  std::optional<std::uint64_t> most_messages = std::nullopt;      ///< RFC 9422, MAILMAX
  std::vector<std::string> mechanisms = {};                       ///< in upper case, each once
};

/// Reads anything; what is not understood is passed over. The first line is the greeting.
Capabilities read_capabilities(const Reply& ehlo);

}  // namespace syncline::smtp
