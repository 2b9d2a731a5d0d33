// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/router/route.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <type_traits>

namespace syncline::router::testing {
namespace {

using rules::Field;
using enum rules::Word;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using Words = std::vector<std::pair<Field, rules::Word>>;

// The types show that only what the checker accepted can be routed.
static_assert(!std::is_constructible_v<rules::CheckedAssignment, rules::Assignment>);
static_assert(!std::is_default_constructible_v<rules::CheckedAssignment>);
static_assert(!std::is_invocable_v<decltype(&route), const rules::Assignment&,
                                   const std::optional<model::MailboxFacts>&>);

struct Row {
  rules::FieldValues given;
  Row(rules::Word type, std::string_view address, const Words& words = {}) {
    given.set(Field::prof_type, type);
    given.set_text(Field::mbx_address, address);
    for (const auto& [field, word] : words) EXPECT_TRUE(given.set(field, word));
  }
  Row& text(Field field, std::string_view value) {
    given.set_text(field, value);
    return *this;
  }
  Row& number(Field field, std::int64_t value) {
    given.set_number(field, value);
    return *this;
  }
  Result<Route> routed(const std::optional<model::MailboxFacts>& facts = std::nullopt) const {
    const auto proof = rules::checked(rules::with_defaults(given, 20241));
    if (!proof) {
      ADD_FAILURE() << "the checker rejects the row";
      return Route{};
    }
    return route(*proof, facts);
  }
};

TEST(Route, TakesExchangeOnlineThroughEwsForMailAndEverythingElse) {
  const auto route = Row{exchange_online, "ana@contoso.example"}.routed();
  ASSERT_TRUE(route.has_value());
  for (const auto& leg : {route->incoming, route->outgoing, route->act}) {
    ASSERT_TRUE(leg.has_value());
    EXPECT_EQ(leg->driver, Driver::ews);
    EXPECT_EQ(leg->location, "https://outlook.office365.com/EWS/Exchange.asmx");
    EXPECT_EQ(leg->mechanism, Mechanism::bearer);
    EXPECT_TRUE(leg->autodiscover);
    EXPECT_TRUE(leg->impersonation) << "an app-only credential acts for the mailbox";
  }
}

TEST(Route, KnowsTheCloud) {
  const auto route = Row{exchange_online, "ana@contoso.example", {{Field::env_cloud, usgov}}}.routed();
  EXPECT_EQ(route->incoming->location, "https://outlook.office365.us/EWS/Exchange.asmx");
  const auto google = Row{gmail, "ana@gmail.com", {{Field::env_cloud, usgov}}}.routed();
  EXPECT_EQ(google->incoming->driver, Driver::pop3);
  EXPECT_EQ(google->incoming->port, 995);
  EXPECT_EQ(google->outgoing->port, 465);
  EXPECT_EQ(google->outgoing->tls, TlsMode::implicit);
}

TEST(Route, LeavesTheLocationOfAServerToAutodiscoverUnlessItIsKnown) {
  const Row row{exchange_hybrid, "ana@contoso.example", {{Field::mbx_exchange_version, v2019}}};
  EXPECT_EQ(row.routed()->incoming->location, "");
  EXPECT_TRUE(row.routed()->incoming->autodiscover);
  EXPECT_EQ(row.routed()->incoming->mechanism, Mechanism::ntlm);
  model::MailboxFacts facts;
  facts.ews_endpoint = "https://ex01.contoso.example/EWS/Exchange.asmx";
  facts.found_by = "soap";
  EXPECT_EQ(row.routed(facts)->incoming->location, facts.ews_endpoint);
  EXPECT_THAT(row.routed(facts)->incoming->why,
              Contains(HasSubstr("facts: Autodiscover (soap) found https://ex01")));
}

TEST(Route, NeverOverridesAStatedLocationByFacts) {
  Row row{exchange_hybrid, "ana@contoso.example", {{Field::mbx_exchange_version, v2019}}};
  row.text(Field::prof_in_host, "https://stated.example/EWS/Exchange.asmx");
  model::MailboxFacts facts;
  facts.ews_endpoint = "https://found.example/EWS/Exchange.asmx";
  const auto route = row.routed(facts);
  EXPECT_EQ(route->incoming->location, "https://stated.example/EWS/Exchange.asmx");
  EXPECT_THAT(route->incoming->why, Contains(HasSubstr("override: prof_in_host")));
  EXPECT_THAT(route->incoming->why, Contains(HasSubstr("not used")));
  EXPECT_EQ(route->outgoing->location, facts.ews_endpoint) << "the other leg states none";
}

TEST(Route, SendsImpersonationOnlyForAppsAndServiceAccounts) {
  Row row{exchange_hybrid,
          "ana@contoso.example",
          {{Field::mbx_exchange_version, v2019}, {Field::prof_auth_in, mailbox_credentials}}};
  EXPECT_FALSE(row.routed()->incoming->impersonation) << "a user's own credential";
  Row service{exchange_hybrid, "ana@contoso.example", {{Field::mbx_exchange_version, v2019}}};
  EXPECT_TRUE(service.routed()->incoming->impersonation);
  Row app{exchange_hybrid,
          "ana@contoso.example",
          {{Field::mbx_exchange_version, v2019}, {Field::prof_auth_in, hma}}};
  EXPECT_TRUE(app.routed()->incoming->impersonation);
  EXPECT_EQ(app.routed()->incoming->mechanism, Mechanism::bearer);
}

TEST(Route, FillsGmailFromItsPresetWhateverTheDomain) {
  const auto route = Row{gmail, "ana@contoso.example"}.routed();
  EXPECT_EQ(route->incoming->driver, Driver::imap);
  EXPECT_EQ(route->incoming->location, "imap.gmail.com");
  EXPECT_EQ(route->incoming->mechanism, Mechanism::xoauth2);
  EXPECT_EQ(route->outgoing->driver, Driver::smtp);
  EXPECT_EQ(route->outgoing->location, "smtp.gmail.com");
  EXPECT_EQ(route->outgoing->port, 587);
  EXPECT_EQ(route->outgoing->tls, TlsMode::starttls);
  EXPECT_FALSE(route->act.has_value());
  EXPECT_THAT(route->incoming->why, Contains(HasSubstr("preset: gmail")));
}

TEST(Route, SaysWhatWasStatedOtherwiseThanThePreset) {
  Row row{gmail, "ana@gmail.com"};
  row.number(Field::prof_out_port, 465);
  const auto route = row.routed();
  EXPECT_EQ(route->outgoing->port, 465);
  EXPECT_EQ(route->outgoing->tls, TlsMode::implicit);
  EXPECT_THAT(route->outgoing->why, Contains(HasSubstr("override: prof_out_port 465")));
  EXPECT_THAT(route->incoming->why, Not(Contains(HasSubstr("override"))));
}

TEST(Route, TakesStatedHostsOfAnyProvider) {
  Row row{imap_smtp, "ana@mail.example"};
  row.text(Field::prof_in_host, "imap.mail.example").text(Field::prof_out_host, "smtp.mail.example");
  const auto route = row.routed();
  EXPECT_EQ(route->incoming->location, "imap.mail.example");
  EXPECT_EQ(route->incoming->port, 993);
  EXPECT_EQ(route->incoming->mechanism, Mechanism::password);
  EXPECT_EQ(route->outgoing->port, 587);
  EXPECT_EQ(route->outgoing->tls, TlsMode::starttls);
}

TEST(Route, LeavesOutLegsThatTheServerDoesNotRun) {
  const auto half = Row{gmail, "ana@gmail.com", {{Field::req_mail_out, none}}}.routed();
  EXPECT_TRUE(half->incoming.has_value());
  EXPECT_FALSE(half->outgoing.has_value());
  const auto by_client = Row{exchange_online, "ana@contoso.example", {{Field::req_act, outlook}}}.routed();
  EXPECT_FALSE(by_client->act.has_value());
  const auto nothing =
      Row{none, "ana@contoso.example", {{Field::req_mail_in, none}, {Field::req_mail_out, none}}}.routed();
  ASSERT_TRUE(nothing.has_value());
  EXPECT_FALSE(nothing->incoming || nothing->outgoing || nothing->act);
}

TEST(Route, RefusesGraphByNameUntilItHasADriver) {
  const auto route = Row{exchange_online,
                         "ana@contoso.example",
                         {{Field::prof_in_protocol, graph}, {Field::prof_out_protocol, graph}}}
                         .routed();
  ASSERT_FALSE(route.has_value());
  EXPECT_EQ(route.error().code, kNoDriver);
}

TEST(Route, LeavesARowWithoutAProfileToTheDefaultProfile) {
  const auto route = Row{none, "ana@contoso.example", {{Field::env_default_profile, yes}}}.routed();
  ASSERT_FALSE(route.has_value());
  EXPECT_EQ(route.error().code, kNoProfile);
}

}  // namespace
}  // namespace syncline::router::testing
