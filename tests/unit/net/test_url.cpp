// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "net/http_message.hpp"
#include "net/url.hpp"

namespace syncline::net {
namespace {

TEST(Url, PartsAreTakenApart) {
  const Url url = parse_url("HTTPS://Mail.Example.TEST:8443/EWS/Exchange.asmx?a=b").value();
  EXPECT_EQ(url.scheme, "https");
  EXPECT_EQ(url.host, "mail.example.test");
  EXPECT_EQ(url.port, 8443);
  EXPECT_EQ(url.target, "/EWS/Exchange.asmx?a=b");
  EXPECT_EQ(url.authority(), "mail.example.test:8443");
  EXPECT_EQ(parse_url("http://a.test").value().target, "/");
  EXPECT_EQ(parse_url("http://a.test?x").value().to_string(), "http://a.test/?x");
  EXPECT_EQ(parse_url("https://a.test:443/").value().authority(), "a.test");
  EXPECT_EQ(parse_url("http://a.test:/").value().port, 80);
  EXPECT_EQ(parse_url("http://[2001:DB8:0::1]:81/").value().authority(), "[2001:db8::1]:81");
}

TEST(Url, WhatIsNoUsableUrlIsRefused) {
  for (const char* text : {"",
                           "a.test",
                           "ftp://a.test/",
                           "https://",
                           "https:///x",
                           "https://user@a.test/",
                           "https://user:pw@a.test/",
                           "https://a.test/#f",
                           "https://a.test/a b",
                           "https://a.test/\r\nX: y",
                           "https://a.test:0/",
                           "https://a.test:65536/",
                           "https://a.test:-1/",
                           "https://a.test:1x/",
                           "https://[::1/",
                           "https://[::1]x/",
                           "https://[1.2.3.4]/",
                           "https://[fe80::1%eth0]/",
                           "https://a\xC3\xA4.test/",
                           "https://a.test\\b/",
                           "https://a/<x>",
                           "javascript:alert(1)"}) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, "bad-url");
    EXPECT_EQ(url.error().message.find("pw"), std::string::npos) << "a password must not be repeated";
  }
  EXPECT_FALSE(parse_url("https://a.test/" + std::string(9000, 'x')));
}

TEST(Url, ReferencesResolveAsInRfc3986) {
  const Url base = parse_url("http://a.test/b/c/d?q").value();
  const auto resolved = [&](const char* reference) {
    return resolve_reference(base, reference).value().to_string();
  };
  EXPECT_EQ(resolved("g"), "http://a.test/b/c/g");
  EXPECT_EQ(resolved("./g"), "http://a.test/b/c/g");
  EXPECT_EQ(resolved("g/"), "http://a.test/b/c/g/");
  EXPECT_EQ(resolved("/g"), "http://a.test/g");
  EXPECT_EQ(resolved("//g"), "http://g/");
  EXPECT_EQ(resolved("?y"), "http://a.test/b/c/d?y");
  EXPECT_EQ(resolved("g?y"), "http://a.test/b/c/g?y");
  EXPECT_EQ(resolved("."), "http://a.test/b/c/");
  EXPECT_EQ(resolved(".."), "http://a.test/b/");
  EXPECT_EQ(resolved("../g"), "http://a.test/b/g");
  EXPECT_EQ(resolved("../../../g"), "http://a.test/g");
  EXPECT_EQ(resolved("/./g"), "http://a.test/g");
  EXPECT_EQ(resolved("g?y/../x"), "http://a.test/b/c/g?y/../x");
  EXPECT_EQ(resolved("https://x.test/z"), "https://x.test/z");
  EXPECT_FALSE(resolve_reference(base, "mailto:a@b"));
  EXPECT_FALSE(resolve_reference(base, "https://u:p@x.test/"));
  EXPECT_FALSE(resolve_reference(base, "//"));
  EXPECT_FALSE(resolve_reference(base, "x#f"));
}

TEST(HttpHeaders, NamesCompareWithoutCaseAndSetReplacesAll) {
  Headers headers;
  headers.add("A", "1");
  headers.add("b", "2");
  headers.add("a", "3");
  EXPECT_EQ(headers.find("a"), "1");
  EXPECT_EQ(headers.find_all("A").size(), 2u);
  headers.set("a", "4");
  EXPECT_EQ(headers.find_all("A").size(), 1u);
  EXPECT_EQ(headers.find("A"), "4");
  headers.remove("B");
  EXPECT_FALSE(headers.find("b"));
  EXPECT_EQ(headers.size(), 1u);
}

}  // namespace
}  // namespace syncline::net
