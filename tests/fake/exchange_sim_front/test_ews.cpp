// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>

#include <filesystem>

#include "harness.hpp"

namespace exchange_sim::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class EwsFrontTest : public FrontTest {};

TEST_F(EwsFrontTest, an_operation_reaches_the_service_and_its_answer_comes_in_an_envelope_with_the_version) {
  start(two_sites());
  const auto answer =
      ews(soap(get_item()), {{"X-AnchorMailbox", "anna@example.test"}, {"client-request-id", "q-1"}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("MajorVersion=\"15\" MinorVersion=\"2\" MajorBuildNumber=\"1544\""));
  EXPECT_THAT(answer.body, HasSubstr("Quarterly figures"));
  EXPECT_EQ(answer.field("Content-Type"), "text/xml; charset=utf-8");
  ASSERT_THAT(service.callers, SizeIs(1));
  EXPECT_EQ(service.callers[0].site, "onprem");
  EXPECT_EQ(service.callers[0].mailbox, "anna@example.test");
  EXPECT_EQ(service.callers[0].requested_version, "Exchange2013_SP1");
  EXPECT_EQ(service.requests[0], soap(get_item())) << "octet for octet as it came";
  const auto entry = last();
  EXPECT_EQ(entry.operation, "GetItem");
  EXPECT_EQ(entry.authenticated_as, "anna@example.test");
  EXPECT_EQ(entry.scheme, "basic");
  EXPECT_EQ(entry.anchor, "anna@example.test");
  EXPECT_EQ(entry.client_request_id, "q-1");
  EXPECT_EQ(entry.request_octets, soap(get_item()).size());
  EXPECT_EQ(entry.response_octets, answer.body.size());
  EXPECT_TRUE(entry.handled);
  EXPECT_THAT(entry.codes, IsEmpty());
}

TEST_F(EwsFrontTest, a_fault_of_the_service_is_http_500_and_its_code_is_logged) {
  start(two_sites());
  service.reply = {500,
                   "<s:Fault xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><detail><e:ResponseCode "
                   "xmlns:e=\"x\">ErrorItemNotFound</e:ResponseCode></detail></s:Fault>"};
  EXPECT_EQ(ews(soap(get_item())).status, 500);
  EXPECT_THAT(last().codes, ElementsAre("ErrorItemNotFound"));
}

TEST_F(EwsFrontTest, without_credentials_or_with_wrong_ones_the_answer_is_401_with_every_scheme_in_order) {
  auto config = two_sites();
  config.sites[0].schemes = {Scheme::bearer, Scheme::basic};
  start(config);
  Wire wire(world, "mail.example.test", true);
  const auto anonymous =
      wire.ask("POST", "/EWS/Exchange.asmx", {{"Content-Type", "text/xml"}}, soap(get_item()));
  EXPECT_EQ(anonymous.status, 401);
  ASSERT_THAT(anonymous.fields("WWW-Authenticate"), SizeIs(2));
  EXPECT_THAT(anonymous.fields("WWW-Authenticate")[0], HasSubstr("Bearer client_id="));
  EXPECT_EQ(anonymous.fields("WWW-Authenticate")[1], "Basic realm=\"mail.example.test\"");
  EXPECT_EQ(ews(soap(get_item()), {{"Authorization", basic("anna@example.test", "wrong")}}).status, 401);
  EXPECT_EQ(ews(soap(get_item()), {{"Authorization", basic("nobody@example.test", "secret")}}).status, 401);
  EXPECT_EQ(ews(soap(get_item()), {{"Authorization", "Basic !!!"}}).status, 401);
  EXPECT_THAT(service.callers, IsEmpty());
  EXPECT_EQ(sim->counters().get("refused-credentials"), 3u);
}

TEST_F(EwsFrontTest, people_sign_in_by_address_alias_logon_name_or_domain_and_name) {
  start(two_sites());
  for (const char* name : {"anna@example.test", "ANNA@Example.Test", "anna.alias@example.test", "anna",
                           "EXAMPLE\\anna", "example.test\\Anna"}) {
    EXPECT_EQ(ews(soap(get_item()), {{"Authorization", basic(name, "secret")}}).status, 200) << name;
    EXPECT_EQ(last().authenticated_as, "anna@example.test");
  }
  EXPECT_EQ(ews(soap(get_item()), {{"Authorization", basic("OTHER\\anna", "secret")}}).status, 401);
}

TEST_F(EwsFrontTest, impersonation_needs_the_right_and_an_existing_mailbox) {
  start(two_sites());
  const auto robot =
      std::pair<std::string, std::string>("Authorization", basic("robot@example.test", "robot"));
  const auto as = [&](const std::string& kind, const std::string& address) {
    return ews(soap(get_item(), impersonating(kind, address)), {robot});
  };
  EXPECT_EQ(as("PrimarySmtpAddress", "bert@example.test").status, 200);
  EXPECT_EQ(service.callers.back().mailbox, "bert@example.test");
  EXPECT_EQ(service.callers.back().authenticated_as, "robot@example.test");
  EXPECT_EQ(last().impersonation, "bert@example.test");
  EXPECT_EQ(as("SmtpAddress", "anna.alias@example.test").status, 200);
  EXPECT_EQ(service.callers.back().mailbox, "anna@example.test");
  EXPECT_THAT(as("PrimarySmtpAddress", "anna.alias@example.test").body,
              HasSubstr("ErrorNonPrimarySmtpAddress"));
  EXPECT_THAT(as("PrimarySmtpAddress", "nobody@example.test").body, HasSubstr("ErrorNonExistentMailbox"));
  EXPECT_THAT(as("Nickname", "bert").body, HasSubstr("ErrorInvalidExchangeImpersonationHeaderData"));
  const auto denied = ews(soap(get_item(), impersonating("SmtpAddress", "bert@example.test")));
  EXPECT_EQ(denied.status, 500);
  EXPECT_THAT(denied.body,
              HasSubstr("<e:ResponseCode xmlns:e=\"http://schemas.microsoft.com/exchange/services/2006/"
                        "errors\">ErrorImpersonateUserDenied</e:ResponseCode>"));
  EXPECT_THAT(service.callers, SizeIs(2));
}

TEST_F(EwsFrontTest, a_request_against_the_schema_is_recorded_and_in_strict_mode_refused) {
  const std::string schema = SYNCLINE_SOURCE_DIR "/wsdl";
  if (!std::filesystem::exists(schema + "/ews-messages.xsd")) GTEST_SKIP() << "no schema in wsdl/";
  auto config = two_sites();
  config.schema_folder = schema;
  start(config);
  EXPECT_EQ(ews(soap(get_item())).status, 200);
  EXPECT_THAT(sim->log().schema_violations(), IsEmpty());

  const std::string wrong =
      "<m:GetItem><m:ItemIds><t:ItemId Id=\"A1\"/></m:ItemIds><m:ItemShape>"
      "<t:BaseShape>IdOnly</t:BaseShape></m:ItemShape></m:GetItem>";
  const auto refused = ews(soap(wrong));
  EXPECT_EQ(refused.status, 500);
  EXPECT_THAT(refused.body, HasSubstr("a:ErrorSchemaValidation"));
  EXPECT_THAT(refused.body, HasSubstr("<t:LineNumber>1</t:LineNumber>"));
  EXPECT_THAT(sim->log().schema_violations(), Not(IsEmpty()));
  EXPECT_THAT(service.callers, SizeIs(1));

  config.strict = false;
  start(config);
  EXPECT_EQ(ews(soap(wrong)).status, 200);
  EXPECT_THAT(sim->log().schema_violations(), Not(IsEmpty()));
}

TEST_F(EwsFrontTest, what_is_no_soap_request_gets_a_fault_and_never_reaches_the_service) {
  start(two_sites());
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<d>";
  const std::string bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>";
  for (const std::string& body :
       {std::string(), std::string("no xml"), soap(get_item()).substr(0, 200), soap(deep),
        bomb + soap("<m:GetItem>&b;</m:GetItem>").substr(38), std::string("<a/>"), soap(""),
        soap("<m:GetItem/><m:GetItem/>"), std::string("\0\0\0\0", 4)}) {
    const auto answer = ews(body);
    EXPECT_EQ(answer.status, 500) << body.substr(0, 80);
    EXPECT_THAT(answer.body, HasSubstr("ErrorSchemaValidation"));
  }
  EXPECT_THAT(service.callers, IsEmpty());
}

TEST_F(EwsFrontTest, versions_newer_than_the_server_are_refused) {
  auto config = two_sites();
  config.sites[0].product = Product::exchange2013;
  start(config);
  EXPECT_EQ(ews(soap(get_item())).status, 200);
  auto newer = soap(get_item());
  newer.replace(newer.find("Exchange2013_SP1"), 16, "V2017_07_11");
  EXPECT_THAT(ews(newer).body, HasSubstr("ErrorInvalidServerVersion"));
}

TEST_F(EwsFrontTest, too_large_requests_and_other_content_types_are_refused_as_the_web_server_does) {
  auto config = two_sites();
  config.sites[0].limits.request_octets = 1000;
  start(config);
  EXPECT_EQ(ews(soap(get_item() + std::string(1000, ' '))).status, 413);
  const auto json =
      Wire(world, "mail.example.test", true)
          .ask("POST", "/EWS/Exchange.asmx",
               {{"Authorization", basic("anna", "secret")}, {"Content-Type", "application/json"}}, "{}");
  EXPECT_EQ(json.status, 415);
  EXPECT_THAT(service.callers, IsEmpty());
}

TEST_F(EwsFrontTest, ews_switched_off_answers_403_in_three_forms) {
  start(two_sites());
  ASSERT_TRUE(sim->set_ews("onprem", EwsSwitch::off_empty));
  auto answer = ews(soap(get_item()));
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.body, "");
  sim->set_ews("onprem", EwsSwitch::off_html);
  answer = ews(soap(get_item()));
  EXPECT_EQ(answer.status, 403);
  EXPECT_THAT(answer.field("Content-Type"), HasSubstr("text/html"));
  sim->set_ews("onprem", EwsSwitch::off_fault);
  answer = ews(soap(get_item()));
  EXPECT_EQ(answer.status, 403);
  EXPECT_THAT(answer.body, HasSubstr("ErrorAccessDenied"));
  EXPECT_THAT(service.callers, IsEmpty());
  EXPECT_FALSE(sim->set_ews("nowhere", EwsSwitch::on));
}

