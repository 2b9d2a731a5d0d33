// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "ews/autodiscover/cache.hpp"
#include "ews/autodiscover/clouds.hpp"
#include "ews/autodiscover/trust.hpp"
#include "tests/unit/auth/support.hpp"

namespace syncline::ews::autodiscover {
namespace {

TEST(Address, IsSplitAndJudged) {
  EXPECT_EQ(parse_address(" Anna@Sales.Example.COM ")->domain, "sales.example.com");
  EXPECT_EQ(parse_address("Anna@Example.com")->text, "Anna@Example.com");
  for (const std::string_view bad :
       {"", "anna", "@example.com", "anna@", "anna@example", "a b@example.com", "anna@exa mple.com",
        "anna@-a.com", "anna@a..com", "anna@127.0.0.1", "anna@example.com.", "a@b@example.com", "anna@[::1]",
        "anna\n@example.com", "anna@example.com/evil", "anna@example.com:8080", "anna@ex\xc3\xa4mple.com",
        "\"a b\"@example.com"}) {
    EXPECT_EQ(parse_address(bad).error().code, "bad-address") << bad;
  }
  EXPECT_FALSE(parse_address(std::string(65, 'a') + "@example.com"));
  EXPECT_FALSE(parse_address("a@" + std::string(250, 'a') + ".com"));
}

TEST(Trust, HoldsForTheDomainMicrosoftAndTheListAndNothingElse) {
  const Trust trust("sales.example.com", {"Mail.Hoster.Example", ".farm.example"});
  for (const std::string_view good :
       {"sales.example.com", "autodiscover.sales.example.com", "a.b.sales.example.com", "mail.hoster.example",
        "a.farm.example", "outlook.office365.com", "autodiscover-s.outlook.com",
        "autodiscover.contoso.onmicrosoft.com", "outlook.office365.us", "outlook-dod.office365.us",
        "partner.outlook.cn"}) {
    EXPECT_TRUE(trust.host(good)) << good;
  }
  // Parents, siblings, look-alikes, the suffix itself, neighbours of Microsoft's names.
  for (const std::string_view bad :
       {"example.com", "mail.example.com", "com", "evilsales.example.com", "sales.example.com.evil.example",
        "hoster.example", "x.mail.hoster.example", "farm.example", "evilfarm.example",
        "evil-outlook.office365.com", "outlook.office365.com.evil.example", "office365.com", "outlook.com",
        "onmicrosoft.com", "evil.outlook.com", "localhost", "127.0.0.1", ""}) {
    EXPECT_FALSE(trust.host(bad)) << bad;
  }
}

TEST(Trust, WantsTlsEverywhere) {
  const Trust trust("example.com", {});
  EXPECT_TRUE(trust.url(testing::url("https://mail.example.com/EWS")));
  EXPECT_EQ(trust.url(testing::url("http://mail.example.com/EWS")).error().code, "redirect-not-https");
  const auto stranger = trust.url(testing::url("https://evil.example/EWS"));
  EXPECT_EQ(stranger.error().code, "redirect-not-allowed");
  EXPECT_NE(stranger.error().message.find("evil.example"), std::string::npos);
}

TEST(Clouds, AreTheRightOnes) {
  EXPECT_EQ(cloud_of_host("outlook.office365.com")->name, "global");
  EXPECT_EQ(cloud_of_host("outlook.office365.us")->name, "us_government");
  EXPECT_EQ(cloud_of_host("webmail.apps.mil")->name, "us_defense");
  EXPECT_EQ(cloud_of_host("partner.outlook.cn")->name, "china");
  EXPECT_EQ(cloud_of_domain("contoso.mail.onmicrosoft.com")->name, "global");
  EXPECT_EQ(cloud_of_domain("contoso.onmicrosoft.us")->name, "us_government");
  EXPECT_EQ(cloud_of_domain("onmicrosoft.com"), nullptr);
}

TEST(Cache, ForgetsWithTimeAndOnTheErrorsThatSayMoved) {
  testing::ManualClock clock;
  DiscoveryCache cache(clock, std::chrono::hours(1), 2);
  model::MailboxFacts facts;
  facts.address = "Anna@example.com";
  facts.ews_endpoint = "https://x/EWS";
  cache.store(facts);
  EXPECT_EQ(cache.find("anna@EXAMPLE.com")->ews_endpoint, "https://x/EWS");
  clock.advance(std::chrono::minutes(59));
  EXPECT_TRUE(cache.find("anna@example.com"));
  clock.advance(std::chrono::minutes(1));
  EXPECT_FALSE(cache.find("anna@example.com"));

  const auto error = [](std::string code, std::optional<int> status = {},
                        RetryClass retry = RetryClass::never) {
    Error made;
    made.code = std::move(code);
    made.http_status = status;
    made.retry = retry;
    return made;
  };
  for (const Error& moved : {error("x", 401), error("x", 403), error("ErrorNonExistentMailbox"),
                             error("ErrorWrongServerVersion"), error("ErrorWrongServerVersionDelegate"),
                             error("ErrorImpersonateUserDenied"), error("x", {}, RetryClass::rediscover)}) {
    cache.store(facts);
    EXPECT_TRUE(cache.drop_after("anna@example.com", moved)) << moved.code;
    EXPECT_FALSE(cache.find("anna@example.com"));
  }
  cache.store(facts);
  for (const Error& stays :
       {error("ErrorServerBusy"), error("x", 500), error("x", 503), error("ErrorItemNotFound")}) {
    EXPECT_FALSE(cache.drop_after("anna@example.com", stays)) << stays.code;
  }
  EXPECT_TRUE(cache.find("anna@example.com"));
}

TEST(Cache, StaysWithinItsBounds) {
  testing::ManualClock clock;
  DiscoveryCache cache(clock, std::chrono::hours(1), 2);
  for (const char* address : {"a@example.com", "b@example.com", "c@example.com"}) {
    model::MailboxFacts facts;
    facts.address = address;
    cache.store(facts);
    clock.advance(std::chrono::seconds(1));
  }
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_FALSE(cache.find("a@example.com"));
  EXPECT_TRUE(cache.find("c@example.com"));
}

}  // namespace
}  // namespace syncline::ews::autodiscover
