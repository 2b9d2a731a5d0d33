// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Where a webhook may lead: to public addresses, and to those that the operator has listed. Checked at the
// connection itself, so that whatever a name or a redirect leads to is checked, and what was checked is what
// is connected.
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/environment.hpp"

namespace syncline::admin {

class TargetRule {
 public:
  TargetRule() = default;
  /// `listed`: addresses and networks, "10.1.0.0/16", "fd00::/8", "127.0.0.1". Error (input) "bad-network".
  static Result<TargetRule> of(const std::vector<std::string>& listed);

  /// False for loopback, link-local, private, shared (RFC 6598), unique local, multicast, reserved and
  /// documentation addresses, for what embeds one of them (IPv4-mapped, NAT64, 6to4, Teredo), and for what is
  /// no address; unless it is listed.
  bool allows(std::string_view address) const;

 private:
  struct Network {
    std::array<unsigned char, 16> octets{};
    int bits = 0;  ///< of 128; IPv4 stands mapped
  };
  static std::optional<Network> parse(std::string_view text);
  std::vector<Network> listed_;
};

/// Connects only where the rule allows. Error (net): "address-not-allowed".
class GuardedConnector final : public net::Connector {
 public:
  /// `connector` must outlive it.
  GuardedConnector(net::Connector& connector, TargetRule rule)
      : connector_(connector), rule_(std::move(rule)) {}
  net::Async<net::StreamPtr> connect(std::string address, std::uint16_t port) override;
  net::Async<net::StreamPtr> start_tls(net::StreamPtr clear, std::string host,
                                       const net::TlsPolicy& policy) override;

 private:
  net::Connector& connector_;
  TargetRule rule_;
};

}  // namespace syncline::admin
