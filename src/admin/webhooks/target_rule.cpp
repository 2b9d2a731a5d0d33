// SPDX-License-Identifier: GPL-3.0-or-later
#include "admin/webhooks/target_rule.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>

#include "base/text.hpp"

namespace syncline::admin {
namespace {

namespace ip = net::asio::ip;
using Octets = std::array<unsigned char, 16>;

/// IPv4 as ::ffff:a.b.c.d, so that one comparison serves both.
std::optional<Octets> octets_of(std::string_view text) {
  boost::system::error_code error;
  const auto address = ip::make_address(std::string(text), error);
  if (error) return std::nullopt;
  if (address.is_v4()) return ip::make_address_v6(ip::v4_mapped, address.to_v4()).to_bytes();
  return address.to_v6().to_bytes();
}

bool is_within(const Octets& address, const Octets& network, int bits) {
  for (int i = 0; i < 16 && bits > 0; ++i, bits -= 8) {
    const auto mask = static_cast<unsigned char>(bits >= 8 ? 0xFF : 0xFF << (8 - bits));
    if (((address[static_cast<std::size_t>(i)] ^ network[static_cast<std::size_t>(i)]) & mask) != 0)
      return false;
  }
  return true;
}

/// IANA's registries of special-purpose addresses: what is not globally reachable, and what embeds IPv4.
constexpr std::string_view special_v4[] = {
    "0.0.0.0/8",     "10.0.0.0/8",      "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24",    "192.0.2.0/24",   "192.88.99.0/24", "192.168.0.0/16",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",    "240.0.0.0/4"};
constexpr std::string_view special_v6[] = {"64:ff9b::/96",  "64:ff9b:1::/48", "100::/64",  "2001::/23",
                                           "2001:db8::/32", "2002::/16",      "3fff::/20", "5f00::/16"};
/// All that is handed out at all; ::1, fc00::/7, fe80::/10 and ff00::/8 are outside.
constexpr std::string_view global_v6 = "2000::/3";
constexpr std::string_view mapped_v4 = "::ffff:0:0/96";

}  // namespace

std::optional<TargetRule::Network> TargetRule::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view host = text.substr(0, slash);
  const auto octets = octets_of(host);
  if (!octets) return std::nullopt;
  const bool is_v4 = host.find(':') == std::string_view::npos;
  const int most = is_v4 ? 32 : 128;
  std::int64_t bits = most;
  if (slash != std::string_view::npos) {
    const auto given = text::parse_int(text.substr(slash + 1));
    if (!given || *given < 0 || *given > most) return std::nullopt;
    bits = *given;
  }
  return Network{*octets, static_cast<int>(bits) + (is_v4 ? 96 : 0)};
}

Result<TargetRule> TargetRule::of(const std::vector<std::string>& listed) {
  TargetRule rule;
  for (const std::string& text : listed) {
    const auto network = parse(text);
    if (!network)
      return fail(ErrorDomain::input, "bad-network",
                  text::escape_for_display(text) + " is neither an address nor a network (10.1.0.0/16)");
    rule.listed_.push_back(*network);
  }
  return rule;
}

bool TargetRule::allows(std::string_view address) const {
  // A zone ("fe80::1%eth0") is only of what is never allowed by itself.
  const auto octets = octets_of(address.substr(0, address.find('%')));
  if (!octets) return false;
  const auto within = [&](std::string_view text) {
    const auto network = parse(text);
    return is_within(*octets, network->octets, network->bits);
  };
  const bool is_listed = std::any_of(listed_.begin(), listed_.end(), [&](const Network& network) {
    return is_within(*octets, network.octets, network.bits);
  });
  if (is_listed) return true;
  if (within(mapped_v4)) return std::none_of(std::begin(special_v4), std::end(special_v4), within);
  return within(global_v6) && std::none_of(std::begin(special_v6), std::end(special_v6), within);
}

net::Async<net::StreamPtr> GuardedConnector::connect(std::string address, std::uint16_t port) {
  if (!rule_.allows(address))
    co_return fail(ErrorDomain::net, "address-not-allowed",
                   "The address " + address + " is not public, and not listed (serve --webhook-allow)");
  auto connected = co_await connector_.connect(std::move(address), port);
  co_return connected;
}

net::Async<net::StreamPtr> GuardedConnector::start_tls(net::StreamPtr clear, std::string host,
                                                       const net::TlsPolicy& policy) {
  auto secured = co_await connector_.start_tls(std::move(clear), std::move(host), policy);
  co_return secured;
}

}  // namespace syncline::admin
