// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "auth/bearer.hpp"
#include "auth/credentials.hpp"
#include "auth/fingerprint.hpp"
#include "auth/impersonation.hpp"
#include "base/base64.hpp"
#include "tests/unit/auth/support.hpp"

namespace syncline::auth {
namespace {

using testing::run;
using testing::url;

net::AuthTarget target(std::string_view address) {
  net::AuthTarget made;
  made.url = url(address);
  return made;
}

PasswordCredentials password(std::string user, std::string secret) {
  return {std::move(user), Secret(std::move(secret))};
}

TEST(Basic, SendsNothingBeforeTheServerAsksAndThenAtOnce) {
  net::asio::io_context context;
  auto basic = make_basic(password("zoë", "pä:ss"));
  ASSERT_TRUE(basic);
  const std::vector<std::string> asks{"Basic realm=\"x\""};
  auto first = (*basic)->start(target("https://mail.example.com/"));
  EXPECT_EQ(*run(context, first->initial()), std::nullopt);
  // RFC 7617 section 2.1: UTF-8 of user, colon, password.
  EXPECT_EQ(*run(context, first->answer(asks)), "Basic " + base64_encode("zo\xc3\xab:p\xc3\xa4:ss"));
  auto second = (*basic)->start(target("https://mail.example.com/other"));
  EXPECT_EQ(*run(context, second->initial()), "Basic " + base64_encode("zo\xc3\xab:p\xc3\xa4:ss"));
  auto elsewhere = (*basic)->start(target("https://other.example.com/"));
  EXPECT_EQ(*run(context, elsewhere->initial()), std::nullopt);
}

TEST(Basic, GivesUpWhenThePasswordIsRefused) {
  net::asio::io_context context;
  auto basic = make_basic(password("user", "wrong"));
  const std::vector<std::string> asks{"Basic realm=\"x\""};
  auto session = (*basic)->start(target("https://mail.example.com/"));
  ASSERT_TRUE(run(context, session->answer(asks)));
  const auto refused = run(context, session->answer(asks));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().retry, RetryClass::reauthenticate);
  EXPECT_EQ(refused.error().describe().find("wrong"), std::string::npos);
}

TEST(Basic, KeepsThePasswordFromClearConnectionsUnlessAllowed) {
  net::asio::io_context context;
  const std::vector<std::string> asks{"Basic realm=\"x\""};
  auto strict = make_basic(password("user", "secret"));
  auto refused = run(context, (*strict)->start(target("http://mail.example.com/"))->answer(asks));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "clear-text-refused");
  auto lenient = make_basic(password("user", "secret"), true);
  EXPECT_TRUE(run(context, (*lenient)->start(target("http://mail.example.com/"))->answer(asks)));
}

TEST(Basic, RefusesWhatCannotBeInAHeader) {
  EXPECT_FALSE(make_basic(password("user\r\nX: y", "p")));
  EXPECT_FALSE(make_basic(password("user", "p\nq")));
  EXPECT_FALSE(make_basic(password("user", std::string("p\0q", 3))));
  EXPECT_FALSE(
      make_basic(password("us\xff"
                          "er",
                          "p")));
  EXPECT_FALSE(make_basic(password("a:b", "p")));
  EXPECT_FALSE(make_basic(password("", "p")));
  EXPECT_TRUE(make_basic(password("user", "")));
}

TEST(PoolKey, ChangesWithTheSecretAndNeverHoldsIt) {
  const auto one = (*make_basic(password("user", "hunter2-secret")))->pool_key();
  const auto two = (*make_basic(password("user", "hunter3-secret")))->pool_key();
  const auto same = (*make_basic(password("user", "hunter2-secret")))->pool_key();
  EXPECT_NE(one, two);
  EXPECT_EQ(one, same);
  EXPECT_EQ(one.find("hunter"), std::string::npos);
  EXPECT_NE((*make_basic(password("other", "hunter2-secret")))->pool_key(), one);
  EXPECT_EQ(secret_fingerprint(Secret(std::string_view("x"))).size(), 32U);
}

TEST(Choice, TakesTheStrongestThatIsOfferedAndAllowed) {
  net::asio::io_context context;
  auto pool = std::make_shared<BlockingPool>(0);
  AllowedSchemes only_basic;
  only_basic.negotiate = false;
  only_basic.ntlm = false;
  auto basic = make_authenticator(password("user", "p"), only_basic, pool);
  EXPECT_EQ((*basic)->scheme(), "basic");

  AllowedSchemes two;
  two.negotiate = false;
  auto choosing = make_authenticator(password("user", "p"), two, pool);
  ASSERT_TRUE(choosing);
  EXPECT_EQ((*choosing)->scheme(), "auto");
  EXPECT_TRUE((*choosing)->connection_bound());
  auto session = (*choosing)->start(target("https://mail.example.com/"));
  EXPECT_EQ(*run(context, session->initial()), std::nullopt);
  const std::vector<std::string> weak{"Basic realm=\"x\""};
  EXPECT_TRUE(run(context, session->answer(weak))->starts_with("Basic "));
  EXPECT_FALSE(session->binds_connection()) << "Basic speaks for one request";
  EXPECT_TRUE(run(context, (*choosing)->start(target("https://mail.example.com/"))->initial())->has_value());
  const std::vector<std::string> foreign{"Bearer authorization_uri=\"https://login\""};
  const auto none = run(context, (*choosing)->start(target("https://other.example.com/"))->answer(foreign));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, "scheme-not-offered");
}

TEST(Choice, RefusesAnEmptyChoice) {
  AllowedSchemes none;
  none.negotiate = none.ntlm = none.basic = false;
  EXPECT_FALSE(make_authenticator(password("user", "p"), none, std::make_shared<BlockingPool>(0)));
}

