// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/json.hpp>

#include "auth/bearer.hpp"
#include "auth/oauth.hpp"
#include "auth/stored_grant.hpp"
#include "base/base64.hpp"
#include "base/text.hpp"
#include "tests/unit/auth/support.hpp"

namespace syncline::auth {
namespace {

using testing::ManualClock;
using testing::MemorySecretStore;
using testing::response;
using testing::run;
using testing::ScriptedHttpClient;
using testing::SeenRequest;
using testing::url;
using namespace std::chrono_literals;

std::map<std::string, std::string> form_of(const std::string& body) {
  std::map<std::string, std::string> fields;
  for (const std::string_view pair : text::split(body, '&')) {
    const auto equals = pair.find('=');
    std::string value;
    for (std::size_t i = equals + 1; i < pair.size(); ++i) {
      if (pair[i] == '%') {
        value += static_cast<char>(std::stoi(std::string(pair.substr(i + 1, 2)), nullptr, 16));
        i += 2;
      } else {
        value += pair[i];
      }
    }
    fields[std::string(pair.substr(0, equals))] = value;
  }
  return fields;
}

net::HttpResponse granted(std::string_view token, int lifetime_s = 3600, std::string_view refresh = {}) {
  boost::json::object body{{"token_type", "Bearer"}, {"access_token", token}, {"expires_in", lifetime_s}};
  if (!refresh.empty()) body["refresh_token"] = refresh;
  return response(200, boost::json::serialize(body));
}

net::HttpResponse refused(int status, std::string_view code) {
  return response(status,
                  boost::json::serialize(boost::json::object{
                      {"error", code}, {"error_description", "AADSTS70000: first line.\r\nTrace ID: 1"}}));
}

std::string kept_token(const MemorySecretStore& store) {
  return std::string(StoredGrant::parse(store.kept.at("mailbox"))->refresh_token.reveal());
}

class OAuth : public ::testing::Test {
 protected:
  TokenEnvironment environment(net::HttpClient& http) {
    return {context.get_executor(), http, clock, random};
  }
  static TokenEndpoint endpoint() {
    TokenEndpoint made;
    made.url = url("https://login.example.com/tenant/oauth2/v2.0/token");
    made.scope = "https://outlook.office365.com/.default";
    made.client_id = "client-1";
    made.proof = Secret(std::string_view("s3cr3t &+%"));
    return made;
  }

