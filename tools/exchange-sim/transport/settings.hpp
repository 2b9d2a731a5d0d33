// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the transport of mail is told; the TOML form is [transport] in docs/exchange-sim.md. All of it is off
// by default.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace exchange_sim {

/// A mail server to hand mail to.
struct SmartHost {
  std::string host;  ///< name or address; empty: there is none
  std::uint16_t port = 25;
  bool empty() const noexcept { return host.empty(); }
  friend bool operator==(const SmartHost&, const SmartHost&) = default;
};

/// "host", "host:port", "[::1]:port"; nullopt for anything else. The empty text is no smart host.
std::optional<SmartHost> parse_smart_host(std::string_view text);
std::string to_string(const SmartHost& smart_host);

struct TransportSettings {
  std::optional<std::uint16_t> smtp_port;  ///< where mail comes in, 127.0.0.1 alone; 0: the system chooses
  SmartHost smart_host;                    ///< takes the mail for domains that are not ours; may be set later
  std::string host_name = "exchange-sim.invalid";  ///< in greetings and as our name to the smart host
  std::uint64_t message_octets = 52'428'800;       ///< larger ones are refused; told as SIZE
  std::size_t recipients = 500;                    ///< of one message that comes in
  std::size_t connections = 100;                   ///< at once
  std::chrono::milliseconds idle{300'000};  ///< a peer that says nothing for so long is left, both ways
  std::chrono::milliseconds retry{1'000};   ///< before the second attempt; doubled for each further one
  std::chrono::milliseconds longest_retry{60'000};
  std::chrono::milliseconds give_up{3'600'000};  ///< then the sender gets a non-delivery report
  std::size_t waiting = 10'000;                  ///< messages in the queue; more come back at once
};

}  // namespace exchange_sim
