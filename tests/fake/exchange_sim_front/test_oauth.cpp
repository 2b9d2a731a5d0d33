// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/base64.hpp"
#include "harness.hpp"
#include "tools/exchange-sim/front/oauth.hpp"

namespace exchange_sim::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

/// An RSA key and its self-signed certificate; signs assertions.
class Signer {
 public:
  Signer() : key_(EVP_RSA_gen(2048)), certificate_(X509_new()) {
    X509_gmtime_adj(X509_getm_notBefore(certificate_.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate_.get()), 3600);
    X509_set_pubkey(certificate_.get(), key_.get());
    X509_sign(certificate_.get(), key_.get(), EVP_sha256());
  }
  std::string pem() const {
    const std::unique_ptr<BIO, Free> bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(bio.get(), certificate_.get());
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
  }
  std::string assertion(const std::string& claims, const std::string& algorithm = "RS256") const {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    X509_digest(certificate_.get(), EVP_sha1(), digest, &size);
    const auto x5t = syncline::base64url_encode(std::string_view(reinterpret_cast<char*>(digest), size));
    const auto input =
        syncline::base64url_encode(R"({"alg":")" + algorithm + R"(","typ":"JWT","x5t":")" + x5t + "\"}") +
        "." + syncline::base64url_encode(claims);
    const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* parameters = nullptr;
    EVP_DigestSignInit(context.get(), &parameters, EVP_sha256(), nullptr, key_.get());
    if (algorithm == "PS256") {
      EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING);
      EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST);
    }
    std::string signature(512, '\0');
    std::size_t length = signature.size();
    EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length,
                   reinterpret_cast<const unsigned char*>(input.data()), input.size());
    signature.resize(length);
    return input + "." + syncline::base64url_encode(signature);
  }

 private:
  std::unique_ptr<EVP_PKEY, Free> key_;
  std::unique_ptr<X509, Free> certificate_;
};

const std::string scope = "&scope=https%3A%2F%2Foutlook.office365.com%2F.default";

class OAuthTest : public FrontTest {
 protected:
  HttpAnswer token(const std::string& form) {
    return Wire(world, "outlook.example.test", true)
        .ask("POST", "/tenant-id/oauth2/v2.0/token", {{"Content-Type", "application/x-www-form-urlencoded"}},
             form);
  }
  static std::string member(const std::string& json, const std::string& name) {
    const auto at = json.find("\"" + name + "\":\"");
    if (at == json.npos) return {};
    const auto start = at + name.size() + 4;
    return json.substr(start, json.find('"', start) - start);
  }
  std::string app_token() {
    return member(
        token("grant_type=client_credentials&client_id=app-1&client_secret=app+secret+%26+more" + scope).body,
        "access_token");
  }
  std::string as_cora() { return soap(get_item(), impersonating("SmtpAddress", "cora@example.test")); }
};

TEST_F(OAuthTest, client_credentials_give_an_app_only_token_that_must_impersonate) {
  start(two_sites());
  const auto given = app_token();
  ASSERT_FALSE(given.empty());
  EXPECT_EQ(online(given, as_cora()).status, 200);
  EXPECT_EQ(service.callers.back().mailbox, "cora@example.test");
  EXPECT_EQ(last().authenticated_as, "app:app-1");
  EXPECT_THAT(online(given, soap(get_item())).body, HasSubstr("ErrorImpersonationRequired"));
  EXPECT_EQ(sim->counters().get("token.client_credentials"), 1u);
}

