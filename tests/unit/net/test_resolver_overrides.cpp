// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <map>

#include "net/resolver_overrides.hpp"

namespace syncline::net {
namespace {

TEST(ResolveOption, HostPortAndAddressAreTakenApart) {
  const auto v4 = parse_resolve_override("Mail.Test:443:127.0.0.1").value();
  EXPECT_EQ(v4.host, "mail.test");
  EXPECT_EQ(v4.port, 443);
  EXPECT_EQ(v4.address, "127.0.0.1");
  EXPECT_EQ(parse_resolve_override("a:1:[::1]")->address, "::1");
  EXPECT_EQ(parse_resolve_override("a:1:::1")->address, "::1");
  for (const char* text :
       {"", "a", "a:1", ":1:127.0.0.1", "a:0:127.0.0.1", "a:x:127.0.0.1", "a:1:b", "a:1:"}) {
    ASSERT_FALSE(parse_resolve_override(text)) << text;
    EXPECT_EQ(parse_resolve_override(text).error().code, "bad-resolve");
  }
}

TEST(SrvOrder, PriorityFirstThenWeightedChance) {
  SeededRandom random(3);
  std::map<std::string, int> first;
  for (int i = 0; i < 2000; ++i) {
    const auto ordered =
        order_srv({{20, 0, 1, "last"}, {10, 1, 1, "light"}, {10, 9, 1, "heavy"}, {0, 0, 0, "."}}, random);
    ASSERT_EQ(ordered.size(), 3u);
    EXPECT_EQ(ordered[2].target, "last");
    ++first[ordered[0].target];
  }
  EXPECT_GT(first["heavy"], 1500);
  EXPECT_GT(first["light"], 50);
}

TEST(AddressesWithoutDns, AddressesAndLocalhost) {
  EXPECT_EQ(addresses_without_dns("192.0.2.1")->front(), "192.0.2.1");
  EXPECT_EQ(addresses_without_dns("localhost")->size(), 2u);
  EXPECT_EQ(addresses_without_dns("x.LOCALHOST.")->size(), 2u);
  EXPECT_FALSE(addresses_without_dns("a.test"));
}

}  // namespace
}  // namespace syncline::net
