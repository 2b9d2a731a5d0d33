// SPDX-License-Identifier: GPL-3.0-or-later
// How people and service accounts sign in, and how the end of a sign-in is recognised.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <boost/json.hpp>

#include "auth/device_code.hpp"
#include "auth/oauth.hpp"
#include "auth/service_account.hpp"
#include "auth/sign_in.hpp"
#include "auth/stored_grant.hpp"
#include "base/base64.hpp"
#include "base/text.hpp"
#include "tests/unit/auth/support.hpp"

namespace syncline::auth {
namespace {

namespace json = boost::json;
using testing::ManualClock;
using testing::MemorySecretStore;
using testing::response;
using testing::run;
using testing::ScriptedHttpClient;
using testing::SeenRequest;
using testing::url;
using namespace std::chrono_literals;

std::map<std::string, std::string> form_of(std::string_view form) {
  std::map<std::string, std::string> fields;
  for (const std::string_view pair : text::split(form, '&')) {
    const auto equals = pair.find('=');
    fields[std::string(pair.substr(0, equals))] = text::percent_decoded(pair.substr(equals + 1));
  }
  return fields;
}

/// Sleeping takes no time, and what was slept is noted.
class NotingTimers final : public net::Timers {
 public:
  explicit NotingTimers(ManualClock& clock) : clock_(clock) {}
  net::Async<void> sleep_until(SteadyTime when) override {
    const auto span = std::chrono::duration_cast<std::chrono::milliseconds>(when - clock_.steady_now());
    slept.push_back(std::chrono::duration_cast<std::chrono::seconds>(span));
    clock_.advance(span);
    co_return Result<void>{};
  }
  std::vector<std::chrono::seconds> slept;

 private:
  ManualClock& clock_;
};

class SignIn : public ::testing::Test {
 protected:
  TokenEnvironment environment(net::HttpClient& http) {
    return {context.get_executor(), http, clock, random};
  }
  static TokenEndpoint endpoint(OAuthProvider provider = OAuthProvider::other) {
    TokenEndpoint made;
    made.url = url("https://login.example.com/token");
    made.scope = "mail offline_access";
    made.client_id = "client-1";
    made.provider = provider;
    return made;
  }
  static net::HttpResponse granted(json::object more = {}) {
    json::object body{{"token_type", "Bearer"}, {"access_token", "access"}, {"expires_in", 3600}};
    for (const auto& member : more) body[member.key()] = member.value();
    return response(200, json::serialize(body));
  }
  static net::HttpResponse refused(std::string_view code, int status = 400) {
    return response(status, json::serialize(json::object{{"error", code}, {"error_description", "said so"}}));
  }

