// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Which proxy, if any, a request goes through.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/authenticator.hpp"

namespace syncline::net {

struct ProxySettings {
  std::optional<Url> http;   ///< for http targets; its own scheme is http
  std::optional<Url> https;  ///< for https targets, by CONNECT; its own scheme is http
  /// "*" all; "example.test" and ".example.test" the domain and everything below it; "10.0.0.0/8", "::1/128"
  /// and single addresses, for hosts given as addresses; each with ":port" (IPv6 in brackets then) for one
  /// port only.
  std::vector<std::string> no_proxy;
  std::shared_ptr<Authenticator> authenticator;  ///< for 407; null: anonymous
};

/// The proxy for `url`; nullopt: direct.
std::optional<Url> choose_proxy(const ProxySettings& settings, const Url& url);

/// From http_proxy, https_proxy, all_proxy and no_proxy: lower case first, then upper case, but never
/// HTTP_PROXY (a CGI client sets that by a header "Proxy"). A scheme may be missing ("proxy:3128"). User
/// information is given to `credentials`, if set, and is otherwise refused. Error: input "bad-proxy".
struct ProxyCredentials {
  std::string user;
  std::string password;
};
Result<ProxySettings> proxy_settings_from(
    const std::function<std::optional<std::string>(const std::string& name)>& variable,
    std::optional<ProxyCredentials>* credentials = nullptr);
/// The same from this process's environment.
Result<ProxySettings> proxy_settings_from_environment(std::optional<ProxyCredentials>* credentials = nullptr);

}  // namespace syncline::net
