// SPDX-License-Identifier: GPL-3.0-or-later
// Every mechanism against the examples of its standard and against servers written for this test, and the
// choice between them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "auth/blocking_pool.hpp"
#include "auth/sasl.hpp"
#include "base/random.hpp"
#include "tests/unit/auth/support.hpp"
#include "tests/unit/auth_sasl/scram_server.hpp"

namespace {
/// What the next nonce is made of; empty: random octets.
std::string next_nonce;
}  // namespace

/// Stands before libgsasl's own, so that the example of RFC 5802 can be repeated.
extern "C" int gsasl_nonce(char* data, std::size_t size);
extern "C" int gsasl_nonce(char* data, std::size_t size) {
  if (next_nonce.size() >= size) {
    std::memcpy(data, next_nonce.data(), size);
  } else {
    syncline::system_random().fill(std::as_writable_bytes(std::span(data, size)));
  }
  next_nonce.clear();
  return 0;
}

namespace syncline::auth {
namespace {

using testing::run;
using testing::ScramServer;
using namespace std::string_literals;

/// Gives tokens one after the other and says how often it was asked for another one.
class CountingToken final : public TokenSource {
 public:
  net::Async<AccessToken> token() override { co_return current(); }
  net::Async<AccessToken> replace(std::uint64_t refused) override {
    ++asked_anew;
    if (refused == generation && renewable) {
      ++generation;
      renewable = false;  // what was just issued is not issued again
    }
    co_return current();
  }
  std::string pool_key() const override { return "counting"; }
  void credentials_changed() override {}

  std::uint64_t generation = 1;
  bool renewable = true;
  int asked_anew = 0;
  std::string text = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";

 private:
  AccessToken current() const { return {Secret(std::string_view(text)), generation}; }
};

class Sasl : public ::testing::Test {
 protected:
  void TearDown() override { next_nonce.clear(); }

  static SaslOffer offering(std::vector<std::string> mechanisms) {
    return {.mechanisms = std::move(mechanisms),
            .is_tls = true,
            .service = "imap",
            .host = "server.example.com",
            .port = 143};
  }
  static SaslIdentity user(std::string name, std::string_view password) {
    return {.user = std::move(name), .password = Secret(password)};
  }
  SaslIdentity bearer(std::string name = "user@example.com") const {
    return {.user = std::move(name), .token = token};
  }
  std::unique_ptr<SaslExchange> choose(const SaslOffer& offer, const SaslIdentity& identity,
                                       const SaslPolicy& policy = {}) {
    auto chosen = choose_sasl(offer, identity, policy, pool);
    EXPECT_TRUE(chosen) << chosen.error().describe();
    return chosen ? std::move(*chosen) : nullptr;
  }
  std::string chosen_name(const SaslOffer& offer, const SaslIdentity& identity,
                          const SaslPolicy& policy = {}) {
    auto chosen = choose_sasl(offer, identity, policy, pool);
    return chosen ? std::string((*chosen)->mechanism()) : chosen.error().code;
  }
  std::string answer(SaslExchange& exchange, std::string challenge) {
    auto given = run(context, exchange.respond(std::move(challenge)));
    EXPECT_TRUE(given) << given.error().describe();
    return given ? std::string(given->reveal()) : std::string();
  }
  Error refusal(SaslExchange& exchange, std::string challenge) {
    auto given = run(context, exchange.respond(std::move(challenge)));
    EXPECT_FALSE(given) << "answered instead of refusing";
    return given ? Error{} : given.error();
  }

