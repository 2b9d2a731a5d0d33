// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Where a mail server is, and how its connections are secured.
#include <cstdint>
#include <memory>
#include <string>

#include "base/duration_histogram.hpp"
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
  /// Where it is counted how long this server takes from the last octet of what it is sent to the first of
  /// what comes back; null: nowhere.
  std::shared_ptr<RequestTimes> answer_times = nullptr;
};

}  // namespace syncline::mail