  net::asio::io_context context;
  ManualClock clock;
  SeededRandom random{1};
  MemorySecretStore store;
};

TEST_F(OAuth, AsksWithTheClientsSecretAndKeepsTheTokenUntilShortlyBeforeItsEnd) {
  int issued = 0;
  ScriptedHttpClient http(
      [&](const SeenRequest&) { return granted("token-" + std::to_string(++issued), 3600); });
  auto source = make_client_credentials(environment(http), endpoint());
  ASSERT_TRUE(source);
  EXPECT_EQ(run(context, (*source)->token())->value.reveal(), "token-1");
  clock.advance(3299s);
  EXPECT_EQ(run(context, (*source)->token())->value.reveal(), "token-1");
  clock.advance(2s);
  EXPECT_EQ(run(context, (*source)->token())->value.reveal(), "token-2");
  const auto fields = form_of(http.requests.at(0).body);
  EXPECT_EQ(fields.at("grant_type"), "client_credentials");
  EXPECT_EQ(fields.at("client_id"), "client-1");
  EXPECT_EQ(fields.at("client_secret"), "s3cr3t &+%");
  EXPECT_EQ(fields.at("scope"), "https://outlook.office365.com/.default");
  EXPECT_EQ(http.requests.at(0).method, "POST");
}

TEST_F(OAuth, TwentyWaitersMakeOneRequest) {
  ScriptedHttpClient http([](const SeenRequest&) { return granted("shared"); });
  net::Event gate(context.get_executor());
  http.gate = &gate;
  auto source = make_client_credentials(environment(http), endpoint());
  int served = 0;
  for (int i = 0; i < 20; ++i) {
    net::asio::co_spawn(
        context,
        [](std::shared_ptr<TokenSource> from, int& count) -> net::asio::awaitable<void> {
          auto token = co_await from->token();
          if (token && token->value.reveal() == "shared") ++count;
        }(*source, served),
        net::asio::detached);
  }
  context.poll();
  EXPECT_EQ(served, 0);
  gate.notify_all();
  context.restart();
  context.run();
  EXPECT_EQ(served, 20);
  EXPECT_EQ(http.requests.size(), 1U);
}

TEST_F(OAuth, AWaiterThatGivesUpDoesNotTakeTheOthersAnswerAway) {
  ScriptedHttpClient http([](const SeenRequest&) { return granted("shared"); });
  net::Event gate(context.get_executor());
  http.gate = &gate;
  auto source = make_client_credentials(environment(http), endpoint());
  net::asio::cancellation_signal cancel;
  std::optional<Result<AccessToken>> first;
  std::optional<Result<AccessToken>> second;
  const auto ask = [](std::shared_ptr<TokenSource> from,
                      std::optional<Result<AccessToken>>& out) -> net::asio::awaitable<void> {
    out.emplace(co_await from->token());
  };
  net::asio::co_spawn(context, ask(*source, first),
                      net::asio::bind_cancellation_slot(cancel.slot(), net::asio::detached));
  net::asio::co_spawn(context, ask(*source, second), net::asio::detached);
  context.poll();
  cancel.emit(net::asio::cancellation_type::terminal);
  context.restart();
  context.poll();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->error().code, "cancelled");
  gate.notify_all();
  context.restart();
  context.run();
  ASSERT_TRUE(second && second->has_value());
  EXPECT_EQ((*second)->value.reveal(), "shared");
  EXPECT_EQ(http.requests.size(), 1U);
}

TEST_F(OAuth, ReplacesARefusedTokenOnceForAllWhoHadItRefused) {
  int issued = 0;
  ScriptedHttpClient http([&](const SeenRequest&) { return granted("token-" + std::to_string(++issued)); });
  auto source = make_client_credentials(environment(http), endpoint());
  const auto first = run(context, (*source)->token());
  clock.advance(10min);
  EXPECT_EQ(run(context, (*source)->replace(first->generation))->value.reveal(), "token-2");
  EXPECT_EQ(run(context, (*source)->replace(first->generation))->value.reveal(), "token-2");
  EXPECT_EQ(issued, 2);
}

TEST_F(OAuth, A401ToAFreshTokenDoesNotLoop) {
  int issued = 0;
  ScriptedHttpClient login([&](const SeenRequest&) { return granted("token-" + std::to_string(++issued)); });
  ScriptedHttpClient exchange([](const SeenRequest&) {
    return response(401, {}, {{"WWW-Authenticate", "Bearer error=\"invalid_token\""}});
  });
  auto source = make_client_credentials(environment(login), endpoint());
  net::HttpOptions options;
  options.authenticator = make_bearer(*source);
  for (int i = 0; i < 10; ++i) {
    net::HttpRequest request;
    request.url = url("https://mail.example.com/EWS/Exchange.asmx");
    const auto answer = run(context, exchange.open(request, options));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, "token-refused");
  }
  EXPECT_EQ(issued, 1);
  EXPECT_EQ(exchange.requests.size(), 10U);
}

TEST_F(OAuth, InvalidGrantStopsAllTrafficUntilSomeoneSignsIn) {
  bool signed_in = false;
  ScriptedHttpClient http(
      [&](const SeenRequest&) { return signed_in ? granted("good") : refused(400, "invalid_grant"); });
  store.kept.emplace("mailbox", Secret(std::string_view("dead")));
  auto source = make_refresh_grant(environment(http), endpoint(), store, "mailbox");
  for (int i = 0; i < 20; ++i) {
    const auto token = run(context, (*source)->token());
    ASSERT_FALSE(token);
    EXPECT_EQ(token.error().code, "invalid_grant");
    EXPECT_EQ(token.error().retry, RetryClass::reauthenticate);
    EXPECT_NE(token.error().message.find("AADSTS70000"), std::string::npos);
    EXPECT_EQ(token.error().message.find("Trace ID"), std::string::npos);
    clock.advance(1h);
  }
  EXPECT_EQ(http.requests.size(), 1U);
  signed_in = true;
  store.kept.insert_or_assign("mailbox", Secret(std::string_view("alive")));
  (*source)->credentials_changed();
  EXPECT_EQ(run(context, (*source)->token())->value.reveal(), "good");
  EXPECT_EQ(form_of(http.requests.at(1).body).at("refresh_token"), "alive");
}

TEST_F(OAuth, ARotatedRefreshTokenIsKeptBeforeTheAccessTokenIsHandedOut) {
  int turn = 0;
  ScriptedHttpClient http([&](const SeenRequest& seen) {
    const std::string expected = "refresh-" + std::to_string(turn);
    EXPECT_EQ(form_of(seen.body).at("refresh_token"), expected);
    ++turn;
    return granted("access-" + std::to_string(turn), 3600, "refresh-" + std::to_string(turn));
  });
  store.kept.emplace("mailbox", Secret(std::string_view("refresh-0")));
  auto source = make_refresh_grant(environment(http), endpoint(), store, "mailbox");
  store.refuse_puts = true;
  const auto lost = run(context, (*source)->token());
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, "disk-full");
  EXPECT_EQ(http.requests.size(), 1U);
  // The new token exists only in memory: it must not be lost by asking again with the old one.
  EXPECT_FALSE(run(context, (*source)->token()));
  EXPECT_EQ(http.requests.size(), 1U);
  store.refuse_puts = false;
  EXPECT_EQ(run(context, (*source)->token())->value.reveal(), "access-1");
  EXPECT_EQ(http.requests.size(), 1U);
  EXPECT_EQ(kept_token(store), "refresh-1");
  clock.advance(1h);
  EXPECT_EQ(run(context, (*source)->token())->value.reveal(), "access-2");
  EXPECT_EQ(kept_token(store), "refresh-2");
}

