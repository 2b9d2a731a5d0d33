// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// http and https URLs (RFC 3986) and the endpoints behind them.
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace syncline::net {

struct Url {
  std::string scheme;  ///< "http" or "https", lower case
  std::string host;    ///< lower case; an IPv6 address without its brackets
  std::uint16_t port = 0;
  std::string target;  ///< path and query, starts with '/'

  bool is_tls() const noexcept { return scheme == "https"; }
  /// "host" or "host:port" where the port is not the scheme's own; IPv6 in brackets. For the Host header.
  std::string authority() const;
  std::string to_string() const;

  friend bool operator==(const Url&, const Url&) = default;
};

/// User information ("user:password@") and fragments are refused, as are other schemes, control characters,
/// spaces and an empty host: error domain input, code "bad-url".
Result<Url> parse_url(std::string_view text);
/// `location` may be absolute, absolute-path or relative (RFC 3986 section 5); same refusals.
Result<Url> resolve_reference(const Url& base, std::string_view location);

}  // namespace syncline::net
