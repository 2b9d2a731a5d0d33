// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>

#include "harness.hpp"

namespace exchange_sim::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

const std::string hybrid = R"(
strict = false
seed = 7
control_port = 0
[[site]]
name = "onprem"
product = "2013"
hosts = ["Mail.Example.test"]
schemes = ["negotiate", "ntlm", "basic"]
channel_binding = "require"
[site.limits]
sync_calls = 2
back_off_ms = 1500
[[site.listener]]
port = 8080
[[site.listener]]
tls = true
[[site.user]]
address = "Anna@Example.test"
password = "x"
may_impersonate = ["*"]
[[site.moved]]
address = "bert@example.test"
redirect_address = "bert@tenant.test"
[[site]]
name = "online"
product = "online"
schemes = ["bearer"]
ews = "off-empty"
[site.oauth]
tenant = "t"
rotation = "keep"
access_token_life_seconds = 60
[[site.oauth.application]]
client_id = "c"
secret = "s"
[[site.oauth.refresh_token]]
token = "r"
client_id = "c"
address = "bert@tenant.test"
)";

TEST(SimConfigTest, a_hybrid_of_two_sites_is_read_whole) {
  const auto config = parse_config(hybrid, "hybrid.toml");
  ASSERT_TRUE(config) << config.error().describe();
  EXPECT_FALSE(config->strict);
  EXPECT_EQ(config->seed, 7u);
  EXPECT_EQ(config->control_port, std::optional<std::uint16_t>(0));
  ASSERT_THAT(config->sites, SizeIs(2));
  const auto& onprem = config->sites[0];
  EXPECT_EQ(onprem.product, Product::exchange2013);
  EXPECT_EQ(onprem.build, "15.0.1497.48");
  EXPECT_THAT(onprem.hosts, ElementsAre("mail.example.test"));
  EXPECT_THAT(onprem.schemes, ElementsAre(Scheme::negotiate, Scheme::ntlm, Scheme::basic));
  EXPECT_EQ(onprem.channel_binding, ChannelBinding::require);
  EXPECT_EQ(onprem.limits.sync_calls, 2u);
  EXPECT_EQ(onprem.limits.hanging, 3u) << "2013's own limit";
  EXPECT_EQ(onprem.limits.back_off, std::chrono::milliseconds(1500));
  ASSERT_THAT(onprem.listeners, SizeIs(2));
  EXPECT_EQ(onprem.listeners[0].port, 8080);
  EXPECT_TRUE(onprem.listeners[1].tls);
  EXPECT_EQ(onprem.users[0].address, "anna@example.test");
  EXPECT_EQ(onprem.users[0].logon_name, "anna");
  EXPECT_EQ(onprem.netbios_domain, "EXAMPLE");
  EXPECT_EQ(onprem.moved[0].redirect_address, "bert@tenant.test");
  const auto& online = config->sites[1];
  EXPECT_EQ(online.ews, EwsSwitch::off_empty);
  EXPECT_EQ(online.oauth.rotation, RefreshRotation::keep);
  EXPECT_EQ(online.oauth.access_token_life, std::chrono::seconds(60));
  EXPECT_EQ(online.limits.hanging, 10u);
}

TEST(SimConfigTest, mistakes_are_named_with_their_place) {
  const auto message = [](const std::string& toml) {
    const auto config = parse_config(toml, "f.toml");
    EXPECT_FALSE(config) << toml;
    return config ? std::string() : config.error().message;
  };
  EXPECT_THAT(message("[[site]]\nname = \"a\"\nporrt = 3\n"), HasSubstr("f.toml:3:"));
  EXPECT_THAT(message("[[site]]\nname = 3\n"), HasSubstr("wrong type"));
  EXPECT_THAT(message("[[site]]\nname = \"a\"\nproduct = \"2007\"\n"), HasSubstr("2007"));
  EXPECT_THAT(message("a = = 3"), HasSubstr("f.toml:1:"));
  EXPECT_THAT(message(""), HasSubstr("no site"));
  EXPECT_THAT(message("[[site]]\nname=\"a\"\n[[site]]\nname=\"a\"\n"), HasSubstr("two sites"));
  EXPECT_THAT(message("[[site]]\nname=\"a\"\nbuild=\"15.2\"\n"), HasSubstr("build"));
  EXPECT_THAT(message("[[site]]\nname=\"a\"\n[[site.user]]\naddress=\"no address\"\n"),
              HasSubstr("not an address"));
  EXPECT_THAT(message("[[site]]\nname=\"a\"\n[[site.listener]]\nport=70000\n"), HasSubstr("out of range"));
  EXPECT_THAT(message("[[site]]\nname=\"a\"\n[[site.listener]]\ntls=true\nkey_file=\"x\"\n"),
              HasSubstr("certificate and key"));
}

TEST(SimConfigTest, transport_is_off_until_it_is_asked_for) {
  const std::string site = "[[site]]\nname=\"a\"\n";
  const auto off = parse_config(site, "t").value();
  EXPECT_FALSE(off.transport.smtp_port);
  EXPECT_TRUE(off.transport.smart_host.empty());
  const auto on =
      parse_config(site +
                       "[transport]\nsmtp_port=0\nsmart_host=\"127.0.0.1:2525\"\nhost_name=\"mx.test\"\n"
                       "message_octets=1000\nretry_ms=10\ngive_up_ms=20\n",
                   "t")
          .value();
  EXPECT_EQ(on.transport.smtp_port, 0);
  EXPECT_EQ(on.transport.smart_host, (SmartHost{"127.0.0.1", 2525}));
  EXPECT_EQ(on.transport.host_name, "mx.test");
  EXPECT_EQ(on.transport.message_octets, 1000U);
  EXPECT_EQ(on.transport.retry, std::chrono::milliseconds(10));
  for (const std::string_view bad : {"smart_host=\"a:b\"", "smtp_port=70000", "host_name=\"a b\"",
                                     "host_name=\"\"", "retry_ms=0", "relay=true"})
    EXPECT_FALSE(parse_config(site + "[transport]\n" + std::string(bad) + "\n", "t")) << bad;
}

TEST(SimConfigTest, an_error_of_a_missing_schema_or_script_is_told_at_the_start) {
  net::testing::VirtualWorld world;
  ScriptedService service;
  auto config = two_sites();
  config.schema_folder = "/nonexistent";
  const auto schema = ExchangeSim::create(world.environment(), config, service);
  ASSERT_FALSE(schema);
  EXPECT_EQ(schema.error().code, "bad-schema");
  config.schema_folder.clear();
  config.script_file = "/nonexistent";
  EXPECT_FALSE(ExchangeSim::create(world.environment(), config, service));
}

}  // namespace
}  // namespace exchange_sim::testing