TEST_F(EwsFrontTest, a_moved_mailbox_is_gone_for_its_owner_and_for_impersonation) {
  start(two_sites());
  EXPECT_EQ(ews(soap(get_item())).status, 200);
  ASSERT_TRUE(sim->move_mailbox(
      "onprem", {"anna@example.test", "anna@tenant.example.test", {}, "ErrorWrongServerVersion"}));
  EXPECT_THAT(ews(soap(get_item())).body, HasSubstr("ErrorWrongServerVersion"));
  EXPECT_THAT(ews(soap(get_item(), impersonating("SmtpAddress", "anna.alias@example.test")),
                  {{"Authorization", basic("robot", "robot")}})
                  .body,
              HasSubstr("ErrorWrongServerVersion"));
  EXPECT_THAT(service.callers, SizeIs(1));
}

TEST_F(EwsFrontTest, cookies_of_affinity_are_given_once_and_only_when_asked_for) {
  auto config = two_sites();
  config.sites[0].back_ends = 4;
  start(config);
  const auto plain = ews(soap(get_item()));
  ASSERT_THAT(plain.fields("Set-Cookie"), SizeIs(1));
  EXPECT_THAT(plain.fields("Set-Cookie")[0], HasSubstr("exchangecookie="));
  const auto wanted = ews(soap(get_item()), {{"X-AnchorMailbox", "anna@example.test"},
                                             {"X-PreferServerAffinity", "true"},
                                             {"Cookie", "a=b; exchangecookie=1"}});
  ASSERT_THAT(wanted.fields("Set-Cookie"), SizeIs(1));
  const auto cookie = wanted.fields("Set-Cookie")[0];
  ASSERT_THAT(cookie, HasSubstr("X-BackEndOverrideCookie="));
  const auto again =
      ews(soap(get_item()), {{"X-AnchorMailbox", "bert@example.test"},
                             {"X-PreferServerAffinity", "true"},
                             {"Cookie", "exchangecookie=1; " + cookie.substr(0, cookie.find(';'))}});
  EXPECT_THAT(again.fields("Set-Cookie"), IsEmpty());
  EXPECT_EQ(again.field("X-BEServer"), wanted.field("X-BEServer"));
}

}  // namespace
}  // namespace exchange_sim::testing
