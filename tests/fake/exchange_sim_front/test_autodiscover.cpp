// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>

#include "harness.hpp"

namespace exchange_sim::testing {
namespace {

using ::testing::HasSubstr;

std::string pox(const std::string& address,
                const std::string& schema =
                    "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a") {
  return "<Autodiscover "
         "xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006\"><Request>"
         "<EMailAddress>" +
         address + "</EMailAddress><AcceptableResponseSchema>" + schema +
         "</AcceptableResponseSchema></Request></Autodiscover>";
}

std::string user_settings(const std::string& address) {
  return "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "
         "xmlns:a=\"http://schemas.microsoft.com/exchange/2010/"
         "Autodiscover\"><s:Body><a:GetUserSettingsRequestMessage>"
         "<a:Request><a:Users><a:User><a:Mailbox>" +
         address +
         "</a:Mailbox></a:User></a:Users><a:RequestedSettings>"
         "<a:Setting>ExternalEwsUrl</a:Setting><a:Setting>GroupingInformation</"
         "a:Setting><a:Setting>Nonsense</a:Setting>"
         "</a:RequestedSettings></a:Request></a:GetUserSettingsRequestMessage></s:Body></s:Envelope>";
}

class AutodiscoverTest : public FrontTest {
 protected:
  void SetUp() override { start(two_sites()); }
  HttpAnswer get(const std::string& target, bool tls = true) {
    return Wire(world, "mail.example.test", tls).ask("GET", target);
  }
  HttpAnswer post(const std::string& path, const std::string& body) {
    return Wire(world, "mail.example.test", true)
        .ask("POST", path,
             {{"Authorization", basic("anna@example.test", "secret")}, {"Content-Type", "text/xml"}}, body);
  }
};

TEST_F(AutodiscoverTest, version_2_needs_no_credentials_and_names_the_endpoint) {
  const auto answer =
      get("/autodiscover/autodiscover.json?Email=anna%40example.test&Protocol=Ews&RedirectCount=1");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"Protocol":"Ews","Url":"https://mail.example.test/EWS/Exchange.asmx"})");
  EXPECT_EQ(get("/Autodiscover/Autodiscover.json/v1.0/bert@example.test?Protocol=EWS").status, 200);
  EXPECT_EQ(last().mailbox, "bert@example.test");
  EXPECT_EQ(last().operation, "autodiscover-v2");
  EXPECT_EQ(get("/autodiscover/autodiscover.json?Email=nobody@example.test&Protocol=Ews").status, 404);
  EXPECT_THAT(get("/autodiscover/autodiscover.json?Email=anna@example.test&Protocol=Imap").body,
              HasSubstr("ProtocolNotSupported"));
  EXPECT_THAT(get("/autodiscover/autodiscover.json?Protocol=Ews").body,
              HasSubstr("MandatoryParameterMissing"));
}

TEST_F(AutodiscoverTest, version_2_sends_a_moved_mailbox_to_the_site_that_has_it) {
  sim->move_mailbox("onprem",
                    {"bert@example.test", "bert@tenant.example.test", {}, "ErrorNonExistentMailbox"});
  const auto answer = get("/autodiscover/autodiscover.json?Email=bert@example.test&Protocol=Ews");
  EXPECT_EQ(answer.status, 302);
  EXPECT_EQ(answer.field("Location"),
            "https://outlook.example.test/autodiscover/"
            "autodiscover.json?Email=bert@tenant.example.test&Protocol=Ews&"
            "RedirectCount=1");
  const auto followed =
      Wire(world, "outlook.example.test", true)
          .ask("GET", answer.field("Location").substr(std::string("https://outlook.example.test").size()));
  EXPECT_THAT(followed.body, HasSubstr("https://outlook.example.test/EWS/Exchange.asmx"));
}

TEST_F(AutodiscoverTest, pox_answers_settings_redirects_and_errors) {
  const std::string path = "/autodiscover/autodiscover.xml";
  EXPECT_THAT(post(path, pox("anna@example.test")).body,
              HasSubstr("<EwsUrl>https://mail.example.test/EWS/Exchange.asmx</EwsUrl>"));
  EXPECT_THAT(post(path, pox("nobody@example.test")).body, HasSubstr("<ErrorCode>500</ErrorCode>"));
  EXPECT_THAT(post(path, "<wrong/>").body, HasSubstr("<ErrorCode>600</ErrorCode>"));
  EXPECT_THAT(post(path, pox("anna@example.test", "urn:other")).body,
              HasSubstr("<ErrorCode>601</ErrorCode>"));
  sim->move_mailbox("onprem",
                    {"bert@example.test", "bert@tenant.example.test", {}, "ErrorNonExistentMailbox"});
  EXPECT_THAT(
      post(path, pox("bert@example.test")).body,
      HasSubstr("<Action>redirectAddr</Action><RedirectAddr>bert@tenant.example.test</RedirectAddr>"));
  sim->move_mailbox("onprem", {"anna@example.test",
                               {},
                               "https://outlook.example.test/autodiscover/autodiscover.xml",
                               "ErrorNonExistentMailbox"});
  EXPECT_THAT(post(path, pox("anna@example.test")).body, HasSubstr("<Action>redirectUrl</Action>"));
  EXPECT_EQ(Wire(world, "mail.example.test", true).ask("POST", path, {}, pox("anna@example.test")).status,
            401);
}

TEST_F(AutodiscoverTest, soap_answers_settings_with_errors_by_setting_and_redirects_by_user) {
  const std::string path = "/autodiscover/autodiscover.svc";
  const auto answer = post(path, user_settings("anna@example.test")).body;
  EXPECT_THAT(
      answer,
      HasSubstr("<Name>ExternalEwsUrl</Name><Value>https://mail.example.test/EWS/Exchange.asmx</Value>"));
  EXPECT_THAT(answer, HasSubstr("<Name>GroupingInformation</Name>"));
  EXPECT_THAT(answer, HasSubstr("<SettingName>Nonsense</SettingName>"));
  EXPECT_THAT(post(path, user_settings("nobody@example.test")).body,
              HasSubstr("<ErrorCode>InvalidUser</ErrorCode>"));
  EXPECT_THAT(post(path, user_settings("nobody@elsewhere.test")).body,
              HasSubstr("<ErrorCode>InvalidDomain</ErrorCode>"));
  sim->move_mailbox("onprem",
                    {"bert@example.test", "bert@tenant.example.test", {}, "ErrorNonExistentMailbox"});
  EXPECT_THAT(
      post(path, user_settings("bert@example.test")).body,
      HasSubstr("<ErrorCode>RedirectAddress</ErrorCode><ErrorMessage>Redirection address.</ErrorMessage>"
                "<RedirectTarget>bert@tenant.example.test</RedirectTarget>"));
  EXPECT_EQ(post(path, "<nonsense/>").status, 500);
}

TEST_F(AutodiscoverTest, the_clear_text_door_only_points_to_https) {
  const auto answer = get("/autodiscover/autodiscover.xml", false);
  EXPECT_EQ(answer.status, 302);
  EXPECT_EQ(answer.field("Location"), "https://mail.example.test/autodiscover/autodiscover.xml");
}

TEST_F(AutodiscoverTest, exchange_2013_has_no_version_2) {
  auto config = two_sites();
  config.sites[0].product = Product::exchange2013;
  start(config);
  EXPECT_EQ(get("/autodiscover/autodiscover.json?Email=anna@example.test&Protocol=Ews").status, 404);
}

}  // namespace
}  // namespace exchange_sim::testing
