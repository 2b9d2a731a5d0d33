// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The first line of a POP3 server's answer (RFC 1939 section 3, RFC 2449 section 8, RFC 5034). No I/O.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace syncline::pop3 {

struct Status {
  enum class Kind : std::uint8_t { ok, error, challenge };
  Kind kind = Kind::ok;
  std::string code = {};  ///< of "-ERR [IN-USE] text", in upper case without brackets; empty: none
  std::string text = {};  ///< behind it, as it came; of a challenge: base64

  bool ok() const noexcept { return kind == Kind::ok; }
};

/// Error mail "bad-reply" (after): the line is none.
Result<Status> parse_status(std::string_view line);

/// The timestamp of a greeting that offers APOP, with its brackets; empty: none.
std::string_view apop_timestamp(std::string_view greeting) noexcept;

}  // namespace syncline::pop3
