// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "rows.hpp"

namespace syncline::rules::testing {
namespace {

std::string value(std::string_view fields, Field field) {
  return row_of(fields).values.printed(field);
}

TEST(Defaults, FillEveryFieldThatHasOne) {
  const Assignment row = row_of("");
  for (const Field field : all_fields()) {
    const bool stays_empty = info(field).default_text.empty();
    if (field == Field::mbx_address) continue;
    // Without a protocol there is no port.
    if (field == Field::prof_in_port || field == Field::prof_out_port) continue;
    EXPECT_EQ(row.values.is_empty(field), stays_empty) << name_of(field);
  }
}

TEST(Defaults, TakeTheDayFromTheCallerAndNotFromAClock) {
  EXPECT_EQ(value("", Field::env_as_of), "2025-06-02");
  EXPECT_EQ(value("env_as_of=2030-01-01", Field::env_as_of), "2030-01-01");
}

TEST(Defaults, FollowTheProfileType) {
  EXPECT_EQ(value("prof_type=gmail", Field::prof_in_protocol), "imap");
  EXPECT_EQ(value("prof_type=gmail env_cloud=usgov", Field::prof_in_protocol), "pop3");
  EXPECT_EQ(value("prof_type=gmail env_cloud=usgov", Field::prof_in_port), "995");
  EXPECT_EQ(value("prof_type=gmail env_cloud=usgov", Field::prof_out_port), "465");
  EXPECT_EQ(value("prof_type=gmail env_cloud=usgov", Field::prof_out_tls), "implicit");
  EXPECT_EQ(value("prof_type=pop3_smtp", Field::prof_in_protocol), "pop3");
  EXPECT_EQ(value("prof_type=exchange_online_hybrid", Field::prof_auth_in), "s2s");
  EXPECT_EQ(value("prof_type=exchange_server", Field::prof_auth_in), "profile_credentials");
  EXPECT_EQ(value("prof_type=exchange_server", Field::prof_impersonation), "yes");
  EXPECT_EQ(value("prof_type=exchange_server", Field::prof_password), "yes");
  EXPECT_EQ(value("prof_type=exchange_online", Field::prof_impersonation), "no");
  EXPECT_EQ(value("prof_type=none", Field::prof_in_protocol), "none");
  EXPECT_EQ(value("prof_type=none", Field::prof_in_port), "");
}

TEST(Defaults, GiveTheOutgoingLegTheIncomingMethod) {
  EXPECT_EQ(value("prof_type=exchange_hybrid prof_auth_in=hma", Field::prof_auth_out), "hma");
  EXPECT_EQ(value("prof_type=exchange_hybrid prof_auth_in=hma", Field::prof_oauth_data), "complete");
  EXPECT_EQ(value("prof_type=exchange_hybrid prof_auth_in=hma", Field::prof_username), "no");
}

TEST(Defaults, ChooseTheTlsModeByPort) {
  for (const auto* port : {"110", "143", "25", "587"}) {
    EXPECT_EQ(value(std::string{"prof_type=imap_smtp prof_in_port="} + port, Field::prof_in_tls), "starttls")
        << port;
  }
  EXPECT_EQ(value("prof_type=imap_smtp", Field::prof_in_tls), "implicit");
  EXPECT_EQ(value("prof_type=imap_smtp prof_in_port=1143", Field::prof_in_tls), "implicit");
}

TEST(Defaults, FindWhereAMailboxLivesFromItsAddress) {
  EXPECT_EQ(host_from_address("a@GoogleMail.com"), Word::gmail);
  EXPECT_EQ(host_from_address("a@yahoo.co.jp"), Word::yahoo);
  EXPECT_EQ(host_from_address("a@ymail.com"), Word::yahoo);
  EXPECT_EQ(host_from_address("a@hotmail.it"), Word::outlook_com);
  EXPECT_EQ(host_from_address("a@outlook.com.br"), Word::outlook_com);
  EXPECT_EQ(host_from_address("a@msn.com"), Word::msn);
  EXPECT_EQ(host_from_address("a@live.de"), Word::windows_live);
  EXPECT_EQ(host_from_address("a@notyahoo.com"), Word::other);
  EXPECT_EQ(host_from_address("a@msn.com.example"), Word::other);
  EXPECT_EQ(host_from_address("no address"), Word::other);
  EXPECT_EQ(value("prof_type=exchange_online mbx_address=ana@gmail.com", Field::mbx_host), "exchange_online")
      << "an Exchange type speaks before the address";
}

TEST(Defaults, KnowATenantOnlyForExchangeOnlineFromTheHostedDeployment) {
  EXPECT_EQ(value("prof_type=exchange_online", Field::mbx_tenant), "same");
  EXPECT_EQ(value("prof_type=exchange_online_hybrid env_deployment=onprem", Field::mbx_tenant), "na");
  EXPECT_EQ(value("prof_type=gmail", Field::mbx_tenant), "na");
}

TEST(Defaults, CountTheCharactersOfTheProfileName) {
  EXPECT_EQ(value("prof_name=Zürich", Field::prof_name_len), "6");
  EXPECT_EQ(value("prof_name=会社", Field::prof_name_len), "2");
  EXPECT_EQ(value("prof_name=x prof_name_len=7", Field::prof_name_len), "7");
}

TEST(Defaults, RememberWhatTheyFilledIn) {
  const Assignment row = row_of("prof_type=gmail");
  EXPECT_TRUE(row.defaulted.contains(Field::prof_in_port));
  EXPECT_FALSE(row.defaulted.contains(Field::prof_type));
  EXPECT_FALSE(row.defaulted.contains(Field::prof_in_host)) << "stays empty";
}

TEST(Days, AreRealDaysOfTheCalendar) {
  EXPECT_EQ(parse_day("1970-01-01"), 0);
  EXPECT_EQ(format_day(*parse_day("2024-02-29")), "2024-02-29");
  for (const auto* text : {"2025-02-29", "2025-13-01", "2025-00-01", "2025-1-01", "2025-01-01 ", "0000-01-01",
                           "20250101", "2025/01/01", "", "+025-01-01"}) {
    EXPECT_FALSE(parse_day(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace syncline::rules::testing