  net::asio::io_context context;
  ManualClock clock;
  NotingTimers timers{clock};
  SeededRandom random{1};
  MemorySecretStore store;
};

TEST_F(SignIn, EachHasAVerifierAStateAndTheVerifiersHash) {
  const Pkce one = make_pkce(random);
  const Pkce two = make_pkce(random);
  EXPECT_NE(one.verifier.reveal(), two.verifier.reveal());
  EXPECT_NE(one.state, two.state);
  EXPECT_NE(one.state, one.verifier.reveal());
  EXPECT_EQ(one.verifier.reveal().size(), 43U);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(one.verifier.reveal().data(), 43, digest, &size, EVP_sha256(), nullptr);
  EXPECT_EQ(one.challenge, base64url_encode(std::string_view(reinterpret_cast<const char*>(digest), size)));
}

TEST_F(SignIn, TheAddressHoldsTheChallengeAndNoSecret) {
  const Pkce pkce = make_pkce(random);
  const std::string address = authorisation_url({.endpoint = url("https://login.example.com/auth?tenant=a"),
                                                 .client_id = "client 1",
                                                 .scope = "https://mail.google.com/ a&b",
                                                 .redirect_uri = "http://127.0.0.1:4000/",
                                                 .login_hint = "ana@contoso.example",
                                                 .extra = {{"access_type", "offline"}}},
                                                pkce);
  ASSERT_TRUE(address.starts_with("https://login.example.com/auth?tenant=a&"));
  const auto fields = form_of(address.substr(address.find('?') + 1));
  EXPECT_EQ(fields.at("response_type"), "code");
  EXPECT_EQ(fields.at("client_id"), "client 1");
  EXPECT_EQ(fields.at("scope"), "https://mail.google.com/ a&b");
  EXPECT_EQ(fields.at("redirect_uri"), "http://127.0.0.1:4000/");
  EXPECT_EQ(fields.at("state"), pkce.state);
  EXPECT_EQ(fields.at("code_challenge"), pkce.challenge);
  EXPECT_EQ(fields.at("code_challenge_method"), "S256");
  EXPECT_EQ(fields.at("login_hint"), "ana@contoso.example");
  EXPECT_EQ(fields.at("access_type"), "offline");
  EXPECT_EQ(address.find(std::string(pkce.verifier.reveal())), std::string::npos);
}

TEST_F(SignIn, TheCodeIsReadFromWhateverWasPasted) {
  for (const std::string_view address :
       {"http://127.0.0.1:4000/?code=4%2F0Aab&state=s1", "/?state=s1&code=4/0Aab&scope=x",
        "code=4/0Aab&state=s1", "  http://localhost:1/?code=4%2f0Aab&state=s1#fragment\r\n"}) {
    auto code = read_redirect(address, "s1");
    ASSERT_TRUE(code) << address << code.error().describe();
    EXPECT_EQ(code->reveal(), "4/0Aab");
  }
}

TEST_F(SignIn, AnAddressOfAnotherSignInOrNoneIsRefused) {
  EXPECT_EQ(read_redirect("/?code=c&state=s2", "s1").error().code, "state-mismatch");
  EXPECT_EQ(read_redirect("/?code=c&state=", "s1").error().code, "state-mismatch");
  EXPECT_EQ(read_redirect("/?error=access_denied&state=s2", "s1").error().code, "state-mismatch");
  for (const std::string& address :
       {std::string("/?code=c"), std::string("/?state=s1"), std::string("/?code=c&code=d&state=s1"),
        std::string("/?code=c&state=s1&state=s1"), std::string("/?code=&state=s1"), std::string(),
        std::string("https://accounts.google.com/o/oauth2/v2/auth?state=s1"), std::string("hello"),
        "/?state=s1&code=" + std::string(20'000, 'x')}) {
    EXPECT_EQ(read_redirect(address, "s1").error().code, "bad-redirect") << address.substr(0, 80);
  }
  const Error denied =
      read_redirect("/?error=access_denied&error_description=No+thanks%1b%5B2J&state=s1", "s1").error();
  EXPECT_EQ(denied.code, "access_denied");
  EXPECT_NE(denied.message.find("No thanks"), std::string::npos);
  EXPECT_EQ(denied.message.find('\x1b'), std::string::npos);
}

TEST_F(SignIn, TheCodeIsRedeemedWithItsVerifier) {
  ScriptedHttpClient http([](const SeenRequest&) {
    return granted({{"refresh_token", "r1"}, {"scope", "mail"}});
  });
  const Secret code(std::string_view("c/1"));
  const Secret verifier(std::string_view("v1"));
  auto grant =
      run(context, redeem_code(environment(http), endpoint(), code, "http://127.0.0.1:4000/", verifier));
  ASSERT_TRUE(grant) << grant.error().describe();
  EXPECT_EQ(grant->refresh_token.reveal(), "r1");
  EXPECT_EQ(grant->scope, "mail");
  const auto fields = form_of(http.requests.at(0).body);
  EXPECT_EQ(fields.at("grant_type"), "authorization_code");
  EXPECT_EQ(fields.at("code"), "c/1");
  EXPECT_EQ(fields.at("code_verifier"), "v1");
  EXPECT_EQ(fields.at("redirect_uri"), "http://127.0.0.1:4000/");
  EXPECT_EQ(fields.at("client_id"), "client-1");

  ScriptedHttpClient without([](const SeenRequest&) { return granted(); });
  EXPECT_EQ(
      run(context, redeem_code(environment(without), endpoint(), code, "http://127.0.0.1:4000/", verifier))
          .error()
          .code,
      "no-refresh-token");
  TokenEndpoint clear = endpoint();
  clear.url = url("http://login.example.com/token");
  EXPECT_EQ(run(context, redeem_code(environment(http), clear, code, "x", verifier)).error().code,
            "bad-settings");
}

TEST_F(SignIn, ADeviceIsAskedForAtTheServersPace) {
  std::vector<std::string> answers = {"authorization_pending", "slow_down", "authorization_pending"};
  std::size_t turn = 0;
  ScriptedHttpClient http([&](const SeenRequest& seen) -> Result<net::HttpResponse> {
    if (seen.url.target == "/device") {
      return response(200, R"({"device_code":"d-secret","user_code":"WDJB-MJHT",
                               "verification_uri":"https://example.com/device","expires_in":1800,"interval":5})");
    }
    EXPECT_EQ(form_of(seen.body).at("device_code"), "d-secret");
    EXPECT_EQ(form_of(seen.body).at("grant_type"), "urn:ietf:params:oauth:grant-type:device_code");
    if (turn < answers.size()) return refused(answers[turn++]);
    if (turn++ == answers.size()) return response(503, "busy");
    return granted({{"refresh_token", "r1"}});
  });
  auto asked = run(
      context, request_device_code(environment(http), endpoint(), url("https://login.example.com/device")));
  ASSERT_TRUE(asked) << asked.error().describe();
  EXPECT_EQ(asked->user_code, "WDJB-MJHT");
  EXPECT_EQ(form_of(http.requests.at(0).body).at("scope"), "mail offline_access");
  auto grant = run(context, wait_for_device(environment(http), timers, endpoint(), *asked));
  ASSERT_TRUE(grant) << grant.error().describe();
  EXPECT_EQ(grant->refresh_token.reveal(), "r1");
  EXPECT_EQ(timers.slept, (std::vector<std::chrono::seconds>{5s, 5s, 10s, 10s, 20s}));
}

TEST_F(SignIn, ADeviceThatIsDeclinedOrForgottenEndsIt) {
  const auto outcome = [&](std::string_view said) {
    ScriptedHttpClient http([&](const SeenRequest&) { return refused(said); });
    DeviceAuthorisation authorisation{
        .device_code = Secret(std::string_view("d")), .lifetime = 60s, .interval = 5s};
    timers.slept.clear();
    const Error error =
        run(context, wait_for_device(environment(http), timers, endpoint(), authorisation)).error();
    EXPECT_EQ(error.retry == RetryClass::reauthenticate, error.code != "invalid_request");
    return error.code;
  };
  EXPECT_EQ(outcome("access_denied"), "access_denied");
  EXPECT_EQ(outcome("authorization_declined"), "access_denied");
  EXPECT_EQ(outcome("expired_token"), "expired_token");
  EXPECT_EQ(outcome("invalid_request"), "invalid_request");
  EXPECT_EQ(timers.slept.size(), 1U);
  EXPECT_EQ(outcome("authorization_pending"), "expired_token");
  EXPECT_EQ(timers.slept.size(), 11U) << "nothing is asked once the code is worth nothing";
  EXPECT_EQ(outcome("slow_down"), "expired_token");
  EXPECT_EQ(timers.slept, (std::vector<std::chrono::seconds>{5s, 10s, 15s, 20s}));
}

TEST_F(SignIn, WhatIsNoDeviceAnswerIsSaidClearly) {
  for (const std::string& body :
       {std::string("<html>"), std::string("{}"), std::string(R"({"device_code":"d","user_code":"u"})"),
        std::string(R"j({"device_code":"d","user_code":"u","verification_uri":"javascript:alert(1)"})
    "),
        std::string(R"({"device_code":1,"user_code":"u","verification_uri":"https://e.example/"})j")}) {
    ScriptedHttpClient http([&](const SeenRequest&) { return response(200, body); });
    EXPECT_EQ(run(context, request_device_code(environment(http), endpoint(), url("https://e.example/d")))
                  .error()
                  .code,
              "bad-device-response")
        << body;
  }
  // Google's older spelling; absurd numbers.
  ScriptedHttpClient http([&](const SeenRequest&) {
    return response(200, R"({"device_code":"d","user_code":"u","verification_url":"https://e.example/",
                             "expires_in":99999999999,"interval":"-3"})");
  });
  auto asked = run(context, request_device_code(environment(http), endpoint(), url("https://e.example/d")));
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->lifetime, 24h);
  EXPECT_EQ(asked->interval, 5s);
}

std::string service_account_file(EVP_PKEY* key, std::string_view type = "service_account") {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  const std::string pem(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return json::serialize(json::object{{"type", type},
                                      {"private_key_id", "key-7"},
                                      {"private_key", pem},
                                      {"client_email", "robot@project.iam.example"},
                                      {"token_uri", "https://oauth2.example.com/token"}});
}

std::string from_base64url(std::string text) {
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  while (text.size() % 4 != 0) text += '=';
  return base64_decode(text).value();
}

TEST_F(SignIn, AServiceAccountActsForAUserWithASignedAssertion) {
  EVP_PKEY* key = EVP_RSA_gen(2048);
  auto account = ServiceAccount::parse(Secret(service_account_file(key)));
  ASSERT_TRUE(account) << account.error().describe();
  ScriptedHttpClient http([](const SeenRequest&) { return granted(); });
  auto source =
      make_service_account(environment(http), *account, "https://mail.google.com/", "ana@contoso.example");
  ASSERT_TRUE(source) << source.error().describe();
  EXPECT_EQ(run(context, (*source)->token())->value.reveal(), "access");
  EXPECT_EQ(http.requests.at(0).url.to_string(), "https://oauth2.example.com/token");
  const auto fields = form_of(http.requests.at(0).body);
  EXPECT_EQ(fields.size(), 2U);
  EXPECT_EQ(fields.at("grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
  const std::string assertion = fields.at("assertion");
  const auto parts = text::split(assertion, '.');
  ASSERT_EQ(parts.size(), 3U);
  const auto header = json::parse(from_base64url(std::string(parts[0]))).as_object();
  EXPECT_EQ(header.at("alg").as_string(), "RS256");
  EXPECT_EQ(header.at("kid").as_string(), "key-7");
  const auto claims = json::parse(from_base64url(std::string(parts[1]))).as_object();
  EXPECT_EQ(claims.at("iss").as_string(), "robot@project.iam.example");
  EXPECT_EQ(claims.at("sub").as_string(), "ana@contoso.example");
  EXPECT_EQ(claims.at("scope").as_string(), "https://mail.google.com/");
  EXPECT_EQ(claims.at("aud").as_string(), "https://oauth2.example.com/token");
  EXPECT_EQ(claims.at("iat").as_int64(), 1'800'000'000);
  EXPECT_EQ(claims.at("exp").as_int64() - claims.at("iat").as_int64(), 3600);
  EVP_MD_CTX* check = EVP_MD_CTX_new();
  EVP_DigestVerifyInit(check, nullptr, EVP_sha256(), nullptr, key);
  const std::string signed_part = std::string(parts[0]) + "." + std::string(parts[1]);
  const std::string signature = from_base64url(std::string(parts[2]));
  EXPECT_EQ(
      EVP_DigestVerify(check, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                       reinterpret_cast<const unsigned char*>(signed_part.data()), signed_part.size()),
      1);
  EVP_MD_CTX_free(check);
  EVP_PKEY_free(key);
}

TEST_F(SignIn, AServiceAccountWithoutDelegationSaysWhereToSetItUp) {
  EVP_PKEY* key = EVP_RSA_gen(2048);
  auto account = ServiceAccount::parse(Secret(service_account_file(key)));
  ScriptedHttpClient http([](const SeenRequest&) { return refused("unauthorized_client", 401); });
  auto source = make_service_account(environment(http), *account, "mail", "ana@contoso.example");
  for (int i = 0; i < 3; ++i) {
    const Error error = run(context, (*source)->token()).error();
    EXPECT_EQ(error.code, "unauthorized_client");
    EXPECT_EQ(error.retry, RetryClass::reauthenticate);
    EXPECT_NE(error.message.find("domain-wide delegation"), std::string::npos) << error.message;
  }
  EXPECT_EQ(http.requests.size(), 1U);
  EXPECT_FALSE(make_service_account(environment(http), *account, "mail", ""));
  account->use_token_url(url("http://oauth2.example.com/token"));
  EXPECT_FALSE(make_service_account(environment(http), *account, "mail", "ana@contoso.example"));
  EXPECT_EQ(ServiceAccount::parse(Secret(service_account_file(key, "authorized_user"))).error().code,
            "bad-key");
  EVP_PKEY_free(key);
  for (const std::string_view text :
       {"", "{}", "[1]", "{\"type\":\"service_account\",\"client_email\":\"a@b.c\"}"})
    EXPECT_EQ(ServiceAccount::parse(Secret(text)).error().code, "bad-key") << text;
}

TEST_F(SignIn, WhatIsKeptOfASignInComesBackWhole) {
  StoredGrant grant{
      .refresh_token = Secret(std::string_view("r\"1")), .obtained = clock.now(), .scope = "mail"};
  grant.ends = clock.now() + 7 * 24h;
  grant.refusal = StoredGrant::Refusal{.at = clock.now(), .code = "invalid_grant", .message = "gone"};
  auto back = StoredGrant::parse(grant.print());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->refresh_token.reveal(), "r\"1");
  EXPECT_EQ(back->obtained, grant.obtained);
  EXPECT_EQ(back->ends, grant.ends);
  EXPECT_EQ(back->scope, "mail");
  ASSERT_TRUE(back->refusal);
  EXPECT_EQ(back->refusal->at, clock.now());
  EXPECT_EQ(back->refusal->code, "invalid_grant");
  EXPECT_EQ(back->refusal->message, "gone");
  EXPECT_EQ(StoredGrant::parse(Secret(std::string_view("1//0g-raw\n")))->refresh_token.reveal(), "1//0g-raw");
  EXPECT_EQ(StoredGrant::parse(Secret(std::string_view("{\"refresh_token\":"))).error().code, "bad-grant");
  EXPECT_FALSE(
      StoredGrant::parse(Secret(std::string_view(R"({"refresh_token":"r","obtained":-1,"ends":1e300})")))
          ->obtained);
}

TEST_F(SignIn, ARefusedSignInIsMarkedForEveryLaterProcess) {
  ScriptedHttpClient http([](const SeenRequest&) { return refused("invalid_grant"); });
  store.kept.emplace("mailbox", StoredGrant{.refresh_token = Secret(std::string_view("dead"))}.print());
  auto source = make_refresh_grant(environment(http), endpoint(), store, "mailbox");
  const Error first = run(context, (*source)->token()).error();
  EXPECT_EQ(first.code, "invalid_grant");
  EXPECT_NE(first.message.find("syncline auth login"), std::string::npos) << first.message;
  EXPECT_EQ(store.puts, 1);
  auto later = make_refresh_grant(environment(http), endpoint(), store, "mailbox");
  const Error second = run(context, (*later)->token()).error();
  EXPECT_EQ(second.code, "invalid_grant");
  EXPECT_EQ(second.retry, RetryClass::reauthenticate);
  EXPECT_EQ(second.message, first.message);
  EXPECT_EQ(http.requests.size(), 1U) << "one refusal is enough for all time";
  EXPECT_EQ(store.puts, 1) << "and is marked once";
}

TEST_F(SignIn, ARunningProcessNoticesThatSomebodySignedInElsewhere) {
  bool alive = false;
  ScriptedHttpClient http([&](const SeenRequest&) { return alive ? granted() : refused("invalid_grant"); });
  store.kept.emplace("mailbox", StoredGrant{.refresh_token = Secret(std::string_view("dead"))}.print());
  auto source = make_refresh_grant(environment(http), endpoint(), store, "mailbox");
  EXPECT_FALSE(run(context, (*source)->token()));
  alive = true;
  EXPECT_FALSE(run(context, (*source)->token())) << "nobody has signed in yet";
  store.kept.insert_or_assign("mailbox",
                              StoredGrant{.refresh_token = Secret(std::string_view("new"))}.print());
  EXPECT_EQ(run(context, (*source)->token())->value.reveal(), "access");
  EXPECT_EQ(http.requests.size(), 2U);
}

TEST_F(SignIn, TheSevenDayDeathOfTestingModeIsRecognised) {
  const auto code_after = [&](std::chrono::hours age, OAuthProvider provider,
                              std::optional<std::chrono::hours> life = std::nullopt) {
    StoredGrant grant{.refresh_token = Secret(std::string_view("r")), .obtained = clock.now() - age};
    if (life) grant.ends = *grant.obtained + *life;
    store.kept.insert_or_assign("mailbox", grant.print());
    ScriptedHttpClient http([](const SeenRequest&) { return refused("invalid_grant"); });
    auto source = make_refresh_grant(environment(http), endpoint(provider), store, "mailbox");
    const Error error = run(context, (*source)->token()).error();
    EXPECT_EQ(error.retry, RetryClass::reauthenticate);
    EXPECT_EQ(StoredGrant::parse(store.kept.at("mailbox"))->refusal->code, error.code);
    if (error.code == "testing-mode-expired") {
      EXPECT_NE(error.message.find("Publish the app"), std::string::npos) << error.message;
    }
    return error.code;
  };
  constexpr auto week = 7 * 24h;
  EXPECT_EQ(code_after(week, OAuthProvider::google), "testing-mode-expired");
  EXPECT_EQ(code_after(week + 20h, OAuthProvider::google), "testing-mode-expired");
  EXPECT_EQ(code_after(3 * 24h, OAuthProvider::google), "invalid_grant");
  EXPECT_EQ(code_after(30 * 24h, OAuthProvider::google), "invalid_grant");
  EXPECT_EQ(code_after(week, OAuthProvider::microsoft), "invalid_grant");
  // Where Google said how long it would last, the day it is noticed does not matter.
  EXPECT_EQ(code_after(30 * 24h, OAuthProvider::google, week), "testing-mode-expired");
  EXPECT_EQ(code_after(3 * 24h, OAuthProvider::google, week), "invalid_grant");
  EXPECT_EQ(code_after(30 * 24h, OAuthProvider::google, 30 * 24h), "invalid_grant");
}

TEST_F(SignIn, WhatTheServerSaysAboutTheEndIsKept) {
  ScriptedHttpClient http([](const SeenRequest&) {
    return granted({{"refresh_token_expires_in", 604'799}});
  });
  store.kept.emplace("mailbox", Secret(std::string_view("raw")));
  auto source = make_refresh_grant(environment(http), endpoint(OAuthProvider::google), store, "mailbox");
  ASSERT_TRUE(run(context, (*source)->token()));
  const auto kept = StoredGrant::parse(store.kept.at("mailbox"));
  EXPECT_EQ(kept->refresh_token.reveal(), "raw");
  EXPECT_EQ(kept->ends, clock.now() + 604'799s);
}

TEST_F(SignIn, RevokingForgetsWhatTheServerDoesNotKnowEither) {
  int status = 200;
  std::string body;
  ScriptedHttpClient http([&](const SeenRequest&) { return response(status, body); });
  const auto revoke = [&] {
    return run(context, revoke_token(environment(http), endpoint(), url("https://login.example.com/revoke"),
                                     Secret(std::string_view("r1"))));
  };
  EXPECT_TRUE(revoke());
  EXPECT_EQ(form_of(http.requests.at(0).body).at("token"), "r1");
  status = 400;
  body = R"({"error":"invalid_token"})";
  EXPECT_TRUE(revoke());
  status = 500;
  EXPECT_EQ(revoke().error().code, "revocation-refused");
  EXPECT_EQ(
      run(context, revoke_token(environment(http), endpoint(), url("http://login.example.com/revoke"), {}))
          .error()
          .code,
      "bad-settings");
}

}  // namespace
}  // namespace syncline::auth
