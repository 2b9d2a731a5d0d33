// SPDX-License-Identifier: GPL-3.0-or-later
// Full NTLM and Negotiate handshakes against GSSAPI's own acceptor. gss-ntlmssp checks the password against a
// file.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "auth/credentials.hpp"
#include "auth/gssapi.hpp"
#include "auth/sasl.hpp"
#include "tests/fake/auth/gss_acceptor.hpp"

namespace syncline::auth {
namespace {

using testing::GssAcceptor;
using testing::run;
using testing::ScriptedHttpClient;
using testing::SeenRequest;
using testing::url;

class Gssapi : public ::testing::Test {
 protected:
  // libgssapi reads its environment when it is first used: before any test.
  static void SetUpTestSuite() {
    std::string name = (std::filesystem::temp_directory_path() / "syncline-gssapi-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    std::ofstream(folder_ / "users") << "SAMPLE:anna:correct horse\nEXAMPLE.COM:anna:correct horse\n";
    std::ofstream(folder_ / "krb5.conf")
        << "[libdefaults]\n default_realm = EXAMPLE.COM\n dns_lookup_kdc = false\n"
           " dns_canonicalize_hostname = false\n rdns = false\n";
    setenv("NTLM_USER_FILE", (folder_ / "users").c_str(), 1);
    setenv("KRB5_CONFIG", (folder_ / "krb5.conf").c_str(), 1);
    setenv("KRB5CCNAME", ("FILE:" + (folder_ / "none").string()).c_str(), 1);
    setenv("KRB5_KTNAME", ("FILE:" + (folder_ / "none.keytab").string()).c_str(), 1);
    unsetenv("NTLMUSER");
  }
  static void TearDownTestSuite() { std::filesystem::remove_all(folder_); }

  struct Outcome {
    Result<std::unique_ptr<net::HttpExchange>> answer;
    std::string user;
    int legs;
  };
  Outcome talk(const Result<std::shared_ptr<net::Authenticator>>& authenticator, const std::string& scheme,
               const std::string& server_binding = {}, const std::string& client_binding = {}) {
    EXPECT_TRUE(authenticator);
    GssAcceptor acceptor(scheme, server_binding);
    ScriptedHttpClient http([&](const SeenRequest& seen) { return acceptor.handle(seen); });
    http.channel_binding = client_binding;
    net::HttpOptions options;
    options.authenticator = *authenticator;
    net::HttpRequest request;
    request.url = url("https://mail.example.com/EWS/Exchange.asmx");
    auto answer = run(context, http.open(request, options));
    return {std::move(answer), acceptor.user, acceptor.legs};
  }

  static PasswordCredentials anna(std::string_view password = "correct horse") {
    return {"SAMPLE\\anna", Secret(password)};
  }

  net::asio::io_context context;
  std::shared_ptr<BlockingPool> pool = std::make_shared<BlockingPool>(2);
  static inline std::filesystem::path folder_;
};

TEST_F(Gssapi, NtlmSignsInWithTheRightPasswordInTwoLegs) {
  const auto outcome = talk(make_ntlm(anna(), pool), "NTLM");
  ASSERT_TRUE(outcome.answer) << outcome.answer.error().describe();
  EXPECT_EQ((*outcome.answer)->status(), 200);
  EXPECT_EQ(outcome.user, "SAMPLE\\anna");
  EXPECT_EQ(outcome.legs, 2);
}

TEST_F(Gssapi, NtlmTakesAnAddressAsUserName) {
  const auto outcome =
      talk(make_ntlm({"anna@EXAMPLE.COM", Secret(std::string_view("correct horse"))}, pool), "NTLM");
  ASSERT_TRUE(outcome.answer) << outcome.answer.error().describe();
}

TEST_F(Gssapi, NtlmWithAWrongPasswordAsksForNewCredentialsAfterOneTry) {
  const auto outcome = talk(make_ntlm(anna("wrong donkey"), pool), "NTLM");
  ASSERT_FALSE(outcome.answer);
  EXPECT_EQ(outcome.answer.error().code, "credentials-refused");
  EXPECT_EQ(outcome.answer.error().retry, RetryClass::reauthenticate);
  EXPECT_EQ(outcome.answer.error().describe().find("donkey"), std::string::npos);
  EXPECT_EQ(outcome.legs, 2);
}

TEST_F(Gssapi, NtlmBindsToTheTlsChannel) {
  const std::string certificate_hash(32, '\x5a');
  EXPECT_TRUE(talk(make_ntlm(anna(), pool), "NTLM", certificate_hash, certificate_hash).answer);
  const auto relayed = talk(make_ntlm(anna(), pool), "NTLM", certificate_hash, std::string(32, '\x11'));
  ASSERT_FALSE(relayed.answer) << "a handshake relayed over another TLS connection must fail";
  EXPECT_EQ(relayed.answer.error().retry, RetryClass::reauthenticate);
}

TEST_F(Gssapi, NegotiateCarriesNtlmWhereThereIsNoKerberos) {
  const auto outcome = talk(make_negotiate(anna(), {.kerberos = false, .ntlm = true}, pool), "Negotiate");
  ASSERT_TRUE(outcome.answer) << outcome.answer.error().describe();
  EXPECT_EQ(outcome.user, "SAMPLE\\anna");
}

TEST_F(Gssapi, NegotiateFallsFromKerberosWithoutKdcToNtlm) {
  const auto outcome = talk(make_negotiate(anna(), {.kerberos = true, .ntlm = true}, pool), "Negotiate");
  ASSERT_TRUE(outcome.answer) << outcome.answer.error().describe();
  EXPECT_EQ(outcome.user, "SAMPLE\\anna");
}

TEST_F(Gssapi, NegotiateWithAWrongPasswordIsRefused) {
  const auto outcome =
      talk(make_negotiate(anna("wrong donkey"), {.kerberos = false, .ntlm = true}, pool), "Negotiate");
  ASSERT_FALSE(outcome.answer);
  EXPECT_EQ(outcome.answer.error().retry, RetryClass::reauthenticate) << outcome.answer.error().describe();
}

TEST_F(Gssapi, NegotiateWithoutAnyTicketSaysWhatKerberosSays) {
  const auto outcome =
      talk(make_negotiate(KerberosCredentials{.principal = {},
                                              .credential_cache = "FILE:" + (folder_ / "none").string(),
                                              .client_keytab = {}},
                          {}, pool),
           "Negotiate");
  ASSERT_FALSE(outcome.answer);
  EXPECT_EQ(outcome.answer.error().code, "no-ticket") << outcome.answer.error().describe();
  EXPECT_NE(outcome.answer.error().message.find("credentials cache"), std::string::npos)
      << outcome.answer.error().message;
}

TEST_F(Gssapi, ABrokenTokenFromTheServerIsAnErrorAndNotACrash) {
  for (const std::string challenge : {"NTLM ####", "NTLM AAAA", "NTLM TlRMTVNTUAACAAAA",
                                      "NTLM TlRMTVNTUAACAAAA/////////////////////////////////////////w==",
                                      "NTLM TlRMTVNTUAADAAAAAAAAAA=="}) {
    ScriptedHttpClient http([&](const SeenRequest&) {
      return testing::response(401, {}, {{"WWW-Authenticate", challenge}});
    });
    net::HttpOptions options;
    options.authenticator = *make_ntlm(anna(), pool);
    net::HttpRequest request;
    request.url = url("https://mail.example.com/");
    const auto answer = run(context, http.open(request, options));
    ASSERT_FALSE(answer) << challenge;
    EXPECT_EQ(answer.error().domain, ErrorDomain::auth) << challenge;
  }
}

TEST_F(Gssapi, TheChoiceTakesNegotiateBeforeNtlmBeforeBasicAndRemembersIt) {
  auto authenticator = make_authenticator(anna(), AllowedSchemes{}, pool);
  std::vector<std::string> sent;
  const auto once = [&] {
    GssAcceptor acceptor("NTLM", {});
    ScriptedHttpClient http([&](const SeenRequest& seen) {
      const auto header = seen.headers.find("Authorization");
      sent.emplace_back(header ? header->substr(0, header->find(' ')) : "none");
      auto made = acceptor.handle(seen);
      if (!header) made.headers.add("WWW-Authenticate", "Basic realm=\"x\"");
      return made;
    });
    net::HttpOptions options;
    options.authenticator = *authenticator;
    net::HttpRequest request;
    request.url = url("https://mail.example.com/");
    return run(context, http.open(request, options)).has_value();
  };
  EXPECT_TRUE(once());
  EXPECT_EQ(sent, (std::vector<std::string>{"none", "NTLM", "NTLM"}));
  sent.clear();
  EXPECT_TRUE(once());
  EXPECT_EQ(sent, (std::vector<std::string>{"NTLM", "NTLM"}));
}

TEST_F(Gssapi, TheChoiceDoesNotTryARefusedPasswordInAWeakerScheme) {
  auto authenticator = make_authenticator(anna("wrong donkey"), AllowedSchemes{}, pool);
  GssAcceptor acceptor("NTLM", {});
  bool basic_seen = false;
  ScriptedHttpClient http([&](const SeenRequest& seen) {
    const auto header = seen.headers.find("Authorization");
    if (header && header->starts_with("Basic")) basic_seen = true;
    auto made = acceptor.handle(seen);
    if (made.status == 401) made.headers.add("WWW-Authenticate", "Basic realm=\"x\"");
    return made;
  });
  net::HttpOptions options;
  options.authenticator = *authenticator;
  net::HttpRequest request;
  request.url = url("https://mail.example.com/");
  EXPECT_FALSE(run(context, http.open(request, options)));
  EXPECT_FALSE(basic_seen);
}

/// SASL carries the same tokens that HTTP carries in a header.
std::string over_sasl(SaslExchange& client, GssAcceptor& server, net::asio::io_context& context) {
  std::string challenge;
  for (int round = 0; round < 4; ++round) {
    auto answer = run(context, client.respond(challenge));
    if (!answer) return answer.error().code;
    SeenRequest request;
    request.headers.set("Authorization", "NTLM " + base64_encode(answer->reveal()));
    const auto reply = server.handle(request);
    if (reply.status == 200) return "signed in";
    const auto value = reply.headers.find("WWW-Authenticate");
    if (!value || !value->starts_with("NTLM ")) return "refused";
    challenge = base64_decode(value->substr(5)).value();
  }
  return "endless";
}

TEST_F(Gssapi, NtlmSignsInOverSaslAndBindsToTheConnection) {
  const auto choose = [&](std::string_view password, std::string binding) {
    return choose_sasl({.mechanisms = {"NTLM"},
                        .is_tls = true,
                        .tls_server_end_point = std::move(binding),
                        .service = "imap",
                        .host = "mail.example.com",
                        .port = 993},
                       {.user = "SAMPLE\\anna", .password = Secret(password)}, {}, pool)
        .value();
  };
  const auto good = choose("correct horse", "0123456789abcdef");
  GssAcceptor server("NTLM", "0123456789abcdef");
  EXPECT_EQ(over_sasl(*good, server, context), "signed in");
  EXPECT_EQ(server.user, "SAMPLE\\anna");
  EXPECT_TRUE(good->finished());
  const auto wrong = choose("wrong donkey", "0123456789abcdef");
  GssAcceptor again("NTLM", "0123456789abcdef");
  EXPECT_EQ(over_sasl(*wrong, again, context), "refused");
  const auto elsewhere = choose("correct horse", "fedcba9876543210");
  GssAcceptor bound("NTLM", "0123456789abcdef");
  EXPECT_EQ(over_sasl(*elsewhere, bound, context), "refused");
  const auto broken = choose("correct horse", "");
  ASSERT_TRUE(run(context, broken->respond("")));
  EXPECT_FALSE(run(context, broken->respond("no NTLM message")));
}

}  // namespace
}  // namespace syncline::auth