TEST_F(OAuthTest, wrong_secrets_unknown_applications_scopes_and_grants_are_refused_in_the_platforms_words) {
  start(two_sites());
  const auto wrong = token("grant_type=client_credentials&client_id=app-1&client_secret=x" + scope);
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(member(wrong.body, "error"), "invalid_client");
  EXPECT_THAT(wrong.body, HasSubstr("AADSTS7000215"));
  EXPECT_EQ(
      member(token("grant_type=client_credentials&client_id=app-2&client_secret=x" + scope).body, "error"),
      "unauthorized_client");
  EXPECT_EQ(member(token("grant_type=client_credentials&client_id=app-1" + scope).body, "error"),
            "invalid_client");
  EXPECT_EQ(
      member(token("grant_type=client_credentials&client_id=app-1&client_secret=app+secret+%26+more").body,
             "error"),
      "invalid_scope");
  EXPECT_EQ(member(token("grant_type=password&client_id=app-1").body, "error"), "unsupported_grant_type");
  EXPECT_EQ(member(token("").body, "error"), "unsupported_grant_type");
  EXPECT_EQ(member(token("%%%&=&&a=b=c").body, "error"), "unsupported_grant_type");
}

TEST_F(OAuthTest, the_secret_may_come_in_the_authorization_field) {
  start(two_sites());
  const auto answer = Wire(world, "outlook.example.test", true)
                          .ask("POST", "/tenant-id/oauth2/v2.0/token",
                               {{"Authorization", basic("app-1", "app+secret+%26+more")}},
                               "grant_type=client_credentials" + scope);
  EXPECT_EQ(answer.status, 200) << answer.body;
}

TEST_F(OAuthTest, a_client_assertion_is_verified_in_every_part_and_used_once) {
  const Signer signer;
  const Signer stranger;
  auto config = two_sites();
  config.sites[1].oauth.applications[0].certificate_pem = signer.pem();
  start(config);
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(world.now().time_since_epoch()).count();
  int serial = 0;
  const auto claims = [&](const std::string& subject, const std::string& audience, std::int64_t expires) {
    return R"({"iss":")" + subject + R"(","sub":")" + subject + R"(","aud":")" + audience + R"(","jti":"j)" +
           std::to_string(++serial) + R"(","nbf":)" + std::to_string(now) +
           ",\"exp\":" + std::to_string(expires) + "}";
  };
  const auto ask = [&](const std::string& assertion) {
    return token("grant_type=client_credentials&client_id=app-1" + scope +
                 "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&"
                 "client_assertion=" +
                 assertion);
  };
  const std::string audience = "https://outlook.example.test/tenant-id/oauth2/v2.0/token";
  const auto good = signer.assertion(claims("app-1", audience, now + 600));
  EXPECT_EQ(ask(good).status, 200);
  EXPECT_EQ(ask(signer.assertion(claims("app-1", audience, now + 600), "PS256")).status, 200);
  EXPECT_THAT(ask(good).body, HasSubstr("used before"));
  EXPECT_THAT(ask(stranger.assertion(claims("app-1", audience, now + 600))).body, HasSubstr("thumbprint"));
  EXPECT_THAT(ask(signer.assertion(claims("app-2", audience, now + 600))).body, HasSubstr("client_id"));
  EXPECT_THAT(ask(signer.assertion(claims("app-1", "https://elsewhere/", now + 600))).body,
              HasSubstr("audience"));
  EXPECT_THAT(ask(signer.assertion(claims("app-1", audience, now - 600))).body, HasSubstr("expired"));
  auto tampered = signer.assertion(claims("app-1", audience, now + 600));
  tampered.back() = tampered.back() == 'A' ? 'B' : 'A';
  tampered[tampered.size() - 10] = tampered[tampered.size() - 10] == 'A' ? 'B' : 'A';
  EXPECT_THAT(ask(tampered).body, HasSubstr("signature"));
  EXPECT_THAT(ask("a.b.c").body, HasSubstr("no JWT"));
  EXPECT_THAT(ask(signer.assertion(claims("app-1", audience, now + 600), "none")).body, HasSubstr("RS256"));
}

TEST_F(OAuthTest, a_refresh_token_is_rotated_and_the_old_one_is_worthless) {
  start(two_sites());
  const std::string form =
      "grant_type=refresh_token&client_id=app-1&client_secret=app+secret+%26+more&refresh_token=";
  const auto first = token(form + "refresh-0");
  ASSERT_EQ(first.status, 200) << first.body;
  const auto next = member(first.body, "refresh_token");
  ASSERT_FALSE(next.empty());
  EXPECT_EQ(online(member(first.body, "access_token"), soap(get_item())).status, 200);
  EXPECT_EQ(last().authenticated_as, "cora@example.test");
  EXPECT_THAT(token(form + "refresh-0").body, HasSubstr("invalid_grant"));
  EXPECT_EQ(token(form + next).status, 200);
  EXPECT_THAT(token(form + "made-up").body, HasSubstr("invalid_grant"));
}

