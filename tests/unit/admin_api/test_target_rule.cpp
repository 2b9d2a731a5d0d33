// SPDX-License-Identifier: GPL-3.0-or-later
#include "admin/webhooks/target_rule.hpp"

#include <gtest/gtest.h>

#include "admin/webhooks/deliveries.hpp"

namespace syncline::admin {
namespace {

TEST(TargetRule, RefusesEverythingThatIsNotPublic) {
  const TargetRule rule;
  for (const char* address : {"127.0.0.1",
                              "127.255.255.254",
                              "0.0.0.0",
                              "10.0.0.1",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.168.1.1",
                              "100.64.0.1",
                              "100.127.255.255",
                              "169.254.169.254",
                              "192.0.0.1",
                              "192.0.2.1",
                              "198.18.0.1",
                              "198.51.100.7",
                              "203.0.113.9",
                              "224.0.0.1",
                              "239.255.255.255",
                              "240.0.0.1",
                              "255.255.255.255",
                              "::",
                              "::1",
                              "fe80::1",
                              "fe80::1%eth0",
                              "fc00::1",
                              "fd12:3456::1",
                              "ff02::1",
                              "::ffff:127.0.0.1",
                              "::ffff:10.0.0.1",
                              "64:ff9b::7f00:1",
                              "64:ff9b:1::1",
                              "2002:7f00:1::",
                              "2001::1",
                              "2001:db8::1",
                              "100::1",
                              "::127.0.0.1",
                              "3fff::1",
                              "5f00::1",
                              "",
                              "localhost",
                              "1",
                              "0x7f000001",
                              "127.1",
                              "10.0.0.1/8"})
    EXPECT_FALSE(rule.allows(address)) << address;
  for (const char* address :
       {"1.1.1.1", "8.8.8.8", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1",
        "2606:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8", "223.255.255.255"})
    EXPECT_TRUE(rule.allows(address)) << address;
}

TEST(TargetRule, AllowsWhatIsListedAndNothingBeside) {
  const auto rule = TargetRule::of({"10.1.0.0/16", "127.0.0.1", "fd00::/8", "::1"});
  ASSERT_TRUE(rule) << rule.error().describe();
  for (const char* address : {"10.1.2.3", "127.0.0.1", "::ffff:10.1.9.9", "fd12::1", "::1"})
    EXPECT_TRUE(rule->allows(address)) << address;
  for (const char* address : {"10.2.0.1", "127.0.0.2", "fc00::1", "fe80::1"})
    EXPECT_FALSE(rule->allows(address)) << address;
  for (const char* network : {"10.1.0.0/33", "10.1.0.0/", "host", "::/129", "10.1.0.0/-1", ""})
    EXPECT_FALSE(TargetRule::of({network})) << network;
}

TEST(WebhookSignature, IsHmacSha256OfTimeAndBody) {
  // printf '1700000000.{}' | openssl dgst -sha256 -hmac key
  EXPECT_EQ(webhook_signature("key", 1'700'000'000, "{}"),
            "t=1700000000,v1=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae");
}

}  // namespace
}  // namespace syncline::admin