class CountingSource final : public TokenSource {
 public:
  net::Async<AccessToken> token() override { co_return AccessToken{Secret(std::string_view("first")), 1}; }
  net::Async<AccessToken> replace(std::uint64_t) override {
    ++replacements;
    if (same) co_return AccessToken{Secret(std::string_view("first")), 1};
    co_return AccessToken{Secret(std::string_view("second")), 2};
  }
  std::string pool_key() const override { return "counting"; }
  void credentials_changed() override {}
  int replacements = 0;
  bool same = false;
};

TEST(Bearer, AsksForOneNewTokenAfterA401AndThenStops) {
  net::asio::io_context context;
  auto source = std::make_shared<CountingSource>();
  auto session = make_bearer(source)->start(target("https://mail.example.com/"));
  EXPECT_EQ(*run(context, session->initial()), "Bearer first");
  const std::vector<std::string> refused{"Bearer error=\"invalid_token\", error_description=\"too old\""};
  EXPECT_EQ(*run(context, session->answer(refused)), "Bearer second");
  const auto last = run(context, session->answer(refused));
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code, "token-refused");
  EXPECT_EQ(last.error().retry, RetryClass::reauthenticate);
  EXPECT_NE(last.error().message.find("too old"), std::string::npos);
  EXPECT_EQ(source->replacements, 1);
}

TEST(Bearer, DoesNotSendATokenAgainThatCannotBeReplaced) {
  net::asio::io_context context;
  auto source = std::make_shared<CountingSource>();
  source->same = true;
  auto session = make_bearer(source)->start(target("https://mail.example.com/"));
  ASSERT_TRUE(run(context, session->initial()));
  const std::vector<std::string> refused{"Bearer"};
  EXPECT_EQ(run(context, session->answer(refused)).error().code, "token-refused");
}

TEST(Bearer, ShowsWhatAClaimsChallengeDemands) {
  net::asio::io_context context;
  auto source = std::make_shared<CountingSource>();
  auto session = make_bearer(source)->start(target("https://mail.example.com/"));
  ASSERT_TRUE(run(context, session->initial()));
  const std::string claims = R"({"access_token":{"nbf":{"essential":true,"value":"1"}}})";
  const std::vector<std::string> challenge{"Bearer realm=\"\", error=\"insufficient_claims\", claims=\"" +
                                           base64url_encode(claims) + "\""};
  const auto error = run(context, session->answer(challenge)).error();
  EXPECT_EQ(error.code, "claims-challenge");
  EXPECT_EQ(error.retry, RetryClass::reauthenticate);
  EXPECT_NE(error.describe().find(claims), std::string::npos);
  EXPECT_EQ(source->replacements, 0);
}

TEST(Bearer, StaysOffClearConnections) {
  net::asio::io_context context;
  auto session = make_bearer(std::make_shared<CountingSource>())->start(target("http://mail.example.com/"));
  EXPECT_EQ(run(context, session->initial()).error().code, "clear-text-refused");
}

TEST(Bearer, KnowsTheFormOfAToken) {
  EXPECT_TRUE(is_bearer_token("abc.DEF-_~+/09=="));
  for (const std::string_view bad : {"", "=", "a b", "a\r\nb", "a=b", "\xc3\xa4"})
    EXPECT_FALSE(is_bearer_token(bad)) << bad;
  EXPECT_FALSE(fixed_token(Secret(std::string_view("two words"))));
}

TEST(Impersonation, Invariant21FollowsTheCredentialAndNotTheWish) {
  using enum CredentialKind;
  struct Row {
    CredentialKind kind;
    bool profile_impersonation;
    bool sent;
  };
  // Invariant 21, every combination.
  const Row rows[] = {{s2s, false, true},
                      {s2s, true, true},
                      {oauth_cross_tenant, false, true},
                      {oauth_cross_tenant, true, true},
                      {hma_application, false, true},
                      {hma_application, true, true},
                      {hma_delegated, false, false},
                      {hma_delegated, true, false},
                      {service_account, false, false},
                      {service_account, true, true},
                      {own_password, false, false},
                      {own_password, true, false},
                      {own_token, false, false},
                      {own_token, true, false}};
  for (const Row& row : rows) {
    const auto headers = mailbox_identity_headers(row.kind, row.profile_impersonation, "a@example.com");
    EXPECT_EQ(headers.impersonated_address.has_value(), row.sent) << static_cast<int>(row.kind);
    EXPECT_EQ(headers.anchor_mailbox.has_value(), row.sent) << static_cast<int>(row.kind);
    if (row.sent) {
      EXPECT_EQ(headers.anchor_mailbox, "a@example.com");
    }
  }
}

TEST(Impersonation, TellsAnApplicationTokenFromAUsers) {
  const auto token = [](std::string_view claims) {
    return base64url_encode("{\"alg\":\"none\"}") + "." + base64url_encode(claims) + ".c2ln";
  };
  EXPECT_EQ(is_application_token(token(R"({"roles":["full_access_as_app"]})")), true);
  EXPECT_EQ(is_application_token(token(R"({"scp":"EWS.AccessAsUser.All","roles":["x"]})")), false);
  EXPECT_EQ(is_application_token(token(R"({"idtyp":"app"})")), true);
  EXPECT_EQ(is_application_token(token(R"({"idtyp":"user","roles":[]})")), false);
  EXPECT_EQ(is_application_token(token(R"({"aud":"x"})")), std::nullopt);
  for (const std::string_view bad : {"", "a.b", "a.b.c", "..", "opaque-token"})
    EXPECT_EQ(is_application_token(bad), std::nullopt);
}

}  // namespace
}  // namespace syncline::auth
