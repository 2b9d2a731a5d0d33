// SPDX-License-Identifier: GPL-3.0-or-later
// SASL GSSAPI with tickets of a real KDC, against an acceptor written for this test from RFC 4752.
#include <gssapi/gssapi.h>

#include "auth/blocking_pool.hpp"
#include "auth/sasl.hpp"
#include "tests/real/kerberos/kdc.hpp"
#include "tests/unit/auth/support.hpp"

namespace syncline::auth {
namespace {

using testing::run;

/// RFC 4752 section 3.2.
class Acceptor {
 public:
  ~Acceptor() {
    OM_uint32 minor = 0;
    if (context_ != GSS_C_NO_CONTEXT) gss_delete_sec_context(&minor, &context_, GSS_C_NO_BUFFER);
  }

  /// The next challenge; empty and `failed` where the standard says to refuse.
  std::string take(std::string message) {
    OM_uint32 minor = 0;
    gss_buffer_desc input = {message.size(), message.data()};
    gss_buffer_desc output = GSS_C_EMPTY_BUFFER;
    if (!established_) {
      gss_name_t client = GSS_C_NO_NAME;
      const OM_uint32 major =
          gss_accept_sec_context(&minor, &context_, GSS_C_NO_CREDENTIAL, &input, GSS_C_NO_CHANNEL_BINDINGS,
                                 &client, nullptr, &output, nullptr, nullptr, nullptr);
      std::string token = text_of(output);
      if (GSS_ERROR(major)) {
        failed = true;
      } else if ((major & GSS_S_CONTINUE_NEEDED) == 0) {
        established_ = true;
        gss_buffer_desc name = GSS_C_EMPTY_BUFFER;
        gss_display_name(&minor, client, &name, nullptr);
        user = text_of(name);
      }
      if (client != GSS_C_NO_NAME) gss_release_name(&minor, &client);
      if (failed || !token.empty()) return token;
      return offer_layers();
    }
    if (!offered_) return offer_layers();
    if (GSS_ERROR(gss_unwrap(&minor, context_, &input, &output, nullptr, nullptr))) {
      failed = true;
      return {};
    }
    choice = text_of(output);
    done = true;
    return {};
  }

  std::string layers = {"\x01\x00\x00\x00", 4};
  std::string user;
  std::string choice;
  bool done = false;
  bool failed = false;

 private:
  std::string offer_layers() {
    offered_ = true;
    OM_uint32 minor = 0;
    gss_buffer_desc input = {layers.size(), layers.data()};
    gss_buffer_desc output = GSS_C_EMPTY_BUFFER;
    gss_wrap(&minor, context_, 0, GSS_C_QOP_DEFAULT, &input, nullptr, &output);
    return text_of(output);
  }
  static std::string text_of(gss_buffer_desc& buffer) {
    OM_uint32 minor = 0;
    std::string text(static_cast<const char*>(buffer.value), buffer.length);
    gss_release_buffer(&minor, &buffer);
    return text;
  }
  gss_ctx_id_t context_ = GSS_C_NO_CONTEXT;
  bool established_ = false;
  bool offered_ = false;
};

class SaslKerberos : public testing::WithKdc {
 protected:
  static void SetUpTestSuite() {
    WithKdc::SetUpTestSuite();
    if (!missing_.empty()) return;
    admin("addprinc -randkey imap/mail.example.com");
    admin("ktadd -k " + (folder_ / "server.keytab").string() + " imap/mail.example.com");
  }
  std::unique_ptr<SaslExchange> exchange(std::string service = "imap", std::string authorization_id = {}) {
    SaslIdentity identity;
    identity.authorization_id = std::move(authorization_id);
    identity.integrated =
        KerberosCredentials{.client_keytab = "FILE:" + (folder_ / "client.keytab").string()};
    auto chosen = choose_sasl({.mechanisms = {"GSSAPI", "PLAIN"},
                               .is_tls = true,
                               .service = std::move(service),
                               .host = "mail.example.com",
                               .port = 993},
                              identity, {.fips = true}, pool);
    EXPECT_TRUE(chosen) << chosen.error().describe();
    return std::move(*chosen);
  }
  Result<Secret> answer(SaslExchange& with, std::string challenge) {
    return run(context, with.respond(std::move(challenge)));
  }

  net::asio::io_context context;
  std::shared_ptr<BlockingPool> pool = std::make_shared<BlockingPool>(2);
};

TEST_F(SaslKerberos, ATicketSignsInWithoutASecurityLayer) {
  Acceptor server;
  auto client = exchange("imap", "anna");
  EXPECT_TRUE(client->client_first());
  std::string challenge;
  for (int round = 0; round < 5 && !server.done; ++round) {
    auto given = answer(*client, challenge);
    ASSERT_TRUE(given) << given.error().describe();
    challenge = server.take(std::string(given->reveal()));
    ASSERT_FALSE(server.failed);
  }
  ASSERT_TRUE(server.done);
  EXPECT_EQ(server.user, "service@EXAMPLE.COM");
  EXPECT_EQ(server.choice, std::string("\x01\x00\x00\x00", 4) + "anna");
  EXPECT_TRUE(client->finished());
  EXPECT_EQ(answer(*client, "more").error().code, "sasl-protocol");
}

TEST_F(SaslKerberos, TheServersTokenIsTheProofThatItIsTheServer) {
  Acceptor server;
  auto client = exchange();
  auto first = answer(*client, "");
  ASSERT_TRUE(first) << first.error().describe();
  EXPECT_EQ(client->finished().error().code, "server-not-authentic") << "success before any proof";
  std::string reply = server.take(std::string(first->reveal()));
  ASSERT_FALSE(reply.empty());
  reply[reply.size() / 2] = static_cast<char>(reply[reply.size() / 2] ^ 1);
  EXPECT_FALSE(answer(*client, reply));
  EXPECT_EQ(client->finished().error().code, "server-not-authentic");
}

TEST_F(SaslKerberos, ALayerThatIsForcedOrForgedIsRefused) {
  for (const bool forged : {false, true}) {
    Acceptor server;
    server.layers = {"\x04\x00\xff\xff", 4};  // confidentiality only
    auto client = exchange();
    auto first = answer(*client, "");
    ASSERT_TRUE(first);
    auto second = answer(*client, server.take(std::string(first->reveal())));
    ASSERT_TRUE(second) << second.error().describe();
    std::string offer = server.take(std::string(second->reveal()));
    if (forged) offer.back() = static_cast<char>(offer.back() ^ 1);
    EXPECT_FALSE(answer(*client, offer)) << forged;
  }
}

TEST_F(SaslKerberos, AServiceThatTheKdcDoesNotKnowIsAnErrorOfOurs) {
  auto client = exchange("pop");
  const auto given = answer(*client, "");
  ASSERT_FALSE(given);
  EXPECT_EQ(given.error().domain, ErrorDomain::auth);
}

TEST_F(SaslKerberos, NonsenseInPlaceOfTokensOnlyFails) {
  SeededRandom random(3);
  for (int i = 0; i < 30; ++i) {
    auto client = exchange();
    ASSERT_TRUE(answer(*client, ""));
    std::string nonsense(random.below(2000), '\0');
    random.fill(std::as_writable_bytes(std::span(nonsense)));
    EXPECT_FALSE(answer(*client, nonsense));
    EXPECT_FALSE(client->finished());
  }
}

}  // namespace
}  // namespace syncline::auth
