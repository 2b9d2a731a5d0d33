// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Which driver serves which leg of a mailbox, and why. A route is a value; nothing is connected here.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "model/mailbox_facts.hpp"
#include "routing/router/presets.hpp"
#include "routing/rules/check.hpp"

namespace syncline::router {

enum class Driver : std::uint8_t { ews, imap, pop3, smtp };
std::string_view to_string(Driver driver) noexcept;

/// How a driver proves who it is. `password`: the best of what the server offers (SCRAM before PLAIN).
enum class Mechanism : std::uint8_t { bearer, ntlm, basic, negotiate, xoauth2, password };
std::string_view to_string(Mechanism mechanism) noexcept;

struct LegRoute {
  Driver driver{};
  std::string location;  ///< host name; URL for EWS; empty: Autodiscover finds it
  std::uint16_t port = 0;
  TlsMode tls = TlsMode::implicit;
  rules::Word authentication{};  ///< the profile's method
  Mechanism mechanism{};
  bool autodiscover = false;
  /// ExchangeImpersonation and X-AnchorMailbox are sent: the credential is app-only or a service account
  /// (invariant 21).
  bool impersonation = false;
  std::vector<std::string> why;  ///< type, domain, facts, preset, what was overridden
};

struct Route {
  std::optional<LegRoute> incoming;  ///< mail in; nothing: the leg is none, or not the server's to run
  std::optional<LegRoute> outgoing;
  std::optional<LegRoute> act;
};

/// Codes of the errors of `route`.
inline constexpr std::string_view kNoDriver = "graph-without-driver";
inline constexpr std::string_view kNoProfile = "default-profile-decides";
inline constexpr std::string_view kNoLocation = "no-location";

/// Route of an assignment that the catalogue accepts. Facts, if the mailbox was discovered, add to what the
/// assignment says and never override what a person stated.
Result<Route> route(const rules::CheckedAssignment& assignment,
                    const std::optional<model::MailboxFacts>& facts = std::nullopt);

}  // namespace syncline::router
