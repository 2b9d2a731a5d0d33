// SPDX-License-Identifier: GPL-3.0-or-later
// Negotiate with Kerberos against a real KDC.
#include "auth/gssapi.hpp"
#include "tests/fake/auth/gss_acceptor.hpp"
#include "tests/real/kerberos/kdc.hpp"

namespace syncline::auth {
namespace {

using testing::GssAcceptor;
using testing::run;
using testing::ScriptedHttpClient;
using testing::SeenRequest;
using testing::url;

class Kerberos : public testing::WithKdc {
 protected:
  struct Outcome {
    Result<std::unique_ptr<net::HttpExchange>> answer;
    std::string user;
    int legs;
  };
  Outcome talk(const Result<std::shared_ptr<net::Authenticator>>& authenticator,
               const std::string& server_binding = {}, const std::string& client_binding = {},
               const std::string& host = "mail.example.com") {
    EXPECT_TRUE(authenticator);
    GssAcceptor acceptor("Negotiate", server_binding);
    ScriptedHttpClient http([&](const SeenRequest& seen) { return acceptor.handle(seen); });
    http.channel_binding = client_binding;
    net::HttpOptions options;
    options.authenticator = *authenticator;
    net::HttpRequest request;
    request.url = url("https://" + host + "/EWS/Exchange.asmx");
    auto answer = run(context, http.open(request, options));
    return {std::move(answer), acceptor.user, acceptor.legs};
  }

  static PasswordCredentials anna(std::string_view password = "correct horse") {
    return {"anna@example.com", Secret(password)};
  }
  static constexpr NegotiateMechanisms kerberos_only{.kerberos = true, .ntlm = false};

  net::asio::io_context context;
  std::shared_ptr<BlockingPool> pool = std::make_shared<BlockingPool>(2);
};

TEST_F(Kerberos, APasswordGetsATicketAndSignsInInOneLeg) {
  const auto outcome = talk(make_negotiate(anna(), kerberos_only, pool));
  ASSERT_TRUE(outcome.answer) << outcome.answer.error().describe();
  EXPECT_EQ(outcome.user, "anna@EXAMPLE.COM");
  EXPECT_EQ(outcome.legs, 1);
}

TEST_F(Kerberos, AWrongPasswordIsTheKdcsRefusal) {
  const auto outcome = talk(make_negotiate(anna("wrong donkey"), kerberos_only, pool));
  ASSERT_FALSE(outcome.answer);
  EXPECT_EQ(outcome.answer.error().retry, RetryClass::reauthenticate) << outcome.answer.error().describe();
  EXPECT_EQ(outcome.answer.error().describe().find("donkey"), std::string::npos);
  EXPECT_EQ(outcome.legs, 0) << "the server never saw it";
}

TEST_F(Kerberos, AKeyTableSignsInWithoutAPassword) {
  KerberosCredentials service;
  service.client_keytab = "FILE:" + (folder_ / "client.keytab").string();
  service.principal = "service@EXAMPLE.COM";
  const auto outcome = talk(make_negotiate(service, kerberos_only, pool));
  ASSERT_TRUE(outcome.answer) << outcome.answer.error().describe();
  EXPECT_EQ(outcome.user, "service@EXAMPLE.COM");
}

TEST_F(Kerberos, TheTicketIsBoundToTheTlsChannel) {
  const std::string hash(32, '\x5a');
  EXPECT_TRUE(talk(make_negotiate(anna(), kerberos_only, pool), hash, hash).answer);
  EXPECT_FALSE(talk(make_negotiate(anna(), kerberos_only, pool), hash, std::string(32, '\x11')).answer);
}

TEST_F(Kerberos, AServiceTheKdcDoesNotKnowIsAClearError) {
  const auto outcome = talk(make_negotiate(anna(), kerberos_only, pool), {}, {}, "other.example.com");
  ASSERT_FALSE(outcome.answer);
  EXPECT_EQ(outcome.answer.error().domain, ErrorDomain::auth);
  EXPECT_NE(outcome.answer.error().message.find("not found"), std::string::npos)
      << outcome.answer.error().describe();
}

TEST_F(Kerberos, LaterConnectionsUseTheTicketAndNotTheKdcAndThenItIsMissed) {
  auto authenticator = make_negotiate(anna(), kerberos_only, pool);
  ASSERT_TRUE(talk(authenticator).answer);
  stop_kdc();
  const auto second = talk(authenticator);
  EXPECT_TRUE(second.answer) << second.answer.error().describe();
  const auto fresh = talk(make_negotiate(anna(), kerberos_only, pool));
  ASSERT_FALSE(fresh.answer);
  EXPECT_EQ(fresh.answer.error().code, "kdc-unreachable") << fresh.answer.error().describe();
  EXPECT_EQ(fresh.answer.error().retry, RetryClass::after);
}

}  // namespace
}  // namespace syncline::auth