TEST_F(OAuth, TakesTheRefreshTokenThatAnotherProcessHasRotated) {
  ScriptedHttpClient http([&](const SeenRequest& seen) {
    if (form_of(seen.body).at("refresh_token") == "old") {
      store.kept.insert_or_assign("mailbox", Secret(std::string_view("new")));
      return refused(400, "invalid_grant");
    }
    return granted("good");
  });
  store.kept.emplace("mailbox", Secret(std::string_view("old")));
  auto source = make_refresh_grant(environment(http), endpoint(), store, "mailbox");
  EXPECT_EQ(run(context, (*source)->token())->value.reveal(), "good");
  EXPECT_EQ(http.requests.size(), 2U);
}

TEST_F(OAuth, WithoutARefreshTokenNobodyIsAsked) {
  ScriptedHttpClient http([](const SeenRequest&) { return granted("never"); });
  auto source = make_refresh_grant(environment(http), endpoint(), store, "mailbox");
  EXPECT_EQ(run(context, (*source)->token()).error().code, "no-refresh-token");
  EXPECT_TRUE(http.requests.empty());
}

TEST_F(OAuth, ATokenThatStillHoldsServesWhileTheEndpointIsDown) {
  bool down = false;
  ScriptedHttpClient http([&](const SeenRequest&) -> Result<net::HttpResponse> {
    if (down) return response(503, "{}", {{"Retry-After", "120"}});
    return granted("held", 3600);
  });
  auto source = make_client_credentials(environment(http), endpoint());
  ASSERT_TRUE(run(context, (*source)->token()));
  down = true;
  clock.advance(3400s);
  EXPECT_EQ(run(context, (*source)->token())->value.reveal(), "held");
  EXPECT_EQ(run(context, (*source)->token())->value.reveal(), "held");
  EXPECT_EQ(http.requests.size(), 2U) << "the endpoint's hint holds for all";
  clock.advance(201s);
  const auto gone = run(context, (*source)->token());
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().retry, RetryClass::after);
  EXPECT_EQ(gone.error().retry_after, 120s);
}

TEST_F(OAuth, MapsEveryRefusalToAClass) {
  struct Row {
    int status;
    std::string_view code;
    RetryClass retry;
  };
  const Row rows[] = {{400, "invalid_grant", RetryClass::reauthenticate},
                      {400, "interaction_required", RetryClass::reauthenticate},
                      {400, "consent_required", RetryClass::reauthenticate},
                      {400, "login_required", RetryClass::reauthenticate},
                      {401, "invalid_client", RetryClass::reauthenticate},
                      {400, "unauthorized_client", RetryClass::reauthenticate},
                      {400, "invalid_request", RetryClass::never},
                      {400, "invalid_scope", RetryClass::never},
                      {400, "unsupported_grant_type", RetryClass::never},
                      {400, "temporarily_unavailable", RetryClass::after},
                      {500, "server_error", RetryClass::after},
                      {429, "anything", RetryClass::after},
                      {503, "anything", RetryClass::after}};
  for (const Row& row : rows) {
    const auto error = read_token_response(refused(row.status, row.code)).error();
    EXPECT_EQ(error.code, row.code);
    EXPECT_EQ(error.retry, row.retry) << row.code;
    EXPECT_EQ(error.http_status, row.status);
  }
}

