// SPDX-License-Identifier: GPL-3.0-or-later
// R-19 and invariant 28: where Autodiscover goes, where it does not, and whom it gives credentials.
#include <gtest/gtest.h>

#include "tests/fake/autodiscover/world.hpp"

namespace syncline::ews::autodiscover {
namespace {

using namespace syncline::testing;
using Hosts = std::set<std::string>;

const std::string svc = "/autodiscover/autodiscover.svc";
const std::string xml_path = "/autodiscover/autodiscover.xml";
const std::string json_path = "/autodiscover/autodiscover.json/v1.0/anna@example.com";
const std::string basic = "Basic realm=\"x\"";

DiscoverySettings with(std::shared_ptr<net::Authenticator> credentials,
                       std::vector<std::string> allowed = {}) {
  DiscoverySettings settings;
  settings.credentials = std::move(credentials);
  settings.allowed_hosts = std::move(allowed);
  return settings;
}

std::string story(const Discovery& discovery) {
  std::string text;
  for (const TrailStep& step : discovery.trail) {
    text += std::string(to_string(step.method)) + " " + step.target + " " +
            std::string(to_string(step.outcome)) + ": " + step.reason + "\n";
  }
  if (!discovery.facts) text += discovery.facts.error().describe();
  return text;
}

TEST(Discovery, FindsAnOnPremisesMailboxThroughSoap) {
  World world;
  world.at("https://example.com", response(404, "<html>"));
  world.guarded("https://autodiscover.example.com" + svc, basic_value, basic,
                soap_settings("https://mail.example.com/EWS/Exchange.asmx",
                              "https://inner.example.com/EWS/Exchange.asmx", "anna.main@example.com"));
  const auto found = world.discover("anna@example.com", with(basic_user()));
  ASSERT_TRUE(found.facts) << story(found);
  EXPECT_EQ(found.facts->location, model::MailboxLocation::on_premises);
  EXPECT_EQ(found.facts->ews_endpoint, "https://mail.example.com/EWS/Exchange.asmx");
  EXPECT_EQ(found.facts->primary_address, "anna.main@example.com");
  EXPECT_EQ(found.facts->server_version, "15.2.1118.7");
  EXPECT_EQ(found.facts->server_type, "Exchange Server 2019");
  EXPECT_EQ(found.facts->found_by, "soap");
  EXPECT_TRUE(found.facts->confirmed);
  EXPECT_FALSE(found.facts->remote);
  EXPECT_EQ(world.trusted_with_credentials(), Hosts{"https://autodiscover.example.com"})
      << "a web server that asks for nothing is given nothing";
  EXPECT_EQ(found.trail.back().outcome, StepOutcome::found);
}

TEST(Discovery, ChoosesTheInternalEndpointWhenAsked) {
  World world;
  world.at("https://example.com" + svc,
           soap_settings("https://mail.example.com/EWS", "https://inner.example.com/EWS"));
  auto settings = with(nullptr);
  settings.prefer_internal = true;
  const auto found = world.discover("anna@example.com", settings);
  ASSERT_TRUE(found.facts) << story(found);
  EXPECT_EQ(found.facts->ews_endpoint, "https://inner.example.com/EWS");
  EXPECT_TRUE(found.facts->endpoint_internal);
  EXPECT_FALSE(found.facts->confirmed) << "nobody checked a credential";
}

TEST(Discovery, FallsBackToPox) {
  World world;
  world.at(
      "https://autodiscover.example.com" + xml_path,
      pox_response(
          "<Account><Action>settings</Action><Protocol><Type>EXPR</Type><EwsUrl>https://mail.example.com/EWS"
          "</EwsUrl></Protocol></Account>"));
  const auto found = world.discover("anna@example.com");
  ASSERT_TRUE(found.facts) << story(found);
  EXPECT_EQ(found.facts->found_by, "pox");
}

TEST(Discovery, WithoutCredentialsTakesV2sWord) {
  World world;
  world.at("https://autodiscover.example.com" + json_path,
           json_url("https://mail.example.com/EWS/Exchange.asmx"));
  const auto found = world.discover("anna@example.com");
  ASSERT_TRUE(found.facts) << story(found);
  EXPECT_EQ(found.facts->found_by, "json");
  EXPECT_FALSE(found.facts->confirmed);
}

TEST(Discovery, WithoutCredentialsSaysWhoAsksForThem) {
  World world;
  world.guarded("https://autodiscover.example.com", "never", "Negotiate, NTLM", {});
  const auto found = world.discover("anna@example.com");
  ASSERT_FALSE(found.facts);
  EXPECT_EQ(found.facts.error().code, "needs-credentials");
  bool told = false;
  for (const TrailStep& step : found.trail) {
    told = told || (step.outcome == StepOutcome::needs_credentials && step.status == 401 &&
                    step.reason.find("negotiate, ntlm") != std::string::npos);
  }
  EXPECT_TRUE(told) << story(found);
}

TEST(Discovery, V2IsConfirmedByAServiceThatChecksCredentials) {
  World world;
  world.at("https://autodiscover.example.com" + json_path,
           json_url("https://mail.example.com/EWS/Exchange.asmx"));
  world.guarded("https://autodiscover.example.com" + svc, basic_value, basic,
                soap_settings("https://mail.example.com/EWS/Exchange.asmx"));
  const auto found = world.discover("anna@example.com", with(basic_user()));
  ASSERT_TRUE(found.facts) << story(found);
  EXPECT_EQ(found.facts->found_by, "soap");
  EXPECT_TRUE(found.facts->confirmed);
}

TEST(Discovery, AWrongPasswordIsSaidAndNotTriedEverywhere) {
  World world;
  for (const std::string host : {"https://example.com", "https://autodiscover.example.com"}) {
    world.at(host + json_path, json_url("https://mail.example.com/EWS/Exchange.asmx"));
    world.guarded(host, "Basic right", basic, {});
  }
  const auto found = world.discover("anna@example.com", with(basic_user()));
  ASSERT_FALSE(found.facts);
  EXPECT_EQ(found.facts.error().code, "credentials-refused") << story(found);
  EXPECT_EQ(found.facts.error().retry, RetryClass::reauthenticate);
  int tries = 0;
  for (const auto& seen : world.log()) tries += seen.headers.find("Authorization") ? 1 : 0;
  EXPECT_LE(tries, 2);
}

TEST(Hybrid, ARemoteMailboxEndsAtItsOnlineEndpointAndThePasswordStaysHome) {
  World world;
  world.guarded("https://autodiscover.example.com" + svc, basic_value, basic,
                soap_redirect("RedirectAddress", "anna@example.mail.onmicrosoft.com"));
  world.at(
      "https://autodiscover-s.outlook.com/autodiscover/autodiscover.json/v1.0/"
      "anna@example.mail.onmicrosoft.com",
      json_url("https://outlook.office365.com/EWS/Exchange.asmx"));
  world.guarded("https://autodiscover-s.outlook.com", "Bearer token", "Bearer, Basic realm=\"\"", {});
  const auto found = world.discover("anna@example.com", with(basic_user()));
  ASSERT_TRUE(found.facts) << story(found);
  EXPECT_EQ(found.facts->location, model::MailboxLocation::online);
  EXPECT_EQ(found.facts->cloud, "global");
  EXPECT_EQ(found.facts->ews_endpoint, "https://outlook.office365.com/EWS/Exchange.asmx");
  EXPECT_EQ(found.facts->server_type, "Exchange Online");
  EXPECT_EQ(found.facts->address, "anna@example.com");
  EXPECT_EQ(found.facts->primary_address, "anna@example.com");
  EXPECT_TRUE(found.facts->remote);
  EXPECT_EQ(world.trusted_with_credentials(), Hosts{"https://autodiscover.example.com"});
}

TEST(Hybrid, V2OnPremisesMayPointOnline) {
  World world;
  world.at(
      "https://autodiscover.example.com" + json_path,
      redirect(
          "https://outlook.office365.com/autodiscover/autodiscover.json/v1.0/anna@example.com?Protocol=EWS"));
  world.at("https://outlook.office365.com" + json_path,
           json_url("https://outlook.office365.com/EWS/Exchange.asmx"));
  const auto found = world.discover("anna@example.com", with(basic_user()));
  ASSERT_TRUE(found.facts) << story(found);
  EXPECT_EQ(found.facts->location, model::MailboxLocation::online);
  EXPECT_TRUE(world.trusted_with_credentials().empty());
}

// What was asked for the mailbox: "https://host/path" and the address in the body of SOAP and POX.
std::vector<std::string> questions_at(const World& world, const std::string& host,
                                      const std::string& address) {
  std::vector<std::string> found;
  for (const auto& seen : world.log()) {
    if (seen.url.host == host && seen.body.find(address) != std::string::npos)
      found.push_back(seen.url.target);
  }
  return found;
}

TEST(Hybrid, AV2RedirectWithANewAddressIsConfirmedForThatAddress) {
  for (const std::string where : {"/autodiscover/autodiscover.json?Email=anna%40example.mail.onmicrosoft.com"
                                  "&Protocol=EWS&RedirectCount=1",
                                  "/autodiscover/autodiscover.json/v1.0/anna@example.mail.onmicrosoft.com"
                                  "?Protocol=EWS"}) {
    World world;
    world.at("https://autodiscover.example.com" + json_path,
             redirect("https://outlook.office365.com" + where));
    world.at("https://outlook.office365.com" + where.substr(0, where.find('?')),
             json_url("https://outlook.office365.com/EWS/Exchange.asmx"));
    world.guarded("https://outlook.office365.com" + svc, "Bearer token", "Bearer client_id=\"x\"",
                  soap_settings("https://outlook.office365.com/EWS/Exchange.asmx", "", "anna@example.com"));
    const auto found = world.discover("anna@example.com", with(bearer_user()));
    ASSERT_TRUE(found.facts) << story(found);
    EXPECT_TRUE(found.facts->confirmed) << story(found);
    EXPECT_EQ(found.facts->found_by, "soap");
    EXPECT_EQ(found.facts->address, "anna@example.com");
    EXPECT_TRUE(found.facts->remote);
    EXPECT_FALSE(questions_at(world, "outlook.office365.com", "anna@example.mail.onmicrosoft.com").empty());
    EXPECT_TRUE(questions_at(world, "outlook.office365.com", "anna@example.com<").empty())
        << "the cloud was asked about the old address";
    EXPECT_EQ(world.trusted_with_credentials(), Hosts{"https://outlook.office365.com"});
  }
}

TEST(Hybrid, AV2RedirectToAnAddressOfStrangersIsRefused) {
  World world;
  world.at(
      "https://example.com" + json_path,
      redirect("https://autodiscover.example.com/autodiscover/autodiscover.json?Email=anna@evil.example"));
  world.at("https://evil.example", json_url("https://evil.example/EWS"));
  const auto found = world.discover("anna@example.com", with(basic_user()));
  ASSERT_FALSE(found.facts) << story(found);
  EXPECT_EQ(found.facts.error().code, "redirect-refused");
  EXPECT_FALSE(world.contacted().contains("https://evil.example"));
}

TEST(Redirect, V2AddressesThatLeadInACircleAreAnError) {
  World world;
  world.at("https://example.com" + json_path,
           redirect("https://b.example.com/autodiscover/autodiscover.json?Email=anna@b.example.com"));
  world.at("https://b.example.com",
           redirect("https://example.com/autodiscover/autodiscover.json?Email=Anna@example.com"));
  const auto found = world.discover("anna@example.com", with(basic_user()));
  ASSERT_FALSE(found.facts);
  EXPECT_EQ(found.facts.error().code, "redirect-loop") << story(found);
}

TEST(Hybrid, ATokenIsForTheCloudAndNotForTheServerThatPointsThere) {
  World world;
  world.at("https://autodiscover.example.com" + json_path,
           json_url("https://outlook.office365.com/EWS/Exchange.asmx"));
  world.guarded("https://autodiscover.example.com", "x", "Bearer, NTLM", {});
  world.guarded("https://autodiscover-s.outlook.com" + svc, "Bearer token", "Bearer client_id=\"x\"",
                soap_settings("https://outlook.office365.com/EWS/Exchange.asmx", "", "anna@example.com"));
  const auto found = world.discover("anna@example.com", with(bearer_user()));
  ASSERT_TRUE(found.facts) << story(found);
  EXPECT_TRUE(found.facts->confirmed) << story(found);
  EXPECT_EQ(world.trusted_with_credentials(), Hosts{"https://autodiscover-s.outlook.com"});
}

TEST(Hybrid, SovereignCloudsAreKnown) {
  struct Row {
    const char* domain;
    const char* host;
    const char* endpoint;
    const char* cloud;
  };
  for (const Row& row : {Row{"contoso.onmicrosoft.us", "autodiscover-s.office365.us",
                             "https://outlook.office365.us/EWS/Exchange.asmx", "us_government"},
                         Row{"contoso.partner.onmschina.cn", "autodiscover-s.partner.outlook.cn",
                             "https://partner.outlook.cn/EWS/Exchange.asmx", "china"},
                         Row{"contoso.onmicrosoft.com", "autodiscover-s.outlook.com",
                             "https://outlook.office365.com/EWS/Exchange.asmx", "global"}}) {
    World world;
    world.at("https://" + std::string(row.host), json_url(row.endpoint));
    const auto found = world.discover(std::string("anna@") + row.domain);
    ASSERT_TRUE(found.facts) << story(found);
    EXPECT_EQ(found.facts->cloud, row.cloud);
    EXPECT_EQ(found.facts->ews_endpoint, row.endpoint);
  }
}

TEST(Redirect, Invariant28OverHttpIsOnlyReadAndThenFollowedOverTls) {
  World world;
  world.at("http://autodiscover.example.com" + xml_path, redirect("https://mail.example.com" + xml_path));
  world.guarded("https://mail.example.com" + svc, basic_value, basic,
                soap_settings("https://mail.example.com/EWS"));
  const auto found = world.discover("anna@example.com", with(basic_user()));
  ASSERT_TRUE(found.facts) << story(found);
  EXPECT_EQ(world.trusted_with_credentials(), Hosts{"https://mail.example.com"});
  for (const auto& seen : world.log()) {
    if (!seen.url.is_tls()) {
      EXPECT_EQ(seen.method, "GET");
      EXPECT_TRUE(seen.body.empty());
    }
  }
}

TEST(Redirect, SrvRecordsAreFollowedWithinTheDomainOrByPermission) {
  {
    World world;
    world.srv("_autodiscover._tcp.example.com", "mail.example.com", 8443);
    world.guarded("https://mail.example.com" + svc, basic_value, basic,
                  soap_settings("https://mail.example.com/EWS"));
    const auto found = world.discover("anna@example.com", with(basic_user()));
    ASSERT_TRUE(found.facts) << story(found);
    EXPECT_EQ(found.facts->found_at, "https://mail.example.com:8443/autodiscover/autodiscover.svc");
  }
  World world;
  world.srv("_autodiscover._tcp.example.com", "mail.hoster.example");
  world.guarded("https://mail.hoster.example" + svc, basic_value, basic,
                soap_settings("https://mail.hoster.example/EWS"));
  const auto refused = world.discover("anna@example.com", with(basic_user()));
  ASSERT_FALSE(refused.facts);
  EXPECT_EQ(refused.facts.error().code, "redirect-refused");
  EXPECT_NE(refused.facts.error().message.find("mail.hoster.example"), std::string::npos);
  EXPECT_FALSE(world.contacted().contains("https://mail.hoster.example"));
  const auto allowed = world.discover("anna@example.com", with(basic_user(), {"mail.hoster.example"}));
  EXPECT_TRUE(allowed.facts) << story(allowed);
}

/// What a hostile or broken server at autodiscover.example.com may answer, and who must never hear of it.
TEST(Redirect, Invariant28AttacksLeadNowhere) {
  const std::string home = "https://autodiscover.example.com";
  struct Attack {
    const char* name;
    std::function<void(World&)> set;
    const char* code;
  };
  const auto soap_says = [&home](net::HttpResponse answer) {
    return [answer, home](World& world) { world.guarded(home + svc, basic_value, basic, answer); };
  };
  const Attack attacks[] = {
      {"RedirectUrl to a stranger", soap_says(soap_redirect("RedirectUrl", "https://evil.example" + svc)),
       "redirect-refused"},
      {"RedirectUrl without TLS", soap_says(soap_redirect("RedirectUrl", "http://mail.example.com" + svc)),
       "redirect-refused"},
      {"RedirectUrl with user information",
       soap_says(soap_redirect("RedirectUrl", "https://example.com@evil.example/")), "not-found"},
      {"RedirectUrl to a file", soap_says(soap_redirect("RedirectUrl", "file:///etc/passwd")), "not-found"},
      {"RedirectUrl to the parent domain", soap_says(soap_redirect("RedirectUrl", "https://com/")),
       "redirect-refused"},
      {"RedirectUrl to a look-alike of Microsoft",
       soap_says(soap_redirect("RedirectUrl", "https://outlook.office365.com.evil.example/")),
       "redirect-refused"},
      {"RedirectUrl to a look-alike of the domain",
       soap_says(soap_redirect("RedirectUrl", "https://evilexample.com/")), "redirect-refused"},
      {"RedirectUrl to a loopback address", soap_says(soap_redirect("RedirectUrl", "https://127.0.0.1/")),
       "redirect-refused"},
      {"RedirectAddress to a stranger's domain",
       soap_says(soap_redirect("RedirectAddress", "anna@evil.example")), "redirect-refused"},
      {"RedirectAddress to itself", soap_says(soap_redirect("RedirectAddress", "ANNA@example.com")),
       "redirect-loop"},
      {"RedirectAddress that is none", soap_says(soap_redirect("RedirectAddress", "evil.example")),
       "not-found"},
      {"endpoint at a stranger", soap_says(soap_settings("https://evil.example/EWS")), "not-found"},
      {"endpoint without TLS", soap_says(soap_settings("http://mail.example.com/EWS")), "not-found"},
      {"HTTP redirect to a stranger",
       [&home](World& world) { world.at(home, redirect("https://evil.example/")); }, "redirect-refused"},
      {"HTTP redirect down to http",
       [&home](World& world) { world.at(home, redirect("http://autodiscover.example.com/", 307)); },
       "redirect-refused"},
      {"http probe to a stranger",
       [](World& world) { world.at("http://autodiscover.example.com", redirect("https://evil.example/")); },
       "redirect-refused"},
      {"http probe that answers itself",
       [](World& world) {
         world.at("http://autodiscover.example.com", soap_settings("https://evil.example/EWS"));
       },
       "not-found"},
      {"SRV to a stranger", [](World& world) { world.srv("_autodiscover._tcp.example.com", "evil.example"); },
       "redirect-refused"},
      {"v2 endpoint at a stranger",
       [&home](World& world) { world.at(home + json_path, json_url("https://evil.example/EWS")); },
       "not-found"},
      {"v2 redirect to a stranger",
       [&home](World& world) { world.at(home + json_path, redirect("https://evil.example/x")); },
       "redirect-refused"},
      {"POX redirect to a stranger",
       [&home](World& world) {
         world.at(home + xml_path, pox_response("<Account><Action>redirectUrl</Action><RedirectUrl>https://"
                                                "evil.example/</RedirectUrl></Account>"));
       },
       "redirect-refused"},
      {"POX address at a stranger",
       [&home](World& world) {
         world.at(home + xml_path,
                  pox_response("<Account><Action>redirectAddr</Action><RedirectAddr>a@evil.example</"
                               "RedirectAddr></Account>"));
       },
       "redirect-refused"},
      {"a circle of URLs",
       [&home](World& world) {
         world.at(home, redirect("https://autodiscover.example.com/other"));
         world.at("https://autodiscover.example.com/other", redirect(home + svc));
       },
       "not-found"},
  };
  for (const Attack& attack : attacks) {
    World world;
    attack.set(world);
    // The stranger would take anything.
    for (const std::string evil :
         {"https://evil.example", "https://autodiscover.evil.example", "https://evilexample.com",
          "https://com", "https://outlook.office365.com.evil.example", "https://127.0.0.1"}) {
      world.guarded(evil, basic_value, basic, soap_settings(evil + "/EWS"));
    }
    const auto found = world.discover("anna@example.com", with(basic_user()));
    ASSERT_FALSE(found.facts) << attack.name;
    EXPECT_EQ(found.facts.error().code, attack.code) << attack.name << "\n" << story(found);
    for (const std::string& host : world.contacted()) {
      EXPECT_TRUE(host == "https://example.com" || host == home || host == "http://autodiscover.example.com")
          << attack.name << " reached " << host;
    }
    for (const std::string& host : world.trusted_with_credentials()) {
      EXPECT_EQ(host, home) << attack.name;
    }
    EXPECT_LE(world.requests(), 60U) << attack.name;
  }
}

TEST(Redirect, Invariant28TheParentDomainIsNeverAsked) {
  World world;
  for (const std::string host :
       {"https://example.com", "https://autodiscover.example.com", "http://autodiscover.example.com"}) {
    world.guarded(host, basic_value, basic, soap_settings(host + "/EWS"));
  }
  const auto found = world.discover("anna@sales.example.com", with(basic_user()));
  EXPECT_FALSE(found.facts);
  EXPECT_EQ(found.facts.error().code, "unreachable") << story(found);
  EXPECT_EQ(world.contacted(), (Hosts{"https://sales.example.com", "https://autodiscover.sales.example.com",
                                      "http://autodiscover.sales.example.com"}));
}

TEST(Redirect, TenHopsAreFollowedAndTheEleventhIsNot) {
  for (const int hops : {10, 11}) {
    World world;
    for (int i = 0; i < hops; ++i) {
      const std::string from = i == 0 ? svc : "/hop" + std::to_string(i);
      world.guarded("https://example.com" + from, basic_value, basic,
                    soap_redirect("RedirectUrl", "https://example.com/hop" + std::to_string(i + 1)));
    }
    world.guarded("https://example.com/hop" + std::to_string(hops), basic_value, basic,
                  soap_settings("https://mail.example.com/EWS"));
    const auto found = world.discover("anna@example.com", with(basic_user()));
    if (hops == 10) {
      EXPECT_TRUE(found.facts) << story(found);
    } else {
      ASSERT_FALSE(found.facts);
      EXPECT_EQ(found.facts.error().code, "too-many-hops") << story(found);
    }
  }
}

TEST(Redirect, AddressesThatLeadInACircleAreAnError) {
  World world;
  world.guarded("https://example.com" + svc, basic_value, basic,
                soap_redirect("RedirectAddress", "anna@b.example.com"));
  world.guarded("https://b.example.com" + svc, basic_value, basic,
                soap_redirect("RedirectAddress", "anna@c.example.com"));
  world.guarded("https://c.example.com" + svc, basic_value, basic,
                soap_redirect("RedirectAddress", "Anna@B.example.com"));
  const auto found = world.discover("anna@example.com", with(basic_user()));
  ASSERT_FALSE(found.facts);
  EXPECT_EQ(found.facts.error().code, "redirect-loop");
}

TEST(Outcome, TellsUnreachableFromNotFoundFromABadCertificate) {
  World nobody;
  const auto unreachable = nobody.discover("anna@example.com");
  EXPECT_EQ(unreachable.facts.error().code, "unreachable");
  EXPECT_EQ(unreachable.facts.error().retry, RetryClass::after);
  EXPECT_EQ(nobody.requests(), 3U) << "a host that is not there is not asked twice";

  World web;
  web.at("https://example.com", response(200, "<!DOCTYPE html><html>Welcome</html>"));
  const auto not_found = web.discover("anna@example.com");
  EXPECT_EQ(not_found.facts.error().code, "not-found");
  EXPECT_NE(story(not_found).find("web page"), std::string::npos);

  World forged;
  forged.at("https://autodiscover.example.com", [](const SeenRequest&) -> Result<net::HttpResponse> {
    return fail(ErrorDomain::tls, "certificate", "the certificate is for another host");
  });
  const auto certificate = forged.discover("anna@example.com", with(basic_user()));
  EXPECT_EQ(certificate.facts.error().code, "certificate");

  World unknown;
  unknown.at("https://example.com" + xml_path,
             pox_response("<Error><ErrorCode>500</ErrorCode><Message>who?</Message></Error>"));
  EXPECT_EQ(unknown.discover("anna@example.com").facts.error().code, "unknown-mailbox");

  EXPECT_EQ(nobody.discover("not an address").facts.error().code, "bad-address");
}

TEST(Outcome, TimeIsLimited) {
  World world;
  world.at("https://example.com", [&world](const SeenRequest&) -> Result<net::HttpResponse> {
    world.clock.advance(std::chrono::minutes(4));
    return response(404, {});
  });
  EXPECT_EQ(world.discover("anna@example.com").facts.error().code, "deadline");
}

}  // namespace
}  // namespace syncline::ews::autodiscover
