// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What is known without asking DNS: addresses, localhost, and names that the user has pinned (--resolve).
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/environment.hpp"

namespace syncline::net {

/// The address itself for an IP address, both loopbacks for "localhost" and names below it (RFC 6761); else
/// nullopt.
std::optional<std::vector<std::string>> addresses_without_dns(std::string_view host);

/// RFC 2782: by priority, and by weighted chance within one. A single record with target "." means: no such
/// service.
std::vector<SrvRecord> order_srv(std::vector<SrvRecord> records, Random& random);

/// One --resolve option.
struct ResolveOverride {
  std::string host;  ///< lower case
  std::uint16_t port = 0;
  std::string address;
};
/// "HOST:PORT:ADDRESS", an IPv6 address with or without brackets. Error: input "bad-resolve".
Result<ResolveOverride> parse_resolve_override(std::string_view option);

/// Addresses of pinned hosts; everything else from `next`. A resolver knows no ports: the pin counts for the
/// whole host, in the order given.
class OverridingResolver final : public Resolver {
 public:
  OverridingResolver(Resolver& next, const std::vector<ResolveOverride>& overrides);
  Async<std::vector<std::string>> addresses(std::string host) override;
  Async<std::vector<SrvRecord>> srv(std::string name) override { return next_.srv(std::move(name)); }
  Async<std::vector<std::string>> mx(std::string domain) override { return next_.mx(std::move(domain)); }

 private:
  Resolver& next_;
  std::map<std::string, std::vector<std::string>, std::less<>> pinned_;
};

}  // namespace syncline::net
