// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/engine/mailbox_state.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "service/organisation/organisation.hpp"

namespace syncline::service {
namespace {

namespace fs = std::filesystem;

class SetClock final : public Clock {
 public:
  SystemTime time = std::chrono::sys_days{std::chrono::year{2026} / 11 / 22};
  SystemTime now() const override { return time; }
  SteadyTime steady_now() const override { return SteadyTime{}; }
};

class MailboxState : public testing::Test {
 protected:
  void SetUp() override {
    OrganisationOptions options;
    options.folder = (folder / "contoso").string();
    options.key = (folder / "key").string();
    fs::create_directories(folder);
    auto created = Organisation::create(options, "Contoso", clock, random);
    ASSERT_TRUE(created) << created.error().describe();
    organisation = std::move(created->organisation);
  }
  void TearDown() override {
    organisation.reset();
    fs::remove_all(folder);
  }
  std::optional<bool> copies(std::string_view address, std::string_view host) {
    auto known = known_sent_copies(*organisation, address, host);
    EXPECT_TRUE(known);
    return known ? *known : std::nullopt;
  }
  std::optional<std::string> endpoint(std::string_view address) {
    auto known = known_endpoint(*organisation, address);
    EXPECT_TRUE(known);
    if (!known || !*known) return std::nullopt;
    return (*known)->url +
           ((*known)->grouping_information.empty() ? "" : " " + (*known)->grouping_information);
  }

  fs::path folder = fs::path(testing::TempDir()) / ("mailbox-state-" + system_random().uuid());
  SetClock clock;
  SeededRandom random{7};
  std::unique_ptr<Organisation> organisation;
};

TEST_F(MailboxState, WhatAServerDoesWithSentMailIsKnownForThirtyDays) {
  EXPECT_EQ(copies("ana@contoso.example", "smtp.contoso.example"), std::nullopt);
  ASSERT_TRUE(remember_sent_copies(*organisation, "Ana@contoso.example", "smtp.contoso.example", true));
  EXPECT_EQ(copies("ana@contoso.example", "smtp.contoso.example"), true);
  EXPECT_EQ(copies("bert@contoso.example", "smtp.contoso.example"), std::nullopt);
  EXPECT_EQ(copies("ana@contoso.example", "smtp.other.example"), std::nullopt) << "it was another server";
  ASSERT_TRUE(remember_sent_copies(*organisation, "ana@contoso.example", "smtp.other.example", false));
  EXPECT_EQ(copies("ana@contoso.example", "smtp.other.example"), false);
  clock.time += std::chrono::days(30) + std::chrono::seconds(1);
  EXPECT_EQ(copies("ana@contoso.example", "smtp.other.example"), std::nullopt);
}

TEST_F(MailboxState, R19AFoundEndpointIsKnownForTwelveHoursOrUntilItFails) {
  model::MailboxFacts facts;
  facts.address = "ana@contoso.example";
  facts.ews_endpoint = "https://mail.contoso.example/EWS/Exchange.asmx";
  ASSERT_TRUE(remember_endpoint(*organisation, facts));
  EXPECT_EQ(endpoint("ANA@contoso.example"), facts.ews_endpoint);
  clock.time += std::chrono::hours(12) + std::chrono::seconds(1);
  EXPECT_EQ(endpoint("ana@contoso.example"), std::nullopt);
  facts.grouping_information = "EUPR04-PRO";
  ASSERT_TRUE(remember_endpoint(*organisation, facts));
  EXPECT_EQ(endpoint("ana@contoso.example"), facts.ews_endpoint + " EUPR04-PRO");
  ASSERT_TRUE(forget_endpoint(*organisation, "ana@contoso.example"));
  EXPECT_EQ(endpoint("ana@contoso.example"), std::nullopt);
}

}  // namespace
}  // namespace syncline::service
