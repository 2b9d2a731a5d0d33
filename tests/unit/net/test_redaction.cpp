// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "net/raw_log.hpp"

namespace syncline::net {
namespace {

const std::string secret = "Tr0ub4dor&3";

void expect_gone(const std::string& text) {
  EXPECT_EQ(text.find("Tr0ub4dor"), std::string::npos) << text;
}

TEST(Redaction, SecretFieldsOfAHeaderAreHidden) {
  for (const char* name : {"Authorization", "proxy-authorization", "Cookie", "Set-Cookie", "X-Auth-Token",
                           "X-Api-Key", "X-BackEndCookie", "X-Client-Secret", "X-MS-Exchange-AccessToken"}) {
    const std::string text = redact_header("GET / HTTP/1.1\r\nHost: a.test\r\n" + std::string(name) + ": x " +
                                           secret + "\r\nContent-Type: text/xml\r\n\r\n");
    expect_gone(text);
    EXPECT_NE(text.find("Content-Type: text/xml\r\n\r\n"), std::string::npos) << text;
  }
  expect_gone(redact_header("GET /cb?code=" + secret + "&x=1 HTTP/1.1\r\n\r\n"));
  expect_gone(redact_header("GET http://u:" + secret + "@a.test/ HTTP/1.1\r\n\r\n"));
  expect_gone(
      redact_header("HTTP/1.1 302 Found\r\nLocation: https://a.test/#access_token=" + secret + "\r\n\r\n"));
  expect_gone(redact_header("HTTP/1.1 401 x\r\nWWW-Authenticate: NTLM " + secret + "\r\n\r\n"));
  const std::string bearer = redact_header(
      "HTTP/1.1 401 x\r\nWWW-Authenticate: Bearer realm=\"\", "
      "authorization_uri=\"https://login.test/\"\r\n\r\n");
  EXPECT_NE(bearer.find("login.test"), std::string::npos) << bearer;
}

TEST(Redaction, TokenEndpointBodiesLoseTheirSecrets) {
  for (const char* name :
       {"password", "client_secret", "refresh_token", "client_assertion", "assertion", "code", "access_token",
        "id_token", "Password", "client%5Fsecret", "device_code", "code_verifier"}) {
    expect_gone(redact_body("grant_type=x&" + std::string(name) + "=Tr0ub4dor%263&scope=y"));
  }
  EXPECT_EQ(redact_body("grant_type=password&username=jo&password=x"),
            "grant_type=password&username=jo&password=[hidden]");
  const std::string json = redact_body(
      R"({"token_type":"Bearer","access_token" : "Tr0ub4dor\"&3","expires_in":3600,)"
      R"("a":{"refresh_token":"Tr0ub4dor"},"client_secret":["Tr0ub4dor"],"pass\u0077ord":"Tr0ub4dor"})");
  expect_gone(json);
  EXPECT_NE(json.find("\"token_type\":\"Bearer\""), std::string::npos) << json;
  EXPECT_NE(json.find("3600"), std::string::npos) << json;
  expect_gone(redact_body("{\"access_token\":\"Tr0ub4dor"));
  expect_gone(redact_body("<?xml version=\"1.0\"?><a><wsse:Password Type='x'>Tr0ub4dor</wsse:Password></a>"));
  EXPECT_EQ(redact_body("<a>b</a>"), "<a>b</a>");
  EXPECT_EQ(redact_body(""), "");
}

}  // namespace
}  // namespace syncline::net