TEST_F(OAuthTest, rotation_can_be_lenient_or_off) {
  for (const auto rotation : {RefreshRotation::keep, RefreshRotation::same}) {
    auto config = two_sites();
    config.sites[1].oauth.rotation = rotation;
    start(config);
    const std::string form =
        "grant_type=refresh_token&client_id=app-1&client_secret=app+secret+%26+more&refresh_token=refresh-0";
    EXPECT_EQ(token(form).status, 200);
    const auto again = token(form);
    EXPECT_EQ(again.status, 200);
    EXPECT_EQ(member(again.body, "refresh_token") == "refresh-0", rotation == RefreshRotation::same);
  }
}

TEST_F(OAuthTest, tokens_expire_are_revoked_and_cannot_be_forged) {
  start(two_sites());
  const auto given = app_token();
  EXPECT_EQ(online(given, as_cora()).status, 200);
  auto forged = given;
  forged[forged.find('.') + 5] ^= 1;
  EXPECT_EQ(online(forged, as_cora()).status, 401);
  EXPECT_EQ(online("nonsense", as_cora()).status, 401);
  sim->advance_calendar(std::chrono::seconds(3600));
  const auto expired = online(given, as_cora());
  EXPECT_EQ(expired.status, 401);
  EXPECT_THAT(expired.field("WWW-Authenticate"), HasSubstr("error=\"invalid_token\""));
  EXPECT_THAT(expired.field("x-ms-diagnostics"), HasSubstr("expired"));
  const auto fresh = app_token();
  EXPECT_EQ(online(fresh, as_cora()).status, 200);
  sim->revoke_tokens("online");
  EXPECT_EQ(online(fresh, as_cora()).status, 401);
}

TEST_F(OAuthTest, an_application_access_policy_is_a_403) {
  auto config = two_sites();
  User dora;
  dora.address = "dora@example.test";
  config.sites[1].users.push_back(dora);
  config.sites[1].oauth.applications[0].mailboxes = {"dora@example.test"};
  start(config);
  const auto given = sim->issue_access_token("online", "app-1", "");
  EXPECT_EQ(online(given, as_cora()).status, 403);
  EXPECT_EQ(online(given, soap(get_item(), impersonating("SmtpAddress", "dora@example.test"))).status, 200);
}

TEST_F(OAuthTest, faults_reach_the_token_endpoint) {
  start(two_sites());
  ASSERT_TRUE(
      sim->faults().add_json(R"({"action":"status","operation":"token","status":503,"text":"x","times":1})"));
  EXPECT_EQ(token("grant_type=client_credentials").status, 503);
  EXPECT_THAT(app_token(), ::testing::Not(IsEmpty()));
}

TEST_F(OAuthTest, a_user_token_needs_no_impersonation_must_not_have_it_and_cannot_be_used_elsewhere) {
  auto config = two_sites();
  User dora;
  dora.address = "dora@example.test";
  config.sites[1].users.push_back(dora);
  start(config);
  const auto given = sim->issue_access_token("online", "app-1", "Cora@example.test");
  EXPECT_EQ(online(given, soap(get_item())).status, 200);
  EXPECT_EQ(service.callers.back().mailbox, "cora@example.test");
  EXPECT_THAT(online(given, soap(get_item(), impersonating("SmtpAddress", "dora@example.test"))).body,
              HasSubstr("ErrorInvalidExchangeImpersonationHeaderData"));
  EXPECT_EQ(ews(soap(get_item()), {{"Authorization", "Bearer " + given}}).status, 401);
}

}  // namespace
}  // namespace exchange_sim::testing
