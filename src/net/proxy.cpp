// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/proxy.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <cstdlib>

#include "base/text.hpp"

namespace syncline::net {
namespace {

namespace ip = asio::ip;

std::optional<ip::address> address_in(std::string_view text) {
  boost::system::error_code error;
  const auto address = ip::make_address(std::string(text), error);
  if (error) return std::nullopt;
  return address;
}

bool in_network(const ip::address& address, std::string_view rule) {
  boost::system::error_code error;
  const std::string text(rule);
  if (address.is_v4()) {
    const auto network = ip::make_network_v4(text, error);
    if (error) return false;
    const auto mask = network.netmask().to_uint();
    return (address.to_v4().to_uint() & mask) == (network.address().to_uint() & mask);
  }
  const auto network = ip::make_network_v6(text, error);
  if (error) return false;
  const auto wanted = network.address().to_bytes();
  const auto have = address.to_v6().to_bytes();
  int left = network.prefix_length();
  for (std::size_t i = 0; i < have.size() && left > 0; ++i, left -= 8) {
    const unsigned mask = left >= 8 ? 0xFFu : (0xFF00u >> left) & 0xFFu;
    if ((have[i] & mask) != (wanted[i] & mask)) return false;
  }
  return true;
}

struct Rule {
  std::string_view host;
  std::optional<std::int64_t> port;
};

/// nullopt for a rule whose port is no number: such a rule fits nothing.
std::optional<Rule> split_rule(std::string_view rule) {
  rule = text::trim(rule);
  Rule split{rule, std::nullopt};
  std::string_view port;
  if (rule.starts_with('[')) {
    const std::size_t close = rule.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    split.host = rule.substr(1, close - 1);
    const std::string_view rest = rule.substr(close + 1);
    if (rest.empty()) return split;
    if (rest.front() != ':') return std::nullopt;
    port = rest.substr(1);
  } else {
    // One colon is a port; more are an IPv6 address.
    const std::size_t colon = rule.find(':');
    if (colon == std::string_view::npos || rule.find(':', colon + 1) != std::string_view::npos) return split;
    split.host = rule.substr(0, colon);
    port = rule.substr(colon + 1);
  }
  split.port = text::parse_int(port);
  if (!split.port) return std::nullopt;
  return split;
}

bool rule_fits(std::string_view text_of_rule, const Url& url) {
  const auto rule = split_rule(text_of_rule);
  if (!rule || rule->host.empty()) return false;
  if (rule->port && *rule->port != url.port) return false;
  if (rule->host == "*") return true;
  const auto address = address_in(url.host);
  if (address) {
    if (rule->host.find('/') != std::string_view::npos) return in_network(*address, rule->host);
    const auto wanted = address_in(rule->host);
    return wanted && *wanted == *address;
  }
  std::string_view suffix = rule->host;
  if (suffix.starts_with("*.")) suffix.remove_prefix(1);
  if (suffix.starts_with('.')) suffix.remove_prefix(1);
  if (suffix.ends_with('.')) suffix.remove_suffix(1);
  std::string_view host = url.host;
  if (host.ends_with('.')) host.remove_suffix(1);
  if (suffix.empty() || host.size() < suffix.size()) return false;
  if (!text::equals_ignore_case(host.substr(host.size() - suffix.size()), suffix)) return false;
  return host.size() == suffix.size() || host[host.size() - suffix.size() - 1] == '.';
}

Result<Url> parse_proxy(std::string text, const std::string& name,
                        std::optional<ProxyCredentials>* credentials) {
  // The value itself stays out of the message: it may hold a password.
  const auto refuse = [&](std::string why) {
    return fail(ErrorDomain::input, "bad-proxy",
                "the proxy in " + name + " is not usable: " + std::move(why));
  };
  if (text.find("://") == std::string::npos) text.insert(0, "http://");
  if (!text.starts_with("http://")) return refuse("only http:// proxies are known");
  const std::size_t begin = text.find("://") + 3;
  const std::size_t end = std::min(text.find('/', begin), text.size());
  const std::size_t at = text.rfind('@', end);
  if (at != std::string::npos && at > begin && at < end) {
    if (credentials == nullptr) return refuse("it contains a user name or password, which are set elsewhere");
    const std::string user_information = text.substr(begin, at - begin);
    const std::size_t colon = user_information.find(':');
    ProxyCredentials found;
    found.user = text::percent_decoded(user_information.substr(0, colon));
    if (colon != std::string::npos)
      found.password = text::percent_decoded(user_information.substr(colon + 1));
    *credentials = std::move(found);
    text.erase(begin, at + 1 - begin);
  }
  auto url = parse_url(text);
  if (!url) return refuse("it is no URL");
  return url;
}

}  // namespace

std::optional<Url> choose_proxy(const ProxySettings& settings, const Url& url) {
  const std::optional<Url>& proxy = url.is_tls() ? settings.https : settings.http;
  if (!proxy) return std::nullopt;
  if (std::ranges::any_of(settings.no_proxy, [&](const std::string& rule) { return rule_fits(rule, url); })) {
    return std::nullopt;
  }
  return proxy;
}

Result<ProxySettings> proxy_settings_from(
    const std::function<std::optional<std::string>(const std::string& name)>& variable,
    std::optional<ProxyCredentials>* credentials) {
  const auto first_of =
      [&](std::initializer_list<const char*> names) -> std::optional<std::pair<std::string, std::string>> {
    for (const char* name : names) {
      auto value = variable(name);
      if (value && !value->empty()) return std::pair<std::string, std::string>(name, std::move(*value));
    }
    return std::nullopt;
  };
  ProxySettings settings;
  if (const auto found = first_of({"http_proxy", "all_proxy", "ALL_PROXY"})) {
    auto url = parse_proxy(found->second, found->first, credentials);
    if (!url) return fail(std::move(url).error());
    settings.http = std::move(*url);
  }
  if (const auto found = first_of({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})) {
    auto url = parse_proxy(found->second, found->first, credentials);
    if (!url) return fail(std::move(url).error());
    settings.https = std::move(*url);
  }
  if (const auto found = first_of({"no_proxy", "NO_PROXY"})) {
    for (const std::string_view rule : text::split(found->second, ',')) {
      if (!text::trim(rule).empty()) settings.no_proxy.emplace_back(text::trim(rule));
    }
  }
  return settings;
}

Result<ProxySettings> proxy_settings_from_environment(std::optional<ProxyCredentials>* credentials) {
  return proxy_settings_from(
      [](const std::string& name) -> std::optional<std::string> {
        const char* value = std::getenv(name.c_str());
        if (value == nullptr) return std::nullopt;
        return std::string(value);
      },
      credentials);
}

}  // namespace syncline::net
