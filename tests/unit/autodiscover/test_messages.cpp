// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>
#include <libxml/parser.h>
#include <libxml/tree.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "ews/autodiscover/messages.hpp"

namespace syncline::ews::autodiscover {
namespace {

std::string soap(std::string_view response, std::string_view header = "") {
  return "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Header>" +
         std::string(header) +
         "</s:Header><s:Body><GetUserSettingsResponseMessage "
         "xmlns=\"http://schemas.microsoft.com/exchange/2010/Autodiscover\"><Response>" +
         std::string(response) + "</Response></GetUserSettingsResponseMessage></s:Body></s:Envelope>";
}

std::string pox(std::string_view response) {
  return "<?xml version=\"1.0\"?><Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/"
         "responseschema/2006\"><Response xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/"
         "responseschema/2006a\">" +
         std::string(response) + "</Response></Autodiscover>";
}

TEST(SoapAnswer, ReadsSettingsAndVersion) {
  const auto answer = read_soap(
      soap("<ErrorCode>NoError</ErrorCode><ErrorMessage/><UserResponses><UserResponse><ErrorCode>NoError</"
           "ErrorCode>"
           "<ErrorMessage>No "
           "error.</ErrorMessage><UserSettingErrors><UserSettingError><ErrorCode>SettingIsNotAvailable"
           "</ErrorCode><SettingName>InternalEwsUrl</SettingName></UserSettingError></"
           "UserSettingErrors><UserSettings>"
           "<UserSetting><Name>ExternalEwsUrl</Name><Value> https://mail.example.com/EWS/Exchange.asmx "
           "</Value></UserSetting>"
           "<UserSetting><Name>AutoDiscoverSMTPAddress</Name><Value>anna@example.com</Value></UserSetting>"
           "<UserSetting><Name>UserDisplayName</Name><Value>Anna &amp; Co</Value></UserSetting>"
           "</UserSettings></UserResponse></UserResponses>",
           "<h:ServerVersionInfo "
           "xmlns:h=\"x\"><h:MajorVersion>15</h:MajorVersion><h:MinorVersion>2</h:MinorVersion>"
           "<h:MajorBuildNumber>1118</h:MajorBuildNumber><h:MinorBuildNumber>7</h:MinorBuildNumber></"
           "h:ServerVersionInfo>"));
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(answer->kind, Answer::Kind::settings);
  EXPECT_EQ(answer->external_ews_url, "https://mail.example.com/EWS/Exchange.asmx");
  EXPECT_EQ(answer->primary_address, "anna@example.com");
  EXPECT_EQ(answer->display_name, "Anna & Co");
  EXPECT_EQ(answer->server_version, "15.2.1118.7");
}

TEST(SoapAnswer, ReadsRedirectsErrorsAndFaults) {
  const auto user = [](std::string_view code, std::string_view target) {
    return soap("<ErrorCode>NoError</ErrorCode><UserResponses><UserResponse><ErrorCode>" + std::string(code) +
                "</ErrorCode><ErrorMessage>why</ErrorMessage><RedirectTarget>" + std::string(target) +
                "</RedirectTarget></UserResponse></UserResponses>");
  };
  auto address = read_soap(user("RedirectAddress", "a@b.example"));
  EXPECT_EQ(address->kind, Answer::Kind::redirect_address);
  EXPECT_EQ(address->target, "a@b.example");
  EXPECT_EQ(read_soap(user("RedirectUrl", "https://x.example/"))->kind, Answer::Kind::redirect_url);
  EXPECT_EQ(read_soap(user("RedirectAddress", "")).error().code, "not-autodiscover");
  auto unknown = read_soap(user("InvalidUser", ""));
  EXPECT_EQ(unknown->kind, Answer::Kind::error);
  EXPECT_EQ(unknown->code, "InvalidUser");
  EXPECT_EQ(unknown->text, "why");
  EXPECT_EQ(read_soap(soap("<ErrorCode>ServerBusy</ErrorCode><ErrorMessage>later</ErrorMessage>"))->code,
            "ServerBusy");
  auto fault = read_soap(
      "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault><faultcode>"
      "a:FailedAuth</faultcode><faultstring>no</faultstring></s:Fault></s:Body></s:Envelope>");
  EXPECT_EQ(fault->code, "FailedAuth");
  EXPECT_EQ(fault->text, "no");
}

TEST(PoxAnswer, TellsInsideFromOutside) {
  const auto answer = read_pox(
      pox("<User><DisplayName>Anna</DisplayName><AutoDiscoverSMTPAddress>anna@example.com</"
          "AutoDiscoverSMTPAddress></User>"
          "<Account><AccountType>email</AccountType><Action>settings</Action>"
          "<Protocol><Type>EXCH</Type><Server>x</Server><ServerVersion>73C1840A</ServerVersion>"
          "<ASUrl>https://in.example.com/a</ASUrl><EwsUrl>https://in.example.com/EWS</EwsUrl></Protocol>"
          "<Protocol><Type>EXPR</Type><EwsUrl>https://out.example.com/EWS</EwsUrl></Protocol>"
          "<Protocol><Type>WEB</Type><External><OWAUrl>https://o</OWAUrl><Protocol><Type>EXPR</Type>"
          "<ASUrl>https://late.example.com/EWS</ASUrl></Protocol></External></Protocol></Account>"));
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(answer->internal_ews_url, "https://in.example.com/EWS");
  EXPECT_EQ(answer->external_ews_url, "https://out.example.com/EWS");
  EXPECT_EQ(answer->server_version, "15.1.1034");
  EXPECT_EQ(answer->primary_address, "anna@example.com");
}

TEST(PoxAnswer, ReadsRedirectsAndErrors) {
  EXPECT_EQ(
      read_pox(pox("<Account><Action>redirectUrl</Action><RedirectUrl>https://x</RedirectUrl></Account>"))
          ->kind,
      Answer::Kind::redirect_url);
  const auto address =
      read_pox(pox("<Account><Action>redirectAddr</Action><RedirectAddr>a@b.c</RedirectAddr></Account>"));
  EXPECT_EQ(address->kind, Answer::Kind::redirect_address);
  EXPECT_EQ(address->target, "a@b.c");
  EXPECT_FALSE(read_pox(pox("<Account><Action>redirectAddr</Action></Account>")));
  const auto error =
      read_pox(pox("<Error Time=\"1\" Id=\"2\"><ErrorCode>500</ErrorCode><Message>no</Message></Error>"));
  EXPECT_EQ(error->kind, Answer::Kind::error);
  EXPECT_EQ(error->code, "500");
  EXPECT_FALSE(read_pox(pox("")));
}

TEST(JsonAnswer, ReadsTheUrlOrTheError) {
  EXPECT_EQ(read_json(R"({"Protocol":"EWS","Url":"https://x/EWS"})")->external_ews_url, "https://x/EWS");
  EXPECT_EQ(read_json(R"({"protocol":"ews","url":"https://x/EWS"})")->external_ews_url, "https://x/EWS");
  const auto error = read_json(R"({"ErrorCode":"UserNotFound","ErrorMessage":"who"})");
  EXPECT_EQ(error->kind, Answer::Kind::error);
  EXPECT_EQ(error->code, "UserNotFound");
  for (const std::string_view bad :
       {"", "null", "[]", "{}", "{\"Url\":1}", "{\"Protocol\":\"REST\",\"Url\":\"https://x\"}", "{\"Url\""}) {
    EXPECT_FALSE(read_json(bad)) << bad;
  }
  EXPECT_FALSE(read_json(std::string(500'000, '[')));
}

TEST(HostileAnswer, EveryReaderSaysClearlyWhatIsWrong) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  const std::string bomb =
      "<!DOCTYPE a [<!ENTITY x \"xxxxxxxxxx\"><!ENTITY y "
      "\"&x;&x;&x;&x;&x;&x;&x;\">]><Autodiscover>&y;</Autodiscover>";
  const std::string file =
      "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><Autodiscover>&x;</Autodiscover>";
  for (const auto& read : {read_soap, read_pox}) {
    EXPECT_EQ(read("<!DOCTYPE html><html><body>Sign in</body></html>").error().code, "html-page");
    EXPECT_EQ(read(" \r\n<HTML>").error().code, "html-page");
    EXPECT_EQ(read(bomb).error().code, "dtd-refused");
    EXPECT_EQ(read(file).error().code, "dtd-refused");
    EXPECT_EQ(read(deep).error().domain == ErrorDomain::xml || read(deep).error().code == "not-autodiscover",
              true);
    EXPECT_EQ(read("<a/>").error().code, "not-autodiscover");
    EXPECT_FALSE(read(""));
    EXPECT_FALSE(read("hello"));
    EXPECT_FALSE(read(std::string("\0\1\2", 3)));
    EXPECT_FALSE(read("<Autodiscover><Response>"));
    EXPECT_FALSE(read("<s:Envelope xmlns:s=\"x\"><s:Body>"));
  }
  EXPECT_EQ(read_pox("<Autodiscover>" + deep).error().code, "too-deep");
  EXPECT_EQ(read_soap("<Envelope>" + deep).error().code, "too-deep");
  EXPECT_EQ(read_pox("<Autodiscover>" + std::string(2'000'000, 'x') + "</Autodiscover>").error().code,
            "too-large");
}

TEST(HostileAnswer, LongTextsAreCut) {
  const auto error = read_pox(
      pox("<Error><ErrorCode>1</ErrorCode><Message>" + std::string(100'000, 'm') + "</Message></Error>"));
  EXPECT_EQ(error->text.size(), 2048U);
}

TEST(Request, CannotBeBrokenOutOfByAnAddress) {
  const std::string address = "a'&<b>\"@example.com";
  for (const std::string& request : {soap_request(address, "https://x/?a=1&b=2"), pox_request(address)}) {
    xmlDocPtr document =
        xmlReadMemory(request.data(), static_cast<int>(request.size()), nullptr, nullptr, XML_PARSE_NONET);
    ASSERT_NE(document, nullptr);
    xmlChar* text = xmlNodeGetContent(xmlDocGetRootElement(document));
    EXPECT_NE(std::string(reinterpret_cast<char*>(text)).find(address), std::string::npos);
    xmlFree(text);
    xmlFreeDoc(document);
  }
  EXPECT_EQ(json_target("a b/c?d#e&f@example.com"),
            "/autodiscover/autodiscover.json/v1.0/a%20b%2Fc%3Fd%23e%26f@example.com?Protocol=EWS");
}

TEST(Version, IsReadFromHexAndNamed) {
  EXPECT_EQ(version_of_hex("72008287"), "8.0.647");
  EXPECT_EQ(version_of_hex("73C1840A"), "15.1.1034");
  for (const std::string_view bad : {"", "7200828", "720082877", "7200828g"})
    EXPECT_EQ(version_of_hex(bad), std::nullopt);
  EXPECT_EQ(product_of_version("15.0.1497.2"), "Exchange Server 2013");
  EXPECT_EQ(product_of_version("15.1.2507.6"), "Exchange Server 2016");
  EXPECT_EQ(product_of_version("15.2.1118.7"), "Exchange Server 2019");
  EXPECT_EQ(product_of_version("15.2.2562.17"), "Exchange Server Subscription Edition");
  EXPECT_EQ(product_of_version("15.20.8000.1"), "Exchange Online");
  EXPECT_EQ(product_of_version("99"), "");
  EXPECT_EQ(product_of_version(""), "");
}

std::string file(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(PublishedExamples, AreRead) {
  const std::filesystem::path folder =
      std::filesystem::path(SYNCLINE_SOURCE_DIR) / "../shared/reference/ews/examples";
  if (!std::filesystem::exists(folder / "41-Autodiscover-2-response.xml"))
    GTEST_SKIP() << "the published examples are not here";
  const auto redirect = read_soap(file(folder / "41-Autodiscover-2-response.xml"));
  ASSERT_TRUE(redirect) << redirect.error().describe();
  EXPECT_EQ(redirect->kind, Answer::Kind::redirect_address);
  EXPECT_EQ(redirect->target, "User1@mail.Contoso.com");
  const auto settings = read_soap(file(folder / "41-Autodiscover-4-response.xml"));
  ASSERT_TRUE(settings) << settings.error().describe();
  EXPECT_EQ(settings->kind, Answer::Kind::settings);
  EXPECT_EQ(settings->external_ews_url, "https://server.Contoso.com/ews/exchange.asmx");
  EXPECT_EQ(settings->server_version, "15.0.160.4");
  const auto old = read_pox(file(folder / "42-Autodiscover-2-response.xml"));
  ASSERT_TRUE(old) << old.error().describe();
  EXPECT_EQ(old->external_ews_url, "https://mail.contoso.com/ews/exchange.asmx");
  EXPECT_EQ(old->server_version, "8.0.647");
  const auto invalid = read_pox(file(folder / "42-Autodiscover-3-response.xml"));
  ASSERT_TRUE(invalid) << invalid.error().describe();
  EXPECT_EQ(invalid->code, "600");
  const auto address = read_pox(file(folder / "43-Autodiscover-1-response.xml"));
  ASSERT_TRUE(address) << address.error().describe();
  EXPECT_EQ(address->target, "elvin@mail.contoso.com");
}

}  // namespace
}  // namespace syncline::ews::autodiscover
