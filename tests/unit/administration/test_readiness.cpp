// SPDX-License-Identifier: GPL-3.0-or-later
#include "organisation_fixture.hpp"
#include "service/organisation/readiness.hpp"
#include "store/configuration.hpp"

namespace syncline::service {
namespace {

using ::testing::ElementsAre;

rules::Day day(std::chrono::year_month_day date) {
  return std::chrono::sys_days(date).time_since_epoch().count();
}

class Readiness : public testing::OrganisationFixture {
 protected:
  MailboxReadiness of(const std::string& address) {
    for (MailboxReadiness& one : readiness(stored(), organisation->today()))
      if (one.address == address) return std::move(one);
    ADD_FAILURE() << address;
    return {};
  }
  static std::string file(const std::string& organisation_lines = "") {
    return testing::mail_host_file(1, organisation_lines) +
           "[[profile]]\nname = \"Cloud\"\ntype = \"exchange_online\"\ntenant_id = \"tenant-1\"\nclient_id = "
           "\"c\"\n"
           "[[mailbox]]\naddress = \"ona@contoso.example\"\nprofile = \"Cloud\"\n";
  }
};

TEST_F(Readiness, OfExchangeOnlineEndsOnTheDayOfTheRulesAndOfOthersNever) {
  applied(file());
  const MailboxReadiness cloud = of("ona@contoso.example");
  EXPECT_TRUE(cloud.concerned);
  EXPECT_EQ(cloud.stops_on, day(std::chrono::year{2027} / 4 / 1));
  EXPECT_EQ(cloud.tenant, "tenant-1");
  EXPECT_FALSE(cloud.refused_by_server);
  const MailboxReadiness host = of("m0@contoso.example");
  EXPECT_FALSE(host.concerned);
  EXPECT_FALSE(host.stops_on);
}

TEST_F(Readiness, KnowsWhatHasStoppedAlready) {
  applied(file());
  clock.time = std::chrono::sys_days{std::chrono::year{2027} / 5 / 1};
  EXPECT_EQ(of("ona@contoso.example").stops_on, organisation->today());
  EXPECT_THAT(readiness_days(organisation->today()), ElementsAre(organisation->today()));
}

TEST_F(Readiness, SeesThatAServerRefusesAlready) {
  applied(file());
  const store::MailboxId id = stored().mailboxes.at("ona@contoso.example").id;
  const auto state = [&](const std::string& text) {
    written([&](store::Transaction& transaction) { return store::put_mailbox_state(transaction, id, text); });
  };
  state(R"({"outcome":"failed","error":{"code":"ews-disabled"}})");
  EXPECT_TRUE(of("ona@contoso.example").refused_by_server);
  EXPECT_FALSE(of("ona@contoso.example").forbidden_by_server);
  // An empty 403, or a page: switched off, perhaps.
  state(R"({"outcome":"failed","error":{"code":"forbidden"}})");
  EXPECT_FALSE(of("ona@contoso.example").refused_by_server);
  EXPECT_TRUE(of("ona@contoso.example").forbidden_by_server);
  state(R"({"outcome":"done","error":null})");
  EXPECT_FALSE(of("ona@contoso.example").forbidden_by_server);
}

}  // namespace
}  // namespace syncline::service
