// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <map>

#include "net/proxy.hpp"

namespace syncline::net {
namespace {

bool direct(const std::string& rule, std::string_view url) {
  ProxySettings settings;
  settings.http = settings.https = parse_url("http://proxy.test:3128").value();
  settings.no_proxy = {rule};
  return !choose_proxy(settings, parse_url(url).value());
}

TEST(NoProxy, RulesFitWhatTheySayAndNothingElse) {
  EXPECT_TRUE(direct("*", "https://a.test/"));
  EXPECT_TRUE(direct("a.test", "https://a.test/"));
  EXPECT_TRUE(direct("a.test", "https://x.a.test/"));
  EXPECT_TRUE(direct(".a.test", "https://a.test/"));
  EXPECT_TRUE(direct("*.a.test", "https://x.a.test/"));
  EXPECT_TRUE(direct("A.Test", "https://a.test/"));
  EXPECT_FALSE(direct("a.test", "https://ba.test/"));
  EXPECT_FALSE(direct("a.test", "https://a.test.evil.test/"));
  EXPECT_FALSE(direct("", "https://a.test/"));
  EXPECT_FALSE(direct(".", "https://a.test/"));
  EXPECT_TRUE(direct("a.test:8443", "https://a.test:8443/"));
  EXPECT_FALSE(direct("a.test:8443", "https://a.test/"));
  EXPECT_FALSE(direct("a.test:x", "https://a.test/"));
  EXPECT_TRUE(direct("10.0.0.0/8", "http://10.200.3.4/"));
  EXPECT_FALSE(direct("10.0.0.0/8", "http://11.0.0.1/"));
  EXPECT_TRUE(direct("10.1.2.3/8", "http://10.200.3.4/"));
  EXPECT_TRUE(direct("192.0.2.1", "http://192.0.2.1/"));
  EXPECT_FALSE(direct("192.0.2.1", "http://192.0.2.10/"));
  EXPECT_TRUE(direct("0.0.0.0/0", "http://192.0.2.10/"));
  EXPECT_TRUE(direct("2001:db8::/33", "http://[2001:db8:7fff::1]/"));
  EXPECT_FALSE(direct("2001:db8::/33", "http://[2001:db8:8000::1]/"));
  EXPECT_TRUE(direct("[::1]:81", "http://[::1]:81/"));
  EXPECT_FALSE(direct("[::1]:81", "http://[::1]:82/"));
  EXPECT_FALSE(direct("10.0.0.0/99", "http://10.0.0.1/"));
}

TEST(ProxyEnvironment, VariablesAreReadInTheirOrder) {
  std::map<std::string, std::string> set{{"http_proxy", "p1.test:3128"},
                                         {"HTTP_PROXY", "http://evil.test"},
                                         {"HTTPS_PROXY", "http://p2.test:8080/"},
                                         {"all_proxy", "http://p3.test"},
                                         {"NO_PROXY", "localhost, .corp.test,"}};
  const auto variable = [&](const std::string& name) -> std::optional<std::string> {
    const auto found = set.find(name);
    if (found == set.end()) return std::nullopt;
    return found->second;
  };
  auto settings = proxy_settings_from(variable).value();
  EXPECT_EQ(settings.http->to_string(), "http://p1.test:3128/");
  EXPECT_EQ(settings.https->to_string(), "http://p2.test:8080/");
  EXPECT_EQ(settings.no_proxy, (std::vector<std::string>{"localhost", ".corp.test"}));

  set.erase("http_proxy");
  EXPECT_EQ(proxy_settings_from(variable).value().http->host, "p3.test") << "never HTTP_PROXY (httpoxy)";

  set["https_proxy"] = "http://jo:s%40cret@p4.test:1";
  const auto refused = proxy_settings_from(variable);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message.find("cret"), std::string::npos);
  std::optional<ProxyCredentials> credentials;
  EXPECT_EQ(proxy_settings_from(variable, &credentials).value().https->to_string(), "http://p4.test:1/");
  ASSERT_TRUE(credentials);
  EXPECT_EQ(credentials->user, "jo");
  EXPECT_EQ(credentials->password, "s@cret");

  set["https_proxy"] = "socks5://p.test";
  EXPECT_FALSE(proxy_settings_from(variable));
}

}  // namespace
}  // namespace syncline::net