  net::asio::io_context context;
  std::shared_ptr<BlockingPool> pool = std::make_shared<BlockingPool>(0);
  std::shared_ptr<CountingToken> token = std::make_shared<CountingToken>();
};

TEST_F(Sasl, PlainGivesTheExamplesOfRfc4616) {
  auto exchange = choose(offering({"PLAIN"}), user("tim", "tanstaaftanstaaf"));
  EXPECT_TRUE(exchange->client_first());
  EXPECT_EQ(answer(*exchange, ""), "\0tim\0tanstaaftanstaaf"s);
  EXPECT_TRUE(exchange->finished());
  SaslIdentity kurt = user("Kurt", "xipj3plmq");
  kurt.authorization_id = "Ursel";
  auto other = choose(offering({"PLAIN"}), kurt);
  EXPECT_EQ(answer(*other, ""), "Ursel\0Kurt\0xipj3plmq"s);
}

TEST_F(Sasl, PlainPassesOverAGreetingInPlaceOfTheEmptyChallengeAndAnswersOnce) {
  auto exchange = choose(offering({"PLAIN"}), user("tim", "pass"));
  EXPECT_EQ(answer(*exchange, "Go ahead"), "\0tim\0pass"s);
  EXPECT_EQ(refusal(*exchange, "more?").code, "sasl-protocol");
}

TEST_F(Sasl, LoginAnswersTwoQuestionsWhateverTheyAreCalled) {
  auto exchange = choose(offering({"LOGIN"}), user("tim", "tanstaaf"));
  EXPECT_FALSE(exchange->client_first());
  EXPECT_EQ(answer(*exchange, "Username:"), "tim");
  EXPECT_EQ(answer(*exchange, "Geheimnis?"), "tanstaaf");
  EXPECT_EQ(refusal(*exchange, "PIN:").code, "sasl-protocol");
}

TEST_F(Sasl, CramMd5GivesTheExampleOfRfc2195) {
  auto exchange = choose(offering({"CRAM-MD5"}), user("tim", "tanstaaftanstaaf"));
  EXPECT_FALSE(exchange->client_first());
  EXPECT_EQ(answer(*exchange, "<1896.697170952@postoffice.reston.mci.net>"),
            "tim b913a602c7eda7a495b4e6e7334d3890");
  EXPECT_TRUE(exchange->finished());
}

TEST_F(Sasl, ScramSha1GivesTheExampleOfRfc5802) {
  next_nonce = base64_decode("fyko+d2lbbFgONRv9qkxdawL").value();
  auto exchange = choose(offering({"SCRAM-SHA-1"}), user("user", "pencil"));
  EXPECT_EQ(answer(*exchange, ""), "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
  EXPECT_EQ(answer(*exchange, "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"),
            "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=");
  EXPECT_EQ(answer(*exchange, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="), "");
  EXPECT_TRUE(exchange->finished());
}

TEST_F(Sasl, TheTestsScramServerGivesTheExampleOfRfc7677) {
  ScramServer server(EVP_sha256(), "pencil", base64_decode("W22ZaJ0SNY7soEsUEjb6gQ==").value(), 4096);
  EXPECT_EQ(server.first("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"),
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
  EXPECT_EQ(server.last("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                        "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="),
            "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

TEST_F(Sasl, ScramProvesBothSidesWithEitherHash) {
  const std::pair<const char*, const EVP_MD*> rows[] = {{"SCRAM-SHA-1", EVP_sha1()},
                                                        {"SCRAM-SHA-256", EVP_sha256()}};
  for (const auto& [name, digest] : rows) {
    ScramServer server(digest, "pencil", "salty", 4096);
    auto exchange = choose(offering({name}), user("a=b,c", "pencil"));
    EXPECT_EQ(exchange->mechanism(), name);
    const std::string challenge = server.first(answer(*exchange, ""));
    EXPECT_EQ(server.user, "a=3Db=2Cc");
    const std::string last = server.last(answer(*exchange, challenge));
    EXPECT_TRUE(server.accepted) << last;
    EXPECT_FALSE(exchange->finished()) << "the server has proved nothing yet";
    EXPECT_EQ(answer(*exchange, last), "");
    EXPECT_TRUE(exchange->finished());
  }
}

TEST_F(Sasl, ScramNamesAnotherMailbox) {
  ScramServer server(EVP_sha256(), "pencil", "salty", 4096);
  SaslIdentity kurt = user("kurt", "pencil");
  kurt.authorization_id = "ursel";
  auto exchange = choose(offering({"SCRAM-SHA-256", "LOGIN"}), kurt);
  const std::string challenge = server.first(answer(*exchange, ""));
  EXPECT_EQ(server.gs2_header, "n,a=ursel,");
  server.last(answer(*exchange, challenge));
  EXPECT_TRUE(server.accepted);
}

TEST_F(Sasl, ScramBindsItselfToTheConnection) {
  const std::string binding(32, '\x7e');
  SaslOffer offer = offering({"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "PLAIN"});
  offer.tls_exporter = binding;
  ScramServer server(EVP_sha256(), "pencil", "salty", 4096);
  server.binding = binding;
  auto exchange = choose(offer, user("user", "pencil"));
  EXPECT_EQ(exchange->mechanism(), "SCRAM-SHA-256-PLUS");
  const std::string challenge = server.first(answer(*exchange, ""));
  EXPECT_EQ(server.gs2_header, "p=tls-exporter,,");
  EXPECT_EQ(answer(*exchange, server.last(answer(*exchange, challenge))), "");
  EXPECT_TRUE(server.accepted);
  EXPECT_TRUE(exchange->finished());
}

TEST_F(Sasl, AServerOnAnotherConnectionNoticesTheWrongBinding) {
  SaslOffer offer = offering({"SCRAM-SHA-1-PLUS"});
  offer.tls_exporter = std::string(32, 'a');
  ScramServer server(EVP_sha1(), "pencil", "salty", 4096);
  server.binding = std::string(32, 'b');
  auto exchange = choose(offer, user("user", "pencil"));
  const std::string challenge = server.first(answer(*exchange, ""));
  const std::string last = server.last(answer(*exchange, challenge));
  EXPECT_EQ(last, "e=channel-bindings-dont-match");
  EXPECT_EQ(refusal(*exchange, last).code, "sasl-protocol");
  EXPECT_FALSE(exchange->finished());
}

TEST_F(Sasl, AServerThatBindsOtherwiseIsSignedInToWithoutABinding) {
  SaslOffer offer = offering({"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"});
  offer.tls_exporter = std::string(32, 'a');
  auto exchange = choose(offer, user("user", "pencil"));
  EXPECT_EQ(exchange->mechanism(), "SCRAM-SHA-256-PLUS");
  EXPECT_TRUE(answer(*exchange, "").starts_with("p="));
  // Refused at once: nothing that was said had to do with the password.
  ASSERT_TRUE(run(context, exchange->renew("credentials-refused")).value());
  EXPECT_EQ(exchange->mechanism(), "SCRAM-SHA-256");
  ScramServer server(EVP_sha256(), "pencil", "salty", 4096);
  const std::string challenge = server.first(answer(*exchange, ""));
  EXPECT_EQ(server.gs2_header, "n,,");
  EXPECT_EQ(answer(*exchange, server.last(answer(*exchange, challenge))), "");
  EXPECT_TRUE(server.accepted);
  EXPECT_TRUE(exchange->finished());
  EXPECT_FALSE(run(context, exchange->renew("credentials-refused")).value()) << "once";
}

TEST_F(Sasl, AServerThatFindsTheBindingWrongIsSignedInToWithoutOne) {
  SaslOffer offer = offering({"SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"});
  offer.tls_exporter = std::string(32, 'a');
  ScramServer server(EVP_sha1(), "pencil", "salty", 4096);
  server.binding = std::string(32, 'b');
  auto exchange = choose(offer, user("user", "pencil"));
  server.last(answer(*exchange, server.first(answer(*exchange, ""))));
  // As Cyrus IMAP and Postfix over Cyrus SASL say it.
  const Error refused = sasl_refusal(*exchange, "authentication failed: bad protocol / cancel");
  EXPECT_EQ(refused.code, "binding-refused");
  EXPECT_EQ(refused.retry, RetryClass::reauthenticate);
  ASSERT_TRUE(run(context, exchange->renew(refused.code)).value());
  EXPECT_EQ(exchange->mechanism(), "SCRAM-SHA-1");
  server.binding.clear();
  EXPECT_EQ(answer(*exchange, server.last(answer(*exchange, server.first(answer(*exchange, ""))))), "");
  EXPECT_TRUE(server.accepted);
  EXPECT_TRUE(exchange->finished());
  EXPECT_EQ(sasl_refusal(*exchange, "bad protocol / cancel").code, "credentials-refused");
}

TEST_F(Sasl, APasswordThatWasJudgedIsNotTriedAgainWithoutABinding) {
  SaslOffer offer = offering({"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"});
  offer.tls_exporter = std::string(32, 'a');
  ScramServer server(EVP_sha256(), "another", "salty", 4096);
  server.binding = offer.tls_exporter;
  auto judged = choose(offer, user("user", "pencil"));
  answer(*judged, server.first(answer(*judged, "")));
  EXPECT_FALSE(run(context, judged->renew("credentials-refused")).value());
  // Nor one that settings do not allow, or that is not offered.
  auto bound_only = choose(offer, user("user", "pencil"), {.allowed = {"SCRAM-SHA-256-PLUS"}});
  answer(*bound_only, "");
  EXPECT_FALSE(run(context, bound_only->renew("credentials-refused")).value());
  SaslOffer less = offering({"SCRAM-SHA-256-PLUS", "SCRAM-SHA-1"});
  less.tls_exporter = offer.tls_exporter;
  auto alone = choose(less, user("user", "pencil"));
  answer(*alone, "");
  EXPECT_FALSE(run(context, alone->renew("credentials-refused")).value());
}

TEST_F(Sasl, WithoutPlusNoBindingIsClaimed) {
  const auto flag = [&](std::vector<std::string> mechanisms, const SaslPolicy& policy) {
    SaslOffer offer = offering(std::move(mechanisms));
    offer.tls_exporter = std::string(32, 'x');
    auto exchange = choose(offer, user("user", "pencil"), policy);
    return answer(*exchange, "").substr(0, 2);
  };
  EXPECT_EQ(flag({"SCRAM-SHA-256"}, {}), "n,");
  // RFC 5802 section 6: a server that offers -PLUS must refuse a client that claims it does not.
  EXPECT_EQ(flag({"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"}, {.allowed = {"SCRAM-SHA-256"}}), "n,");
}

TEST_F(Sasl, AServerThatDoesNotKnowThePasswordIsFoundOut) {
  ScramServer server(EVP_sha256(), "pencil", "salty", 4096);
  auto exchange = choose(offering({"SCRAM-SHA-256"}), user("user", "pencil"));
  const std::string challenge = server.first(answer(*exchange, ""));
  answer(*exchange, challenge);
  const Error error = refusal(*exchange, "v=" + base64_encode(std::string(32, 'z')));
  EXPECT_EQ(error.code, "server-not-authentic");
  EXPECT_EQ(error.retry, RetryClass::never);
  EXPECT_FALSE(exchange->finished());
}

TEST_F(Sasl, AServerThatClaimsSuccessWithoutItsProofIsFoundOut) {
  ScramServer server(EVP_sha256(), "pencil", "salty", 4096);
  auto exchange = choose(offering({"SCRAM-SHA-256"}), user("user", "pencil"));
  EXPECT_EQ(exchange->finished().error().code, "server-not-authentic");
  answer(*exchange, server.first(answer(*exchange, "")));
  EXPECT_EQ(exchange->finished().error().code, "server-not-authentic");
}

TEST_F(Sasl, AWrongPasswordIsToldFromABrokenServer) {
  ScramServer server(EVP_sha256(), "another", "salty", 4096);
  auto exchange = choose(offering({"SCRAM-SHA-256"}), user("user", "pencil-secret"));
  const std::string last = server.last(answer(*exchange, server.first(answer(*exchange, ""))));
  EXPECT_EQ(last, "e=invalid-proof");
  const Error error = refusal(*exchange, last);
  EXPECT_EQ(error.code, "credentials-refused");
  EXPECT_EQ(error.retry, RetryClass::reauthenticate);
  EXPECT_EQ(error.describe().find("pencil-secret"), std::string::npos);
}

TEST_F(Sasl, ScramRefusesWhatIsExpensiveUnsafeOrMalformed) {
  const auto refuse = [&](const std::string& tail, bool tls, bool own_nonce = true) {
    SaslOffer offer = offering({"SCRAM-SHA-256"});
    offer.is_tls = tls;
    auto exchange = choose(offer, user("user", "pencil"));
    const std::string first = answer(*exchange, "");
    const std::string nonce = first.substr(first.rfind("r=") + 2);
    const Error error = refusal(*exchange, "r=" + (own_nonce ? nonce + "more" : "stranger") + tail);
    EXPECT_EQ(error.code, "sasl-protocol") << tail;
    EXPECT_EQ(refusal(*exchange, "v=AAAA").code, "sasl-protocol") << "it goes on after " << tail;
    EXPECT_FALSE(exchange->finished());
  };
  refuse(",s=c2FsdHk=,i=4294967295", true);
  refuse(",s=c2FsdHk=,i=99999999999999999999", true);
  refuse(",s=c2FsdHk=,i=1000001", true);
  refuse(",s=c2FsdHk=,i=0", true);
  refuse(",s=c2FsdHk=,i=-1", true);
  refuse(",s=c2FsdHk=,i=", true);
  refuse(",s=c2FsdHk=", true);
  refuse("", true);
  refuse(",s=c2FsdHk=,i=4095", false);
  refuse(",s=c2FsdHk=,i=4096", true, false);
  // Over TLS few rounds are the server's own affair.
  auto exchange = choose(offering({"SCRAM-SHA-256"}), user("user", "pencil"));
  const std::string first = answer(*exchange, "");
  answer(*exchange, first.substr(first.rfind("r=")) + "more,s=c2FsdHk=,i=1");
}

TEST_F(Sasl, OauthbearerGivesTheExampleOfRfc7628) {
  auto exchange = choose(offering({"OAUTHBEARER"}), bearer());
  EXPECT_TRUE(exchange->client_first());
  EXPECT_EQ(answer(*exchange, ""),
            "n,a=user@example.com,\x01host=server.example.com\x01port=143\x01"
            "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01");
  EXPECT_EQ(exchange->server_error(), "");
  EXPECT_TRUE(exchange->finished());
}

TEST_F(Sasl, OauthbearerEscapesTheUsersName) {
  auto exchange = choose(offering({"OAUTHBEARER"}), bearer("a=b,c@example.com"));
  EXPECT_TRUE(answer(*exchange, "").starts_with("n,a=a=3Db=2Cc@example.com,\x01"));
}

TEST_F(Sasl, Xoauth2GivesTheExampleOfItsDescription) {
  token->text = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg";
  auto exchange = choose(offering({"XOAUTH2"}), bearer("someuser@example.com"));
  EXPECT_EQ(base64_encode(answer(*exchange, "")),
            "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1s"
            "emRHRXVZMjl0Q2cBAQ==");
}

TEST_F(Sasl, TheErrorChallengeIsAcknowledgedAsEachMechanismWants) {
  const std::string said = R"({"status":"401","schemes":"bearer mac","scope":"https://mail.google.com/"})";
  auto google = choose(offering({"XOAUTH2"}), bearer());
  answer(*google, "");
  EXPECT_EQ(answer(*google, said), "");
  EXPECT_EQ(google->server_error(), "status 401, scope https://mail.google.com/");
  EXPECT_EQ(refusal(*google, said).code, "sasl-protocol") << "one error is enough";

  auto standard = choose(offering({"OAUTHBEARER"}), bearer());
  answer(*standard, "");
  EXPECT_EQ(answer(*standard, R"({"status":"invalid_token"})"), "\x01");
  const Error error = sasl_refusal(*standard, "[AUTHENTICATIONFAILED] Authentication failed.");
  EXPECT_EQ(error.code, "token-refused");
  EXPECT_EQ(error.retry, RetryClass::reauthenticate);
  EXPECT_NE(error.message.find("invalid_token"), std::string::npos) << error.message;
  EXPECT_NE(error.message.find("[AUTHENTICATIONFAILED]"), std::string::npos) << error.message;
  EXPECT_EQ(error.message.find(token->text), std::string::npos);
}

TEST_F(Sasl, AnErrorChallengeThatIsNoJsonIsShownOnOneLine) {
  for (const std::string& said :
       {"{\"status\":"s, "eyJ\r\nX-Evil: 1\x1b[2J"s, std::string(200, '['), ""s, std::string("\xff\xfe\0", 3),
        "{\"status\":{\"a\":1}}"s, std::string(60'000, 'x')}) {
    auto exchange = choose(offering({"XOAUTH2"}), bearer());
    answer(*exchange, "");
    EXPECT_EQ(answer(*exchange, said), "");
    const std::string shown = exchange->server_error();
    EXPECT_FALSE(shown.empty());
    EXPECT_LT(shown.size(), 2000U);
    EXPECT_TRUE(std::none_of(shown.begin(), shown.end(), [](char c) { return c >= 0 && c < 0x20; })) << shown;
  }
}

TEST_F(Sasl, ARefusedTokenIsReplacedOnceAndThenAPersonIsNeeded) {
  const SaslOffer offer = offering({"XOAUTH2"});
  auto first = choose(offer, bearer());
  EXPECT_FALSE(run(context, first->renew("credentials-refused")).value()) << "nothing was sent yet";
  answer(*first, "");
  EXPECT_TRUE(run(context, first->renew("credentials-refused")).value());
  auto second = choose(offer, bearer());
  answer(*second, "");
  EXPECT_FALSE(run(context, second->renew("credentials-refused")).value());
  EXPECT_EQ(token->asked_anew, 2);
  // The refused exchange may be used once more, as well.
  token->renewable = true;
  answer(*second, R"({"status":"401"})");
  EXPECT_TRUE(run(context, second->renew("credentials-refused")).value());
  EXPECT_EQ(second->server_error(), "");
  EXPECT_TRUE(answer(*second, "").starts_with("user=user@example.com\x01"));
  auto with_password = choose(offering({"PLAIN"}), user("tim", "pass"));
  EXPECT_FALSE(run(context, with_password->renew("credentials-refused")).value());
}

TEST_F(Sasl, RefusalsSayWhatAPersonCanDo) {
  auto exchange = choose(offering({"PLAIN"}), user("tim", "tanstaaf"));
  const Error wrong = sasl_refusal(*exchange, "535 5.7.8 Error: authentication failed: \r\n");
  EXPECT_EQ(wrong.code, "credentials-refused");
  EXPECT_EQ(wrong.retry, RetryClass::reauthenticate);
  EXPECT_EQ(wrong.domain, ErrorDomain::auth);
  EXPECT_NE(wrong.message.find("535 5.7.8"), std::string::npos);
  for (const std::string said :
       {"BAD User is authenticated but not connected.", "NO [AUTHORIZATIONFAILED] no such authorization-ID",
        "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
        "NO [ALERT] Your account is not enabled for IMAP use. Please visit your Gmail settings page."}) {
    const Error error = sasl_refusal(*exchange, said);
    EXPECT_EQ(error.code, "not-authorised") << said;
    EXPECT_EQ(error.retry, RetryClass::reauthenticate) << said;
    EXPECT_TRUE(is_not_authorised(said));
  }
  EXPECT_FALSE(is_not_authorised("535 Incorrect authentication data"));
  EXPECT_LT(sasl_refusal(*exchange, std::string(1 << 20, '\x07')).message.size(), 4000U);
}

TEST_F(Sasl, TheStrongestThatFitsIsChosen) {
  std::vector<std::string> all = {"LOGIN",         "NTLM",        "plain",   "CRAM-MD5", "SCRAM-SHA-1",
                                  "Scram-Sha-256", "OAUTHBEARER", "GSSAPI",  "XOAUTH2",  "SCRAM-SHA-256-PLUS",
                                  "DIGEST-MD5",    "ANONYMOUS",   "EXTERNAL"};
  SaslOffer offer = offering(all);
  EXPECT_EQ(chosen_name(offer, user("tim", "pass")), "SCRAM-SHA-256");
  offer.tls_exporter = std::string(32, 'x');
  EXPECT_EQ(chosen_name(offer, user("tim", "pass")), "SCRAM-SHA-256-PLUS");
  EXPECT_EQ(chosen_name(offer, bearer()), "OAUTHBEARER");
  EXPECT_EQ(chosen_name(offer, bearer(), {.allowed = {"xoauth2"}}), "XOAUTH2");
  EXPECT_EQ(chosen_name(offer, {.integrated = KerberosCredentials{}}), "GSSAPI");
  EXPECT_EQ(chosen_name(offering({"NTLM", "LOGIN"}), user("tim", "pass")), "LOGIN");
  EXPECT_EQ(chosen_name(offering({"LOGIN", "PLAIN"}), user("tim", "pass")), "PLAIN");
  EXPECT_EQ(chosen_name(offering({"PLAIN", "CRAM-MD5"}), user("tim", "pass")), "CRAM-MD5");
  EXPECT_EQ(chosen_name(offering({"NTLM"}), user("tim", "pass")), "NTLM");
}

TEST_F(Sasl, NothingThatCouldBeReadGoesOutWithoutTls) {
  SaslOffer offer = offering({"PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"});
  offer.is_tls = false;
  EXPECT_EQ(chosen_name(offer, user("tim", "pass")), "no-mechanism");
  EXPECT_EQ(chosen_name(offer, bearer()), "no-mechanism");
  EXPECT_EQ(chosen_name(offer, user("tim", "pass"), {.clear_text_without_tls = true}), "PLAIN");
  EXPECT_EQ(chosen_name(offer, bearer(), {.clear_text_without_tls = true}), "OAUTHBEARER");
  offer.mechanisms.push_back("CRAM-MD5");
  EXPECT_EQ(chosen_name(offer, user("tim", "pass")), "CRAM-MD5");
}

TEST_F(Sasl, FipsModeOffersPlainOverTlsKerberosAndOauthOnly) {
  const SaslPolicy fips{.fips = true};
  SaslOffer offer = offering({"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1", "CRAM-MD5", "NTLM",
                              "LOGIN", "PLAIN", "GSSAPI", "XOAUTH2"});
  offer.tls_exporter = std::string(32, 'x');
  EXPECT_EQ(chosen_name(offer, user("tim", "pass"), fips), "PLAIN");
  EXPECT_EQ(chosen_name(offer, bearer(), fips), "XOAUTH2");
  EXPECT_EQ(chosen_name(offer, {.integrated = KerberosCredentials{}}, fips), "GSSAPI");
  offer.is_tls = false;
  EXPECT_EQ(chosen_name(offer, user("tim", "pass"), fips), "no-mechanism");
  EXPECT_EQ(chosen_name(offer, user("tim", "pass"), {.clear_text_without_tls = true, .fips = true}),
            "no-mechanism");
  EXPECT_EQ(chosen_name(offer, bearer(), {.clear_text_without_tls = true, .fips = true}), "no-mechanism");
}

TEST_F(Sasl, WhyNothingFitsIsSaidForEachOffer) {
  SaslOffer offer = offering({"PLAIN", "XOAUTH2", "GSSAPI", "SCRAM-SHA-1", "X-\x1b[2J"});
  offer.is_tls = false;
  auto none = choose_sasl(offer, user("tim", "tanstaaf"), {.allowed = {"PLAIN"}}, pool);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().retry, RetryClass::never);
  const std::string& text = none.error().message;
  EXPECT_NE(text.find("server.example.com"), std::string::npos);
  EXPECT_NE(text.find("PLAIN: it needs TLS"), std::string::npos) << text;
  EXPECT_NE(text.find("SCRAM-SHA-1: the settings do not allow it"), std::string::npos) << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
  EXPECT_EQ(text.find("tanstaaf"), std::string::npos);
  EXPECT_NE(
      choose_sasl(offering({}), user("tim", "pass"), {}, pool).error().message.find("no way to sign in"),
      std::string::npos);
  SaslOffer many = offering(std::vector<std::string>(100'000, "X-UNKNOWN"));
  EXPECT_LT(choose_sasl(many, user("tim", "pass"), {}, pool).error().message.size(), 4000U);
}

TEST_F(Sasl, NamesThatCouldForgeFieldsAreRefused) {
  EXPECT_EQ(chosen_name(offering({"XOAUTH2"}), bearer("a\x01"
                                                      "auth=Bearer x")),
            "bad-credentials");
  EXPECT_EQ(chosen_name(offering({"XOAUTH2"}), bearer("a\r\nb")), "bad-credentials");
  EXPECT_EQ(chosen_name(offering({"XOAUTH2"}), bearer("")), "bad-credentials");
  EXPECT_EQ(chosen_name(offering({"PLAIN"}), user("a\0b"s, "pass")), "bad-credentials");
  EXPECT_EQ(chosen_name(offering({"PLAIN"}), user("a", "pa\nss")), "bad-credentials");
  EXPECT_EQ(chosen_name(offering({"PLAIN"}), user("a", "")), "bad-credentials");
  SaslIdentity other = user("a", "pass");
  other.authorization_id = "b\0c"s;
  EXPECT_EQ(chosen_name(offering({"PLAIN"}), other), "bad-credentials");
}

TEST_F(Sasl, OnlyWhatCanNameAnotherMailboxIsUsedForOne) {
  SaslIdentity kurt = user("kurt", "pass");
  kurt.authorization_id = "ursel";
  EXPECT_EQ(chosen_name(offering({"CRAM-MD5", "LOGIN", "NTLM"}), kurt), "no-mechanism");
  EXPECT_EQ(chosen_name(offering({"CRAM-MD5", "LOGIN", "PLAIN"}), kurt), "PLAIN");
  kurt.authorization_id = "kurt";
  EXPECT_EQ(chosen_name(offering({"CRAM-MD5", "LOGIN", "PLAIN"}), kurt), "CRAM-MD5");
}

TEST_F(Sasl, ScramWorksOnAPoolOfThreads) {
  pool = std::make_shared<BlockingPool>(2);
  ScramServer server(EVP_sha256(), "pencil", "salty", 20'000);
  auto exchange = choose(offering({"SCRAM-SHA-256"}), user("user", "pencil"));
  const std::string challenge = server.first(answer(*exchange, ""));
  EXPECT_EQ(answer(*exchange, server.last(answer(*exchange, challenge))), "");
  EXPECT_TRUE(exchange->finished());
}

TEST_F(Sasl, HostileChallengesNeverDoMoreThanFail) {
  SeededRandom random(7);
  const std::vector<std::string> shapes = {"r=,s=,i=",
                                           "r=x,s=!!!!,i=4096",
                                           "m=ext,r=x,s=AAAA,i=4096",
                                           "v=",
                                           "e=",
                                           "e=" + std::string(5000, 'x'),
                                           std::string(",", 1),
                                           std::string(4000, ','),
                                           std::string(1, '\0')};
  for (const char* name :
       {"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER"}) {
    const bool with_token = std::string_view(name).find("OAUTH") != std::string_view::npos;
    int proved = 0;
    for (int i = 0; i < 400; ++i) {
      auto exchange = choose(offering({name}), with_token ? bearer() : user("tim", "tanstaaf"));
      const std::string first = exchange->client_first() ? answer(*exchange, "") : std::string();
      const auto nonce = first.rfind("r=");
      for (int turn = 0; turn < 4; ++turn) {
        std::string challenge;
        if (random.below(3) == 0 && nonce != std::string::npos && turn == 0) {
          challenge = first.substr(nonce) + "y,s=c2FsdA==,i=1";
        } else if (random.below(2) == 0) {
          challenge = shapes[random.below(shapes.size())];
        } else {
          challenge.resize(random.below(300));
          random.fill(std::as_writable_bytes(std::span(challenge)));
        }
        auto given = run(context, exchange->respond(std::move(challenge)));
        if (!given) {
          EXPECT_EQ(given.error().domain, ErrorDomain::auth);
          EXPECT_EQ(given.error().describe().find("tanstaaf"), std::string::npos);
          break;
        }
      }
      if (exchange->finished()) ++proved;
    }
    if (std::string_view(name).starts_with("SCRAM")) {
      EXPECT_EQ(proved, 0) << name;
    }
    auto exchange = choose(offering({name}), with_token ? bearer() : user("tim", "tanstaaf"));
    EXPECT_EQ(refusal(*exchange, std::string(max_sasl_challenge_octets + 1, 'x')).code, "sasl-protocol")
        << name;
  }
}

}  // namespace
}  // namespace syncline::auth
