// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// WWW-Authenticate and Proxy-Authenticate values (RFC 9110 section 11.6.1).
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace syncline::auth {

struct Challenge {
  std::string scheme;   ///< lower case
  std::string token68;  ///< "NTLM TlRM…": what follows the scheme, as sent; empty if there is none
  std::vector<std::pair<std::string, std::string>> parameters;  ///< names in lower case, values unquoted

  /// The first parameter of that name (lower case).
  std::optional<std::string_view> find(std::string_view name) const noexcept;
};

/// All challenges of all values, in order. Text that is no challenge is passed over: a server's broken header
/// must not hide the good one beside it. At most 32 challenges of 64 parameters are kept.
std::vector<Challenge> parse_challenges(std::span<const std::string> values);

/// The first challenge of that scheme (lower case), or null.
const Challenge* find_challenge(std::span<const Challenge> challenges, std::string_view scheme) noexcept;

}  // namespace syncline::auth
