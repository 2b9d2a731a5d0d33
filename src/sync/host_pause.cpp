// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/host_pause.hpp"

#include <algorithm>
#include <string_view>

namespace syncline::sync {
namespace {

/// Of IMAP (RFC 5530, and what Gmail and Exchange Online add), of POP3 (RFC 2449, RFC 3206) and SMTP as their
/// tables of replies name them.
constexpr std::string_view refusals[] = {"LIMIT",       "THROTTLED",           "UNAVAILABLE",  "throttled",
                                         "login-delay", "service-unavailable", "sending-quota"};

}  // namespace

bool wants_a_pause(const Error& error) noexcept {
  return error.domain == ErrorDomain::mail && error.retry == RetryClass::after &&
         std::ranges::find(refusals, error.code) != std::end(refusals);
}

}  // namespace syncline::sync
