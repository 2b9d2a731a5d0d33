// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Locations and ports of mail hosts whose settings are published. They fill what a profile leaves open.
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "routing/rules/words.hpp"

namespace syncline::router {

enum class TlsMode : std::uint8_t { implicit, starttls, none };
std::string_view to_string(TlsMode mode) noexcept;

struct PresetEndpoint {
  std::string_view host;
  std::uint16_t port = 0;
  TlsMode tls = TlsMode::implicit;
};

struct Preset {
  std::string_view name;
  std::optional<rules::Word> lives_on;  ///< the value of mbx_host that it is for
  std::span<const std::string_view>
      domains;  ///< else, or more exactly: domains of addresses; "gmx.*" any ending
  std::optional<PresetEndpoint> imap;
  std::optional<PresetEndpoint> pop3;
  std::optional<PresetEndpoint> smtp;
  bool smtp_also_on_465 = false;   ///< TLS from the first byte, beside the port above
  bool saves_sent_copies = false;  ///< what is sent by SMTP stands in its Sent folder by itself (R-29)
};

std::span<const Preset> presets() noexcept;
/// The preset for a mailbox: by the domain of its address, else by where it lives.
const Preset* preset_for(std::string_view address, rules::Word lives_on) noexcept;
/// Endpoint for a protocol, as reachable from the cloud: from `usgov` only ports 80, 443, 465 and 995 are
/// open.
std::optional<PresetEndpoint> endpoint(const Preset& preset, rules::Word protocol,
                                       rules::Word cloud) noexcept;

/// EWS of Exchange Online, by cloud.
std::string_view exchange_online_ews(rules::Word cloud) noexcept;

}  // namespace syncline::router
