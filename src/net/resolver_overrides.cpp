// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/resolver_overrides.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>

#include "base/text.hpp"

namespace syncline::net {

std::optional<std::vector<std::string>> addresses_without_dns(std::string_view host) {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(std::string(host), error);
  if (!error) return std::vector<std::string>{address.to_string()};
  std::string name = text::to_lower_ascii(host);
  if (name.ends_with('.')) name.pop_back();
  if (name == "localhost" || name.ends_with(".localhost"))
    return std::vector<std::string>{"127.0.0.1", "::1"};
  return std::nullopt;
}

std::vector<SrvRecord> order_srv(std::vector<SrvRecord> records, Random& random) {
  std::erase_if(records,
                [](const SrvRecord& record) { return record.target.empty() || record.target == "."; });
  // Zero weights first, as the algorithm of RFC 2782 wants it, so that they have a small chance.
  std::stable_sort(records.begin(), records.end(), [](const SrvRecord& a, const SrvRecord& b) {
    return std::pair(a.priority, a.weight != 0) < std::pair(b.priority, b.weight != 0);
  });
  for (auto from = records.begin(); from != records.end(); ++from) {
    const auto end =
        std::find_if(from, records.end(), [&](const SrvRecord& r) { return r.priority != from->priority; });
    std::uint64_t sum = 0;
    for (auto one = from; one != end; ++one) sum += one->weight;
    const std::uint64_t chosen = random.below(sum + 1);
    std::uint64_t running = 0;
    auto pick = from;
    for (auto one = from; one != end; ++one) {
      running += one->weight;
      pick = one;
      if (running >= chosen) break;
    }
    std::rotate(from, pick, std::next(pick));
  }
  return records;
}

Result<ResolveOverride> parse_resolve_override(std::string_view option) {
  const auto refuse = [&] {
    return fail(ErrorDomain::input, "bad-resolve",
                "\"" + std::string(option) + "\" is not HOST:PORT:ADDRESS");
  };
  const std::size_t first = option.find(':');
  const std::size_t second = first == std::string_view::npos ? first : option.find(':', first + 1);
  if (first == 0 || second == std::string_view::npos) return refuse();
  ResolveOverride made;
  made.host = text::to_lower_ascii(option.substr(0, first));
  const auto port = text::parse_int(option.substr(first + 1, second - first - 1));
  if (!port || *port < 1 || *port > 65535) return refuse();
  made.port = static_cast<std::uint16_t>(*port);
  std::string_view address = option.substr(second + 1);
  if (address.size() > 2 && address.front() == '[' && address.back() == ']') {
    address = address.substr(1, address.size() - 2);
  }
  boost::system::error_code error;
  const auto parsed = asio::ip::make_address(std::string(address), error);
  if (error) return refuse();
  made.address = parsed.to_string();
  return made;
}

OverridingResolver::OverridingResolver(Resolver& next, const std::vector<ResolveOverride>& overrides)
    : next_(next) {
  for (const ResolveOverride& one : overrides) {
    auto& addresses = pinned_[one.host];
    if (std::ranges::find(addresses, one.address) == addresses.end()) addresses.push_back(one.address);
  }
}

Async<std::vector<std::string>> OverridingResolver::addresses(std::string host) {
  const auto found = pinned_.find(text::to_lower_ascii(host));
  if (found != pinned_.end()) co_return found->second;
  auto answer = co_await next_.addresses(std::move(host));
  co_return answer;
}

}  // namespace syncline::net