TEST_F(OAuth, SaysClearlyWhatIsNotATokenResponse) {
  for (const std::string body : {"", "<html>Sign in</html>", "[]", "null", "{\"access_token\":1}",
                                 "{\"access_token\":\"a b\",\"token_type\":\"Bearer\"}",
                                 "{\"access_token\":\"a\\r\\nX: y\",\"token_type\":\"Bearer\"}",
                                 "{\"access_token\":\"ok\",\"token_type\":\"mac\"}"}) {
    const auto grant = read_token_response(response(200, body));
    ASSERT_FALSE(grant) << body;
    EXPECT_EQ(grant.error().code, "bad-token-response") << body;
  }
  EXPECT_FALSE(read_token_response(response(200, std::string(100'000, '['))));
  EXPECT_EQ(
      read_token_response(response(200, R"({"access_token":"ok","token_type":"bearer","expires_in":"60"})"))
          ->lifetime,
      60s);
  EXPECT_EQ(read_token_response(response(200, R"({"access_token":"ok","token_type":"bearer"})"))->lifetime,
            300s);
  EXPECT_EQ(
      read_token_response(response(200, R"({"access_token":"ok","token_type":"bearer","expires_in":1e30})"))
          ->lifetime,
      300s);
}

TEST_F(OAuth, RefusesAnEndpointThatIsNotEncrypted) {
  ScriptedHttpClient http([](const SeenRequest&) { return granted("x"); });
  auto settings = endpoint();
  settings.url = url("http://login.example.com/token");
  EXPECT_FALSE(make_client_credentials(environment(http), settings));
  settings.url = url("http://127.0.0.1:8080/token");
  EXPECT_TRUE(make_client_credentials(environment(http), settings));
  settings.proof = std::monostate{};
  EXPECT_FALSE(make_client_credentials(environment(http), settings));
}

struct Pair {
  std::string certificate;
  std::string key;
};

std::string drain(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

Pair make_pair(EVP_PKEY* key) {
  X509* certificate = X509_new();
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_sign(certificate, key, EVP_sha256());
  BIO* certificate_text = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(certificate_text, certificate);
  BIO* key_text = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(key_text, key, nullptr, nullptr, 0, nullptr, nullptr);
  X509_free(certificate);
  return {drain(certificate_text), drain(key_text)};
}

std::string from_base64url(std::string text) {
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  while (text.size() % 4 != 0) text += '=';
  return base64_decode(text).value();
}

TEST_F(OAuth, ProvesItselfWithACertificate) {
  EVP_PKEY* key = EVP_RSA_gen(2048);
  const Pair pair = make_pair(key);
  for (const auto algorithm : {AssertionAlgorithm::ps256, AssertionAlgorithm::rs256}) {
    auto certificate =
        ClientCertificate::load(pair.certificate, Secret(std::string_view(pair.key)), algorithm);
    ASSERT_TRUE(certificate) << certificate.error().describe();
    auto settings = endpoint();
    settings.proof = *certificate;
    ScriptedHttpClient http([](const SeenRequest&) { return granted("by-certificate"); });
    auto source = make_client_credentials(environment(http), settings);
    ASSERT_TRUE(run(context, (*source)->token()));
    const auto fields = form_of(http.requests.at(0).body);
    EXPECT_FALSE(fields.contains("client_secret"));
    EXPECT_EQ(fields.at("client_assertion_type"), "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    const std::string assertion = fields.at("client_assertion");
    const auto parts = text::split(assertion, '.');
    ASSERT_EQ(parts.size(), 3U);
    const auto header = boost::json::parse(from_base64url(std::string(parts[0]))).as_object();
    const auto claims = boost::json::parse(from_base64url(std::string(parts[1]))).as_object();
    const bool pss = algorithm == AssertionAlgorithm::ps256;
    EXPECT_EQ(header.at("alg").as_string(), pss ? "PS256" : "RS256");
    EXPECT_EQ(header.at("x5t#S256").as_string(), certificate->thumbprint());
    EXPECT_EQ(claims.at("aud").as_string(), "https://login.example.com/tenant/oauth2/v2.0/token");
    EXPECT_EQ(claims.at("iss").as_string(), "client-1");
    EXPECT_EQ(claims.at("sub").as_string(), "client-1");
    EXPECT_EQ(claims.at("exp").as_int64() - claims.at("nbf").as_int64(), 600);

    EVP_MD_CTX* check = EVP_MD_CTX_new();
    EVP_PKEY_CTX* parameters = nullptr;
    EVP_DigestVerifyInit(check, &parameters, EVP_sha256(), nullptr, key);
    if (pss) EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING);
    const std::string signed_part = std::string(parts[0]) + "." + std::string(parts[1]);
    const std::string signature = from_base64url(std::string(parts[2]));
    EXPECT_EQ(
        EVP_DigestVerify(check, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                         reinterpret_cast<const unsigned char*>(signed_part.data()), signed_part.size()),
        1);
    EVP_MD_CTX_free(check);
  }
  EVP_PKEY* other = EVP_RSA_gen(2048);
  const Pair stranger = make_pair(other);
  EXPECT_EQ(ClientCertificate::load(pair.certificate, Secret(std::string_view(stranger.key))).error().code,
            "key-mismatch");
  EXPECT_EQ(ClientCertificate::load("nonsense", Secret(std::string_view(pair.key))).error().code,
            "bad-certificate");
  EXPECT_EQ(ClientCertificate::load(pair.certificate, Secret(std::string_view("nonsense"))).error().code,
            "bad-key");
  EVP_PKEY_free(other);
  EVP_PKEY_free(key);
}

}  // namespace
}  // namespace syncline::auth
